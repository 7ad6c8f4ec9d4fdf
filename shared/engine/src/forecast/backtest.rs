//! A forecast of rows that have come already: the newest are held back, and what was expected of them is scored.

use std::collections::BTreeMap;

use foreshard_model::forecast::Forecast;
use serde::Serialize;

use super::numbers::{mean, pinball};
use super::select::{Request, forecast};
use super::series::Series;

/// Two values that differ by no more than this share are the same: a scale of logarithms and back costs the last digits.
const SAME: f64 = 1e-9;
/// Seconds of a day.
const DAY_S: usize = 86_400;

/// What was expected of the newest rows, and what they were.
#[derive(Debug, Clone, PartialEq)]
pub struct Backtest {
    /// The rows before those held back: all that the forecast saw.
    pub before: Series,
    /// What it expected.
    pub forecast: Forecast,
    /// What came; `NaN` is missing.
    pub came: Vec<f64>,
    /// How far apart both are.
    pub scores: Scores,
}

/// Means over the steps that came; a missing one counts nowhere.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scores {
    /// Steps that came.
    pub steps: usize,
    /// |came − median|, in the unit of the series.
    pub error: f64,
    /// The same of the naive forecast: the same step of the day before, or the newest value where the history is shorter than a day.
    pub error_naive: f64,
    /// Quantile loss by quantile, in the unit of the series.
    pub loss: BTreeMap<String, f64>,
    /// Share of what came at or below each quantile.
    pub coverage: BTreeMap<String, f64>,
}

/// Forecasts the newest `horizon` rows from those before them only. None where the series has no more rows than that, or where none
/// of them has come.
#[must_use]
pub fn backtest(request: &Request<'_>) -> Option<Backtest> {
    let series = request.series;
    let origin = series.values.len().checked_sub(request.horizon)?;
    if origin == 0 || request.horizon == 0 {
        return None;
    }
    let mut before = series.clone();
    let came = before.values.split_off(origin);
    let forecast = forecast(&Request {
        series: &before,
        ..*request
    });
    let scores = scores(&before, &forecast, &came)?;
    Some(Backtest {
        before,
        forecast,
        came,
        scores,
    })
}

fn scores(before: &Series, forecast: &Forecast, came: &[f64]) -> Option<Scores> {
    let there = || came.iter().enumerate().filter(|(_, v)| !v.is_nan());
    let error = mean(there().map(|(at, v)| (v - forecast.at(at, 0.5).unwrap_or(0.0)).abs()))?;
    let error_naive = mean(there().map(|(at, v)| (v - naive(before, at)).abs()))?;
    let mut loss = BTreeMap::new();
    let mut coverage = BTreeMap::new();
    for (name, values) in &forecast.quantiles {
        let q: f64 = name.parse().unwrap_or(0.5);
        let of = |value: fn(f64, f64, f64) -> f64| {
            mean(
                there()
                    .zip(values_at(values, came))
                    .map(|((_, v), f)| value(q, f, *v)),
            )
        };
        loss.insert(name.clone(), of(pinball)?);
        let below =
            of(|_, expected, actual| f64::from(u8::from(actual <= expected * (1.0 + SAME))))?;
        coverage.insert(name.clone(), below);
    }
    Some(Scores {
        steps: there().count(),
        error,
        error_naive,
        loss,
        coverage,
    })
}

/// The values of the steps that came.
fn values_at<'a>(values: &'a [f64], came: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
    let steps = values.iter().zip(came);
    steps.filter(|(_, came)| !came.is_nan()).map(|(v, _)| *v)
}

/// The newest value of the same step of an earlier day; else the newest of all; else zero.
fn naive(before: &Series, step: usize) -> f64 {
    let day = (DAY_S / before.step_s.max(1) as usize).max(1);
    let rows = &before.values;
    let days = step / day + 1..=(rows.len() + step) / day;
    let same = days.filter_map(|back| rows.get((rows.len() + step).checked_sub(back * day)?));
    let newest = rows.iter().rev();
    let mut known = same.chain(newest).filter(|v| !v.is_nan());
    known.next().copied().unwrap_or(0.0)
}
