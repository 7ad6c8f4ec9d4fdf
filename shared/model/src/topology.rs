//! The shard graph as dispatch needs it: small, immutable, cached by digest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::claim::Claim;
use crate::ids::{Generation, RunId, ShardId, TaskId};
use crate::output::Located;
use crate::plan::{Recut, ShardKind};
use crate::target::Target;
use crate::units::Mib;
use crate::workflow::OnFailure;

/// Who follows whom, and what dispatch must know of each shard.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Topology {
    /// The run.
    pub run: RunId,
    /// The plan's generation.
    pub generation: Generation,
    /// The topology that this one replaces; none in the first generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Claim>,
    /// Shards, dense by id: `shards[i].id == i`.
    pub shards: Vec<ShardNode>,
    /// The targets of the pool, by ascending memory.
    pub targets: Vec<Target>,
    /// Partition keys over which the shards spread.
    pub partitions: u32,
    /// Lanes of a round.
    pub lanes: u32,
    /// Events of history that one lane may use before its round hands over.
    pub lane_events: u32,
    /// What a failed task means for the rest.
    pub on_failure: OnFailure,
    /// The declared outputs, or the sinks, and where their values are.
    pub outputs: BTreeMap<String, Located>,
    /// The objects that hold the tasks; `ShardNode::chunk` is a position in here. A later generation adds its own at the end.
    pub chunks: Vec<Claim>,
    /// What each generation after the first has cut again, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recuts: Vec<Recut>,
}

/// One shard in the topology.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ShardNode {
    /// Its id.
    pub id: ShardId,
    /// What it is.
    pub kind: ShardKind,
    /// How many shards it waits for.
    pub predecessors: u32,
    /// The shards that wait for it.
    pub successors: Vec<ShardId>,
    /// Place in the order of priority: 0 is the highest upward rank.
    pub rank: u32,
    /// Memory tier that it starts on.
    pub tier: Mib,
    /// Positions in `targets`: where it is to run, and then where else it may; each stands for its family, of which any tier
    /// will do. Empty where the pool has one family, or in plans of before there were several: every target may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<u32>,
    /// Longest time that an attempt may take, in milliseconds: the deadline is computed from it.
    pub limit_ms: u64,
    /// Estimated duration, in milliseconds.
    pub estimate_ms: u64,
    /// The generation that made it what it is here: later topologies repeat it as long as they leave the shard alone.
    #[serde(default, skip_serializing_if = "Generation::is_first")]
    pub generation: Generation,
    /// Which chunk holds its tasks.
    pub chunk: u32,
    /// How many tasks it has.
    pub tasks: u32,
    /// Whether a task of it must not run twice.
    pub once: bool,
    /// Retries of failures that are the tasks' own: the largest of its tasks.
    pub retries: u32,
    /// The id of its first task, for messages.
    pub first_task: TaskId,
}

impl Topology {
    /// The shard with this id, if the plan has it.
    #[must_use]
    pub fn node(&self, id: ShardId) -> Option<&ShardNode> {
        self.shards.get(id.index())
    }

    /// The generation that made a shard what it is; the topology's own for one that it lacks.
    #[must_use]
    pub fn generation_of(&self, id: ShardId) -> Generation {
        self.node(id)
            .map_or(self.generation, |node| node.generation)
    }

    /// The shard that ends the run; a plan always has one.
    #[must_use]
    pub fn end(&self) -> Option<&ShardNode> {
        self.shards
            .iter()
            .rev()
            .find(|node| node.kind == ShardKind::End)
    }
}
