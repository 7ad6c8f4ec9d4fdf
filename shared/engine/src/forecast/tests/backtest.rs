//! What is held back is not seen, and is scored as it came.

use crate::calendar::Calendar;

use super::super::{Request, backtest};
use super::{QUANTILES, ahead, series, waves};

fn held(values: &[f64], horizon: usize) -> Option<super::super::Backtest> {
    backtest(&Request {
        series: &series(3_600, values),
        horizon,
        quantiles: &QUANTILES,
        calendar: &Calendar::default(),
        feeds: &[],
    })
}

#[test]
fn the_rows_held_back_change_scores_and_nothing_else() {
    let mut rows = waves(24 * 14, 24, 7, 1);
    let first = held(&rows, 24).expect("there are enough rows");
    assert_eq!(first.forecast, ahead(&series(3_600, &rows[..24 * 13]), 24));
    assert_eq!(first.came, rows[24 * 13..]);
    for value in &mut rows[24 * 13..] {
        *value += 1_000.0;
    }
    let second = held(&rows, 24).expect("there are enough rows");
    assert_eq!(first.forecast, second.forecast);
    assert!(second.scores.error > first.scores.error + 900.0);
    assert_eq!(second.scores.coverage["0.99"], 0.0);
}

#[test]
fn scores_are_those_of_the_steps_that_came() {
    let mut rows = vec![4.0; 72];
    rows.extend([4.0, f64::NAN, 6.0, 4.0]);
    let scores = held(&rows, 4).expect("there are enough rows").scores;
    assert_eq!((scores.steps, scores.error_naive), (3, 2.0 / 3.0));
    assert_eq!(scores.coverage["0.5"], 2.0 / 3.0);
    assert!((scores.error - 2.0 / 3.0).abs() < 1e-9, "{}", scores.error);
    assert!((scores.loss["0.9"] - 0.9 * 2.0 / 3.0).abs() < 1e-9);
}

#[test]
fn what_cannot_be_held_back_is_not() {
    assert_eq!(held(&[1.0; 24], 24), None);
    assert_eq!(held(&[1.0; 24], 0), None);
    let mut rows = vec![1.0; 24];
    rows.extend([f64::NAN; 4]);
    assert_eq!(held(&rows, 4), None);
}
