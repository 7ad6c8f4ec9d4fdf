//! Policy: what a deployment or a run wishes, as data with defaults.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::objective::Objective;

/// How fast one tenant may start runs: so many at once, and then so many a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StartRate {
    /// Starts at once, after a while without any.
    pub burst: u32,
    /// Starts a minute in the long run.
    pub per_minute: u32,
}

impl Default for StartRate {
    /// A tenth of what Step Functions starts for an account in a small region, 800 at once and 150 a second, and of that
    /// rate a third: runs are planned, and planning is dear. Source: Step Functions quotas, `StartExecution`, Standard.
    fn default() -> Self {
        Self {
            burst: 80,
            per_minute: 300,
        }
    }
}

impl StartRate {
    /// Milliseconds that one start takes of the allowance.
    #[must_use]
    pub fn interval_ms(self) -> u64 {
        (60_000 / u64::from(self.per_minute.max(1))).max(1)
    }

    /// How far ahead of now starts may be booked for one more to be let in, in milliseconds.
    #[must_use]
    pub fn ahead_ms(self) -> u64 {
        u64::from(self.burst.max(1) - 1) * self.interval_ms()
    }
}

/// What one run asks for beside its workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunOptions {
    /// Factor on CPU time and bytes of `synthetic` tasks; never on memory.
    pub scale: f64,
    /// Factor on memory of `synthetic` tasks.
    pub memory_scale: f64,
    /// Write an independent trace of task starts and commits to the bucket.
    pub trace: bool,
    /// Most lanes of the run; the pool's limits hold all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lanes_max: Option<u32>,
    /// History events after which a round hands over to the next; at most [`crate::limits::HISTORY_BUDGET_EVENTS`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_budget: Option<u32>,
    /// Most tasks of one shard; 1 makes every task a shard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard_tasks_max: Option<u32>,
    /// What it weighs and what it may take at most, over what its workflow says of that.
    #[serde(skip_serializing_if = "Objective::is_none")]
    pub objective: Objective,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            scale: 1.0,
            memory_scale: 1.0,
            trace: false,
            lanes_max: None,
            history_budget: None,
            shard_tasks_max: None,
            objective: Objective::default(),
        }
    }
}
