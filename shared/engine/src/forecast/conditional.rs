//! Quantiles as linear functions of what the same phases of every season brought before, of the recent level, and of inputs.

use super::ground::Ground;
use super::model::{Model, Quantiles};
use super::numbers::median;
use super::regression::{Points, Start, dot, fit, least_squares};

/// Its name.
pub const NAME: &str = "conditional";
/// Most points that a fit learns from, each another row; more do not change the error and cost in proportion, nor does it help to take a
/// row again from another origin.
const POINTS: usize = 3_000;
/// Days (main periods) that points are taken from: older ones only make medians.
const SPAN: usize = 5;
/// The same with a long horizon, of which each row shows one step only.
const SPAN_LONG: usize = 9;
/// Cycles of the main period, of the one below, and of short ones that medians go over.
const CYCLES_MAIN: usize = 14;
/// Two hours a day for 12 of them.
const CYCLES_BELOW: usize = 24;
/// Cycles of a period longer than the main one.
const CYCLES_ABOVE: usize = 2;
/// Draws coefficients to zero, which is the median of the main period.
const RIDGE: f64 = 1e-3;
/// The constant column; smaller than one, so that the ridge draws less than it would a phase.
const CONSTANT: f64 = 0.3;
/// Distance from the median of its phase that counts fully towards the level: e is 2.7 times as high.
const LEVEL_CLIP: f64 = 1.0;
/// Least number of rows to learn from.
const ROWS_MIN: usize = 120;

/// Coefficients for each quantile.
#[derive(Debug, Clone)]
pub struct Conditional {
    coefficients: Vec<Vec<f64>>,
}

/// Reads features; keeps what several origins share.
pub struct Reader<'a> {
    ground: &'a Ground,
    /// Sums of distances from the median of the phase, before each row of `first..`.
    sums: Vec<(f64, f64)>,
    first: usize,
    scratch: Vec<f64>,
}

impl<'a> Reader<'a> {
    /// For origins from `first` on, up to `end`.
    pub fn new(ground: &'a Ground, first: usize, end: usize) -> Self {
        let main = ground.main;
        let first = first.saturating_sub(main);
        let mut scratch = Vec::new();
        let mut sums = Vec::with_capacity(end.saturating_sub(first) + 1);
        let mut sum = (0.0, 0.0);
        sums.push(sum);
        for at in first..end {
            ground.phase(at, 1, main, CYCLES_MAIN, &mut scratch);
            let value = ground.values[at];
            if let (false, Some(middle)) = (value.is_nan(), median(&mut scratch)) {
                sum.0 += (value - middle).clamp(-LEVEL_CLIP, LEVEL_CLIP);
                sum.1 += 1.0;
            }
            sums.push(sum);
        }
        Self {
            ground,
            sums,
            first,
            scratch,
        }
    }

    /// Mean distance from the medians over the rows before an origin.
    fn level(&self, origin: usize, rows: usize) -> f64 {
        let end = origin - self.first;
        let (from, to) = (self.sums[end.saturating_sub(rows)], self.sums[end]);
        if to.1 > from.1 {
            (to.0 - from.0) / (to.1 - from.1)
        } else {
            0.0
        }
    }

    /// The median of the main phase, and the features as distances from it.
    pub fn row(&mut self, origin: usize, ahead: usize, into: &mut Vec<f64>) -> Option<f64> {
        let ground = self.ground;
        let main = ground.main;
        let mut scratch = std::mem::take(&mut self.scratch);
        ground.phase(origin, ahead, main, CYCLES_MAIN, &mut scratch);
        let newest = scratch.clone();
        let centre = median(&mut scratch);
        if let Some(centre) = centre {
            let mut push = |value: Option<f64>| into.push(value.map_or(0.0, |v| v - centre));
            for most in [1, 3, 7] {
                scratch.clear();
                scratch.extend(newest.iter().take(most));
                push(median(&mut scratch));
            }
            push(newest.iter().take(7).copied().reduce(f64::max));
            self.around(origin, ahead, &mut scratch);
            push(median(&mut scratch));
            ground.alike(origin, ahead, &mut scratch);
            push(median(&mut scratch));
            for season in &ground.seasons {
                self.season(origin, ahead, season.period, &mut scratch, &mut push);
            }
            for (rows, decays) in [
                (main / 96, true),
                (main / 24, true),
                (main / 2, false),
                (main, false),
            ] {
                let rows = rows.max(3);
                let reach = if decays {
                    rows as f64 / (rows + ahead) as f64
                } else {
                    1.0
                };
                into.push(self.level(origin, rows) * reach);
            }
            for column in &ground.columns {
                let at = if column.known_ahead {
                    origin + ahead - 1
                } else {
                    origin.saturating_sub(1)
                };
                into.push(column.values[at] * CONSTANT);
            }
            into.push(CONSTANT);
        }
        self.scratch = scratch;
        centre
    }

    /// What a period other than the main one says.
    fn season(
        &self,
        origin: usize,
        ahead: usize,
        period: usize,
        scratch: &mut Vec<f64>,
        push: &mut impl FnMut(Option<f64>),
    ) {
        let main = self.ground.main;
        if period == main {
            return;
        }
        let cycles = if period > main {
            CYCLES_ABOVE
        } else {
            CYCLES_BELOW
        };
        self.ground.phase(origin, ahead, period, cycles, scratch);
        let newest = scratch.clone();
        let mut of = |most: usize, push: &mut dyn FnMut(Option<f64>)| {
            scratch.clear();
            scratch.extend(newest.iter().take(most));
            push(median(scratch));
        };
        if period > main {
            of(CYCLES_ABOVE, push);
        } else if period * 40 < main {
            of(6, push);
            of(CYCLES_BELOW, push);
        } else {
            of(3, push);
            of(12, push);
            of(CYCLES_BELOW, push);
            push(newest.iter().copied().reduce(f64::max));
        }
    }

    /// The steps beside the same one of a week's days: jobs that start a minute early or late.
    fn around(&self, origin: usize, ahead: usize, into: &mut Vec<f64>) {
        into.clear();
        let main = self.ground.main;
        let target = origin + ahead - 1;
        let first = (ahead + 1).div_ceil(main);
        for cycle in first..first + 7 {
            for at in [target + 1, target.wrapping_sub(1)] {
                let value = at
                    .checked_sub(cycle * main)
                    .and_then(|at| self.ground.values.get(at));
                into.extend(value.filter(|v| !v.is_nan()));
            }
        }
    }
}

impl Conditional {
    /// Learns from the rows before `end`, for a horizon. None where there are too few.
    pub fn learn(
        ground: &Ground,
        end: usize,
        horizon: usize,
        quantiles: &[f64],
        start: Option<&Self>,
    ) -> Option<Self> {
        let main = ground.main;
        let long = ground.is_long(horizon);
        let span = main.max(ROWS_MIN) * if long { SPAN_LONG } else { SPAN };
        let begin = end.saturating_sub(span).max(2 * main);
        if main < 2 || end < begin + ROWS_MIN {
            return None;
        }
        let mut points = Points::default();
        let mut reader = Reader::new(ground, begin.saturating_sub(horizon), end);
        let count = POINTS.min(end - begin);
        for number in 0..count {
            let target = begin + number * (end - begin) / count;
            let ahead = 1 + spread(number, horizon);
            let value = ground.values[target];
            let Some(origin) = (target + 1).checked_sub(ahead).filter(|o| *o >= main) else {
                continue;
            };
            let before = points.rows.len();
            match reader.row(origin, ahead, &mut points.rows) {
                Some(centre) if !value.is_nan() => points.targets.push(value - centre),
                _ => points.rows.truncate(before),
            }
        }
        if points.targets.len() < ROWS_MIN {
            return None;
        }
        points.width = points.rows.len() / points.targets.len();
        points.weights = vec![1.0; points.targets.len()];
        let started = start.filter(|s| s.coefficients.iter().all(|c| c.len() == points.width));
        let least = match started {
            Some(_) => None,
            None => Some(least_squares(&points, RIDGE)?),
        };
        let of = |(at, q): (usize, &f64)| {
            let start = match (started, &least) {
                (Some(started), _) => Start::Near(&started.coefficients[at]),
                (None, least) => Start::LeastSquares(least.as_deref()?),
            };
            Some(fit(&points, *q, RIDGE, start))
        };
        let coefficients: Option<_> = quantiles.iter().enumerate().map(of).collect();
        Some(Self {
            coefficients: coefficients?,
        })
    }
}

/// Numbers that lie evenly below `end`, however many are taken (the golden ratio's fractional parts).
fn spread(number: usize, end: usize) -> usize {
    let part = (number as f64 * 0.618_033_988_749_895).fract();
    ((part * end as f64) as usize).min(end.saturating_sub(1))
}

impl Model for Conditional {
    fn name(&self) -> String {
        NAME.to_owned()
    }

    fn over(
        &self,
        ground: &Ground,
        origins: &[usize],
        horizon: usize,
        _quantiles: &[f64],
    ) -> Vec<Quantiles> {
        let (Some(first), Some(last)) = (origins.first(), origins.last()) else {
            return Vec::new();
        };
        let mut reader = Reader::new(ground, *first, *last);
        let each = origins.iter();
        each.map(|origin| self.read(&mut reader, *origin, horizon))
            .collect()
    }
}

impl Conditional {
    fn read(&self, reader: &mut Reader<'_>, origin: usize, horizon: usize) -> Quantiles {
        let mut given = vec![Vec::with_capacity(horizon); self.coefficients.len()];
        let mut row = Vec::new();
        for ahead in 1..=horizon {
            row.clear();
            let centre = reader.row(origin, ahead, &mut row);
            for (of, coefficients) in given.iter_mut().zip(&self.coefficients) {
                of.push(centre.map_or(f64::NAN, |c| c + dot(&row, coefficients)));
            }
        }
        given
    }
}
