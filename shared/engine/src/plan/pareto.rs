//! The Pareto front of a run: every plan tried that no other is better than in everything, with the options that give it.

use foreshard_model::objective::{Objective, Tradeoff};
use foreshard_model::problem::Problem;

use crate::objective::{Measures, front, options_for, thinned};
use crate::place::Sites;
use crate::shard::tried;

use super::ground::Ground;
use super::objective::wished;
use super::scale::Scale;
use super::{PlanInput, demand, sculpted};

/// Plans a run in all ways that an objective may choose from, and gives those worth choosing, quickest first.
///
/// # Errors
///
/// As [`super::plan`], but for limits that cannot be kept: the front shows what can be had.
///
/// # Complexity
///
/// That of a plan with an objective.
pub fn pareto(input: &PlanInput<'_>) -> Result<Vec<Tradeoff>, Vec<Problem>> {
    let sculpted = sculpted(input);
    let input = &PlanInput {
        workflow: &sculpted.workflow,
        ..*input
    };
    let sites = Sites::new(input.pool, input.outlook, input.promised);
    let demand = demand::demand(input, Scale::new(input.options), &sites)?;
    let ground = Ground::new(input, &demand, &sites);
    let (rules, market) = (ground.rules(), ground.market());
    let tried = tried(&demand, &rules, &market);
    let wished = wished(input);
    // Without an objective the plan is one of those tried only where targets make no difference.
    let kept = |objective: &Objective| {
        let is_tried = tried.plain || !objective.is_none();
        is_tried.then(|| tried.kept(objective).at)
    };
    let chosen = kept(&wished).map(|at| tried.measures[at]);
    let front = front(&tried.measures);
    Ok(front
        .into_iter()
        .map(|at| {
            let judged = &tried.judged[at];
            let price = &tried.prices[at];
            let measures = &tried.measures[at];
            Tradeoff {
                shards: judged.shards,
                lanes: judged.lanes,
                memory_mib: judged.memory_mib,
                makespan_s: price.makespan_s,
                total_usd: price.total_usd,
                energy_kwh: judged.energy_kwh,
                moved_bytes: judged.moved_bytes,
                transitions: judged.transitions,
                sharding: judged.name(),
                objective: options_for(measures, |objective| {
                    kept(&objective.over(&input.workflow.objective)) == Some(at)
                }),
                chosen: chosen == Some(*measures),
            }
        })
        .collect())
}

/// Of a front those plans that differ by more than [`crate::objective::MARGIN`] in something, the chosen one among them; how
/// many are left out follows from the lengths.
#[must_use]
pub fn thin(front: Vec<Tradeoff>) -> Vec<Tradeoff> {
    let measures: Vec<Measures> = front
        .iter()
        .map(|plan| Measures {
            time_s: plan.makespan_s.high,
            usd: plan.total_usd.high,
            energy_kwh: plan.energy_kwh,
            moved_bytes: plan.moved_bytes,
        })
        .collect();
    let kept = thinned(&measures, |at| front[at].chosen);
    let plans = front.into_iter().enumerate();
    plans
        .filter(|(at, _)| kept.binary_search(at).is_ok())
        .map(|(_, plan)| plan)
        .collect()
}
