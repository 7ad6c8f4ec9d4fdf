//! The models that others must beat: the same step of the last day, hour or week, and the last value.

use super::ground::Ground;
use super::model::{Model, Quantiles};

/// Cycles back that a value is looked for in, where the newest are missing.
const CYCLES: usize = 14;

/// The value one period before, or the newest of the same phase that there is. Period 1 is the last value.
#[derive(Debug, Clone, Copy)]
pub struct Naive {
    /// In steps.
    pub period: usize,
    /// Length of a step in seconds.
    pub step_s: u32,
}

impl Naive {
    /// What the period before had at each step of the horizon.
    pub fn line(ground: &Ground, period: usize, origin: usize, horizon: usize) -> Vec<f64> {
        let before = &ground.values[..origin];
        let last = before.iter().rev().find(|v| !v.is_nan()).copied();
        let last = last.unwrap_or(f64::NAN);
        let mut scratch = Vec::new();
        let mut step = |ahead: usize| {
            if period > 1 {
                ground.phase(origin, ahead, period, CYCLES, &mut scratch);
                scratch.first().copied().unwrap_or(last)
            } else {
                last
            }
        };
        (1..=horizon).map(&mut step).collect()
    }
}

impl Model for Naive {
    fn name(&self) -> String {
        match self.period as u64 * u64::from(self.step_s) {
            _ if self.period == 1 => "naive last".to_owned(),
            86_400 => "naive day".to_owned(),
            604_800 => "naive week".to_owned(),
            seconds if seconds.is_multiple_of(3_600) => format!("naive {} h", seconds / 3_600),
            seconds if seconds.is_multiple_of(60) => format!("naive {} min", seconds / 60),
            seconds => format!("naive {seconds} s"),
        }
    }

    fn over(
        &self,
        ground: &Ground,
        origins: &[usize],
        horizon: usize,
        quantiles: &[f64],
    ) -> Vec<Quantiles> {
        let at = |origin: &usize| {
            let line = Self::line(ground, self.period, *origin, horizon);
            vec![line; quantiles.len()]
        };
        origins.iter().map(at).collect()
    }
}
