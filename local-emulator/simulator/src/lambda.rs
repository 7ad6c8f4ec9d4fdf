//! Lambda: environments that are kept, started and refused, provisioned ones that take their time, and what both are limited to.

mod provisioned;

use std::collections::BTreeMap;

use foreshard_fakes::Seeded;
use foreshard_model::limits::INVOCATIONS_PER_CONCURRENCY;
use foreshard_model::target::Architecture;
use foreshard_model::units::{Mib, TimeMs};

use crate::account::Account;
use crate::bucket::Bucket;
use crate::parameters::{CONTROL_CALLS_PER_S, KEPT_IDLE_MS, PLACEMENT, Package, init};
use crate::random;

use self::provisioned::Provisioned;

/// What of the quota provisioned concurrency must leave to everybody else. Source: Lambda documentation.
const LEFT_UNRESERVED: u32 = 100;

/// A function, or one alias of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    pub(crate) memory: Mib,
    pub(crate) disk: Mib,
    pub(crate) architecture: Architecture,
    pub(crate) package: Package,
    pub(crate) region: String,
    /// Longest invocation, in milliseconds.
    pub(crate) limit_ms: u64,
    /// Whether it does users' work: everything else is orchestration.
    pub(crate) works: bool,
}

/// How an invocation begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// In an environment that is there.
    Warm,
    /// In one that was provisioned.
    Provisioned,
    /// In a new one.
    Cold {
        /// Milliseconds until the sandbox is there: waited for, not charged.
        placed_ms: u64,
        /// Milliseconds of init: waited for and charged.
        init_ms: u64,
    },
}

/// Why an invocation was refused. Source: Lambda API, `ThrottleReason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The account's concurrency, or the function's new environments, are used up.
    Concurrency,
    /// Too many requests a second.
    Rate,
}

/// Why provisioned concurrency was not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotSet {
    /// The control plane takes no more calls this second.
    Throttled,
    /// It would leave less than a hundred of the quota.
    Quota,
}

struct Function {
    shape: Shape,
    /// Invocations in flight.
    running: u32,
    /// When each idle environment was last used, the latest at the end.
    idle: Vec<TimeMs>,
    grows: Bucket,
    provisioned: Provisioned,
}

/// All functions of the account.
pub(crate) struct Lambda {
    concurrency: u32,
    environments_per_10_s: u32,
    functions: BTreeMap<String, Function>,
    in_flight: u32,
    requests: Bucket,
    control: Bucket,
    inits: Seeded,
    /// Inits of environments that are provisioned.
    early_inits: Seeded,
    placements: Seeded,
}

impl Lambda {
    pub(crate) fn new(account: &Account, seed: u64) -> Self {
        let requests = f64::from(account.concurrency * INVOCATIONS_PER_CONCURRENCY);
        Self {
            concurrency: account.concurrency,
            environments_per_10_s: account.environments_per_10_s,
            functions: BTreeMap::new(),
            in_flight: 0,
            requests: Bucket::new(requests, requests),
            control: Bucket::new(CONTROL_CALLS_PER_S, CONTROL_CALLS_PER_S),
            inits: Seeded::new(seed, "init"),
            early_inits: Seeded::new(seed, "init of provisioned environments"),
            placements: Seeded::new(seed, "placement"),
        }
    }

    pub(crate) fn deploy(&mut self, name: &str, shape: Shape) {
        let most = f64::from(self.environments_per_10_s);
        let function = Function {
            shape,
            running: 0,
            idle: Vec::new(),
            grows: Bucket::new(most, most / 10.0),
            provisioned: Provisioned::default(),
        };
        self.functions.insert(name.to_owned(), function);
    }

    pub(crate) fn shape(&self, name: &str) -> Option<&Shape> {
        self.functions.get(name).map(|function| &function.shape)
    }

    /// Begins an invocation of a function that is deployed.
    pub(crate) fn begin(&mut self, name: &str, now: TimeMs) -> Result<Start, Refused> {
        if !self.requests.take(1.0, now) {
            return Err(Refused::Rate);
        }
        let reserved: u32 = self.functions.values().map(|f| f.provisioned.held()).sum();
        let Some(function) = self.functions.get_mut(name) else {
            return Err(Refused::Rate);
        };
        if function.provisioned.take(now) {
            function.running += 1;
            return Ok(Start::Provisioned);
        }
        if self.in_flight + reserved >= self.concurrency {
            return Err(Refused::Concurrency);
        }
        // The rest has been idle longer: once one is too old, all before it are.
        let kept = |last: &TimeMs| now.since(*last) <= KEPT_IDLE_MS;
        let start = if let Some(_last) = function.idle.pop().filter(kept) {
            Start::Warm
        } else {
            function.idle.clear();
            if !function.grows.take(1.0, now) {
                return Err(Refused::Concurrency);
            }
            let shape = &function.shape;
            let of = init(shape.package, shape.architecture);
            Start::Cold {
                placed_ms: random::draw(&mut self.placements, PLACEMENT).round() as u64,
                init_ms: random::draw(&mut self.inits, of).ceil() as u64,
            }
        };
        function.running += 1;
        self.in_flight += 1;
        Ok(start)
    }

    /// Ends an invocation; its environment is kept for a while, unless it died.
    pub(crate) fn end(&mut self, name: &str, start: Start, now: TimeMs, died: bool) {
        let Some(function) = self.functions.get_mut(name) else {
            return;
        };
        if start == Start::Provisioned {
            function.provisioned.give();
            function.running -= 1;
            return;
        }
        self.in_flight -= 1;
        function.running -= 1;
        if !died {
            function.idle.push(now);
        }
    }

    /// Invocations in flight.
    pub(crate) fn in_flight(&self) -> u32 {
        let provisioned: u32 = self.functions.values().map(|f| f.provisioned.busy()).sum();
        self.in_flight + provisioned
    }

    /// Invocations of a function in flight, and its provisioned environments.
    pub(crate) fn running(&self, name: &str) -> Option<(u32, &Provisioned)> {
        let function = self.functions.get(name)?;
        Some((function.running, &function.provisioned))
    }

    /// Gigabyte-seconds for which environments were provisioned up to this moment.
    pub(crate) fn waiting_gb_s(&self, now: TimeMs) -> f64 {
        self.provisioned_gb_s(|provisioned| provisioned.paid(now))
    }

    /// Gigabyte-seconds of the init of provisioned environments.
    pub(crate) fn early_inits_gb_s(&self) -> f64 {
        self.provisioned_gb_s(Provisioned::inits_ms)
    }

    fn provisioned_gb_s(&self, ms: impl Fn(&Provisioned) -> u64) -> f64 {
        let each = self.functions.values().map(|function| {
            let gb = f64::from(function.shape.memory.0) / 1_024.0;
            gb * ms(&function.provisioned) as f64 / 1_000.0
        });
        each.sum()
    }

    /// Takes a call of the control plane.
    pub(crate) fn controls(&mut self, now: TimeMs) -> Result<(), NotSet> {
        let taken = self.control.take(1.0, now);
        taken.then_some(()).ok_or(NotSet::Throttled)
    }

    /// Asks for so many provisioned environments of an alias, 0 to give them back; says from when on they are of use.
    pub(crate) fn provision(
        &mut self,
        name: &str,
        count: u32,
        now: TimeMs,
    ) -> Result<TimeMs, NotSet> {
        self.controls(now)?;
        let others: u32 = self
            .functions
            .iter()
            .filter(|(other, _)| *other != name)
            .map(|(_, function)| function.provisioned.asked())
            .sum();
        if others + count > self.concurrency.saturating_sub(LEFT_UNRESERVED) {
            return Err(NotSet::Quota);
        }
        let Some(function) = self.functions.get_mut(name) else {
            return Err(NotSet::Quota);
        };
        let of = init(function.shape.package, function.shape.architecture);
        for _ in function.provisioned.asked()..count {
            let init_ms = random::draw(&mut self.early_inits, of).ceil() as u64;
            function.provisioned.started(init_ms);
        }
        function.provisioned.ask(count, now);
        Ok(function.provisioned.all_from())
    }

    /// So many provisioned environments of a function were asked for long ago.
    pub(crate) fn preset(&mut self, name: &str, count: u32, at: TimeMs) {
        if let Some(function) = self.functions.get_mut(name) {
            function.provisioned.ask(count, at);
        }
    }

    /// What is provisioned is paid for from this moment on.
    pub(crate) fn pay_from(&mut self, at: TimeMs) {
        let all = self.functions.values_mut();
        all.for_each(|function| function.provisioned.pay_from(at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lambda(change: impl FnOnce(&mut Account)) -> Lambda {
        let mut account = Account::in_region("us-east-1");
        change(&mut account);
        let mut lambda = Lambda::new(&account, 0);
        for name in ["a", "b"] {
            let shape = Shape {
                memory: Mib(128),
                disk: Mib(512),
                architecture: Architecture::Arm64,
                package: Package::Image,
                region: account.region.clone(),
                limit_ms: 900_000,
                works: true,
            };
            lambda.deploy(name, shape);
        }
        lambda
    }

    /// Begins so many and counts those that were not refused.
    fn begun(lambda: &mut Lambda, name: &str, count: u32, ms: u64) -> usize {
        let starts = (0..count).filter(|_| lambda.begin(name, TimeMs(ms)).is_ok());
        starts.count()
    }

    #[test]
    fn no_more_run_at_once_than_the_account_has() {
        let mut lambda = lambda(|_| {});
        assert_eq!(begun(&mut lambda, "a", 600, 0), 600);
        assert_eq!(begun(&mut lambda, "b", 600, 0), 400);
        assert_eq!(lambda.begin("b", TimeMs(1)), Err(Refused::Concurrency));
        lambda.end("a", Start::Warm, TimeMs(5), false);
        // The environment that is free is the other function's: a new one is started.
        assert!(matches!(
            lambda.begin("b", TimeMs(5)),
            Ok(Start::Cold { .. })
        ));
    }

    #[test]
    fn a_function_gets_a_thousand_environments_in_ten_seconds() {
        let mut lambda = lambda(|account| account.concurrency = 5_000);
        assert_eq!(begun(&mut lambda, "a", 1_500, 0), 1_000);
        assert_eq!(begun(&mut lambda, "a", 1_500, 1_000), 100);
        assert_eq!(begun(&mut lambda, "b", 1_500, 1_000), 1_000);
    }

    #[test]
    fn ten_requests_a_second_for_each_unit_of_concurrency() {
        let mut lambda = lambda(|account| account.concurrency = 101);
        let mut taken = 0;
        for _ in 0..1_500 {
            if let Ok(start) = lambda.begin("a", TimeMs(0)) {
                lambda.end("a", start, TimeMs(0), false);
                taken += 1;
            }
        }
        assert_eq!(taken, 1_010);
        assert_eq!(lambda.begin("a", TimeMs(0)), Err(Refused::Rate));
    }

    #[test]
    fn an_idle_environment_is_kept_for_five_minutes() {
        let mut lambda = lambda(|_| {});
        let first = lambda.begin("a", TimeMs(0)).unwrap();
        assert!(matches!(first, Start::Cold { .. }));
        lambda.end("a", first, TimeMs(1_000), false);
        let second = lambda.begin("a", TimeMs(301_000)).unwrap();
        assert_eq!(second, Start::Warm);
        lambda.end("a", second, TimeMs(302_000), false);
        assert!(matches!(
            lambda.begin("a", TimeMs(602_001)),
            Ok(Start::Cold { .. })
        ));
    }

    #[test]
    fn a_process_that_died_leaves_no_environment() {
        let mut lambda = lambda(|_| {});
        let first = lambda.begin("a", TimeMs(0)).unwrap();
        lambda.end("a", first, TimeMs(1_000), true);
        assert!(matches!(
            lambda.begin("a", TimeMs(1_000)),
            Ok(Start::Cold { .. })
        ));
    }

    #[test]
    fn provisioned_environments_are_of_use_when_all_are_there() {
        let mut lambda = lambda(|_| {});
        let from = lambda.provision("a", 300, TimeMs(0)).unwrap();
        assert_eq!(from, TimeMs(93_000));
        assert!(matches!(
            lambda.begin("a", TimeMs(92_999)),
            Ok(Start::Cold { .. })
        ));
        assert_eq!(lambda.begin("a", TimeMs(93_000)), Ok(Start::Provisioned));
        // They count against the account while they idle, and a hundred must be left to everybody else.
        assert_eq!(begun(&mut lambda, "b", 1_000, 93_000), 699);
        assert_eq!(
            lambda.provision("b", 601, TimeMs(94_000)),
            Err(NotSet::Quota)
        );
        assert!(lambda.provision("b", 600, TimeMs(94_000)).is_ok());
    }

    #[test]
    fn the_init_of_a_provisioned_environment_is_charged_once_for_each_that_is_started() {
        let mut warmed = lambda(|_| {});
        let mut charged = |count, ms| {
            warmed.provision("a", count, TimeMs(ms)).unwrap();
            warmed.early_inits_gb_s()
        };
        let ten = charged(10, 0);
        assert!(ten > 0.0);
        assert_eq!(charged(4, 1_000), ten, "nothing is given back");
        // Six are started anew, and the other four go on.
        let sixteen = charged(10, 2_000);
        assert!(ten < sixteen && sixteen < 2.0 * ten, "{ten} {sixteen}");
        // What starts on demand takes what it took without them.
        let (cold, other) = (
            lambda(|_| {}).begin("b", TimeMs(0)),
            warmed.begin("b", TimeMs(0)),
        );
        assert_eq!(cold, other);
        // What was there before the bill begins was paid for then.
        warmed.pay_from(TimeMs(3_000));
        assert_eq!(warmed.early_inits_gb_s(), 0.0);
    }

    #[test]
    fn the_control_plane_takes_fifteen_calls_a_second() {
        let mut lambda = lambda(|_| {});
        let set = (0..20).filter(|_| lambda.provision("a", 1, TimeMs(0)).is_ok());
        assert_eq!(set.count(), 15);
        assert_eq!(lambda.provision("a", 1, TimeMs(0)), Err(NotSet::Throttled));
        assert!(lambda.provision("a", 1, TimeMs(1_000)).is_ok());
    }
}
