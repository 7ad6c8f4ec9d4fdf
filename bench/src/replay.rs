//! Replays minutes of load against provisioned concurrency: what is usable when, what it costs, which cold starts are left.

use foreshard_engine::prewarm::{BILLING_MS, Tariff, lead_ms};
use foreshard_model::prewarm::{PrewarmAlias, WarmState, WarmStatus};
use foreshard_model::units::TimeMs;

/// A minute, in milliseconds.
pub const MINUTE_MS: u64 = 60_000;

/// Environments that an account gives one function at most in a replay.
const ENVIRONMENTS_MAX: u32 = 10_000;

/// One alias over time.
#[derive(Debug, Clone)]
pub struct Replay {
    alias: PrewarmAlias,
    tariff: Tariff,
    /// When each environment that is there, or is being allocated, was asked for.
    held: Vec<TimeMs>,
    /// How many of them are usable.
    ready: u32,
    ready_at: TimeMs,
    /// What it comes to.
    pub bill: Bill,
}

/// What a replay comes to.
#[derive(Debug, Default, Clone, Copy)]
pub struct Bill {
    /// Environments that were wanted.
    pub starts: f64,
    /// Of them, those that no provisioned one was there for.
    pub cold: f64,
    /// Minutes of provisioned environments, as billed.
    pub minutes: f64,
    /// Calls of the control plane.
    pub calls: u32,
    used_s: f64,
    used_provisioned_s: f64,
}

impl Replay {
    /// Nothing is provisioned yet.
    pub fn new(alias: &PrewarmAlias) -> Self {
        Self {
            tariff: Tariff::of(alias),
            alias: alias.clone(),
            held: Vec::new(),
            ready: 0,
            ready_at: TimeMs(0),
            bill: Bill::default(),
        }
    }

    /// How it stands, as Lambda would tell.
    pub fn state(&self, now: TimeMs) -> WarmState {
        let status = if self.held.is_empty() {
            WarmStatus::None
        } else if self.ready_at <= now {
            WarmStatus::Ready
        } else {
            WarmStatus::InProgress
        };
        WarmState {
            provisioned: self.held.len() as u32,
            status,
            since: self.held.last().copied(),
            warm_on_demand: 0,
        }
    }

    /// Asks for so many environments; those that are let go were asked for last.
    pub fn put(&mut self, now: TimeMs, environments: u32) {
        let environments = environments.min(ENVIRONMENTS_MAX);
        self.bill.calls += 1;
        while self.held.len() > environments as usize {
            let since = self.held.pop().unwrap_or(now);
            self.settle(since, now);
        }
        if self.held.len() < environments as usize {
            self.ready_at = now.plus(lead_ms(environments));
            self.held.resize(environments as usize, now);
        }
        self.ready = self.ready.min(environments);
    }

    /// A minute in which so many environments are wanted, each for `busy_s` seconds.
    pub fn minute(&mut self, now: TimeMs, wanted: f64, busy_s: f64) {
        if self.ready_at <= now {
            self.ready = self.held.len() as u32;
        }
        let met = wanted.min(f64::from(self.ready));
        self.bill.starts += wanted;
        self.bill.cold += wanted - met;
        self.bill.used_s += wanted * busy_s;
        self.bill.used_provisioned_s += met * busy_s;
    }

    /// Lets go of everything, and gives the bill.
    pub fn end(mut self, now: TimeMs) -> Self {
        while let Some(since) = self.held.pop() {
            self.settle(since, now);
        }
        self
    }

    fn settle(&mut self, since: TimeMs, now: TimeMs) {
        let blocks = now.since(since).div_ceil(BILLING_MS).max(1);
        self.bill.minutes += (blocks * BILLING_MS / MINUTE_MS) as f64;
    }

    fn gb(&self) -> f64 {
        f64::from(self.alias.memory.0) / 1024.0
    }

    /// Dollars of idle time.
    pub fn idle_usd(&self) -> f64 {
        self.bill.minutes * 60.0 * self.gb() * self.tariff.idle
    }

    /// Dollars of everything, each cold start with what it is worth.
    pub fn total_usd(&self, worth_usd: f64) -> f64 {
        let bill = &self.bill;
        let on_demand_s =
            bill.used_s - bill.used_provisioned_s + bill.cold * self.alias.cold_start_ms / 1000.0;
        let used =
            on_demand_s * self.tariff.on_demand + bill.used_provisioned_s * self.tariff.provisioned;
        used * self.gb() + self.idle_usd() + bill.cold * worth_usd
    }
}
