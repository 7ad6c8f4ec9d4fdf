//! What is expected of regions and targets while a run lasts, and what other runs have been promised of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{RunId, TargetId};
use crate::plan::Reason;
use crate::units::TimeMs;

/// What is expected while a run lasts. The default: all of the quota is free, nothing fails, data lies where it is used.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Outlook {
    /// By region.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub regions: BTreeMap<String, Expected>,
    /// By target. One with `free` has lanes of its own, such as a function's reserved concurrency; others share those of
    /// their region.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub targets: BTreeMap<TargetId, Expected>,
    /// Region of the data that tasks find and no task of the workflow writes, by task type; `*` is every other type.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, String>,
}

/// What is expected of one region or target.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expected {
    /// Free concurrency over time, by ascending `from_s`; none: all that there is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub free: Vec<Step>,
    /// Attempts that fail or are killed in an hour of running, beside failures of the tasks' own.
    pub failures_per_h: f64,
}

/// What is expected from a moment on, until the next step.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Seconds from the start of the run.
    pub from_s: u64,
    /// Lanes that are free, by quantile: `{"0.1": 20, "0.5": 80}` means that there are fewer than 20 one time in ten, and
    /// fewer than 80 every other time.
    pub lanes: BTreeMap<String, f64>,
}

impl Step {
    /// The quantiles as numbers, ascending; what is no number is left out.
    #[must_use]
    pub fn quantiles(&self) -> Vec<(f64, f64)> {
        let mut all: Vec<(f64, f64)> = self
            .lanes
            .iter()
            .filter_map(|(quantile, lanes)| Some((quantile.parse().ok()?, *lanes)))
            .collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all
    }

    /// Lanes at a quantile: straight lines between those given, level beyond them.
    #[must_use]
    pub fn lanes_at(&self, quantile: f64) -> f64 {
        along(&self.quantiles(), quantile)
    }

    /// How likely fewer lanes than this are free: 0 below the lowest quantile given, 1 above the highest.
    #[must_use]
    pub fn chance_below(&self, lanes: f64) -> f64 {
        let all = self.quantiles();
        match (all.first(), all.last()) {
            (Some(first), _) if first.1 >= lanes => 0.0,
            (_, Some(last)) if last.1 < lanes => 1.0,
            _ => {
                let turned: Vec<(f64, f64)> = all.iter().map(|&(q, lanes)| (lanes, q)).collect();
                along(&turned, lanes)
            }
        }
    }
}

/// The height at `x` of the line through the points, which ascend.
fn along(points: &[(f64, f64)], x: f64) -> f64 {
    let above = points.partition_point(|point| point.0 < x);
    match (above.checked_sub(1).map(|at| points[at]), points.get(above)) {
        (Some(low), Some(&high)) if high.0 > low.0 => {
            low.1 + (high.1 - low.1) * (x - low.0) / (high.0 - low.0)
        }
        (_, Some(&only)) | (Some(only), None) => only.1,
        (None, None) => 0.0,
    }
}

/// The outlook as it is kept: the last that was made, for every run of the deployment.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StoredOutlook {
    /// When it was made: its steps count from here.
    pub made_at: TimeMs,
    /// What is expected.
    pub outlook: Outlook,
    /// What was unlike anything of the last days when it was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// What moved it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
}

/// Something unlike anything of the last days.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Flag {
    /// A target, or a region.
    pub place: String,
    /// What of it: `errors`, `duration_ms`, `throttles`, `concurrency`.
    pub series: String,
    /// The minute in which it was.
    pub at: TimeMs,
    /// From 0 to 1; see `engine::anomaly`.
    pub score: f64,
    /// Why, one sentence.
    pub because: String,
}

/// What other runs have been promised. The default: nothing.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promised {
    /// Each run's lanes, in the order of the runs' ids.
    pub holds: Vec<Hold>,
}

/// Lanes that one other run holds in one region for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The run.
    pub run: RunId,
    /// Where.
    pub region: String,
    /// How many.
    pub lanes: u32,
    /// From when, in milliseconds from now.
    pub from_ms: u64,
    /// Until when.
    pub until_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_read_and_turned_around() {
        let lanes = [("0.5", 40.0), ("0.1", 0.0), ("0.9", 80.0)];
        let step = Step {
            from_s: 0,
            lanes: lanes.map(|(q, n)| (q.to_owned(), n)).into(),
        };
        let at = [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0].map(|q| step.lanes_at(q).round());
        assert_eq!(at, [0.0, 0.0, 20.0, 40.0, 60.0, 80.0, 80.0]);
        let below = [0.0, 1.0, 20.0, 40.0, 80.0, 81.0]
            .map(|lanes| (step.chance_below(lanes) * 100.0).round());
        assert_eq!(below, [0.0, 11.0, 30.0, 50.0, 90.0, 100.0]);
        assert_eq!(Step::default().lanes_at(0.5), 0.0);
    }
}
