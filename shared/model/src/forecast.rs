//! What is expected of a quantity over the next steps: quantiles, the model that gave them, and how it was chosen.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::Reason;
use crate::units::TimeMs;

/// Quantiles of one quantity over a horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Forecast {
    /// Start of the first step: seconds since 1970.
    pub start_s: i64,
    /// Length of a step in seconds.
    pub step_s: u32,
    /// A value for each step, by quantile: `{"0.5": […], "0.9": […]}`. At every step a higher quantile is never lower.
    pub quantiles: BTreeMap<String, Vec<f64>>,
    /// The model that gave them, such as `conditional`, `naive day`, or two joined by ` + `.
    pub model: String,
    /// Every model that was tried, the best first.
    pub judged: Vec<Judged>,
    /// What was noticed in the data, what was chosen, and why.
    pub reasons: Vec<Reason>,
}

/// How one model did on held-back rows of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// Its name.
    pub model: String,
    /// Mean quantile loss on the rows held back, in the unit of the model's scale (logarithms of counts).
    pub loss: f64,
    /// The naive model's loss on the same rows: a model that does not go below it is not used.
    pub naive_loss: f64,
}

/// What is forecast of a place.
#[derive(
    Debug,
    Default,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Environments of a target that are in use at once, at most, in each step.
    #[default]
    Concurrency,
    /// Concurrency of a region that others claim: load of this deployment's admitted runs is not in it.
    Claimed,
}

impl Quantity {
    /// As it is written in keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Concurrency => "concurrency",
            Self::Claimed => "claimed",
        }
    }
}

/// A forecast as it is kept: the last of its place and quantity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StoredForecast {
    /// A target, or a region.
    pub place: String,
    /// Of what.
    pub quantity: Quantity,
    /// When it was made.
    pub made_at: TimeMs,
    /// Steps of the history that had a value, of those that it was made from.
    pub rows: u32,
    /// What was measured, carried on: recurring load, scheduled or not.
    pub forecast: Forecast,
    /// What schedules and the plans of admitted runs ask for at most, by step. It is not in the forecast, and where it recurs it
    /// is there as well: the larger of both is expected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<f64>,
    /// Share of a step for which an environment in use was busy in the last days, 0 to 1, where durations were measured: what is
    /// forecast are the most at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<f64>,
}

impl StoredForecast {
    /// How long the load had been watched that it was made from: the steps that had a value, in seconds.
    #[must_use]
    pub fn watched_s(&self) -> u64 {
        u64::from(self.rows) * u64::from(self.forecast.step_s)
    }

    /// What is expected at a step and quantile: the forecast, and at least what is known to come.
    #[must_use]
    pub fn at(&self, step: usize, quantile: f64) -> Option<f64> {
        let known = self.known.get(step).copied();
        match (self.forecast.at(step, quantile), known) {
            (Some(forecast), Some(known)) => Some(forecast.max(known)),
            (one, other) => one.or(other),
        }
    }
}

impl Forecast {
    /// Number of steps.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.quantiles.values().map(Vec::len).max().unwrap_or(0)
    }

    /// The value at a step and quantile: straight lines between the quantiles that are there, level beyond them. None for
    /// a step beyond the horizon.
    #[must_use]
    pub fn at(&self, step: usize, quantile: f64) -> Option<f64> {
        let mut points: Vec<(f64, f64)> = self
            .quantiles
            .iter()
            .filter_map(|(q, values)| Some((q.parse().ok()?, *values.get(step)?)))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let above = points.partition_point(|point| point.0 < quantile);
        let low = above.checked_sub(1).and_then(|at| points.get(at));
        match (low, points.get(above)) {
            (Some(low), Some(high)) => {
                let share = (quantile - low.0) / (high.0 - low.0);
                Some(low.1 + (high.1 - low.1) * share)
            }
            (Some(only), None) | (None, Some(only)) => Some(only.1),
            (None, None) => None,
        }
    }

    /// The step that a moment falls into; none before the first and after the last.
    #[must_use]
    pub fn step_of(&self, at_s: i64) -> Option<usize> {
        let since = usize::try_from(at_s.checked_sub(self.start_s)?).ok()?;
        let step = since / usize::try_from(self.step_s.max(1)).ok()?;
        (step < self.steps()).then_some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_between_quantiles_lie_on_a_line() {
        let quantiles = [("0.5", vec![4.0, 6.0]), ("0.9", vec![8.0, 6.0])];
        let forecast = Forecast {
            start_s: 600,
            step_s: 60,
            quantiles: quantiles.map(|(q, v)| (q.to_owned(), v)).into(),
            model: "level".to_owned(),
            judged: Vec::new(),
            reasons: Vec::new(),
        };
        let at = [0.1, 0.5, 0.7, 0.9, 0.99].map(|q| forecast.at(0, q).map(f64::round));
        assert_eq!(at, [4.0, 4.0, 6.0, 8.0, 8.0].map(Some));
        assert_eq!(forecast.at(2, 0.5), None);
        let steps = [599, 600, 659, 660, 719, 720].map(|s| forecast.step_of(s));
        assert_eq!(steps, [None, Some(0), Some(0), Some(1), Some(1), None]);
    }
}
