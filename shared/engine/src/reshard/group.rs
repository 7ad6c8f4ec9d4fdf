//! What is cut, into what, and why it cannot be: the words of a cut.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::claim::Claim;
use foreshard_model::ids::{ShardId, TaskId};
use foreshard_model::limits::SHARD_FAN;
use foreshard_model::output::ShardTask;
use foreshard_model::plan::Chunk;
use foreshard_model::topology::Topology;
use foreshard_model::units::{Mib, TimeMs};

/// A shard that may give up its tasks, as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// All its tasks, in execution order.
    pub tasks: Vec<ShardTask>,
    /// Those that its checkpoint has.
    pub finished: BTreeSet<TaskId>,
    /// Whether it is ready; otherwise it waits.
    pub ready: bool,
    /// The memory tier of its next attempt.
    pub tier: Mib,
}

/// Shards that give up their tasks together, and who takes those over.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    /// Who gives up: all of them ready, or all of them waiting for the same shards.
    pub old: Vec<ShardId>,
    /// Who takes over: every unfinished task is in one of them.
    pub parts: Vec<Part>,
}

/// A new shard.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Part {
    /// Its tasks.
    pub tasks: BTreeSet<TaskId>,
    /// How long it is expected to take, in milliseconds.
    pub estimate_ms: u64,
    /// The equivalent that a task runs as: its position in [`ShardTask::instead`].
    pub instead: BTreeMap<TaskId, usize>,
}

/// What is cut.
#[derive(Debug, Clone, Copy)]
pub struct Cutting<'a> {
    /// The plan's shards as they are.
    pub topology: &'a Topology,
    /// Where they are stored.
    pub stored: &'a Claim,
    /// The tasks of every shard that a group names.
    pub held: &'a BTreeMap<ShardId, Held>,
    /// Now.
    pub now: TimeMs,
}

/// The next generation of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// The shards; the claims of [`Cut::chunks`] are still to be added at the end of its chunks.
    pub topology: Topology,
    /// The tasks of the new shards.
    pub chunks: Vec<Chunk>,
    /// Who gave up their tasks: their items are to be read.
    pub replaced: Vec<ShardId>,
}

/// Why shards cannot be cut like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Uncuttable {
    /// The plan has no such shard, or it has no tasks to give up, or was not read.
    #[error("shard {0} has no tasks to give up")]
    Shard(ShardId),
    /// A task is in no part, in two, or was finished.
    #[error("task `{0}` is not in exactly one part")]
    Task(TaskId),
    /// Shards that neither are all ready nor wait for the same ones.
    #[error("shard {0} does not wait for the same shards as those that it would be merged with")]
    Mixed(ShardId),
    /// More predecessors or successors than a shard may have.
    #[error("shard {shard} would have a fan of {fan}, at most {SHARD_FAN}")]
    Fan {
        /// The shard.
        shard: ShardId,
        /// Its predecessors or successors.
        fan: usize,
    },
    /// The parts need each other.
    #[error("the parts of shard {0} need each other")]
    Cycle(ShardId),
}
