//! The services of one account and region: what they hold, what they limit, and what they have counted so far.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use foreshard_fakes::machine::skewed;
use foreshard_fakes::{Fault, Seeded, World};
use foreshard_model::ids::{Round, RunId};
use foreshard_model::units::TimeMs;

use crate::account::Account;
use crate::bucket::Bucket;
use crate::lambda::Lambda;
use crate::meter::Usage;
use crate::metrics::Metrics;
use crate::parameters::LATENCY_SPREAD;
use crate::random;
use crate::table::Table;
use crate::timeline::Timeline;
use crate::trouble::{Struck, Trouble, Troubles};

/// Everything that a stage or a state machine can reach.
pub(crate) struct Cloud {
    /// Items and objects.
    pub(crate) world: Arc<World>,
    pub(crate) timeline: Timeline,
    pub(crate) account: Account,
    /// Whether what an invocation writes may break, or its clock be wrong: then it must be told from the others.
    pub(crate) faulty: bool,
    skew: (u64, u32),
    services: Mutex<Services>,
}

/// What the lock guards.
pub(crate) struct Services {
    pub(crate) usage: Usage,
    pub(crate) lambda: Lambda,
    pub(crate) table: Table,
    pub(crate) transitions: Bucket,
    pub(crate) starts: Bucket,
    pub(crate) answers: Bucket,
    /// `PutMetricData`.
    pub(crate) publications: Bucket,
    /// What CloudWatch has measured.
    pub(crate) metrics: Metrics,
    /// Executions that were asked for and are to begin.
    pub(crate) started: Vec<(RunId, Round)>,
    /// Task tokens that somebody waits for; answered ones hold no waker.
    tokens: BTreeMap<String, Token>,
    latencies: Latencies,
    /// Functions whose provisioned concurrency follows a target.
    pub(crate) tracked: BTreeSet<String>,
    /// Invocations that were told apart so far.
    pub(crate) processes: u64,
    pub(crate) backoff: Seeded,
    /// How late events of timers are.
    pub(crate) timers: Seeded,
    pub(crate) troubles: Troubles,
}

enum Token {
    Open(Option<Waker>),
    Answered,
}

/// A generator for each service: a change to one does not move the others.
struct Latencies {
    states: Seeded,
    functions: Seeded,
    table: Seeded,
    store: Seeded,
}

/// Whose time something takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Service {
    States,
    Functions,
    Table,
    Store,
}

impl Cloud {
    pub(crate) fn new(account: Account, trouble: Trouble, seed: u64, timeline: &Timeline) -> Self {
        let bucket = |(size, per_s): (f64, f64)| Bucket::new(size, per_s);
        let transitions = f64::from(account.transitions_per_s);
        let publications = f64::from(account.metric_requests_per_s);
        let world = Arc::new(World::new());
        world.set_unwitnessed();
        if trouble.writes > 0 {
            world.faults(|faults| faults.set_random(seed, trouble.writes, &Fault::ALL));
        }
        let faulty = trouble.writes > 0 || trouble.skewed > 0;
        let skew = (seed, trouble.skewed);
        let services = Services {
            usage: Usage::default(),
            lambda: Lambda::new(&account, seed),
            table: Table::new(&account),
            transitions: Bucket::new(transitions, transitions),
            starts: bucket(account.starts),
            answers: bucket(account.tokens),
            publications: Bucket::new(publications, publications),
            metrics: Metrics::new(seed, trouble.unseen),
            started: Vec::new(),
            tokens: BTreeMap::new(),
            latencies: Latencies {
                states: Seeded::new(seed, "latency of states"),
                functions: Seeded::new(seed, "latency of functions"),
                table: Seeded::new(seed, "latency of the table"),
                store: Seeded::new(seed, "latency of the store"),
            },
            tracked: BTreeSet::new(),
            processes: 0,
            backoff: Seeded::new(seed, "back-off"),
            timers: Seeded::new(seed, "timers"),
            troubles: Troubles::new(trouble, seed),
        };
        Self {
            world,
            timeline: timeline.clone(),
            account,
            faulty,
            skew,
            services: Mutex::new(services),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Services> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was used up to this moment, environments that waited included.
    pub(crate) fn used(&self, at: TimeMs) -> Usage {
        let services = self.lock();
        let mut usage = services.usage.clone();
        usage.provisioned_gb_s += services.lambda.early_inits_gb_s();
        usage.waiting_gb_s = services.lambda.waiting_gb_s(at);
        usage
    }

    /// The time, as the invocation sees it that asks.
    pub(crate) fn told(&self) -> TimeMs {
        let (now, (seed, per_mille)) = (self.timeline.now(), self.skew);
        if per_mille == 0 {
            return now;
        }
        let who = self.world.faults(|faults| faults.current());
        let wrong = skewed(seed, per_mille, who, now);
        if wrong.is_some() {
            self.world.faults(|faults| faults.note(Fault::ClockSkew));
        }
        wrong.unwrap_or(now)
    }

    /// Whether the forecast of now is not made.
    pub(crate) fn strikes_forecast(&self) -> bool {
        let now = self.timeline.now();
        self.lock().troubles.keeps_forecast(now)
    }

    /// How often each kind of trouble has struck, that of writes and clocks included.
    pub(crate) fn struck(&self) -> Struck {
        let mut struck = self.lock().troubles.struck.clone();
        let hits = self.world.faults(|faults| faults.hits().clone());
        for ((_, fault), count) in hits {
            *struck.0.entry(word(fault)).or_default() += count;
        }
        struck
    }

    /// Lets the time pass that a service takes: about `ms` milliseconds.
    pub(crate) async fn takes(&self, service: Service, ms: u64) {
        let ms = {
            let latencies = &mut self.lock().latencies;
            let draws = match service {
                Service::States => &mut latencies.states,
                Service::Functions => &mut latencies.functions,
                Service::Table => &mut latencies.table,
                Service::Store => &mut latencies.store,
            };
            (ms as f64 * random::draw(draws, LATENCY_SPREAD)).round() as u64
        };
        self.timeline.sleep(ms).await;
    }

    /// A wait drawn between none and `longest_ms`, as with full jitter.
    pub(crate) fn jittered(&self, longest_ms: u64) -> u64 {
        self.lock().backoff.below(longest_ms + 1)
    }

    /// One `PutMetricData`, if its rate allows: what it does not take is lost.
    pub(crate) fn publishes(&self) {
        let now = self.timeline.now();
        let mut services = self.lock();
        let taken = services.publications.take(1.0, now);
        services.usage.metric_requests += u64::from(taken);
        services.usage.throttles.cloudwatch += u64::from(!taken);
    }

    /// Takes the executions that were asked for since the last call.
    pub(crate) fn take_started(&self) -> Vec<(RunId, Round)> {
        std::mem::take(&mut self.lock().started)
    }

    /// Somebody waits for this token from now on.
    pub(crate) fn open_token(&self, token: &str) {
        let mut services = self.lock();
        services.tokens.insert(token.to_owned(), Token::Open(None));
    }

    /// Answers a token; false: nobody waits for it.
    pub(crate) fn answer_token(&self, token: &str) -> bool {
        let mut services = self.lock();
        let Some(entry) = services.tokens.get_mut(token) else {
            return false;
        };
        match std::mem::replace(entry, Token::Answered) {
            Token::Answered => false,
            Token::Open(waker) => {
                if let Some(waker) = waker {
                    waker.wake();
                }
                true
            }
        }
    }

    /// Ends when the token is answered.
    pub(crate) fn answered(&self, token: &str) -> impl Future<Output = ()> {
        std::future::poll_fn(move |context| {
            let mut services = self.lock();
            match services.tokens.get_mut(token) {
                Some(Token::Open(waker)) => {
                    *waker = Some(context.waker().clone());
                    Poll::Pending
                }
                _ => Poll::Ready(()),
            }
        })
    }

    /// Nobody waits for the token any more.
    pub(crate) fn close_token(&self, token: &str) {
        self.lock().tokens.remove(token);
    }
}

fn word(fault: Fault) -> &'static str {
    match fault {
        Fault::CrashBefore => "crash_before_write",
        Fault::CrashAfter => "crash_after_write",
        Fault::FailBefore => "write_failed",
        Fault::FailAfter => "answer_of_write_lost",
        Fault::Conflict => "write_conflict",
        Fault::Duplicate => "write_twice",
        Fault::ClockSkew => "clock_skew",
        _ => "other",
    }
}
