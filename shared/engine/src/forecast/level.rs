//! Series without a season: the distribution of recent values, and of how often anything comes at all.

use super::ground::Ground;
use super::model::{Model, Quantiles};
use super::numbers::{mean, quantile};
use super::order::next;

/// The values of so many newest rows, as they are distributed.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    /// Rows.
    pub rows: usize,
}

impl Model for Level {
    fn name(&self) -> String {
        format!("level of {} rows", self.rows)
    }

    fn over(
        &self,
        ground: &Ground,
        origins: &[usize],
        horizon: usize,
        quantiles: &[f64],
    ) -> Vec<Quantiles> {
        let at = |origin: &usize| {
            let newest = newest(&ground.values[..*origin], self.rows);
            let of = |q: &f64| vec![quantile(&newest, *q).unwrap_or(f64::NAN); horizon];
            quantiles.iter().map(of).collect()
        };
        origins.iter().map(at).collect()
    }
}

/// The distribution of all values that there are, as wide as so few tell it, at every step. How far beyond them the next may lie is told on
/// the scale of the series: on that of logarithms nothing and something are too far apart.
pub fn of_few(ground: &Ground, horizon: usize, quantiles: &[f64]) -> Quantiles {
    let there = ground.values.iter().filter(|v| !v.is_nan());
    let mut there: Vec<f64> = there.map(|v| ground.back(*v)).collect();
    there.sort_by(f64::total_cmp);
    let of = |q: &f64| {
        let value = next(&there, *q).map_or(f64::NAN, |value| ground.onto(value.max(0.0)));
        vec![value; horizon]
    };
    quantiles.iter().map(of).collect()
}

/// Smoothing of the chance that anything comes.
const CHANCE_PACE: f64 = 0.1;
/// Rows that an intermittent series is read over.
const INTERMITTENT_ROWS: usize = 1_000;

/// Long nothing, then something: a smoothed chance that a step has anything, and the distribution of what comes then.
///
/// R. Teunter, A. Syntetos, M. Babai, "Intermittent demand: linking forecasting to inventory obsolescence", EJOR 2011: the chance
/// falls while nothing comes, so that what has ended is forgotten.
#[derive(Debug, Clone, Copy)]
pub struct Intermittent;

impl Intermittent {
    /// Whether a series is one: more than half of its rows are zero, and not all.
    pub fn suits(values: &[f64]) -> bool {
        let there = values.iter().filter(|v| !v.is_nan()).count();
        let zero = values.iter().filter(|v| **v == 0.0).count();
        zero * 2 > there && zero < there
    }
}

impl Model for Intermittent {
    fn name(&self) -> String {
        "intermittent".to_owned()
    }

    fn over(
        &self,
        ground: &Ground,
        origins: &[usize],
        horizon: usize,
        quantiles: &[f64],
    ) -> Vec<Quantiles> {
        let at = |origin: &usize| {
            let before = &ground.values[..*origin];
            let rows = &before[before.len().saturating_sub(INTERMITTENT_ROWS)..];
            let there = rows.iter().filter(|v| !v.is_nan());
            let comes = |v: &f64| f64::from(u8::from(*v > 0.0));
            let start = mean(there.clone().map(comes)).unwrap_or(0.0);
            let chance = there.fold(start, |c, v| c + CHANCE_PACE * (comes(v) - c));
            // Long memory for the rate, short for its end.
            let chance = start.max(1e-6) * 0.5 + chance * 0.5;
            let mut sizes: Vec<f64> = rows.iter().copied().filter(|v| *v > 0.0).collect();
            sizes.sort_by(f64::total_cmp);
            let of = |q: &f64| {
                let beyond = (q - (1.0 - chance)) / chance;
                let value = if beyond <= 0.0 {
                    0.0
                } else {
                    quantile(&sizes, beyond).unwrap_or(0.0)
                };
                vec![value; horizon]
            };
            quantiles.iter().map(of).collect()
        };
        origins.iter().map(at).collect()
    }
}

/// The newest values that are there, ascending.
fn newest(before: &[f64], rows: usize) -> Vec<f64> {
    let there = before.iter().rev().filter(|v| !v.is_nan());
    let mut values: Vec<f64> = there.take(rows).copied().collect();
    values.sort_by(f64::total_cmp);
    values
}
