//! What other active runs have been promised: their lanes, until they are expected to end.

use std::collections::BTreeMap;

use foreshard_model::limits::LAMBDA_TIMEOUT_MS;
use foreshard_model::outlook::{Hold, Promised};
use foreshard_model::plan::Plan;
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::units::TimeMs;

/// A run that should have ended keeps its lanes for another share of its time.
const OVERDUE: u64 = 10;
/// And for a minute at least: the sweep, which would end it, comes each minute.
const OVERDUE_MIN_MS: u64 = 60_000;

/// The lanes that other runs hold from now on, in their plans' regions, or in `region` where there is only one.
///
/// A run that is accepted but not planned yet has not been promised anything: whoever plans later counts the other. A run of
/// which no duration is known holds its lanes for as long as one attempt may take.
#[must_use]
pub fn promised(others: &[RunItem], region: &str, now: TimeMs) -> Promised {
    let mut holds: Vec<Hold> = Vec::new();
    for run in others {
        let (Some(plan), Some(planned_at)) = (&run.plan, run.planned_at) else {
            continue;
        };
        if run.state.is_terminal() || matches!(run.state, RunState::Completing) {
            continue;
        }
        let until_ms = match plan.expected_ms {
            None => LAMBDA_TIMEOUT_MS,
            Some(expected_ms) => {
                let left = planned_at.plus(expected_ms).since(now);
                left.max(expected_ms / OVERDUE).max(OVERDUE_MIN_MS)
            }
        };
        let hold = |region: &str, lanes: u32| Hold {
            run: run.run.clone(),
            region: region.to_owned(),
            lanes,
            from_ms: 0,
            until_ms,
        };
        if plan.lanes_of.is_empty() {
            holds.push(hold(region, plan.lanes));
        } else {
            holds.extend(
                plan.lanes_of
                    .iter()
                    .map(|(region, lanes)| hold(region, *lanes)),
            );
        }
    }
    holds.sort_by(|a, b| (&a.run, &a.region).cmp(&(&b.run, &b.region)));
    Promised { holds }
}

/// Most lanes of a plan that are busy at once in each region; empty when all are in one.
#[must_use]
pub fn lanes_by_region(plan: &Plan) -> BTreeMap<String, u32> {
    let region_of: BTreeMap<&str, &str> = plan
        .targets
        .iter()
        .map(|target| (target.id.as_str(), target.region.as_str()))
        .collect();
    let mut changes: BTreeMap<&str, Vec<(u64, i64)>> = BTreeMap::new();
    for shard in &plan.shards {
        let target = shard.target.as_deref();
        if let Some(region) = target.and_then(|target| region_of.get(target)) {
            let changes = changes.entry(region).or_default();
            changes.push((shard.start_ms, 1));
            changes.push((shard.start_ms + shard.duration_ms, -1));
        }
    }
    if changes.len() < 2 {
        return BTreeMap::new();
    }
    let most = changes.into_iter().map(|(region, mut changes)| {
        changes.sort_unstable();
        let (mut busy, mut most) = (0_i64, 0_i64);
        for (_, change) in changes {
            busy += change;
            most = most.max(busy);
        }
        (region.to_owned(), u32::try_from(most).unwrap_or(u32::MAX))
    });
    most.collect()
}
