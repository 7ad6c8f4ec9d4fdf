//! What each environment of an alias is worth: the newsvendor's trade for every one of them, idle time against cold starts.
//!
//! The k-th environment is used when demand is at least k. It is worth having when, held until the best moment to let it go,
//! what it saves is more than what its idle time costs, and more than having it only from the next decision on. The first
//! environments are used most, so those worth having are the first n; n is the newsvendor's quantile of demand.

use foreshard_model::prewarm::{ColdStartWorth, PrewarmAlias, PrewarmExpected, WarmStatus};
use foreshard_model::units::{TimeMs, Usd};

use super::demand::Segment;
use super::tariff::Tariff;
use super::{BILLING_MS, lead_ms};

/// How long environments on demand are taken to stay warm: Lambda promises nothing, and gives at least about so much.
const WARM_ON_DEMAND_MS: u64 = 300_000;

/// What one more environment must gain at least, as a share of five minutes of its idle time: no forecast is exact.
const HYSTERESIS: f64 = 0.1;

/// When what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) now: TimeMs,
    /// Of the next decision.
    pub(super) next: TimeMs,
    /// From a call until what it asked for is usable.
    pub(super) lead_ms: u64,
    /// Nothing is known of what is later.
    pub(super) end: TimeMs,
}

/// The money of one alias.
#[derive(Debug)]
pub(super) struct Ledger<'a> {
    pub(super) alias: &'a PrewarmAlias,
    pub(super) segments: &'a [Segment],
    pub(super) tariff: Tariff,
    pub(super) clock: Clock,
    /// Dollars that a cold start costs.
    cold_usd: f64,
    gb: f64,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(alias: &'a PrewarmAlias, segments: &'a [Segment], clock: Clock) -> Self {
        let tariff = Tariff::of(alias);
        let each = match alias.worth {
            ColdStartWorth::Usd { each } => finite(each),
            ColdStartWorth::Slo { .. } => 0.0,
        };
        // As Lambda bills it: a GB is 1,024 MiB.
        let gb = f64::from(alias.memory.0) / 1024.0;
        Self {
            cold_usd: each + finite(alias.cold_start_ms) / 1000.0 * gb * tariff.on_demand,
            alias,
            segments,
            tariff,
            clock,
            gb,
        }
    }

    /// What environments `1..=n` bring in a segment: (dollars that their time costs less, cold starts that they avoid).
    fn brings(&self, segment: &Segment, used: f64, cold_used: f64) -> (f64, f64) {
        let busy = finite(self.alias.busy).min(1.0);
        let forecast_busy = self
            .alias
            .forecast_busy
            .map_or(busy, |share| finite(share).min(1.0));
        let busy = forecast_busy * segment.recurring + busy * (1.0 - segment.recurring);
        let busy_s = used * segment.seconds * busy;
        let starts = if segment.begins {
            1.0
        } else {
            finite(self.alias.turnover).min(1.0) * segment.share * segment.recurring
        };
        (busy_s * self.gb * self.tariff.cheaper(), cold_used * starts)
    }

    /// Environments on demand that are still warm in a segment: they meet demand above what is provisioned.
    fn warm(&self, segment: &Segment) -> u32 {
        if segment.from.since(self.clock.now) < WARM_ON_DEMAND_MS {
            self.alias.state.warm_on_demand
        } else {
            0
        }
    }

    /// Dollars that the `k`-th environment saves in a segment, its idle time not counted.
    fn saves(&self, segment: &Segment, k: u32) -> f64 {
        let cold_used = segment.use_of(k.saturating_add(self.warm(segment)));
        let (cheaper, avoided) = self.brings(segment, segment.use_of(k), cold_used);
        cheaper + avoided * self.cold_usd
    }

    /// Dollars of one environment's idle time.
    fn idle(&self, ms: u64) -> f64 {
        self.gb * self.tariff.idle * ms as f64 / 1000.0
    }

    /// The most that the `k`-th environment gains when it is asked for at `put`; 0 when it never gains anything.
    fn asked_for(&self, k: u32, put: TimeMs) -> f64 {
        let init = self.gb * self.tariff.provisioned * finite(self.alias.cold_start_ms) / 1000.0;
        let first = put.plus(self.interval());
        let cost = |until: TimeMs| init + self.idle(blocks(until.since(put)));
        self.best(k, put.plus(self.clock.lead_ms), first, cost)
            .max(0.0)
    }

    /// The most that it gains when it is let go now and asked for again, at the next decision or a block or more after that: who waits
    /// for a wave of the next hour does not wait here. It must be worth a block more than keeping: while it is asked for again
    /// nothing is there.
    fn asked_for_later(&self, k: u32) -> f64 {
        let blocks = self.clock.end.since(self.clock.next) / BILLING_MS;
        let puts = (0..=blocks).map(|at| self.clock.next.plus(at * BILLING_MS));
        puts.map(|put| self.asked_for(k, put)).fold(0.0, f64::max)
    }

    /// The most that the `k`-th environment gains when it is there, or under way, and is kept at least until the next decision.
    fn kept(&self, k: u32) -> f64 {
        let (since, paid) = self.paid();
        let cost = |until: TimeMs| self.idle(blocks(until.since(since)).saturating_sub(paid));
        let first = since.plus(blocks(self.clock.next.since(since)).max(paid));
        self.best(k, self.usable_at(), first, cost)
    }

    /// The best of: used from `from`, let go at `first` or some blocks later.
    fn best(&self, k: u32, from: TimeMs, first: TimeMs, cost: impl Fn(TimeMs) -> f64) -> f64 {
        let mut best = f64::NEG_INFINITY;
        let mut saved = 0.0;
        let mut segments = self.segments.iter().filter(|s| s.from >= from).peekable();
        let mut until = first;
        loop {
            while let Some(segment) = segments.next_if(|s| s.until() <= until) {
                saved += self.saves(segment, k);
            }
            best = best.max(saved - cost(until));
            if until >= self.clock.end {
                return best;
            }
            until = until.plus(BILLING_MS);
        }
    }

    /// Since when the present environments are billed, and how many milliseconds of it are by now: the first block is at once.
    fn paid(&self) -> (TimeMs, u64) {
        let now = self.clock.now;
        match self.alias.state.since {
            Some(since) if since <= now => (since, blocks(now.since(since)).max(BILLING_MS)),
            _ => (now, 0),
        }
    }

    /// From a decision to the next, in whole blocks.
    fn interval(&self) -> u64 {
        blocks(self.clock.next.since(self.clock.now)).max(BILLING_MS)
    }

    /// Environments that are there, or under way.
    pub(super) fn present(&self) -> u32 {
        match self.alias.state.status {
            WarmStatus::Ready | WarmStatus::InProgress => self.alias.state.provisioned,
            WarmStatus::None | WarmStatus::Failed => 0,
        }
    }

    /// From when on those are usable: now, or when Lambda is expected to have allocated all of them.
    fn usable_at(&self) -> TimeMs {
        let now = self.clock.now;
        let state = &self.alias.state;
        match state.status {
            WarmStatus::InProgress => {
                let since = state.since.unwrap_or(now).min(now);
                since.plus(lead_ms(state.provisioned)).max(now)
            }
            _ => now,
        }
    }

    /// How many are worth having, of `most`.
    pub(super) fn cheapest(&self, most: u32) -> u32 {
        let present = self.present().min(most);
        let regret = self.idle(BILLING_MS);
        let keep = |k: u32| {
            let kept = self.kept(k);
            kept > 0.0 && kept + regret > self.asked_for_later(k)
        };
        let kept = last(0, present, keep);
        if kept < present {
            return kept;
        }
        last(present, most, |k| self.pays(k))
    }

    /// Whether it is better to ask for the `k`-th environment now than at the next decision, or never.
    pub(super) fn pays(&self, k: u32) -> bool {
        let threshold = HYSTERESIS * self.idle(BILLING_MS);
        let later = self.asked_for(k, self.clock.next);
        self.asked_for(k, self.clock.now) > later + threshold
    }

    /// The number that keeps a promise; 0 without one. What is needed before anything new is usable can only be kept.
    pub(super) fn promised(&self) -> u32 {
        let ColdStartWorth::Slo { share } = self.alias.worth else {
            return 0;
        };
        let q = 1.0
            - if share.is_finite() {
                share.clamp(0.0, 1.0)
            } else {
                1.0
            };
        let ready = self.clock.now.plus(self.clock.lead_ms);
        let until = self.clock.next.plus(self.clock.lead_ms);
        let wanted = |from: TimeMs| {
            let segments = self.segments.iter();
            let within = segments.filter(|s| s.from >= from && s.from < until);
            within.map(|s| s.at(q)).fold(0.0, f64::max).ceil() as u32
        };
        wanted(ready).max(wanted(self.clock.now).min(self.present()))
    }

    /// What `n` environments bring against none when they are held until `until`.
    pub(super) fn expected(&self, n: u32, until: TimeMs) -> PrewarmExpected {
        let there = n.min(self.present());
        let (ready, usable_at) = (self.ready_at(n), self.usable_at());
        let (mut cheaper, mut avoided) = (0.0, 0.0);
        for segment in self.segments.iter().filter(|s| s.until() <= until) {
            let usable = if segment.from >= ready {
                n
            } else if segment.from >= usable_at {
                there
            } else {
                0
            };
            let usable = f64::from(usable);
            let warm = f64::from(self.warm(segment));
            let used = segment.above(0.0) - segment.above(usable);
            let cold_used = segment.above(warm) - segment.above(warm + usable);
            let (saved, starts) = self.brings(segment, used, cold_used);
            cheaper += saved;
            avoided += starts;
        }
        let (since, paid) = self.paid();
        let unpaid = blocks(until.since(since)).saturating_sub(paid);
        let idle = f64::from(there) * self.idle(unpaid)
            + f64::from(n - there) * self.idle(blocks(until.since(self.clock.now)));
        let worth = avoided * self.cold_usd;
        PrewarmExpected {
            idle_usd: Usd(idle),
            cheaper_usd: Usd(cheaper),
            cold_starts_avoided: avoided,
            avoided_usd: Usd(worth),
            saving_usd: Usd(cheaper + worth - idle),
        }
    }

    /// Until when `n` environments are best held: the end of the block at which they have saved most.
    pub(super) fn held_until(&self, n: u32) -> TimeMs {
        let mut until = self.clock.now.plus(self.interval());
        let mut best = (self.expected(n, until).saving_usd.0, until);
        while until < self.clock.end {
            until = until.plus(BILLING_MS);
            let saving = self.expected(n, until).saving_usd.0;
            if saving > best.0 {
                best = (saving, until);
            }
        }
        best.1
    }

    /// How likely all demand is met while they are held.
    pub(super) fn covers(&self, n: u32, until: TimeMs) -> f64 {
        let ready = self.ready_at(n);
        let held = self.segments.iter();
        let held = held.filter(|s| s.from >= ready && s.until() <= until);
        held.map(|s| s.covered(f64::from(n))).fold(1.0, f64::min)
    }

    /// Most that any segment is thought to need.
    pub(super) fn most(&self) -> u32 {
        let most = self.segments.iter().map(Segment::most);
        most.fold(0.0, f64::max).ceil() as u32
    }

    /// When `n` environments are usable if the call is made now.
    pub(super) fn ready_at(&self, n: u32) -> TimeMs {
        if n <= self.present() {
            self.usable_at()
        } else {
            self.clock.now.plus(lead_ms(n))
        }
    }
}

/// The last of `low + 1..=high` for which `worth` holds, given that it holds up to some number; `low` when for none.
fn last(mut low: u32, mut high: u32, worth: impl Fn(u32) -> bool) -> u32 {
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if worth(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

/// As it is billed: whole blocks.
fn blocks(ms: u64) -> u64 {
    ms.div_ceil(BILLING_MS) * BILLING_MS
}

fn finite(value: f64) -> f64 {
    if value.is_finite() {
        value.max(0.0)
    } else {
        0.0
    }
}
