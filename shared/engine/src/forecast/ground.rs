//! What models read: the series on a scale where shares add, its seasons, and what is known of each step from outside.

use crate::calendar::Calendar;

use super::feeds::{Feed, columns};
use super::numbers::median;
use super::seasons::{Season, seasons};
use super::series::Series;

/// A day, in seconds.
const DAY_S: i64 = 86_400;
/// Most days of one kind that are read.
const ALIKE: usize = 5;
/// Cycles back that they are looked for in: three weeks and a day.
const ALIKE_CYCLES: usize = 22;

/// The ground of one forecast: rows up to the origin, and what is known beforehand of those up to the horizon.
#[derive(Debug)]
pub struct Ground {
    /// Logarithms of 1 + value / unit, `NaN` where missing: a wave twice as high is as far above at night as by day.
    pub values: Vec<f64>,
    /// What one is on that scale.
    pub unit: f64,
    /// Periods, ascending.
    pub seasons: Vec<Season>,
    /// The day, or the longest period below it that the history holds; 0: none.
    pub main: usize,
    /// Whether each step's day is a workday (0), a weekend (1) or a holiday (2), to the end of the horizon.
    pub kinds: Vec<u8>,
    /// Inputs from outside, each a value for every step to the end of the horizon.
    pub columns: Vec<Column>,
    /// Length of a step in seconds.
    pub step_s: u32,
}

/// One input from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name of the event or of the feed.
    pub name: String,
    /// A value for each step; 0 where nothing is known.
    pub values: Vec<f64>,
    /// How far the value of an origin reaches: a feed whose future is not known is read at the origin.
    pub known_ahead: bool,
}

impl Ground {
    /// Prepares a series.
    pub fn new(series: &Series, horizon: usize, calendar: &Calendar, feeds: &[Feed]) -> Self {
        let unit = unit(&series.values);
        let values: Vec<f64> = series.values.iter().map(|v| (v / unit).ln_1p()).collect();
        let seasons = seasons(&values, series.step_s);
        let step = i64::from(series.step_s);
        let day = (DAY_S / step).max(1) as usize;
        let usable = |s: &&Season| s.period <= day && s.period * 3 / 2 <= values.len();
        let main = seasons.iter().rfind(usable).map_or(0, |s| s.period);
        let steps = values.len() + horizon;
        let kinds = calendar.day_kinds(series.start_s, series.step_s, steps);
        let columns = columns(series, steps, calendar, feeds);
        Self {
            values,
            unit,
            seasons,
            main,
            kinds,
            columns,
            step_s: series.step_s,
        }
    }

    /// From the scale of the series to that of logarithms.
    pub fn onto(&self, value: f64) -> f64 {
        (value / self.unit).ln_1p()
    }

    /// From the scale of logarithms back to that of the series; never negative.
    pub fn back(&self, value: f64) -> f64 {
        (value.exp_m1() * self.unit).max(0.0)
    }

    /// Whether a horizon is more than a quarter of the main period.
    pub fn is_long(&self, horizon: usize) -> bool {
        self.main > 0 && horizon * 4 > self.main
    }

    /// Whether the main period holds all that is known to repeat, and nothing from outside is known: medians of its cycles then say
    /// what a regression on them would, without learning anything.
    pub fn is_only_cycles(&self) -> bool {
        let whole = |season: &Season| {
            season.period.is_multiple_of(self.main) || self.main.is_multiple_of(season.period)
        };
        self.main > 0 && self.columns.is_empty() && self.seasons.iter().all(whole)
    }

    /// Number of rows before the origin of the forecast.
    pub fn rows(&self) -> usize {
        self.values.len()
    }

    /// The values at one phase of a period, the newest first, as they are known at `origin` for the step `ahead` after it (the
    /// first is 1); at most `most`.
    pub fn phase(
        &self,
        origin: usize,
        ahead: usize,
        period: usize,
        most: usize,
        into: &mut Vec<f64>,
    ) {
        into.clear();
        let target = origin + ahead - 1;
        let first = ahead.div_ceil(period);
        for cycle in first..first + most {
            let Some(at) = target.checked_sub(cycle * period) else {
                break;
            };
            let value = self.values[at];
            if !value.is_nan() {
                into.push(value);
            }
        }
    }

    /// The same step of the newest days of the same kind: workday, weekend, holiday.
    pub fn alike(&self, origin: usize, ahead: usize, into: &mut Vec<f64>) {
        into.clear();
        let main = self.main;
        let target = origin + ahead - 1;
        let kind = self.kinds[target];
        for cycle in ahead.div_ceil(main)..=ALIKE_CYCLES {
            let Some(at) = target.checked_sub(cycle * main) else {
                break;
            };
            let value = self.values[at];
            if self.kinds[at] == kind && !value.is_nan() {
                into.push(value);
            }
            if into.len() == ALIKE {
                break;
            }
        }
    }
}

/// One for counts; a tenth of the median for what is smaller, such as shares.
fn unit(values: &[f64]) -> f64 {
    let mut positive: Vec<f64> = values.iter().copied().filter(|v| *v > 0.0).collect();
    let whole = positive.iter().all(|v| v.fract() == 0.0);
    match median(&mut positive) {
        Some(middle) if !whole => (middle / 10.0).clamp(f64::MIN_POSITIVE, 1.0),
        _ => 1.0,
    }
}
