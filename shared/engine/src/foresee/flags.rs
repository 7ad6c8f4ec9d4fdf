//! What was unlike anything of the last days, of each target and of the region.

use std::collections::BTreeMap;

use foreshard_model::outlook::{Flag, StoredOutlook};
use foreshard_model::target::Target;
use foreshard_model::units::TimeMs;

use crate::anomaly::detect;

use super::{Foresight, Measured, Points, RECENT, STEP_S};

/// Rows of a day.
const ROWS_PER_DAY: usize = 86_400 / STEP_S as usize;

/// Newest steps in which a flag is told: what is older was told by the forecasts before.
const TOLD_STEPS: usize = 3;

/// Flags of one outlook at most.
const FLAGS_MAX: usize = 50;

/// What is strange now, the strangest first.
pub(super) fn flags(by: &Foresight<'_>, region: &str) -> Vec<Flag> {
    let mut flags = Vec::new();
    for (target, measured) in by.functions {
        for (series, points) in series(measured) {
            flags.extend(flagged(by.measured_until_s, target, series, &points));
        }
    }
    let busy = &by.region.busy;
    flags.extend(flagged(
        by.measured_until_s,
        region,
        "concurrency",
        &whole(busy),
    ));
    flags.sort_by(|a, b| b.score.total_cmp(&a.score));
    flags.truncate(FLAGS_MAX);
    flags
}

/// How long after its step a flag is news, in milliseconds: forecasts of a quarter of an hour tell it, and come late.
const NEWS_MS: u64 = 1_800_000;

/// The strangest thing that is news of some targets or their regions.
#[must_use]
pub fn strange<'o>(stored: &'o StoredOutlook, targets: &[Target], now: TimeMs) -> Option<&'o Flag> {
    let concerns = |flag: &&Flag| {
        let is = |target: &Target| flag.place == target.id.as_str() || flag.place == target.region;
        now.since(flag.at) <= NEWS_MS && targets.iter().any(is)
    };
    let news = stored.flags.iter().filter(concerns);
    news.max_by(|a, b| a.score.total_cmp(&b.score))
}

/// Values by step.
type Steps = BTreeMap<i64, f64>;

/// The series of a function that are looked at: counts are zero in steps with other calls, a mean is not.
fn series(measured: &Measured) -> [(&'static str, Steps); 3] {
    let calls = whole(&measured.calls);
    let counted = |points: &Points| {
        let mut steps: Steps = calls.keys().map(|at| (*at, 0.0)).collect();
        steps.extend(whole(points));
        steps
    };
    let mean = |(at, sum): (i64, f64)| {
        let calls = calls.get(&at).filter(|calls| **calls > 0.0)?;
        Some((at, sum / calls))
    };
    let mean_ms = whole(&measured.duration_ms).into_iter();
    [
        ("errors", counted(&measured.errors)),
        ("throttles", counted(&measured.throttles)),
        ("duration_ms", mean_ms.filter_map(mean).collect()),
    ]
}

fn whole(points: &Points) -> Steps {
    let step = i64::from(STEP_S);
    points
        .iter()
        .map(|&(at, value)| (at.div_euclid(step), value))
        .collect()
}

/// The flag of a series' newest steps, if any.
fn flagged(until_s: i64, place: &str, series: &str, steps: &Steps) -> Option<Flag> {
    if steps.is_empty() {
        return None;
    }
    let end = until_s.div_euclid(i64::from(STEP_S));
    let first = end - RECENT as i64;
    let rows: Vec<Option<f64>> = (first..end).map(|at| steps.get(&at).copied()).collect();
    let verdicts = detect(&rows, ROWS_PER_DAY);
    let newest = verdicts.iter().enumerate().rev().take(TOLD_STEPS);
    let (at, verdict) = newest.into_iter().find(|(_, verdict)| verdict.flagged)?;
    let at_s = (first + at as i64) * i64::from(STEP_S);
    Some(Flag {
        place: place.to_owned(),
        series: series.to_owned(),
        at: TimeMs(at_s.unsigned_abs() * 1_000),
        score: verdict.score,
        because: verdict.reason(),
    })
}
