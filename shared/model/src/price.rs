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

/// The price of a plan before it runs.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// Everything together, in dollars.
    pub total_usd: Interval,
    /// Expected dollars by service: `lambda`, `step_functions`, `dynamodb`, `s3`, `cloudwatch`.
    pub by_service: BTreeMap<String, Usd>,
    /// The same DAG as one Standard state for each task, in dollars.
    pub plain_usd: Usd,
    /// Expected duration of the run, in seconds.
    pub makespan_s: Interval,
    /// Where the unit prices are from.
    pub source: String,
}
