//! Models of a long horizon: what the last cycles of the main period had in common, at the level that the series has now.

use super::ground::Ground;
use super::model::{Model, Quantiles};
use super::naive::Naive;
use super::numbers::{mean, median};

/// Cycles that the shape of one is read from: a week of days.
const SHAPE_CYCLES: usize = 7;
/// Cycles whose distance from the shape says where the level is.
const LEVEL_CYCLES: usize = 3;

/// What repeats from cycle to cycle. Each answers one line for every quantile: errors on held-back rows move them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cycles {
    /// The median of the same step of so many cycles.
    Median(usize),
    /// The median of the same step of the newest days of the same kind: workday, weekend, holiday.
    Alike,
    /// The median shape of a week's cycles, each less its own mean, at a level that weighs rows by half each `half_life` of them.
    Shape {
        /// In rows.
        half_life: usize,
    },
    /// The mean of four: the last cycle, the median of seven, and the shape at the level of the last hours and of the last cycle.
    /// Means of models that err for different reasons lose less than most of them (J. M. Bates, C. W. J. Granger, "The combination
    /// of forecasts", 1969).
    Mean,
}

impl Cycles {
    /// All that suit a main period.
    pub fn all(main: usize) -> Vec<Self> {
        let [quick, slow] = Self::shapes(main);
        vec![
            Self::Median(3),
            Self::Median(7),
            Self::Median(14),
            Self::Alike,
            quick,
            slow,
            Self::Mean,
        ]
    }

    /// At the level of a twelfth of a cycle, two hours of a day, and of a cycle.
    fn shapes(main: usize) -> [Self; 2] {
        [(main / 12).max(1), main].map(|half_life| Self::Shape { half_life })
    }

    fn line(self, ground: &Ground, origin: usize, horizon: usize) -> Vec<f64> {
        match self {
            Self::Median(most) => {
                let mut scratch = Vec::new();
                let mut step = |ahead| {
                    ground.phase(origin, ahead, ground.main, most, &mut scratch);
                    median(&mut scratch).unwrap_or(f64::NAN)
                };
                (1..=horizon).map(&mut step).collect()
            }
            Self::Alike => {
                let mut scratch = Vec::new();
                let mut step = |ahead| {
                    ground.alike(origin, ahead, &mut scratch);
                    median(&mut scratch).unwrap_or(f64::NAN)
                };
                (1..=horizon).map(&mut step).collect()
            }
            Self::Shape { half_life } => Shape::of(ground, origin).line(half_life, horizon),
            Self::Mean => {
                let shape = Shape::of(ground, origin);
                let [quick, slow] = Self::shapes(ground.main).map(|of| match of {
                    Self::Shape { half_life } => shape.line(half_life, horizon),
                    other => other.line(ground, origin, horizon),
                });
                let last = Naive::line(ground, ground.main, origin, horizon);
                let middle = Self::Median(SHAPE_CYCLES).line(ground, origin, horizon);
                let step = |at: usize| {
                    let each = [quick[at], slow[at], last[at], middle[at]];
                    mean(each.into_iter().filter(|v| !v.is_nan())).unwrap_or(f64::NAN)
                };
                (0..horizon).map(step).collect()
            }
        }
    }
}

impl Model for Cycles {
    fn name(&self) -> String {
        match self {
            Self::Median(most) => format!("median of {most} cycles"),
            Self::Alike => "median of like days".to_owned(),
            Self::Shape { half_life } => format!("shape at the level of {half_life} rows"),
            Self::Mean => "mean of cycles".to_owned(),
        }
    }

    fn over(
        &self,
        ground: &Ground,
        origins: &[usize],
        horizon: usize,
        quantiles: &[f64],
    ) -> Vec<Quantiles> {
        let at = |origin: &usize| vec![self.line(ground, *origin, horizon); quantiles.len()];
        origins.iter().map(at).collect()
    }
}

/// The shape of a cycle that begins at an origin, and how far the rows before were from it.
struct Shape {
    steps: Vec<f64>,
    /// Of the newest rows, oldest first; `NaN` where missing.
    away: Vec<f64>,
}

impl Shape {
    fn of(ground: &Ground, origin: usize) -> Self {
        let main = ground.main.max(1);
        let cycles: Vec<&[f64]> = ground.values[..origin]
            .rchunks_exact(main)
            .take(SHAPE_CYCLES)
            .collect();
        let there = |rows: &[f64]| mean(rows.iter().copied().filter(|v| !v.is_nan()));
        let means: Vec<f64> = cycles
            .iter()
            .map(|rows| there(rows).unwrap_or(f64::NAN))
            .collect();
        let mut scratch = Vec::with_capacity(SHAPE_CYCLES);
        let mut step = |at: usize| {
            scratch.clear();
            let off = cycles
                .iter()
                .zip(&means)
                .map(|(rows, mean)| rows[at] - mean);
            scratch.extend(off.filter(|v| !v.is_nan()));
            median(&mut scratch).unwrap_or(0.0)
        };
        let steps: Vec<f64> = (0..main).map(&mut step).collect();
        let newest = cycles.iter().take(LEVEL_CYCLES).rev();
        let away =
            newest.flat_map(|rows| rows.iter().zip(&steps).map(|(value, step)| value - step));
        Self {
            away: away.collect(),
            steps,
        }
    }

    fn line(&self, half_life: usize, horizon: usize) -> Vec<f64> {
        let fade = 0.5_f64.powf(1.0 / half_life as f64);
        let (mut sum, mut weights) = (0.0, 0.0);
        for away in &self.away {
            sum *= fade;
            weights *= fade;
            if !away.is_nan() {
                sum += away;
                weights += 1.0;
            }
        }
        let level = if weights > 0.0 {
            sum / weights
        } else {
            f64::NAN
        };
        let steps = self.steps.iter().cycle().take(horizon);
        steps.map(|step| step + level).collect()
    }
}
