//! What is strange and what is not, and that no verdict looks ahead.

use proptest::prelude::*;

use super::{Detector, THRESHOLD, Verdict, detect};

const DAY: usize = 288;

/// A number from 0 to 1 that looks random and is the same in every run.
fn noise(at: usize) -> f64 {
    let mixed = (at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((mixed ^ (mixed >> 29)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn days(count: usize, value: impl Fn(usize) -> f64) -> Vec<Option<f64>> {
    (0..count * DAY).map(|at| Some(value(at))).collect()
}

fn flags(values: &[Option<f64>]) -> Vec<usize> {
    let verdicts = detect(values, DAY);
    let flagged = verdicts.iter().enumerate().filter(|(_, v)| v.flagged);
    flagged.map(|(at, _)| at).collect()
}

#[test]
fn a_peak_is_strange_once_and_not_when_it_comes_every_night() {
    let nightly = |at: usize| noise(at) + if at % DAY == 100 { 20.0 } else { 0.0 };
    let found = flags(&days(10, nightly));
    assert!(
        found.iter().all(|&at| at < 2 * DAY),
        "each night after the first is usual: {found:?}"
    );
    let found = flags(&days(10, |at| {
        nightly(at) + if at == 8 * DAY + 200 { 60.0 } else { 0.0 }
    }));
    assert!(found.contains(&(8 * DAY + 200)), "{found:?}");
}

#[test]
fn a_new_level_is_flagged_where_it_begins_and_accepted_within_a_day() {
    for to in [40.0, -40.0] {
        let moved = days(8, |at| noise(at) + if at >= 5 * DAY { to } else { 0.0 });
        let found: Vec<usize> = flags(&moved)
            .into_iter()
            .filter(|&at| at >= 2 * DAY)
            .collect();
        assert_eq!(found.first(), Some(&(5 * DAY)), "{found:?}");
        assert!(found.iter().all(|&at| at < 6 * DAY), "{found:?}");
    }
}

#[test]
fn noise_alone_is_seldom_strange() {
    let found = flags(&days(28, noise));
    assert!(found.len() <= 6, "{found:?}");
}

#[test]
fn a_level_that_falls_without_a_large_step_is_seen_as_such() {
    let swings = |at: usize| {
        if at % 2 == 1 && at < 4 * DAY {
            100.0
        } else {
            0.0
        }
    };
    let verdicts = detect(&days(5, swings), DAY);
    let first = verdicts.iter().position(|v| v.flagged);
    assert_eq!(first, Some(4 * DAY + 1), "where the swing is missing");
    let reason = verdicts[4 * DAY + 1].reason();
    assert!(reason.contains("downwards"), "{reason}");
}

#[test]
fn a_slow_drift_is_not_seen() {
    let drifts = days(6, |at| {
        noise(at) + 0.002 * at.saturating_sub(3 * DAY) as f64
    });
    let late = flags(&drifts)
        .into_iter()
        .filter(|&at| at > 4 * DAY)
        .count();
    assert!(
        late <= 2,
        "records by a hair's breadth count nothing: {late}"
    );
}

#[test]
fn bad_data_has_a_sane_verdict() {
    let quiet = |values: &[Option<f64>]| detect(values, DAY).iter().all(|v| !v.flagged);
    assert!(detect(&[], DAY).is_empty());
    assert!(quiet(&[Some(7.0)]));
    assert!(quiet(&days(4, |_| 7.0)), "a constant");
    assert!(quiet(&days(4, |_| 0.0)), "zeros");
    assert!(quiet(&days(4, |_| -3.5)), "negative");
    assert!(quiet(&vec![None; 4 * DAY]), "only gaps");
    assert!(quiet(&days(4, |_| f64::NAN)), "no numbers");
    let mut huge = days(4, |_| f64::MAX);
    huge[3 * DAY] = Some(f64::MIN);
    assert!(detect(&huge, DAY).iter().all(|v| v.score.is_finite()));
    let first_error = days(4, |at| if at == 3 * DAY { 1.0 } else { 0.0 });
    assert_eq!(flags(&first_error), [3 * DAY], "the first error ever");
}

#[test]
fn a_gap_changes_nothing_of_what_is_learnt() {
    let whole = days(4, |at| 5.0 + noise(at));
    let mut with_gap = whole.clone();
    with_gap.splice(700..700, vec![None; 50]);
    let scores = |values: &[Option<f64>]| -> Vec<f64> {
        let verdicts = detect(values, DAY);
        let real = verdicts
            .iter()
            .zip(values)
            .filter(|(_, value)| value.is_some());
        real.map(|(verdict, _)| verdict.score).collect()
    };
    assert_eq!(scores(&whole), scores(&with_gap));
}

#[test]
fn a_million_rows_are_no_burden() {
    let mut detector = Detector::new(DAY);
    let last = (0..200_000).map(|at| detector.push(Some(noise(at)))).last();
    assert!(last.is_some_and(|v| v.score < THRESHOLD));
    let held = detector.features.iter().map(|f| f.days.length()).max();
    assert_eq!(held, Some(3 * DAY), "only three days are kept");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_verdict_sees_no_later_row(
        values in prop::collection::vec(prop::option::weighted(0.95, -1e3..1e3), 1..400),
        cut in 0_usize..400,
        day in 0_usize..100,
    ) {
        let cut = cut.min(values.len());
        let whole = detect(&values, day);
        let part = detect(&values[..cut], day);
        prop_assert_eq!(&whole[..cut], &part[..]);
        prop_assert!(whole.iter().all(|v: &Verdict| (0.0..=1.0).contains(&v.score)));
    }
}
