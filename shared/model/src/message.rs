//! The messages between the state machine and the stages, and between dispatch and the worker.
//!
//! Each is at most [`crate::limits::LANE_MESSAGE_BYTES`]: what is larger travels as a [`Claim`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::claim::Claim;
use crate::ids::{Attempt, Generation, LaneId, Round, RunId, ShardId, Step, TargetId, TaskId};
use crate::plan::LaneMode;
use crate::prewarm::PrewarmMode;
use crate::run::Context;
use crate::units::TimeMs;

/// What starts an execution of the state machine, and so what plan is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRequest {
    /// The run.
    pub run: RunId,
    /// Which execution of it this is.
    pub round: Round,
}

/// What plan answers: the lanes to open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanAnswer {
    /// Lane numbers; empty when there is nothing to run.
    pub lanes: Vec<LaneId>,
    /// How they run.
    pub mode: LaneMode,
}

/// What a lane asks dispatch: before its first shard, after each shard, or to be parked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DispatchRequest {
    /// The run.
    pub run: RunId,
    /// The round that the lane belongs to.
    pub round: Round,
    /// The lane.
    pub lane: LaneId,
    /// The last answer; `None` before the first.
    #[serde(default)]
    pub next: Option<Next>,
    /// How the last shard ended; stale unless `next` is a `run` answer.
    #[serde(default)]
    pub finished: Option<Finished>,
    /// Set when the lane wants to be parked: the step of its `idle` answer, and the task token.
    #[serde(default)]
    pub park: bool,
    /// With `park`: the step of the `idle` answer.
    #[serde(default)]
    pub step: Option<Step>,
    /// With `park`: what wakes the lane.
    #[serde(default)]
    pub token: Option<String>,
}

impl DispatchRequest {
    /// The shard that the lane was told to run, and has run or tried to.
    #[must_use]
    pub fn executed(&self) -> Option<&ExecuteRequest> {
        let answer = &self.next.as_ref()?.answer;
        let ran = answer.kind == AnswerKind::Run && self.finished.is_some();
        answer.shard.as_ref().filter(|_| ran)
    }
}

/// The last answer as the state machine carries it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Next {
    /// The answer.
    pub answer: Answer,
}

/// How an execute state ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Finished {
    /// The worker answered.
    Answered {
        /// What it answered.
        outcome: Outcome,
    },
    /// The worker did not answer: what Step Functions caught.
    Caught {
        /// Error word, such as `Runtime.ExitError`, `Lambda.TooManyRequestsException`, `States.Timeout`.
        #[serde(rename = "Error")]
        error: String,
        /// Free text.
        #[serde(rename = "Cause", default)]
        cause: String,
    },
}

/// What dispatch answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The step that it answers; the lane's next question has the following one.
    pub step: Step,
    /// What the lane does next.
    pub kind: AnswerKind,
    /// With `run`: where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetId>,
    /// With `run`: what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<ExecuteRequest>,
    /// With `wait`: how long, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_s: Option<u32>,
    /// Why, for people who read the history.
    pub because: String,
}

/// What a lane does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerKind {
    /// Execute a shard.
    Run,
    /// Nothing is ready: park until woken.
    Idle,
    /// Something is ready, but not yet: wait.
    Wait,
    /// The lane ends.
    Done,
}

/// One shard to execute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecuteRequest {
    /// The run.
    pub run: RunId,
    /// The shard.
    pub shard: ShardId,
    /// The attempt: it fences every write.
    pub attempt: Attempt,
    /// The plan's generation.
    pub generation: Generation,
    /// The object that holds the shard's tasks.
    pub chunk: Claim,
    /// When the attempt must have answered; the worker yields before it.
    pub deadline: TimeMs,
    /// The checkpoint of an earlier attempt: a manifest of finished tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Claim>,
    /// The run's input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Claim>,
    /// Owner, role, trace id, baggage.
    pub context: Context,
    /// Name of the workflow, for session tags and metrics.
    pub workflow: String,
    /// Partition keys over which the shards spread.
    pub partitions: u32,
    /// Write the independent trace.
    #[serde(default)]
    pub trace: bool,
}

/// What the worker answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The shard.
    pub shard: ShardId,
    /// The attempt.
    pub attempt: Attempt,
    /// How it ended.
    pub status: OutcomeStatus,
    /// With `done`: the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Claim>,
    /// With `yielded` and `failed`: the last checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Claim>,
    /// With `failed`: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What the attempt used.
    #[serde(default)]
    pub usage: ShardUsage,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeStatus {
    /// Every task of the shard has finished.
    Done,
    /// Some have; the rest goes on in the next attempt.
    Yielded,
    /// A task failed.
    Failed,
    /// The attempt found that a later one has taken over; nothing of it counts.
    Fenced,
}

/// Why something failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The kind of cause: decides whether and how it is repeated.
    pub cause: Cause,
    /// The task at fault, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// One sentence, at most 1,024 characters; never a payload.
    pub message: String,
}

/// The kinds of cause.
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
pub enum Cause {
    /// The task's program failed: non-zero exit, error answer.
    #[default]
    TaskFailed,
    /// More memory than the tier has.
    OutOfMemory,
    /// Longer than the task's or the function's limit.
    Timeout,
    /// The worker ended without an answer.
    WorkerLost,
    /// No concurrency was free.
    Throttled,
    /// A service did not answer.
    Unavailable,
    /// An input is not there, or not what its digest says.
    InputMissing,
    /// The task's output is not what it must be.
    BadOutput,
    /// A `once` task was started and it is not known how it ended.
    OutcomeUnknown,
    /// The document was refused.
    Rejected,
    /// Planning failed.
    PlanFailed,
    /// Rounds went by without any progress.
    NoProgress,
    /// No target can run it.
    NoTarget,
}

impl Cause {
    /// The section of docs/errors.md that explains it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TaskFailed => "FS4001",
            Self::OutOfMemory => "FS4002",
            Self::Timeout => "FS4003",
            Self::WorkerLost => "FS4004",
            Self::Throttled => "FS4005",
            Self::Unavailable => "FS4006",
            Self::InputMissing => "FS4007",
            Self::BadOutput => "FS4008",
            Self::OutcomeUnknown => "FS4009",
            Self::Rejected => "FS4010",
            Self::PlanFailed => "FS4011",
            Self::NoProgress => "FS4012",
            Self::NoTarget => "FS4013",
        }
    }

    /// The cause as users see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TaskFailed => "task_failed",
            Self::OutOfMemory => "out_of_memory",
            Self::Timeout => "timeout",
            Self::WorkerLost => "worker_lost",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::InputMissing => "input_missing",
            Self::BadOutput => "bad_output",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Rejected => "rejected",
            Self::PlanFailed => "plan_failed",
            Self::NoProgress => "no_progress",
            Self::NoTarget => "no_target",
        }
    }
}

/// What an attempt used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ShardUsage {
    /// Wall time in the worker, in milliseconds.
    pub duration_ms: u64,
    /// CPU time of worker and tasks, in milliseconds.
    pub cpu_ms: u64,
    /// Peak resident memory of worker and tasks, in KiB.
    pub peak_kib: u64,
    /// Tasks that this attempt finished.
    pub tasks: u32,
    /// Whether the environment was new.
    pub cold: bool,
}

/// What the last state of the state machine asks aggregate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AggregateRequest {
    /// The run.
    pub run: RunId,
    /// The round that ends.
    pub round: Round,
    /// What an earlier state could not do.
    #[serde(default)]
    pub error: Option<CaughtError>,
}

/// An error as Step Functions hands it on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaughtError {
    /// Error word.
    #[serde(rename = "Error")]
    pub error: String,
    /// Free text.
    #[serde(rename = "Cause", default)]
    pub cause: String,
}

/// What aggregate answers: the output of the execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AggregateAnswer {
    /// The run.
    pub run: RunId,
    /// Its state now.
    pub state: String,
    /// The round that goes on, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_round: Option<Round>,
}

/// What starts forecast: the rule of each five minutes, or a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastRequest {}

/// What forecast did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastAnswer {
    /// Forecasts that were made.
    pub forecasts: u32,
    /// Runs whose plans were counted, scheduled ones among them.
    pub runs: u32,
    /// What was found strange.
    pub flags: u32,
}

/// What starts reshard: the rule of each minute, or a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReshardRequest {
    /// Only this run; `None`: every active one.
    #[serde(default)]
    pub run: Option<RunId>,
}

/// What reshard did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReshardAnswer {
    /// Runs looked at.
    pub runs: u32,
    /// Shards released that were done but not released.
    pub released: u32,
    /// Shards put back whose attempt had passed its deadline.
    pub expired: u32,
    /// Runs whose unfinished shards were cut again.
    #[serde(default)]
    pub recuts: u32,
    /// Lanes woken.
    pub woken: u32,
    /// Rounds started for runs whose execution had ended.
    pub rounds: u32,
}

/// What starts prewarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrewarmRequest {
    /// Which rule starts it: [`PrewarmRequest::ADMITTED`], or any other, which needs no name.
    #[serde(default)]
    pub id: String,
}

impl PrewarmRequest {
    /// The rule that looks whether a run has just been admitted: without one nothing is decided.
    pub const ADMITTED: &str = "admitted";

    /// What that rule says.
    #[must_use]
    pub fn admitted() -> Self {
        Self {
            id: Self::ADMITTED.to_owned(),
        }
    }
}

/// What prewarm did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PrewarmAnswer {
    /// By which policy.
    pub mode: PrewarmMode,
    /// Whether nothing was looked at, because no run has just been admitted.
    #[serde(default)]
    pub skipped: bool,
    /// Targets that something was decided about.
    pub decided: u32,
    /// Of those, changed.
    pub changed: u32,
    /// Environments that were provisioned when it looked.
    pub provisioned: u32,
    /// What the decisions are expected to save together, in dollars.
    pub saving_usd: f64,
}
