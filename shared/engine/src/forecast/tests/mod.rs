//! Forecasts: what they say of made series, and that nothing breaks them.

mod backtest;
mod bad;
mod demand;
mod few;
mod inputs;
mod leakage;
mod long;
mod models;

use foreshard_model::forecast::Forecast;

use crate::calendar::Calendar;
use crate::dice::Dice;

use super::{Request, Series, forecast};

/// Quantiles that most tests ask for.
const QUANTILES: [f64; 5] = [0.05, 0.5, 0.9, 0.95, 0.99];

/// Rows of so many seconds as a series.
fn series(step_s: u32, values: &[f64]) -> Series {
    let rows: Vec<Option<f64>> = values.iter().map(|v| (!v.is_nan()).then_some(*v)).collect();
    Series::of_rows(0, step_s, &rows)
}

fn ahead(series: &Series, horizon: usize) -> Forecast {
    forecast(&Request {
        series,
        horizon,
        quantiles: &QUANTILES,
        calendar: &Calendar::default(),
        feeds: &[],
    })
}

/// What holds of every answer.
fn check(forecast: &Forecast, horizon: usize) {
    let mut before = vec![0.0; horizon];
    let mut names: Vec<f64> = forecast
        .quantiles
        .keys()
        .map(|q| q.parse().unwrap())
        .collect();
    names.sort_by(f64::total_cmp);
    for name in names {
        let values = &forecast.quantiles[&name.to_string()];
        assert_eq!(values.len(), horizon);
        for (value, lower) in values.iter().zip(&before) {
            assert!(
                value.is_finite() && value >= lower,
                "{value} at {name}, {lower} below"
            );
        }
        before.clone_from(values);
    }
    assert!(forecast.reasons.iter().any(|r| r.subject == "forecast"));
}

fn told(forecast: &Forecast, words: &str) -> bool {
    forecast.reasons.iter().any(|r| r.because.contains(words))
}

/// Numbers around a level that changes with the hour, with a wave each `wave` rows.
fn waves(rows: usize, day: usize, wave: usize, seed: u64) -> Vec<f64> {
    let mut dice = Dice::new(seed);
    let row = |at: usize| {
        let slow = 20.0 + 10.0 * (at as f64 / day as f64 * std::f64::consts::TAU).sin();
        let burst = if at.is_multiple_of(wave) { 100.0 } else { 0.0 };
        (slow + burst + 6.0 * (dice.share() - 0.5)).round()
    };
    (0..rows).map(row).collect()
}
