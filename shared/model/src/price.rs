//! What a run is expected to cost, and what it did cost.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Usd;

/// An amount as an interval.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Optimistic: one in ten runs is cheaper or quicker.
    pub low: f64,
    /// Expected.
    pub mid: f64,
    /// Pessimistic: one in ten runs is dearer or slower.
    pub high: f64,
}

/// The price of a plan before it runs, beside the same DAG as plain Step Functions: one Standard state for each task.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// Everything together, in dollars.
    pub total_usd: Interval,
    /// Expected dollars by service: `lambda`, `step_functions`, `dynamodb`, `s3`, `cloudwatch`.
    pub by_service: BTreeMap<String, Usd>,
    /// The same DAG as one Standard state for each task, in dollars.
    pub plain_usd: Usd,
    /// Of them, by service: `lambda`, `step_functions`, `s3`.
    #[serde(default)]
    pub plain_by_service: BTreeMap<String, Usd>,
    /// Expected duration of the run, in seconds.
    pub makespan_s: Interval,
    /// The same DAG as one Standard state for each task, in seconds: as if each task started once its inputs are there.
    #[serde(default)]
    pub plain_makespan_s: Interval,
    /// State transitions that the run is expected to take; plain states take one a task.
    #[serde(default)]
    pub transitions: f64,
    /// Where the unit prices are from.
    pub source: String,
    /// The unit prices, each with its source.
    #[serde(default)]
    pub unit_prices: Vec<UnitPrice>,
}

/// What one unit of a service costs, and who says so.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UnitPrice {
    /// `lambda`, `step_functions`, `dynamodb`, `s3`, `cloudwatch`.
    pub service: String,
    /// What one of is charged, such as `transition`.
    pub unit: String,
    /// Dollars for one.
    pub usd: f64,
    /// Region whose price it is: another one than the plan's where the price of the plan's own is not known.
    pub region: String,
    /// Where the number is from.
    pub source: String,
}
