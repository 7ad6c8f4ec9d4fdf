//! What a task may be made into before it is planned: parts of it and their merge, or another task that gives the same.

use serde::{Deserialize, Serialize};

use crate::units::Mib;
use crate::workflow::{Affinity, Resources, TaskKind};

/// How a task that works on many things of one sort can be cut: by what, into how many parts, and how their outputs become
/// the output of the whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// What is cut.
    pub by: SplitBy,
    /// Fewest parts; 1 leaves it to the planner whether to cut at all.
    pub min_parts: u32,
    /// Most parts.
    pub max_parts: u32,
    /// Shortest part that is worth a start, in milliseconds of estimated time.
    pub smallest_ms: u64,
    /// Share of the estimate that every part costs, however small it is, in milliseconds.
    pub fixed_ms: u64,
    /// Share of the memory that every part needs, however small it is; `None`: all of it.
    pub fixed_memory: Option<Mib>,
    /// What a part needs by what parts of earlier runs used; `None`: its share of what the whole is said to need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Resources>,
    /// How outputs are put together.
    pub merge: Merge,
}

/// What of a task's input is cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitBy {
    /// The array at this path of its JSON input.
    Array {
        /// A JSONPath that names one place.
        path: String,
    },
    /// The lines of one of its files: parts of about equal bytes, cut between lines.
    Lines {
        /// Its name in the scratch.
        file: String,
        /// Lines at its beginning that every part is given.
        header: u32,
    },
    /// The bytes of one of its files.
    Bytes {
        /// Its name in the scratch.
        file: String,
        /// Bytes that stay together: parts begin at multiples of this.
        record: u64,
    },
}

impl SplitBy {
    /// The file that is cut, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::Array { .. } => None,
            Self::Lines { file, .. } | Self::Bytes { file, .. } => Some(file),
        }
    }
}

/// The share of one part. How much that is shows only when the input is there: the number of parts is all that is planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// What is cut.
    pub by: SplitBy,
    /// Which part, from 0.
    pub part: u32,
    /// How many there are.
    pub parts: u32,
}

/// How the outputs of parts become one. The files that the task writes are put together in every case: each is the files
/// of that name, one after the other, unless a task of the user's own does it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    /// In the worker.
    BuiltIn(Join),
    /// By a task of the user's own.
    Task(Box<MergeTask>),
}

/// What the worker itself can put together. An output that is null adds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// Lists, one after the other.
    Arrays,
    /// Objects: the members of all; of equal names the later part's.
    Objects,
    /// Numbers, and objects of them member by member: their sums.
    Numbers,
    /// Files only: the outputs are null.
    Files,
}

impl Join {
    /// As documents write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Arrays => "arrays",
            Self::Objects => "objects",
            Self::Numbers => "numbers",
            Self::Files => "files",
        }
    }
}

/// A task of the user's own that puts parts together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MergeTask {
    /// What to run.
    pub kind: TaskKind,
    /// What it needs.
    pub resources: Resources,
    /// Expected duration on one vCPU, in milliseconds.
    pub estimate_ms: Option<u64>,
    /// Longest duration, in milliseconds.
    pub timeout_ms: u64,
}

/// What can be run in the place of a task: the same inputs, the same outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Equivalent {
    /// What to run.
    pub kind: TaskKind,
    /// What it needs.
    pub resources: Resources,
    /// Where it may and should run.
    pub affinity: Affinity,
    /// Expected duration on one vCPU, in milliseconds.
    pub estimate_ms: Option<u64>,
    /// Longest duration, in milliseconds.
    pub timeout_ms: u64,
    /// How its output differs, for people.
    pub note: Option<String>,
}
