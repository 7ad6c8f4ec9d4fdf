//! Bad data: gaps, zeros, constants, one point, negative values, clocks that jump, ten million points.

use proptest::prelude::*;

use super::super::series::{HISTORY_MAX, Join};
use super::*;

#[test]
fn nothing_and_one_point_have_an_answer() {
    let none = ahead(&series(60, &[]), 3);
    check(&none, 3);
    assert_eq!(none.model, "none");
    assert!(told(&none, "there is no value"));
    let missing = ahead(&series(60, &[f64::NAN; 500]), 3);
    assert_eq!(missing.model, "none");
    let one = ahead(&series(60, &[7.0]), 3);
    check(&one, 3);
    assert!(one.quantiles["0.99"].iter().all(|v| (v - 7.0).abs() < 1e-9));
    assert!(told(&one, "too short"));
    let empty = ahead(&series(60, &[7.0; 300]), 0);
    assert_eq!(empty.steps(), 0);
}

#[test]
fn a_constant_stays_and_zero_is_zero() {
    for value in [0.0, 5.0, 0.25, 1e12] {
        let same = ahead(&series(3_600, &[value; 400]), 24);
        check(&same, 24);
        for values in same.quantiles.values() {
            assert!(
                values.iter().all(|v| (v - value).abs() <= 1e-9 * value),
                "{values:?}"
            );
        }
        assert!(same.model.starts_with("naive"), "{}", same.model);
        assert!(told(&same, "every value is the same"));
    }
}

#[test]
fn missing_is_not_zero() {
    let mut rows = waves(24 * 20, 24, 6, 1);
    let whole = ahead(&series(3_600, &rows), 24);
    for at in (0..rows.len()).step_by(5) {
        rows[at] = f64::NAN;
    }
    let holes = ahead(&series(3_600, &rows), 24);
    check(&holes, 24);
    assert!(told(&holes, "rows are missing"));
    let mean = |f: &Forecast| f.quantiles["0.5"].iter().sum::<f64>() / 24.0;
    assert!(
        mean(&holes) > 0.7 * mean(&whole),
        "{} of {}",
        mean(&holes),
        mean(&whole)
    );
}

#[test]
fn what_is_no_count_is_missing_and_said() {
    let mut rows = vec![4.0; 200];
    rows[50] = -3.0;
    rows[60] = f64::INFINITY;
    rows[70] = f64::MAX;
    let read = Series::of_rows(0, 60, &rows.iter().map(|v| Some(*v)).collect::<Vec<_>>());
    assert!([50, 60, 70].iter().all(|&row| read.values[row].is_nan()));
    let answer = ahead(&read, 5);
    check(&answer, 5);
    for words in ["are negative", "no finite numbers", "above 1e15"] {
        assert!(told(&answer, words), "{words}");
    }
}

#[test]
fn samples_are_sorted_in_and_joined() {
    let samples = [
        (120, Some(3.0)),
        (0, Some(1.0)),
        (130, Some(4.0)),
        (60, None),
        (300, Some(2.0)),
    ];
    let read = |join| Series::of_samples(60, 100, join, samples);
    let shown = |s: &Series| format!("{} {:?}", s.start_s, s.values);
    assert_eq!(shown(&read(Join::Sum)), "0 [1.0, NaN, 7.0, NaN, NaN, 2.0]");
    assert_eq!(shown(&read(Join::Mean)), "0 [1.0, NaN, 3.5, NaN, NaN, 2.0]");
    assert_eq!(shown(&read(Join::Max)), "0 [1.0, NaN, 4.0, NaN, NaN, 2.0]");
    let notes: Vec<String> = read(Join::Sum)
        .notes
        .into_iter()
        .map(|n| n.because)
        .collect();
    assert_eq!(
        notes,
        [
            "samples came out of order and were sorted in",
            "samples of a step that had one were joined with it"
        ]
    );
}

#[test]
fn a_clock_that_jumps_does_not_wipe_the_history() {
    let minutes = |from: i64, count: i64| (0..count).map(move |m| (from + m * 60, Some(5.0)));
    let year = 365 * 86_400;
    // One sample from next year, then on as before: it is left out.
    let lone = minutes(0, 50)
        .chain([(year, Some(900.0))])
        .chain(minutes(3_000, 50));
    let read = Series::of_samples(60, 200, Join::Sum, lone);
    assert_eq!(read.values, [5.0; 100]);
    // The service was off for a year: history begins anew.
    let back = minutes(0, 50).chain(minutes(year, 50));
    let read = Series::of_samples(60, 200, Join::Sum, back);
    assert_eq!((read.start_s, read.values.len()), (year, 50));
    assert!(
        read.notes
            .iter()
            .any(|n| n.because.contains("jumps of the clock"))
    );
    // Back to 1970 once: too old, said.
    let past = minutes(year, 500).chain([(0, Some(1.0))]);
    let read = Series::of_samples(60, 200, Join::Sum, past);
    assert_eq!(read.values, [5.0; 200]);
    assert!(
        read.notes
            .iter()
            .any(|n| n.because.contains("older than the history"))
    );
}

#[test]
fn ten_million_samples_are_read_in_bounded_memory() {
    let samples = (0..10_000_000_i64).map(|at| (at * 60, Some((at % 7) as f64)));
    let read = Series::of_samples(60, usize::MAX, Join::Sum, samples);
    assert_eq!(read.values.len(), HISTORY_MAX);
    assert_eq!(read.end_s(), 600_000_000);
}

#[test]
fn late_metrics_are_missing_steps() {
    let mut read = series(60, &[1.0, 2.0]);
    read.extend_to(300);
    assert_eq!((read.values.len(), read.end_s()), (5, 300));
    assert!(read.values[4].is_nan());
    read.extend_to(i64::MAX);
    assert!(read.values.len() <= 5 + HISTORY_MAX);
}

#[test]
fn sums_are_counted_from_the_end() {
    let read = series(60, &[9.0, 1.0, 2.0, f64::NAN, 4.0]).summed(2);
    assert_eq!((read.start_s, read.step_s), (60, 120));
    assert_eq!(read.values[0], 3.0);
    assert_eq!(read.values[1], 8.0);
}

fn rows() -> impl Strategy<Value = Vec<Option<f64>>> {
    let row = prop_oneof![
        4 => (0_u32..20).prop_map(|n| Some(f64::from(n))),
        2 => Just(Some(0.0)),
        1 => Just(None),
        1 => prop_oneof![Just(Some(-1.0)), Just(Some(f64::NAN)), Just(Some(f64::MAX)), Just(Some(1e-300)), Just(Some(f64::NEG_INFINITY))],
    ];
    (proptest::collection::vec(row, 0..40), 1_usize..20)
        .prop_map(|(rows, times)| rows.repeat(times))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_rows_have_a_sane_answer(rows in rows(), step in prop_oneof![Just(60_u32), Just(3_600), Just(21_600)], horizon in 1_usize..30) {
        let answer = ahead(&Series::of_rows(0, step, &rows), horizon);
        check(&answer, horizon);
    }

    #[test]
    fn any_samples_have_bounded_cells(samples in proptest::collection::vec((any::<i64>(), proptest::option::of(any::<f64>())), 0..60), step in any::<u32>(), history in 0_usize..50) {
        let read = Series::of_samples(step, history, Join::Max, samples);
        prop_assert!(read.values.len() <= history.max(1));
        prop_assert!(read.values.iter().all(|v| v.is_nan() || *v >= 0.0));
    }
}
