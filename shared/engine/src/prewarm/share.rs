//! Fits the decisions into what they share: the concurrency of each region, and the calls of the control plane.

use std::collections::BTreeMap;

use foreshard_model::prewarm::{PrewarmAction, PrewarmDecision, PrewarmInput, PrewarmMode};

use super::choose::Ledger;
use super::settle;
use foreshard_model::limits::CONCURRENCY_KEPT_FREE;

/// Cuts what a region has no concurrency for: the environments that save most for each of them are given first.
pub(super) fn within_quotas(
    decisions: &mut [PrewarmDecision],
    input: &PrewarmInput,
    interval_ms: u64,
) {
    let mut free: BTreeMap<&str, u32> = input
        .quotas
        .iter()
        .map(|(region, quota)| (region.as_str(), quota.saturating_sub(CONCURRENCY_KEPT_FREE)))
        .collect();
    let worth = |decision: &PrewarmDecision| {
        decision.expected.saving_usd.0 / f64::from(decision.environments.max(1))
    };
    let mut order: Vec<usize> = (0..decisions.len()).collect();
    order.sort_by(|&a, &b| worth(&decisions[b]).total_cmp(&worth(&decisions[a])));
    for at in order {
        let alias = &input.aliases[at];
        if alias.reserved.is_some() {
            continue;
        }
        let Some(left) = free.get_mut(alias.region.as_str()) else {
            continue;
        };
        let wanted = decisions[at].environments;
        let given = wanted.min(*left);
        *left -= given;
        if given == wanted {
            continue;
        }
        let clock = settle::clock(alias, input.now, interval_ms);
        let seen = settle::seen(alias, clock);
        let ledger = Ledger::new(alias, &seen.segments, clock);
        let mut reasons = std::mem::take(&mut decisions[at].reasons);
        reasons.push(format!(
            "{given} of {wanted}: `{}` has no more concurrency, {CONCURRENCY_KEPT_FREE} of it must stay free",
            alias.region
        ));
        decisions[at] = settle::decided(&ledger, given, reasons);
    }
}

/// Leaves for the next time what the control plane has no calls for; in forecast-only mode leaves everything.
pub(super) fn within_calls(decisions: &mut [PrewarmDecision], input: &PrewarmInput) {
    let mut order: Vec<usize> = (0..decisions.len())
        .filter(|&at| decisions[at].would != PrewarmAction::Keep)
        .collect();
    let weight = |decision: &PrewarmDecision| match decision.would {
        PrewarmAction::Delete => f64::INFINITY,
        _ => decision.expected.saving_usd.0.abs(),
    };
    order.sort_by(|&a, &b| weight(&decisions[b]).total_cmp(&weight(&decisions[a])));
    for (number, at) in order.into_iter().enumerate() {
        let decision = &mut decisions[at];
        if input.mode != PrewarmMode::Act {
            decision.action = PrewarmAction::Keep;
            decision
                .reasons
                .push("forecast only: nothing is changed".to_owned());
        } else if number >= input.calls_max as usize {
            decision.action = PrewarmAction::Keep;
            decision.reasons.push(format!(
                "left for the next time: {} calls of the control plane are allowed",
                input.calls_max
            ));
        }
    }
}
