//! The plan: the immutable outcome of one planning, with the reasons for each choice.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{Generation, RunId, ShardId, TaskId};
use crate::objective::Objective;
use crate::output::ShardTask;
use crate::policy::RunOptions;
use crate::price::Price;
use crate::problem::Problem;
use crate::target::Target;
use crate::units::TimeMs;
use crate::workflow::OnFailure;

/// How the lanes of a round run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LaneMode {
    /// Branches of an inline Map: one history, at most 40 lanes.
    #[default]
    Inline,
    /// Children of a distributed Map: a history for each lane.
    Distributed,
}

/// Everything that was decided for a run. Stored once, never changed; a re-cut makes the next generation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The run.
    pub run: RunId,
    /// From 0.
    pub generation: Generation,
    /// The generation that this one replaces.
    pub parent: Option<Generation>,
    /// Name and version of the workflow.
    pub workflow: String,
    /// Tasks in the whole workflow.
    pub tasks: u32,
    /// Lanes of a round.
    pub lanes: u32,
    /// How they run.
    pub mode: LaneMode,
    /// Events of history after which a round hands over.
    pub history_budget: u32,
    /// Partition keys over which the shards spread.
    pub partitions: u32,
    /// The targets that shards were placed on.
    pub targets: Vec<Target>,
    /// Shards as planned, by id.
    pub shards: Vec<PlannedShard>,
    /// Decision ledger of the planning: what was chosen and why.
    pub reasons: Vec<Reason>,
    /// Each limit that applies, the worst value, and where.
    pub limits: Vec<LimitProof>,
    /// What it will cost and how long it will take.
    pub price: Price,
    /// Longest path through the tasks, in milliseconds of estimated time.
    pub critical_path_ms: u64,
    /// Sum over all tasks, in milliseconds of estimated time.
    pub work_ms: u64,
    /// What a failed task means for the rest.
    pub on_failure: OnFailure,
    /// What the run asked for.
    pub options: RunOptions,
    /// What was weighed and limited: the run's word over its workflow's.
    #[serde(default, skip_serializing_if = "Objective::is_none")]
    pub objective: Objective,
    /// What was asked for and cannot be had, though the run starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Problem>,
}

/// One shard of a plan, as shown to people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedShard {
    /// Its id.
    pub id: ShardId,
    /// What it is.
    pub kind: ShardKind,
    /// Its tasks in execution order; empty for a virtual shard.
    pub tasks: Vec<TaskId>,
    /// Shards that must be done before it starts.
    pub predecessors: Vec<ShardId>,
    /// Where it is to run; `None` for a virtual shard.
    pub target: Option<String>,
    /// Lane that the list placement gave it, for the picture only: lanes pull.
    pub lane: Option<u32>,
    /// Estimated start after the run's, in milliseconds.
    pub start_ms: u64,
    /// Estimated duration, in milliseconds.
    pub duration_ms: u64,
    /// Upward rank: estimated time from its start to the end of the run, in milliseconds.
    pub upward_rank_ms: u64,
    /// Why it was cut and placed so.
    pub reason: String,
}

/// What a shard is.
#[derive(
    Debug,
    Default,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ShardKind {
    /// Has tasks, runs on a target.
    #[default]
    Work,
    /// Virtual: joins many predecessors or spreads to many successors; dispatch settles it itself.
    Relay,
    /// Virtual: follows every sink. END done means that the run is done.
    End,
}

/// How the unfinished shards of a run were cut again: what came before, what came of it, and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recut {
    /// The generation that it made.
    pub generation: Generation,
    /// The generation that it replaced.
    pub parent: Generation,
    /// When it was decided.
    pub at: TimeMs,
    /// Shards that gave up their tasks.
    pub replaced: u32,
    /// Shards with tasks that took them over.
    pub made: u32,
    /// Why, one sentence.
    pub because: String,
    /// The numbers behind it: `tasks_per_shard_before`, `tasks_per_shard_after`, `ratio`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, f64>,
}

/// One choice of the planning and its reason, with the numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// What was decided: `shard`, `place`, `lanes`, `memory`, `assume`, …
    pub subject: String,
    /// The choice and why, one sentence.
    pub because: String,
    /// The numbers behind it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, f64>,
}

/// Proof that a limit holds: the worst value of the plan, and where it occurs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LimitProof {
    /// Which limit, such as `state payload`.
    pub limit: String,
    /// Unit of the two values.
    pub unit: String,
    /// The limit.
    pub allowed: f64,
    /// The worst value of this plan.
    pub worst: f64,
    /// Where it occurs.
    pub place: String,
    /// Whether it holds.
    pub holds: bool,
}

/// The tasks of some shards as the worker reads them: one object of the store.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    /// The shards in it, by id.
    pub shards: Vec<ShardTasks>,
}

/// One shard's tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShardTasks {
    /// The shard.
    pub id: ShardId,
    /// Its tasks in a valid execution order.
    pub tasks: Vec<ShardTask>,
}
