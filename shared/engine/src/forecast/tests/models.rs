//! Which model is used for what, and how well.

use super::super::numbers::{median, pinball, quantile};
use super::super::seasons::seasons;
use super::*;

#[test]
fn seasons_are_found_where_they_are() {
    let found = |values: &[f64], step_s: u32| -> Vec<usize> {
        seasons(values, step_s).iter().map(|s| s.period).collect()
    };
    // Waves each ten minutes, on a day that nothing else repeats in.
    let minutes = waves(6_000, 1_440, 10, 2);
    assert!(found(&minutes, 60).contains(&10));
    assert!(found(&minutes, 60).contains(&1_440));
    // A period that no clock has.
    let odd = waves(3_000, 1_000_000, 37, 3);
    assert!(found(&odd, 60).contains(&37), "{:?}", found(&odd, 60));
    // Dice have none; a day is assumed where the history holds it.
    let mut dice = Dice::new(4);
    let chance: Vec<f64> = (0..1_000).map(|_| dice.share()).collect();
    assert_eq!(found(&chance, 60), Vec::<usize>::new());
    // One value a thousand times as high moves nothing.
    let mut spiked = minutes;
    spiked[3_333] = 1e6;
    assert!(found(&spiked, 60).contains(&10));
}

#[test]
fn waves_are_met_on_time() {
    let rows = waves(24 * 30, 24, 6, 5);
    let answer = ahead(&series(3_600, &rows[..24 * 28]), 48);
    check(&answer, 48);
    let middle = &answer.quantiles["0.5"];
    for (step, value) in middle.iter().enumerate() {
        let wave = (24 * 28 + step).is_multiple_of(6);
        assert_eq!(*value > 60.0, wave, "step {step}: {value}");
    }
    assert!(!answer.model.starts_with("naive"), "{}", answer.model);
    let naive = answer.judged.iter().find(|j| j.model.starts_with("naive"));
    assert!(naive.is_some_and(|n| n.loss > answer.judged[0].loss));
}

#[test]
fn quantiles_cover_what_they_promise() {
    // Twenty series, the last day of each held back: 0.9 covers nine of ten rows, by twice its standard error.
    let (mut below, mut all) = (0, 0);
    for seed in 0..20 {
        let rows = waves(24 * 21, 24, 6, 100 + seed);
        let answer = ahead(&series(3_600, &rows[..24 * 20]), 24);
        let high = &answer.quantiles["0.9"];
        below += high
            .iter()
            .zip(&rows[24 * 20..])
            .filter(|(q, actual)| actual <= q)
            .count();
        all += 24;
    }
    let share = f64::from(below as u32) / f64::from(all);
    assert!((0.86..=0.96).contains(&share), "{share}");
}

#[test]
fn a_walk_is_left_to_the_naive() {
    // Each row is the one before and chance: nothing does better than the last value.
    let mut dice = Dice::new(6);
    let mut level = 500.0;
    let mut step = || {
        level = f64::max(level + 10.0 * (dice.share() - 0.5), 0.0);
        level
    };
    let rows: Vec<f64> = (0..600).map(|_| step()).collect();
    let answer = ahead(&series(60, &rows), 5);
    check(&answer, 5);
    let used = answer
        .judged
        .iter()
        .find(|j| j.model == answer.model)
        .unwrap();
    assert!(
        used.model.starts_with("naive") || used.loss < used.naive_loss,
        "{used:?}"
    );
    assert!((answer.quantiles["0.5"][0] - rows[599]).abs() < 20.0);
}

#[test]
fn long_nothing_then_something_is_intermittent() {
    let mut dice = Dice::new(7);
    let rows: Vec<f64> = (0..2_000)
        .map(|_| {
            if dice.share() < 0.1 {
                40.0 + 20.0 * dice.share()
            } else {
                0.0
            }
        })
        .collect();
    let answer = ahead(&series(60, &rows), 10);
    check(&answer, 10);
    assert!(
        answer.quantiles["0.5"].iter().all(|v| *v < 5.0),
        "{:?}",
        answer.quantiles["0.5"]
    );
    assert!(
        answer.quantiles["0.99"]
            .iter()
            .all(|v| (40.0..=70.0).contains(v)),
        "{:?}",
        answer.quantiles["0.99"]
    );
}

#[test]
fn a_series_that_changes_its_pattern_switches_model() {
    // Four weeks of hourly waves, then waves at other hours for a week: what counts is what held lately.
    let mut rows = waves(24 * 28, 24, 6, 8);
    let before = ahead(&series(3_600, &rows), 24);
    let mut dice = Dice::new(9);
    rows.extend((0..24 * 7).map(|_| 30.0 + (4.0 * dice.share()).round()));
    let after = ahead(&series(3_600, &rows), 24);
    check(&after, 24);
    assert_ne!(before.model, after.model);
    assert!(
        after.quantiles["0.5"]
            .iter()
            .all(|v| (25.0..40.0).contains(v)),
        "{:?}",
        after.quantiles["0.5"]
    );
}

#[test]
fn a_period_that_changes_is_followed() {
    let mut rows = waves(24 * 20, 24, 6, 10);
    rows.extend(waves(24 * 14, 24, 8, 11));
    let answer = ahead(&series(3_600, &rows), 24);
    check(&answer, 24);
    let middle = &answer.quantiles["0.5"];
    let high: Vec<usize> = (0..24).filter(|at| middle[*at] > 60.0).collect();
    assert_eq!(high, [0, 8, 16]);
}

#[test]
fn numbers() {
    assert_eq!(median(&mut []), None);
    assert_eq!(median(&mut [3.0, 1.0]), Some(2.0));
    assert_eq!(median(&mut [3.0, 9.0, 1.0]), Some(3.0));
    assert_eq!(quantile(&[1.0, 2.0, 3.0], 0.25), Some(1.5));
    assert_eq!(quantile(&[], 0.5), None);
    assert!((pinball(0.9, 10.0, 12.0) - 1.8).abs() < 1e-12);
    assert!((pinball(0.9, 10.0, 8.0) - 0.2).abs() < 1e-12);
}
