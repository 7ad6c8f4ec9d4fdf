//! The items of a run's frontier, and the writes on them: the whole vocabulary of the run protocol.
//!
//! Every item carries a `version` that every write raises. A write says which version it expects; a store that finds
//! another one refuses with a conflict and changes nothing. Two writes need no read: [`Arrival`] (a set: repeats are
//! harmless; fenced by generation) and a worker's [`Checkpoint`] (fenced by attempt).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::claim::Claim;
use crate::ids::{Attempt, Generation, LaneId, Round, RunId, ShardId, Step, TargetId};
use crate::message::{Answer, Cause, Failure, ShardUsage};
use crate::plan::ShardKind;
use crate::run::RunItem;
use crate::units::{Mib, TimeMs};

/// Where a shard stands.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ShardState {
    /// Predecessors are missing.
    #[default]
    Waiting,
    /// It may be claimed.
    Ready,
    /// An attempt is under way.
    Running,
    /// Its output is committed.
    Done,
    /// Finally failed.
    Failed,
    /// A predecessor failed, or was skipped.
    Skipped,
    /// A later generation has taken its place.
    Superseded,
}

/// One shard's item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ShardItem {
    /// The run.
    pub run: RunId,
    /// Its id.
    pub id: ShardId,
    /// Raised by every write; 1 when new.
    pub version: u64,
    /// What it is.
    pub kind: ShardKind,
    /// Where it stands.
    pub state: ShardState,
    /// The last attempt; 0 before the first claim.
    pub attempt: Attempt,
    /// The plan's generation that made it what it is: the one that wrote it first, or cut it again last.
    pub generation: Generation,
    /// Finished predecessors.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub arrived: BTreeSet<ShardId>,
    /// Place in the order of priority: 0 is first.
    pub rank: u32,
    /// Memory tier for the next attempt: raised after out of memory.
    pub tier: Mib,
    /// The last checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Claim>,
    /// While running: who has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<LaneId>,
    /// While running: where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetId>,
    /// While running: when the attempt counts as lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<TimeMs>,
    /// While ready: not to be claimed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<TimeMs>,
    /// When done: the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Claim>,
    /// Whether every successor knows.
    #[serde(default)]
    pub released: bool,
    /// Failed attempts by cause.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<Cause, u32>,
    /// When failed: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Failure>,
    /// A `once` task of it was started in this attempt.
    #[serde(default)]
    pub started_once: bool,
    /// When the last attempt was claimed.
    #[serde(default)]
    pub claimed_at: TimeMs,
    /// When it was settled.
    #[serde(default)]
    pub settled_at: TimeMs,
    /// What all attempts used together.
    #[serde(default)]
    pub usage: ShardUsage,
}

/// One lane's item.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LaneItem {
    /// The run.
    pub run: RunId,
    /// Its number.
    pub lane: LaneId,
    /// Raised by every write; 1 when new.
    pub version: u64,
    /// The round that it belongs to.
    pub round: Round,
    /// The step last answered.
    pub step: Step,
    /// The answer to it: a repeat of the question gets the same.
    pub answer: Option<Answer>,
    /// While parked: what wakes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Events of history that the lane has used in this round, estimated.
    #[serde(default)]
    pub events: u32,
}

/// What a write expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// No item.
    Absent,
    /// The item with this version.
    Version(u64),
}

/// One conditional write of a whole item. The item carries the version that it will have: expected + 1, or 1.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// A run.
    Run(Box<RunItem>, Expect),
    /// A shard.
    Shard(Box<ShardItem>, Expect),
    /// A lane.
    Lane(Box<LaneItem>, Expect),
}

/// A predecessor is done: `arrived` of the successor gets it, whatever the successor's state. Raises the version.
///
/// Fenced by the generation that the successor is of: who has an older plan is refused, and reads the newer one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The run.
    pub run: RunId,
    /// The successor.
    pub successor: ShardId,
    /// The generation that the successor must be of.
    pub generation: Generation,
    /// The predecessor that is done.
    pub predecessor: ShardId,
}

/// A worker's checkpoint: `progress` is set if the shard is running and the attempt is its own. Raises the version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The run.
    pub run: RunId,
    /// The shard.
    pub shard: ShardId,
    /// The attempt that writes.
    pub attempt: Attempt,
    /// The manifest of finished tasks; `None` leaves what is there.
    pub progress: Option<Claim>,
    /// Set before a `once` task is started.
    pub started_once: bool,
}

/// What the `live` index lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Live {
    /// Shards that are ready.
    Ready,
    /// Shards that are running, by deadline.
    Running,
    /// Shards that are done, failed or skipped, but whose successors may not know.
    Unreleased,
    /// Lanes that are parked.
    Parked,
}

impl Live {
    /// The prefix of the index key.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Ready => "ready#",
            Self::Running => "running#",
            Self::Unreleased => "unreleased#",
            Self::Parked => "parked#",
        }
    }
}

impl ShardItem {
    /// Key in the `ready_rank` index: ready shards by priority; `None` keeps the item out of it.
    #[must_use]
    pub fn ready_rank(&self) -> Option<String> {
        (self.state == ShardState::Ready).then(|| format!("{:07}#{:07}", self.rank, self.id.0))
    }

    /// Key in the `live` index; `None` keeps the item out of it.
    #[must_use]
    pub fn live(&self) -> Option<String> {
        match self.state {
            ShardState::Ready => Some(format!("{}{:07}", Live::Ready.prefix(), self.id.0)),
            ShardState::Running => {
                let deadline = self.deadline.unwrap_or_default().0;
                Some(format!(
                    "{}{deadline:013}#{:07}",
                    Live::Running.prefix(),
                    self.id.0
                ))
            }
            ShardState::Done | ShardState::Failed | ShardState::Skipped if !self.released => {
                Some(format!("{}{:07}", Live::Unreleased.prefix(), self.id.0))
            }
            _ => None,
        }
    }
}

impl LaneItem {
    /// Key in the `live` index while it is parked; `None` keeps the item out of it.
    #[must_use]
    pub fn live(&self) -> Option<String> {
        self.token
            .as_ref()
            .map(|_| format!("{}{:05}", Live::Parked.prefix(), self.lane.0))
    }
}
