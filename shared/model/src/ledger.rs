//! The ledger: what was decided and what happened, as a user may follow it. Its keys are derived, so a repeat overwrites itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{Attempt, LaneId, RunId, ShardId};
use crate::units::TimeMs;

/// What happened.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The run was accepted.
    Accepted,
    /// The plan was committed.
    Planned,
    /// Unfinished shards were cut again: the plan's next generation.
    Recut,
    /// A lane claimed a shard.
    Claimed,
    /// A shard's output was committed.
    Settled,
    /// An attempt gave its place to the next one, with a checkpoint.
    Yielded,
    /// An attempt failed and another will follow.
    Retried,
    /// A shard has finally failed.
    Failed,
    /// A shard will not run, because of a failure before it.
    Skipped,
    /// The run entered a state.
    State,
    /// A round began.
    Round,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The run.
    pub run: RunId,
    /// When, as recorded in the item that changed: the same in a repeat.
    pub at: TimeMs,
    /// What.
    pub kind: EventKind,
    /// The shard concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<ShardId>,
    /// Its attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Attempt>,
    /// The lane concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<LaneId>,
    /// Where it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Why, one sentence.
    pub because: String,
    /// Figures: `tasks`, `duration_ms`, `cpu_ms`, `peak_kib`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, f64>,
}

impl Event {
    /// The sort key: by time, unique for what happened.
    #[must_use]
    pub fn sort_key(&self) -> String {
        let kind = serde_json::to_value(self.kind)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default();
        let shard = self
            .shard
            .map_or_else(|| "-".to_owned(), |s| format!("{:07}", s.0));
        let attempt = self.attempt.unwrap_or_default().0;
        format!("{:013}#{kind}#{shard}#{attempt}", self.at.0)
    }
}
