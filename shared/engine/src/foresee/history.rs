//! Histories as equal steps, with silence told from zero.
//!
//! Lambda tells nothing of a function that is not invoked. Where the region's own total was told in a step, and the function's
//! was not, it was not in use; where neither was, nobody knows.

use std::collections::{BTreeMap, BTreeSet};

use crate::forecast::Series;

use super::{HISTORY, Measured, MeasuredRegion, RECENT, STEP_S};

/// The steps that are looked at, and in which of them anything was told.
pub(super) struct History {
    first: i64,
    steps: i64,
    told: BTreeSet<i64>,
}

impl History {
    /// The two weeks up to a moment.
    pub(super) fn new(until_s: i64, region: &MeasuredRegion) -> Self {
        let end = until_s.div_euclid(i64::from(STEP_S));
        let steps = HISTORY as i64;
        Self {
            first: end - steps,
            steps,
            told: region.busy.iter().map(|(at, _)| step(*at)).collect(),
        }
    }

    /// Where the steps end, and forecasts begin: seconds since 1970.
    pub(super) fn end_s(&self) -> i64 {
        (self.first + self.steps) * i64::from(STEP_S)
    }

    /// What a function had in use: nothing in steps in which only others were told of.
    pub(super) fn of_function(&self, points: &[(i64, f64)]) -> Series {
        let mut rows = self.rows(points);
        for (at, row) in (self.first..).zip(&mut rows) {
            if row.is_none() && self.told.contains(&at) {
                *row = Some(0.0);
            }
        }
        self.series(&rows)
    }

    /// As it was measured.
    pub(super) fn of_steps(&self, points: &[(i64, f64)]) -> Series {
        self.series(&self.rows(points))
    }

    fn rows(&self, points: &[(i64, f64)]) -> Vec<Option<f64>> {
        let mut rows = vec![None; self.steps as usize];
        for &(at, value) in points {
            let place = usize::try_from(step(at) - self.first);
            if let Some(row) = place.ok().and_then(|place| rows.get_mut(place)) {
                *row = Some(row.map_or(value, |other: f64| other.max(value)));
            }
        }
        rows
    }

    /// From the first row that was told: what is before it nobody has measured.
    fn series(&self, rows: &[Option<f64>]) -> Series {
        let begins = rows.iter().position(Option::is_some).unwrap_or(rows.len());
        let start = (self.first + begins as i64) * i64::from(STEP_S);
        Series::of_rows(start, STEP_S, &rows[begins..])
    }
}

fn step(at_s: i64) -> i64 {
    at_s.div_euclid(i64::from(STEP_S))
}

/// Whether a function was in use at all.
pub(super) fn used(busy: &[(i64, f64)]) -> bool {
    busy.iter().any(|(_, value)| *value > 0.0)
}

/// Share of a step for which an environment of a function was busy in the last days, of the most at once that were; none where nothing
/// says how long invocations took. Their time is told where they end, so it is taken of all steps together.
pub(super) fn busy_share(until_s: i64, measured: &Measured) -> Option<f64> {
    let first = until_s.div_euclid(i64::from(STEP_S)) - RECENT as i64;
    let sum = |points: &[(i64, f64)]| {
        let recent = points.iter().filter(|(at, _)| step(*at) >= first);
        recent.map(|(_, value)| value.max(0.0)).sum::<f64>()
    };
    let held_s = sum(&measured.busy) * f64::from(STEP_S);
    let busy_s = sum(&measured.duration_ms) / 1_000.0;
    (held_s > 0.0 && busy_s > 0.0).then(|| (busy_s / held_s).min(1.0))
}

/// The region's total without what the deployment's own functions had in use.
pub(super) fn claimed_by_others<'a>(
    total: &[(i64, f64)],
    own: impl Iterator<Item = &'a [(i64, f64)]>,
) -> Vec<(i64, f64)> {
    let mut mine: BTreeMap<i64, f64> = BTreeMap::new();
    for &(at, value) in own.flatten() {
        *mine.entry(at).or_default() += value;
    }
    let others = |&(at, value): &(i64, f64)| {
        let own = mine.get(&at).copied().unwrap_or(0.0);
        (at, (value - own).max(0.0))
    };
    total.iter().map(others).collect()
}
