//! Plans a run: shards, placement, limits and price, each choice with its reason.

mod beside;
mod bound;
mod chunks;
mod demand;
mod emit;
mod ground;
mod lanes;
mod objective;
mod pareto;
mod placed;
mod quotas;
mod reasons;
mod refusal;
pub(crate) mod relay;
mod residency;
mod scale;
mod summary;
mod tight;

use std::borrow::Cow;
use std::collections::BTreeMap;

use foreshard_model::claim::Claim;
use foreshard_model::ids::{Generation, RunId};
use foreshard_model::objective::Objective;
use foreshard_model::outlook::{Outlook, Promised};
use foreshard_model::plan::{Plan, Reason};
use foreshard_model::policy::RunOptions;
use foreshard_model::problem::Problem;
use foreshard_model::target::{Pool, Target};
use foreshard_model::topology::Topology;
use foreshard_model::units::Mib;
use foreshard_model::workflow::Workflow;

use crate::graph::critical_path;
use crate::limits::proofs;
use crate::place::Sites;
use crate::price::{EACH_SHARD, forecast, rates};
use crate::sculpt::{Given, Sculpted, sculpt};
use crate::shard::{Market, choose};

pub(crate) use demand::{WAITING_MIB, WAITING_VCPUS, speed};
pub(crate) use reasons::reason;

use emit::Layout;
use ground::Ground;
use objective::Verdict;

pub use beside::{Beside, beside_plain, fewest_transitions};
pub use chunks::Chunks;
pub use pareto::{pareto, thin};
pub use scale::Scale;

#[cfg(test)]
pub(crate) mod tests;

/// Everything that planning looks at; the same input gives the same plan.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// The run that the plan is for.
    pub run: &'a RunId,
    /// From 0.
    pub generation: Generation,
    /// The workflow: `needs` form no cycle.
    pub workflow: &'a Workflow,
    /// Where shards may run.
    pub pool: &'a Pool,
    /// What the run asks for.
    pub options: &'a RunOptions,
    /// Bundles of `command` tasks: folder as written in the document to its content.
    pub bundles: &'a BTreeMap<String, Claim>,
    /// AWS region, for the prices.
    pub region: &'a str,
    /// What is expected of regions and targets while the run lasts.
    pub outlook: &'a Outlook,
    /// What other runs have been promised.
    pub promised: &'a Promised,
}

/// What one planning leaves behind: the parts go to different objects of the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// For people, and for the report.
    pub plan: Plan,
    /// For dispatch.
    pub topology: Topology,
    /// For the worker: what its chunks are made of.
    pub chunks: Chunks,
    /// The workflow that was planned, where tasks were cut or replaced: `None`, as it was given.
    pub sculpted: Option<Workflow>,
}

impl Planned {
    /// The workflow that was planned: the one given to [`plan`], or what became of it.
    #[must_use]
    pub fn workflow<'a>(&'a self, given: &'a Workflow) -> &'a Workflow {
        self.sculpted.as_ref().unwrap_or(given)
    }
}

/// Plans a run.
///
/// `topology.chunks` is left empty: the caller stores what [`Chunks::of`] makes of [`Planned::workflow`], and fills in the
/// claims.
///
/// # Errors
///
/// Every task that no target can run, with the nearest target named; every missing bundle; limits of the objective that
/// refuse and cannot be kept; every limit that the plan would break (codes FS2xxx).
///
/// # Complexity
///
/// O((tasks + edges) · log tasks) for each sharding that is tried: about a hundred for small workflows, some
/// twenty for large ones.
pub fn plan(input: &PlanInput<'_>) -> Result<Planned, Vec<Problem>> {
    let sculpted = sculpted(input);
    let mut planned = sharded(&PlanInput {
        workflow: &sculpted.workflow,
        ..*input
    })?;
    planned.plan.reasons.splice(..0, sculpted.reasons);
    if let Cow::Owned(workflow) = sculpted.workflow {
        planned.sculpted = Some(workflow);
    }
    Ok(planned)
}

/// Cuts and replaces tasks, as they declare it.
fn sculpted<'a>(input: &PlanInput<'a>) -> Sculpted<'a> {
    let scale = Scale::new(input.options);
    let sites = Sites::new(input.pool, input.outlook, input.promised);
    let architecture = input.pool.targets.first().map(|t| t.architecture);
    let rates = rates(input.region, architecture.unwrap_or_default());
    sculpt(&Given {
        workflow: input.workflow,
        sites: &sites,
        lanes: lanes::lanes_allowed(&sites, input.options).0,
        shard_usd: EACH_SHARD.usd(&rates),
        cpu_ms: &|task| scale.estimate_ms(task),
    })
}

/// Plans the workflow as it is.
fn sharded(input: &PlanInput<'_>) -> Result<Planned, Vec<Problem>> {
    let scale = Scale::new(input.options);
    let sites = Sites::new(input.pool, input.outlook, input.promised);
    let demand = demand::demand(input, scale, &sites)?;
    let ground = Ground::new(input, &demand, &sites);
    let (rules, market) = (ground.rules(), ground.market());
    let objective = objective::wished(input);
    let chosen = choose(&demand, &rules, &market, &objective);
    let verdict = objective::verdict(&objective, &chosen, &demand, &market)?;
    let lanes = lanes::lanes(&chosen, &market, &rules, input.options);
    let mut layout = Layout::new(input, scale, &demand, &chosen);
    let shown = shown(input, &layout, &lanes, &market, verdict);
    let broken = reasons::broken(&shown.limits);
    if !broken.is_empty() {
        return Err(broken);
    }
    let tiers = 0..layout.at.len() as u32;
    let tiers = tiers.map(|shard| layout.rung(shard).memory).collect();
    let chunk_of = layout.chunks.cut(input.workflow, tiers);
    Ok(Planned {
        plan: Plan { objective, ..shown },
        topology: Topology {
            run: input.run.clone(),
            generation: input.generation,
            parent: None,
            shards: layout.nodes(&chunk_of),
            targets: by_memory(input.pool),
            partitions: lanes.partitions,
            lanes: lanes.lanes,
            lane_events: lanes.lane_events,
            on_failure: input.workflow.on_failure,
            outputs: layout.outputs(),
            chunks: Vec::new(),
            recuts: Vec::new(),
        },
        chunks: layout.chunks,
        sculpted: None,
    })
}

/// The plan as people see it.
fn shown(
    input: &PlanInput<'_>,
    layout: &Layout<'_>,
    lanes: &lanes::Lanes,
    market: &Market<'_>,
    mut verdict: Verdict,
) -> Plan {
    let Layout { demand, chosen, .. } = layout;
    let tight = tight::warnings(layout, input.workflow, input.pool);
    verdict.warnings.extend(tight);
    let used = summary::used_rungs(layout);
    let task_ms: Vec<f64> = demand.loads.iter().map(|load| load.ms).collect();
    let plain = summary::plain_of(input, demand);
    let counted = summary::counted(layout, lanes, &market.tasks, &plain);
    let price = forecast(&counted, market.rates);
    let mut reasons: Vec<Reason> = reasons::assumptions(demand);
    reasons.extend(reasons::sharding(input.workflow, demand, chosen));
    reasons.extend(verdict.reasons);
    reasons.extend(lanes.reasons.iter().cloned());
    reasons.extend(placed::reasons(layout, market.sites));
    reasons.extend(summary::reasons(layout, &used, &counted));
    reasons.extend(reasons::price(&counted, &price, &plain));
    let workflow = format!("{} {}", input.workflow.name, input.workflow.version);
    Plan {
        run: input.run.clone(),
        generation: input.generation,
        parent: input.generation.0.checked_sub(1).map(Generation),
        workflow: workflow.trim_end().to_owned(),
        tasks: demand.loads.len() as u32,
        lanes: lanes.lanes,
        mode: lanes.mode,
        history_budget: lanes.history_budget,
        partitions: lanes.partitions,
        targets: used
            .targets
            .iter()
            .map(|&at| input.pool.targets[at].clone())
            .collect(),
        shards: layout.planned(),
        reasons,
        limits: proofs(&summary::facts(input, layout, lanes, price.makespan_s.high)),
        price,
        critical_path_ms: critical_path(&demand.graph, &demand.order, &task_ms).ceil() as u64,
        work_ms: task_ms.iter().sum::<f64>().ceil() as u64,
        on_failure: input.workflow.on_failure,
        options: input.options.clone(),
        objective: Objective::default(),
        warnings: verdict.warnings,
    }
}

/// The pool's targets by ascending memory.
fn by_memory(pool: &Pool) -> Vec<Target> {
    let mut targets = pool.targets.clone();
    targets.sort_by_key(|target: &Target| -> Mib { target.memory });
    targets
}
