//! A workflow as the engine sees it: names resolved to indices, sub-workflows expanded, defaults applied.
//!
//! What users write is in `foreshard_engine::parse`; a workflow that exists has no problems left in it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{TaskId, TaskIndex};
use crate::objective::Objective;
use crate::sculpt::{Equivalent, Slice, Split};
use crate::units::Mib;

/// Name of the input that is the whole of it, where a task's input is not an object of members: no user can write it.
pub const WHOLE_INPUT: &str = "";

/// Name of the input that says whether the task runs at all, and that is no part of what it is given.
pub const CONDITION: &str = "?";

/// Name of the input of a task that puts parts together: the list of their outputs.
pub const PARTS_INPUT: &str = "parts";

/// A named, versioned DAG of tasks. `needs` of a task only name tasks of the same workflow, and form no cycle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workflow {
    /// Name, unique within a tenant.
    pub name: String,
    /// Version as the user writes it.
    pub version: String,
    /// The tasks, in the order of the document.
    pub tasks: Vec<Task>,
    /// The declared output, by name; empty means: the outputs of all sinks, by task.
    pub outputs: BTreeMap<String, ValueSource>,
    /// What a failed task means for the rest.
    pub on_failure: OnFailure,
    /// What its runs weigh and may take at most, where they say nothing themselves.
    #[serde(default, skip_serializing_if = "Objective::is_none")]
    pub objective: Objective,
}

/// What happens to the rest of a run when a task has finally failed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Nothing further is started; the run fails as soon as what is running has ended.
    #[default]
    Stop,
    /// Whatever does not depend on the failed task still runs; then the run fails.
    Continue,
}

/// The smallest unit that a user writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Identity within the workflow.
    pub id: TaskId,
    /// What profiles are kept by: tasks of one type are expected to behave alike.
    pub task_type: String,
    /// What to run.
    pub kind: TaskKind,
    /// Direct predecessors, each once, with the bytes expected to move along the edge.
    pub needs: Vec<Need>,
    /// Data mapping: the task's JSON input is an object with these members, by name, each once; two names have a meaning of
    /// their own ([`WHOLE_INPUT`], [`CONDITION`]). Not a map: a million tasks with one small map each would need a gigabyte.
    pub inputs: Vec<(String, ValueSource)>,
    /// Files put into the task's scratch before it starts.
    pub files: Vec<FileInput>,
    /// Files that the task leaves in its scratch, to be kept.
    pub writes: Vec<FileOutput>,
    /// What it needs.
    pub resources: Resources,
    /// Expected duration on one vCPU, in milliseconds; `None` when nothing is known.
    pub estimate_ms: Option<u64>,
    /// Longest duration before the task is stopped, in milliseconds.
    pub timeout_ms: u64,
    /// Whether a repeat is harmless.
    pub effect: Effect,
    /// How often a failure of its own (not of the platform) is retried.
    pub retries: u32,
    /// Rare settings, absent for most tasks.
    pub extras: Option<Box<Extras>>,
}

/// One dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// The task that must have finished.
    pub task: TaskIndex,
    /// Bytes expected to move from it: 0 for a pure control edge.
    pub bytes: u64,
}

/// Settings that most tasks do not have.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extras {
    /// Higher runs earlier among ready tasks.
    pub priority: i32,
    /// Whether to run it twice and compare.
    pub critical: bool,
    /// What one failure costs the user, in dollars.
    pub failure_cost_usd: Option<f64>,
    /// Where to cut shards.
    pub cut: CutRules,
    /// Placement wishes.
    pub affinity: Affinity,
    /// How it can be cut into parts, each a task of its own.
    pub split: Option<Box<Split>>,
    /// What can be run in its place, the most wanted first.
    pub equivalents: Vec<Equivalent>,
    /// Set for a part: the share of its input that it is given.
    pub slice: Option<Slice>,
    /// Set for the task that puts parts together: their outputs, in this order, are the member [`PARTS_INPUT`] of its input.
    pub parts: Vec<TaskIndex>,
}

/// Sharding annotations: where the user wants a cut.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CutRules {
    /// Nothing that follows the task is in its shard.
    pub after: bool,
    /// The shard ends after the task when its output is larger than this many bytes.
    pub when_output_exceeds_bytes: Option<u64>,
    /// The shard ends after the task when this many milliseconds have elapsed in it.
    pub when_elapsed_exceeds_ms: Option<u64>,
}

/// Placement wishes, required or preferred.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Affinity {
    /// Labels that the target must have.
    pub require: BTreeMap<String, String>,
    /// Labels that the target should have.
    pub prefer: BTreeMap<String, String>,
    /// Tasks with the same value go to the same shard where limits allow.
    pub together: Option<String>,
    /// Tasks with the same value never share a shard.
    pub apart: Option<String>,
    /// Regions in which its data may be: it runs only there, and so does every task that reads its output. Empty: anywhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub residency: Vec<String>,
}

/// What a task needs while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Resources {
    /// Peak memory of the task alone.
    pub memory: Mib,
    /// vCPUs that it can use.
    pub vcpus: f32,
    /// GPU memory; `None` for a task without GPU.
    pub gpu: Option<Mib>,
    /// Scratch disk.
    pub disk: Mib,
    /// Network throughput that it wants, in Mbit/s.
    pub network_mbps: u32,
}

/// Whether running a task twice is harmless.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// No effect outside its outputs.
    Pure,
    /// Effects, but a repeat changes nothing further.
    #[default]
    Idempotent,
    /// Must not run twice: an attempt of unknown outcome fails the task.
    Once,
}

/// What to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TaskKind {
    /// A program: JSON on standard input, JSON on standard output.
    Command(Command),
    /// An existing Lambda function, invoked with the task's identity.
    Lambda {
        /// Name, ARN, or either with a qualifier.
        function: String,
        /// What its errors lead to; `None`: the task has failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        errors: Option<Box<Errors>>,
    },
    /// A Rust handler compiled into the worker.
    Handler {
        /// Name under which it was registered.
        handler: String,
    },
    /// An HTTP request; its JSON answer is the output.
    Http(HttpCall),
    /// Burns the stated CPU time, holds the stated memory, moves the stated bytes.
    Synthetic(Synthetic),
}

/// A program of the bundle, or of the container image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Program and arguments; a relative program is looked up in the bundle first.
    pub run: Vec<String>,
    /// Folder that the command line bundles, as written in the document; `None`: the program is in the image.
    pub bundle: Option<String>,
    /// Additional environment.
    pub env: BTreeMap<String, String>,
}

/// What the errors of a function lead to, by their names.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// When to call again: the first that names the error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry: Vec<Retry>,
    /// Names of errors that are an output instead of a failure: `{"caught": {…}, "by": index}`. Where there are any, an
    /// answer is `{"ok": answer}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catch: Vec<Vec<String>>,
}

/// When a function is called again after an error, and how long to wait before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// Names of errors.
    pub errors: Vec<String>,
    /// How often.
    pub repeats: u32,
    /// Wait before the first repeat, in milliseconds.
    pub interval_ms: u64,
    /// Factor on the wait from repeat to repeat.
    pub backoff: f64,
    /// Longest wait, in milliseconds.
    pub longest_ms: u64,
}

/// One HTTP request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpCall {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Additional headers.
    pub headers: BTreeMap<String, String>,
}

/// A load without a purpose of its own: for imported traces and for tests. Already scaled.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Synthetic {
    /// CPU time to burn on one thread, in milliseconds.
    pub cpu_ms: f64,
    /// Memory to hold meanwhile.
    pub memory: Mib,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueSource {
    /// The output of an upstream task.
    Task {
        /// Which.
        task: TaskIndex,
        /// JSONPath into it (RFC 9535); `None`: the whole.
        path: Option<String>,
    },
    /// The run's input.
    Run {
        /// JSONPath into it; `None`: the whole.
        path: Option<String>,
        /// The value when a singular path finds nothing; `None`: that is an error.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<Box<Value>>,
    },
    /// A constant.
    Constant(Box<Value>),
}

/// A file that a task finds in its scratch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInput {
    /// Name in the scratch.
    pub name: String,
    /// Where it comes from.
    pub source: FileSource,
}

/// Where a file comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileSource {
    /// Written by an upstream task.
    Task {
        /// Which.
        task: TaskIndex,
        /// Its name there.
        file: String,
    },
    /// Generated where it is read: an input of an imported trace that no task writes.
    Generated {
        /// Its size.
        bytes: u64,
    },
}

/// A file that a task leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileOutput {
    /// Name in the scratch.
    pub name: String,
    /// Expected size; what a synthetic task writes.
    pub bytes: Option<u64>,
}

impl Task {
    /// The rare settings, or their defaults.
    #[must_use]
    pub fn extras(&self) -> Extras {
        self.extras.as_deref().cloned().unwrap_or_default()
    }
}
