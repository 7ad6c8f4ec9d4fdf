//! A plan beside plain states, with the judge's constants as arguments: the evidence that they are no tuning to single files.

use foreshard_model::objective::Objective;
use foreshard_model::problem::Problem;

use crate::graph::critical_path;
use crate::place::{SHARD_MS, Sites, TRANSFER_BYTES_PER_MS};
use crate::price::{plain_orchestration_usd, plain_usd};
use crate::shard::{Constants, Market, choose, tried};

use super::ground::Ground;
use super::scale::Scale;
use super::{PlanInput, demand};

/// Expected duration and cost of a plan, and of one Standard state for each task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beside {
    /// Tasks of the workflow.
    pub tasks: usize,
    /// Shards of the plan.
    pub shards: u32,
    /// Duration of the plan, in seconds.
    pub makespan_s: f64,
    /// Dollars of the plan.
    pub usd: f64,
    /// Transitions of the plan.
    pub transitions: f64,
    /// Duration of plain states, in seconds.
    pub plain_s: f64,
    /// Dollars of plain states.
    pub plain_usd: f64,
    /// Orchestration of the plan, over that of plain states.
    pub orchestration: f64,
}

/// What one state adds to its task, in milliseconds: a shard has two states around its tasks.
const STATE_MS: f64 = SHARD_MS / 2.0;

/// Plans with these constants and holds the plan against plain states, all of which run as soon as they can.
///
/// # Errors
///
/// As [`super::plan`].
pub fn beside_plain(input: &PlanInput<'_>, constants: Constants) -> Result<Beside, Vec<Problem>> {
    let sites = Sites::new(input.pool, input.outlook, input.promised);
    let demand = demand::demand(input, Scale::new(input.options), &sites)?;
    let ground = Ground::new(input, &demand, &sites);
    let market = Market {
        constants,
        ..ground.market()
    };
    let chosen = choose(&demand, &ground.rules(), &market, &Objective::default());
    let kept = &chosen.judged[chosen.kept];
    let state_ms: Vec<f64> = demand
        .loads
        .iter()
        .enumerate()
        .map(|(task, load)| {
            let read = demand.graph.incoming_bytes(task as u32);
            let bytes: u64 = read.map(|(_, bytes)| bytes).fold(0, u64::saturating_add);
            STATE_MS + load.ms + bytes as f64 / TRANSFER_BYTES_PER_MS
        })
        .collect();
    Ok(Beside {
        tasks: demand.loads.len(),
        shards: kept.shards,
        makespan_s: kept.makespan_ms / 1000.0,
        usd: kept.usd,
        transitions: kept.transitions,
        plain_s: critical_path(&demand.graph, &demand.order, &state_ms) / 1000.0,
        plain_usd: plain_usd(&market.tasks, market.rates),
        orchestration: kept.orchestration_usd
            / plain_orchestration_usd(&market.tasks, market.rates),
    })
}

/// Of all plans that an objective may choose from, the fewest transitions of one that takes at most so many times as long as
/// plain states; `None` where none does.
///
/// # Errors
///
/// As [`super::plan`].
pub fn fewest_transitions(
    input: &PlanInput<'_>,
    plain_s: f64,
    times: &[f64],
) -> Result<Vec<Option<f64>>, Vec<Problem>> {
    let sites = Sites::new(input.pool, input.outlook, input.promised);
    let demand = demand::demand(input, Scale::new(input.options), &sites)?;
    let ground = Ground::new(input, &demand, &sites);
    let tried = tried(&demand, &ground.rules(), &ground.market());
    let fewest = |times: &f64| {
        let judged = tried.judged.iter();
        let in_time = judged.filter(|j| j.makespan_ms <= plain_s * 1000.0 * times);
        in_time.map(|j| j.transitions).min_by(f64::total_cmp)
    };
    Ok(times.iter().map(fewest).collect())
}
