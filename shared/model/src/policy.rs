//! Policy: what a deployment or a run wishes, as data with defaults.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
        }
    }
}
