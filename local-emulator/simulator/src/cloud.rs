//! The services of one account and region: what they hold, what they limit, and what they have counted so far.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use foreshard_fakes::{Seeded, World};
use foreshard_model::ids::{Round, RunId};

use crate::account::Account;
use crate::bucket::Bucket;
use crate::lambda::Lambda;
use crate::meter::Usage;
use crate::parameters::LATENCY_SPREAD;
use crate::random;
use crate::table::Table;
use crate::timeline::Timeline;
use crate::trouble::{Trouble, Troubles};

/// Everything that a stage or a state machine can reach.
pub(crate) struct Cloud {
    /// Items and objects.
    pub(crate) world: Arc<World>,
    pub(crate) timeline: Timeline,
    pub(crate) account: Account,
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
    pub(crate) metrics: Bucket,
    /// Executions that were asked for and are to begin.
    pub(crate) started: Vec<(RunId, Round)>,
    /// Task tokens that somebody waits for; answered ones hold no waker.
    tokens: BTreeMap<String, Token>,
    latencies: Latencies,
    pub(crate) backoff: Seeded,
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
        let metrics = f64::from(account.metric_requests_per_s);
        let services = Services {
            usage: Usage::default(),
            lambda: Lambda::new(&account, seed),
            table: Table::new(&account),
            transitions: Bucket::new(transitions, transitions),
            starts: bucket(account.starts),
            answers: bucket(account.tokens),
            metrics: Bucket::new(metrics, metrics),
            started: Vec::new(),
            tokens: BTreeMap::new(),
            latencies: Latencies {
                states: Seeded::new(seed, "latency of states"),
                functions: Seeded::new(seed, "latency of functions"),
                table: Seeded::new(seed, "latency of the table"),
                store: Seeded::new(seed, "latency of the store"),
            },
            backoff: Seeded::new(seed, "back-off"),
            troubles: Troubles::new(trouble, seed),
        };
        Self {
            world: Arc::new(World::new()),
            timeline: timeline.clone(),
            account,
            services: Mutex::new(services),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Services> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
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
        let taken = services.metrics.take(1.0, now);
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
