//! Decides provisioned concurrency: how many environments of which alias, from when to when, or none, and why.

mod choose;
mod demand;
mod settle;
mod share;
mod tariff;
mod told;

use foreshard_model::prewarm::{
    DemandStep, PrewarmAlias, PrewarmDecision, PrewarmExpected, PrewarmInput, WarmState, WarmStatus,
};
use foreshard_model::units::TimeMs;

use choose::{Clock, Ledger};
use demand::window;

pub use tariff::Tariff;
pub use told::{recurring, waves, without};

#[cfg(test)]
mod tests;

/// Provisioned concurrency is billed in steps of five minutes. Source: Lambda pricing, "rounded up to the nearest five minutes".
pub const BILLING_MS: u64 = 300_000;

/// Before Lambda begins to allocate, in milliseconds. Source: Lambda documentation, "How Lambda allocates provisioned
/// concurrency": a minute or two of preparation.
pub const PREPARATION_MS: u64 = 120_000;

/// Environments that one function is given in a minute from then on; none is usable before all are there. Same source.
pub const ENVIRONMENTS_PER_MIN: u64 = 6_000;

/// Requests a second of the control plane, for all of an account. Source: Lambda quotas; cannot be raised.
pub const CALLS_PER_S: u32 = 15;

/// How far a decision looks: what is later is for later decisions, which come every few minutes.
pub const HORIZON_MS: u64 = 7_200_000;

/// Milliseconds from the call until `environments` are usable.
#[must_use]
pub fn lead_ms(environments: u32) -> u64 {
    PREPARATION_MS + (u64::from(environments) * 60_000).div_ceil(ENVIRONMENTS_PER_MIN)
}

/// Decides for every alias, in their order.
///
/// Each environment is asked for when that gains more than asking for it at the next decision, and is let go when keeping it no
/// longer does. `none` is a proper answer, and the usual one where a cold start costs next to nothing.
///
/// # Complexity
///
/// O(aliases · log(environments) · steps within [`HORIZON_MS`]).
#[must_use]
pub fn prewarm(input: &PrewarmInput) -> Vec<PrewarmDecision> {
    let interval_ms = match input.next.since(input.now) {
        0 => BILLING_MS,
        ms => ms,
    };
    let mut decisions: Vec<PrewarmDecision> = input
        .aliases
        .iter()
        .map(|alias| settle::decide(alias, input.now, interval_ms))
        .collect();
    share::within_quotas(&mut decisions, input, interval_ms);
    share::within_calls(&mut decisions, input);
    decisions
}

/// What `environments`, usable from `from` on, would have brought and cost in a demand that is known by now: the bill of a decision that was only
/// recorded, or the realised error of one that was carried out.
#[must_use]
pub fn review(
    alias: &PrewarmAlias,
    environments: u32,
    from: TimeMs,
    until: TimeMs,
    happened: &[(TimeMs, f64)],
) -> PrewarmExpected {
    let step = |&(from, demand): &(TimeMs, f64)| DemandStep {
        from,
        quantiles: vec![(0.5, demand)],
    };
    let known = PrewarmAlias {
        forecast: happened.iter().map(step).collect(),
        waves: Vec::new(),
        ..alias.clone()
    };
    let window = window(&known, &[from, until]);
    let clock = Clock {
        now: from,
        next: until,
        lead_ms: 0,
        end: until,
    };
    let state = WarmState {
        provisioned: environments,
        status: WarmStatus::Ready,
        since: None,
        warm_on_demand: alias.state.warm_on_demand,
    };
    let known = PrewarmAlias { state, ..known };
    Ledger::new(&known, &window.segments, clock).expected(environments, until)
}
