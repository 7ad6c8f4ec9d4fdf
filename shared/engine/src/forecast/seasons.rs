//! Which periods a series repeats with: autocorrelation of what an outlier cannot move, at natural and at found lags.

use super::numbers::{mean, median};

/// Periods that work is scheduled by, in seconds: 2 to 30 minutes, 1 to 12 hours, a day, a week.
const NATURAL_S: [u32; 18] = [
    120, 180, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 28_800, 43_200,
    86_400, 172_800, 604_800, 1_209_600,
];
/// A day and a week are also kept where their correlation is weak: nearly everything that people do has them.
const DAY_S: u32 = 86_400;
/// A week of seconds.
const WEEK_S: u32 = 604_800;
/// Rows that lags of any length are looked for in.
const FOUND_ROWS: usize = 4_096;
/// Longest lag that is looked for without being natural.
const FOUND_LAG: usize = 400;
/// A season repeats at least so often in the history, or it is a guess.
const CYCLES: usize = 3;
/// Most periods that are given, the strongest.
const PERIODS: usize = 6;
/// Standard errors of an autocorrelation that a period must stand out by.
const STANDS_OUT: f64 = 4.0;
/// Least correlation that is worth a model.
const CORRELATION_MIN: f64 = 0.08;

/// A period and how strongly the series repeats with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Season {
    /// In steps.
    pub period: usize,
    /// Autocorrelation at that lag, from -1 to 1.
    pub strength: f64,
}

/// The periods of a series, ascending. Values are `NaN` where missing.
///
/// # Complexity
/// 4,096 rows times 400 lags, and once all rows for each of 18 natural lags.
pub fn seasons(values: &[f64], step_s: u32) -> Vec<Season> {
    let flat = flattened(values);
    let mut found: Vec<Season> = Vec::new();
    let tail = &flat[flat.len().saturating_sub(FOUND_ROWS)..];
    let longest = FOUND_LAG.min(tail.len() / CYCLES);
    let lags: Vec<f64> = (0..=longest).map(|lag| correlation(tail, lag)).collect();
    for lag in 2..longest {
        let peak = lags[lag] > lags[lag - 1] && lags[lag] >= lags[lag + 1];
        if peak && stands_out(lags[lag], tail.len() - lag) {
            found.push(Season {
                period: lag,
                strength: lags[lag],
            });
        }
    }
    found.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    let mut kept: Vec<Season> = Vec::new();
    for natural in NATURAL_S {
        let lag = (natural / step_s.max(1)) as usize;
        let whole = natural % step_s.max(1) == 0;
        let always = natural == DAY_S || natural == WEEK_S;
        let cycles = if natural >= WEEK_S { 2 } else { CYCLES };
        if !whole
            || lag < 2
            || lag * cycles > flat.len().max(1) && !(always && lag * 3 / 2 <= flat.len())
        {
            continue;
        }
        let strength = correlation(&flat, lag);
        if always || stands_out(strength - beside(&flat, lag), flat.len() - lag) {
            kept.push(Season {
                period: lag,
                strength,
            });
        }
    }
    for season in found {
        // A multiple of a kept period, or a neighbour of one, says nothing new.
        let known = kept.iter().any(|k| {
            season.period.is_multiple_of(k.period) || k.period.abs_diff(season.period) <= 1
        });
        if !known {
            kept.push(season);
        }
    }
    strongest(kept, step_s)
}

/// At most [`PERIODS`], day and week first, ascending.
fn strongest(mut all: Vec<Season>, step_s: u32) -> Vec<Season> {
    let always = |season: &Season| {
        let seconds = season.period as u64 * u64::from(step_s);
        seconds == u64::from(DAY_S) || seconds == u64::from(WEEK_S)
    };
    all.sort_by(|a, b| {
        always(b)
            .cmp(&always(a))
            .then(b.strength.total_cmp(&a.strength))
    });
    all.truncate(PERIODS);
    all.sort_by_key(|season| season.period);
    all
}

fn stands_out(correlation: f64, pairs: usize) -> bool {
    correlation > CORRELATION_MIN.max(STANDS_OUT / (pairs.max(1) as f64).sqrt())
}

/// Correlation of the lags around one, which a slow rise and fall gives to all of them alike.
fn beside(flat: &[f64], lag: usize) -> f64 {
    let away = (lag / 8).clamp(1, 7);
    let before = correlation(flat, lag - away);
    let after = correlation(flat, lag + away);
    before.min(after).max(0.0)
}

/// Less the median, held within three times the mean distance from it; a missing row is where the median is.
fn flattened(values: &[f64]) -> Vec<f64> {
    let mut there: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    let Some(middle) = median(&mut there) else {
        return vec![0.0; values.len()];
    };
    let spread = 3.0 * mean(there.iter().map(|v| (v - middle).abs())).unwrap_or(0.0);
    let held = |v: &f64| {
        if v.is_nan() {
            0.0
        } else {
            (v - middle).clamp(-spread, spread)
        }
    };
    values.iter().map(held).collect()
}

/// Autocorrelation at a lag; 0 where there is no variance.
fn correlation(flat: &[f64], lag: usize) -> f64 {
    if lag >= flat.len() {
        return 0.0;
    }
    let centre = mean(flat.iter().copied()).unwrap_or(0.0);
    let variance: f64 = flat.iter().map(|v| (v - centre) * (v - centre)).sum();
    if variance <= f64::EPSILON * flat.len() as f64 {
        return 0.0;
    }
    let pairs = flat.iter().zip(&flat[lag..]);
    let shared: f64 = pairs.map(|(a, b)| (a - centre) * (b - centre)).sum();
    shared / variance * (flat.len() as f64 / (flat.len() - lag) as f64)
}
