//! What tasks read and leave behind, as the worker sees it: located inputs, outputs, and the manifest that names them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::claim::Claim;
use crate::ids::{Attempt, RunId, ShardId, TaskId};
use crate::sculpt::Slice;
use crate::units::Mib;
use crate::workflow::{CutRules, Effect, FileOutput, Resources, TaskKind};

/// One task of a shard, with its inputs located by shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShardTask {
    /// Identity within the workflow.
    pub id: TaskId,
    /// What profiles are kept by.
    pub task_type: String,
    /// What to run; synthetic tasks are scaled already.
    pub kind: TaskKind,
    /// Digest of the command's bundle, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Claim>,
    /// Positions, within the shard, of the tasks that must end before it starts.
    pub after: Vec<u32>,
    /// Members of its JSON input.
    pub inputs: BTreeMap<String, Located>,
    /// Files put into its scratch.
    pub files: Vec<LocatedFile>,
    /// The share of its input that it is given, when it is a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<Slice>,
    /// The parts that it puts together, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<LocatedPart>,
    /// Files kept from its scratch; a synthetic task writes them.
    pub writes: Vec<FileOutput>,
    /// What it needs.
    pub resources: Resources,
    /// Expected duration as it was planned, in milliseconds; 0 in chunks of before it was kept.
    #[serde(default)]
    pub estimate_ms: u64,
    /// Whether its document asks for company, or for none: a re-cut leaves it where it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bound: bool,
    /// What was declared to give the same and can run where its shard was placed: a re-cut may take it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instead: Vec<Instead>,
    /// Longest duration, in milliseconds.
    pub timeout_ms: u64,
    /// Whether a repeat is harmless.
    pub effect: Effect,
    /// Where to yield.
    #[serde(default)]
    pub cut: CutRules,
}

/// What can be run in the place of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instead {
    /// What to run; a synthetic one is scaled already.
    pub kind: TaskKind,
    /// What it needs.
    pub resources: Resources,
    /// Expected duration, in milliseconds.
    pub estimate_ms: u64,
    /// Longest duration, in milliseconds.
    pub timeout_ms: u64,
}

/// Where a value is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Located {
    /// In the output of a task of a shard.
    Task {
        /// The shard.
        shard: ShardId,
        /// The task.
        task: TaskId,
        /// JSONPath into its output; `None`: the whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<String>,
    },
    /// In the run's input.
    Run {
        /// JSONPath into it; `None`: the whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<String>,
        /// The value when a singular path finds nothing; `None`: that is an error.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<Value>,
    },
    /// Here.
    Constant(Value),
}

/// A part and where it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocatedPart {
    /// The shard.
    pub shard: ShardId,
    /// The task.
    pub task: TaskId,
}

/// A file and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocatedFile {
    /// Name in the scratch.
    pub name: String,
    /// Where it comes from.
    pub source: LocatedFileSource,
}

/// Where a file comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocatedFileSource {
    /// Written by a task of a shard.
    Task {
        /// The shard.
        shard: ShardId,
        /// The task.
        task: TaskId,
        /// Its name there.
        file: String,
    },
    /// Generated where it is read.
    Generated {
        /// Its size.
        bytes: u64,
    },
}

/// What a shard's attempt leaves behind: visible only once a pointer to it is committed.
///
/// A checkpoint is a manifest of the tasks that are finished so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The run.
    pub run: RunId,
    /// The shard.
    pub shard: ShardId,
    /// Finished tasks, by id.
    pub tasks: BTreeMap<TaskId, TaskOutput>,
}

/// What one task left behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskOutput {
    /// The attempt that ran it.
    pub attempt: Attempt,
    /// Its JSON output.
    pub value: OutputValue,
    /// Its files, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, Claim>,
    /// What it used.
    pub usage: TaskUsage,
}

/// A JSON value, here or elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputValue {
    /// Here: at most [`crate::claim::INLINE_VALUE_BYTES`].
    Inline(Value),
    /// In the object store.
    Stored(Claim),
}

/// What one task used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskUsage {
    /// Start, milliseconds since the epoch.
    pub started_ms: u64,
    /// Wall time, in milliseconds.
    pub duration_ms: u64,
    /// CPU time, in milliseconds.
    pub cpu_ms: u64,
    /// Peak resident memory, in KiB.
    pub peak_kib: u64,
    /// Bytes read as inputs.
    pub read_bytes: u64,
    /// Bytes written as outputs.
    pub written_bytes: u64,
    /// Memory of the target that ran it; 0 of what was never started, such as a task whose condition was false.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub memory: Mib,
    /// Whether it ran in the first attempt of a new environment.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cold: bool,
}

/// Serde hands over a reference.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde calls"
)]
fn is_nothing(memory: &Mib) -> bool {
    memory.0 == 0
}
