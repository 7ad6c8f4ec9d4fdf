//! The run: its state, what goes with it to every stage, and the pointers to its documents.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::claim::Claim;
use crate::ids::{Generation, Round, RunId, Tenant};
use crate::message::Failure;
use crate::plan::LaneMode;
use crate::policy::RunOptions;
use crate::schedule::Scheduled;
use crate::units::{TimeMs, Usd};

/// Where a run stands.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Accepted; nothing is planned yet.
    #[default]
    Accepted,
    /// Planned; lanes claim shards.
    Running,
    /// END is done; the result is to be collected.
    Completing,
    /// A shard has finally failed; lanes end, what runs is let finish.
    Failing,
    /// Cancelled by its owner; lanes end.
    Cancelling,
    /// To be paused; lanes end.
    Pausing,
    /// Paused: `resume` goes on.
    Paused,
    /// Ended with its result.
    Succeeded,
    /// Ended with a cause; `resume` repeats what failed and what did not run.
    Failed,
    /// Ended by its owner; `resume` goes on.
    Cancelled,
}

impl RunState {
    /// Every state, in the order of a run's life.
    pub const ALL: [Self; 10] = [
        Self::Accepted,
        Self::Running,
        Self::Completing,
        Self::Failing,
        Self::Cancelling,
        Self::Pausing,
        Self::Paused,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Whether nothing more happens unless somebody resumes it.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Paused | Self::Succeeded | Self::Failed | Self::Cancelled
        )
    }

    /// The state as users see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Running => "running",
            Self::Completing => "completing",
            Self::Failing => "failing",
            Self::Cancelling => "cancelling",
            Self::Pausing => "pausing",
            Self::Paused => "paused",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What goes with every shard of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// Owner of the run.
    pub tenant: Tenant,
    /// Who submitted it, as the authorizer named them.
    pub principal: String,
    /// Role that its tasks assume; `None`: the deployment's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// One id in the logs of every stage, request to task: 32 hexadecimal digits (W3C trace-id).
    pub trace_id: String,
    /// Free members that reach every task as `FORESHARD_BAGGAGE`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub baggage: BTreeMap<String, String>,
}

/// The run's item. Every write raises `version`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunItem {
    /// Its id.
    pub run: RunId,
    /// Raised by every write; 1 when new.
    pub version: u64,
    /// Where it stands.
    pub state: RunState,
    /// Name of the workflow.
    pub workflow: String,
    /// Owner, principal, role, trace id, baggage.
    pub context: Context,
    /// The scheduled time that it stands for, when a schedule started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<Scheduled>,
    /// What it asked for.
    pub options: RunOptions,
    /// The document as submitted.
    pub document: Claim,
    /// The run's input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Claim>,
    /// Bundles of `command` tasks: folder as written in the document to its content.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bundles: BTreeMap<String, Claim>,
    /// The committed plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanPointer>,
    /// The current execution of the state machine.
    pub round: Round,
    /// The round in which lanes are to hand over to the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_round: Option<Round>,
    /// Rounds in a row in which no shard was settled.
    #[serde(default)]
    pub futile_rounds: u32,
    /// Shards settled when the round began: tells a futile round.
    #[serde(default)]
    pub settled_before_round: u32,
    /// When it was accepted.
    pub accepted_at: TimeMs,
    /// When its plan was committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_at: Option<TimeMs>,
    /// What its attempts used until then is in the profiles: it was taken in before the run's item said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learnt_until: Option<TimeMs>,
    /// When it reached a terminal state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<TimeMs>,
    /// When the item was last written.
    pub updated_at: TimeMs,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Failure>,
    /// The collected output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Claim>,
    /// The figures of the finished run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<RunSummary>,
}

/// Where the committed plan is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanPointer {
    /// Its generation.
    pub generation: Generation,
    /// `plan.json`.
    pub plan: Claim,
    /// `topology.json`.
    pub topology: Claim,
    /// Tasks of the workflow.
    pub tasks: u32,
    /// Shards, virtual ones included.
    pub shards: u32,
    /// Lanes of a round.
    pub lanes: u32,
    /// How they run.
    #[serde(default)]
    pub mode: LaneMode,
    /// Partition keys over which the shards spread.
    pub partitions: u32,
    /// How long the run is expected to take from its planning on, in milliseconds; unknown of plans of before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_ms: Option<u64>,
    /// Most lanes at once by region, where there are several; otherwise all are in the deployment's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lanes_of: BTreeMap<String, u32>,
}

/// The figures of a finished run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunSummary {
    /// Tasks of the workflow.
    pub tasks: u32,
    /// Tasks whose output is committed.
    pub committed: u32,
    /// Attempts of all shards.
    pub attempts: u32,
    /// Shards with tasks.
    pub shards: u32,
    /// Lanes of a round.
    pub lanes: u32,
    /// Rounds used.
    pub rounds: u32,
    /// Accepted to ended, in seconds.
    pub makespan_s: f64,
    /// Longest path through the tasks by measured durations, in seconds.
    pub critical_path_s: f64,
    /// Sum of measured durations, in seconds.
    pub work_s: f64,
    /// Cost by the price list of what was used, in dollars.
    pub cost_usd: Usd,
}
