//! Objectives: what a run weighs against what, and what it may take at most.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::price::Interval;

/// How much each quantity counts: exponents of a product that the plan makes as small as it can.
///
/// With `{time: 1, cost: 2}` a plan that costs 10 % less may take 21 % longer; what has no weight does not count. Only the
/// ratios matter.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Of the run's duration.
    pub time: f64,
    /// Of its dollars.
    pub cost: f64,
    /// Of its energy.
    pub energy: f64,
    /// Of the bytes that move between its shards.
    pub locality: f64,
}

/// What happens to a run whose limits no plan keeps.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unmet {
    /// It starts with the plan that comes nearest, and the plan says so.
    #[default]
    Warn,
    /// It is refused before anything starts.
    Refuse,
}

/// What a run weighs, and what it may take at most; a member that is absent wishes nothing.
///
/// A limit is kept when the pessimistic end of the plan's interval keeps it: nine of ten such runs do.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Objective {
    /// Without them: of what keeps the limits, the quickest within a budget, the cheapest within a deadline alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<Weights>,
    /// Longest duration of the run, in seconds; at least 0.001, at most a year.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_s: Option<f64>,
    /// Most dollars; 0 to a billion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_usd: Option<f64>,
    /// Most energy, in kilowatt-hours; 0 to a billion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy_kwh_max: Option<f64>,
    /// Most bytes that move between shards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_bytes_max: Option<u64>,
    /// What an unmet limit means; without it a budget refuses, and every other limit warns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unmet: Option<Unmet>,
}

impl Objective {
    /// Whether it wishes nothing: the plan is the usual one.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// This objective where it says something, `other` where it does not.
    #[must_use]
    pub fn over(&self, other: &Self) -> Self {
        Self {
            weights: self.weights.or(other.weights),
            deadline_s: self.deadline_s.or(other.deadline_s),
            budget_usd: self.budget_usd.or(other.budget_usd),
            energy_kwh_max: self.energy_kwh_max.or(other.energy_kwh_max),
            moved_bytes_max: self.moved_bytes_max.or(other.moved_bytes_max),
            unmet: self.unmet.or(other.unmet),
        }
    }
}

/// One plan that no other is better than in everything: a point of the Pareto front.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tradeoff {
    /// Shards with tasks.
    pub shards: u32,
    /// Lanes of a round.
    pub lanes: u32,
    /// The largest tier that a shard runs on, in MiB.
    pub memory_mib: u32,
    /// Duration of the run, in seconds. The front compares the pessimistic ends.
    pub makespan_s: Interval,
    /// Dollars. The front compares the pessimistic ends.
    pub total_usd: Interval,
    /// Energy by the model, in kilowatt-hours.
    pub energy_kwh: f64,
    /// Bytes that move between shards.
    pub moved_bytes: u64,
    /// Transitions of Step Functions.
    pub transitions: f64,
    /// How its shards are made.
    pub sharding: String,
    /// The options that give this plan.
    pub objective: Objective,
    /// Whether it is what the given options give.
    pub chosen: bool,
}
