//! The figures of a run, and the report that explains them.

use std::collections::BTreeMap;

use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::{RunId, ShardId, TaskId};
use foreshard_model::plan::{Recut, ShardKind};
use foreshard_model::run::{RunItem, RunState, RunSummary};
use foreshard_model::topology::Topology;
use foreshard_model::units::{Mib, TimeMs, Usd};
use serde::{Deserialize, Serialize};

use super::cost::{Used, spent};
use super::critical::{CriticalPath, critical_path};
use super::forecasts::{Forecasts, Outline, forecasts};
use super::graph::Measurements;

/// Everything that the report looks at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The run, in the round that ends.
    pub run: &'a RunItem,
    /// The shards and targets of its plan.
    pub topology: &'a Topology,
    /// What the plan forecast and why; `None` where it cannot be read.
    pub outline: Option<&'a Outline>,
    /// All its shards, in any order.
    pub shards: &'a [ShardItem],
    /// What was measured of its tasks.
    pub measurements: &'a Measurements<'a>,
    /// Answers that the lanes of this round have had.
    pub lane_answers: u64,
    /// The state that it ends in.
    pub ends_as: RunState,
    /// When it ends.
    pub ended_at: TimeMs,
}

/// A finished run in figures: `runs/<run>/report.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The run.
    pub run: RunId,
    /// Name and version of its workflow.
    pub workflow: String,
    /// How it ended.
    pub state: RunState,
    /// The figures.
    pub summary: RunSummary,
    /// Dollars by service: `lambda`, `step_functions`, `dynamodb`, `s3`, `cloudwatch`.
    pub cost_by_service: BTreeMap<String, Usd>,
    /// Longest path by measured durations.
    pub critical_path: CriticalPath,
    /// Failed attempts by cause.
    pub failures: BTreeMap<String, u32>,
    /// What each generation of the plan after the first has cut again: shard sizes over the generations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recuts: Vec<Recut>,
    /// Shards with tasks, by id.
    pub shards: Vec<ShardReport>,
    /// What was forecast against what happened; `None` where the plan could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecasts: Option<Forecasts>,
}

/// One shard, estimated and as it happened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ShardReport {
    /// Its id.
    pub shard: ShardId,
    /// Its first task.
    pub first_task: TaskId,
    /// How many it has.
    pub tasks: u32,
    /// How it ended.
    pub state: ShardState,
    /// Attempts.
    pub attempts: u32,
    /// Memory of the last one.
    pub tier: Mib,
    /// When the last attempt was claimed, in milliseconds after the run was accepted.
    pub claimed_ms: u64,
    /// When it was settled, likewise.
    pub settled_ms: u64,
    /// Estimated duration, in milliseconds.
    pub estimate_ms: u64,
    /// Duration of all attempts in the worker, in milliseconds.
    pub duration_ms: u64,
    /// CPU time of all attempts, in milliseconds.
    pub cpu_ms: u64,
    /// Peak memory, in KiB.
    pub peak_kib: u64,
}

/// Reports on a run that ends. The same facts give the same report.
#[must_use]
pub fn report(facts: &Facts<'_>) -> Report {
    let run = facts.run;
    let work: Vec<&ShardItem> = facts
        .shards
        .iter()
        .filter(|s| s.kind == ShardKind::Work && s.state != ShardState::Superseded)
        .collect();
    let path = critical_path(facts.measurements, run.accepted_at);
    let cost = spent(&used(facts), facts.topology);
    let pointer = run.plan.as_ref();
    let summary = RunSummary {
        tasks: pointer.map_or(0, |p| p.tasks),
        committed: facts.measurements.committed(),
        // A shard that was cut again is virtual, and keeps the attempts that it had.
        attempts: facts
            .shards
            .iter()
            .fold(0, |sum: u32, s| sum.saturating_add(s.attempt.0)),
        shards: u32::try_from(work.len()).unwrap_or(u32::MAX),
        lanes: pointer.map_or(0, |p| p.lanes),
        rounds: run.round.0 + 1,
        makespan_s: seconds(facts.ended_at.since(run.accepted_at)),
        critical_path_s: seconds(path.duration_ms),
        work_s: seconds(facts.measurements.work_ms()),
        cost_usd: cost.total(),
    };
    let shards = shards(facts, &work);
    let forecast = |outline| forecasts(outline, &summary, &cost.by_service, &shards);
    Report {
        forecasts: facts.outline.map(forecast),
        run: run.run.clone(),
        workflow: run.workflow.clone(),
        state: facts.ends_as,
        summary,
        cost_by_service: cost.by_service,
        critical_path: path,
        failures: failures(&work),
        recuts: facts.topology.recuts.clone(),
        shards,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of a run are far below 2^52"
)]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

fn used(facts: &Facts<'_>) -> Used {
    let mut used = Used {
        lanes: facts.run.plan.as_ref().map_or(0, |p| p.lanes),
        rounds: facts.run.round.0 + 1,
        lane_answers: facts.lane_answers,
        objects: facts.measurements.objects(),
        ..Used::default()
    };
    for shard in facts.shards {
        used.virtual_shards += u64::from(shard.kind != ShardKind::Work);
        used.attempts += u64::from(shard.attempt.0);
        *used.busy_ms.entry(shard.tier).or_default() += shard.usage.duration_ms;
    }
    used
}

fn failures(work: &[&ShardItem]) -> BTreeMap<String, u32> {
    let mut failures = BTreeMap::new();
    for (cause, count) in work.iter().flat_map(|s| &s.failures) {
        *failures.entry(cause.as_str().to_owned()).or_default() += count;
    }
    failures
}

fn shards(facts: &Facts<'_>, work: &[&ShardItem]) -> Vec<ShardReport> {
    let mut shards: Vec<ShardReport> = work
        .iter()
        .map(|item| {
            let node = facts.topology.node(item.id).cloned().unwrap_or_default();
            ShardReport {
                shard: item.id,
                first_task: node.first_task,
                tasks: node.tasks,
                state: item.state,
                attempts: item.attempt.0,
                tier: item.tier,
                claimed_ms: item.claimed_at.since(facts.run.accepted_at),
                settled_ms: item.settled_at.since(facts.run.accepted_at),
                estimate_ms: node.estimate_ms,
                duration_ms: item.usage.duration_ms,
                cpu_ms: item.usage.cpu_ms,
                peak_kib: item.usage.peak_kib,
            }
        })
        .collect();
    shards.sort_by_key(|s| s.shard);
    shards
}
