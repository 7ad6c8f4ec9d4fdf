//! The models of `augurs`: exponential smoothing, and seasonal-trend decomposition with several seasons.

use augurs::ets::AutoETS;
use augurs::mstl::MSTLModel;
use augurs::{Fit, Predict};

use super::ground::Ground;
use super::model::{Model, Quantiles};
use super::numbers::median;

/// Rows that exponential smoothing is fitted to: its weights have faded long before.
const ETS_ROWS: usize = 300;
/// Its form: additive errors, with a trend or without, whichever the criterion prefers. Multiplicative errors say nothing new of
/// logarithms, and take three times as long.
const ETS_FORM: &str = "AZN";
/// The form of what a decomposition leaves: a level that moves.
const TREND_FORM: &str = "ANN";
/// Rows that a decomposition is fitted to: its time grows with them.
const MSTL_ROWS: usize = 2_100;
/// Most seasons of a decomposition.
const MSTL_SEASONS: usize = 2;
/// Cycles that a season must have in those rows.
const MSTL_CYCLES: usize = 3;
/// Least rows to fit anything to.
const ROWS_MIN: usize = 24;
/// Cycles that a missing row's phase is looked for in.
const FILL_CYCLES: usize = 5;

/// Exponential smoothing without season, its form chosen by the corrected information criterion.
#[derive(Debug, Clone, Copy)]
pub struct Ets;

/// Decomposition by the longest seasons that fit, a smoothed level of what remains.
#[derive(Debug, Clone)]
pub struct Mstl {
    periods: Vec<usize>,
}

impl Mstl {
    /// With the seasons of a series; none where it has none that fits.
    pub fn of(ground: &Ground) -> Option<Self> {
        let rows = ground.rows().min(MSTL_ROWS);
        let fits = |period: &usize| *period >= 4 && period * MSTL_CYCLES <= rows;
        let periods = ground.seasons.iter().map(|s| s.period).filter(fits);
        let mut periods: Vec<usize> = periods.collect();
        let spare = periods.len().saturating_sub(MSTL_SEASONS);
        periods.drain(..spare);
        (!periods.is_empty()).then_some(Self { periods })
    }
}

impl Model for Ets {
    fn name(&self) -> String {
        "ets".to_owned()
    }

    fn over(
        &self,
        ground: &Ground,
        origins: &[usize],
        horizon: usize,
        quantiles: &[f64],
    ) -> Vec<Quantiles> {
        let at = |origin: &usize| {
            let rows = filled(ground, *origin, ETS_ROWS);
            let fitted = (rows.len() >= ROWS_MIN)
                .then(|| AutoETS::new(1, ETS_FORM).ok()?.fit(&rows).ok())
                .flatten();
            let ahead = fitted.and_then(|model| model.predict(horizon, None).ok());
            alike(ahead.map(|f| f.point), horizon, quantiles)
        };
        origins.iter().map(at).collect()
    }
}

impl Model for Mstl {
    fn name(&self) -> String {
        "mstl".to_owned()
    }

    fn over(
        &self,
        ground: &Ground,
        origins: &[usize],
        horizon: usize,
        quantiles: &[f64],
    ) -> Vec<Quantiles> {
        let at = |origin: &usize| {
            let rows = filled(ground, *origin, MSTL_ROWS);
            let fits = self.periods.iter().all(|period| period * 2 < rows.len());
            let trend = AutoETS::new(1, TREND_FORM).map(AutoETS::into_trend_model);
            let fitted = trend.ok().filter(|_| fits).and_then(|trend| {
                let model = MSTLModel::new(self.periods.clone(), trend);
                model.fit(&rows).ok()
            });
            let ahead = fitted.and_then(|model| model.predict(horizon, None).ok());
            alike(ahead.map(|f| f.point), horizon, quantiles)
        };
        origins.iter().map(at).collect()
    }
}

/// One line for every quantile: the errors on held-back rows move them apart.
fn alike(point: Option<Vec<f64>>, horizon: usize, quantiles: &[f64]) -> Quantiles {
    let point = point.filter(|p| p.len() == horizon);
    let point = point.unwrap_or_else(|| vec![f64::NAN; horizon]);
    vec![point; quantiles.len()]
}

/// The newest rows before an origin, where missing the median of their phase, or the value before: these models take no holes.
fn filled(ground: &Ground, origin: usize, most: usize) -> Vec<f64> {
    let first = origin.saturating_sub(most);
    let start = ground.values[first..origin]
        .iter()
        .position(|v| !v.is_nan());
    let Some(first) = start.map(|at| first + at) else {
        return Vec::new();
    };
    let mut scratch = Vec::new();
    let mut rows: Vec<f64> = Vec::with_capacity(origin - first);
    for at in first..origin {
        let mut value = ground.values[at];
        if value.is_nan() {
            scratch.clear();
            if ground.main > 1 {
                ground.phase(at, 1, ground.main, FILL_CYCLES, &mut scratch);
            }
            let before = rows.last().copied();
            value = median(&mut scratch).or(before).unwrap_or(0.0);
        }
        rows.push(value);
    }
    rows
}
