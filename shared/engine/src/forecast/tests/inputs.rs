//! Inputs from outside: events that declare what they do, and feeds.

use super::super::Feed;
use super::*;

/// 2026-06-01T00:00:00Z, a Monday.
const MONDAY_S: i64 = 1_780_272_000;

fn dated(values: &[f64]) -> Series {
    let rows: Vec<Option<f64>> = values.iter().map(|v| Some(*v)).collect();
    Series::of_rows(MONDAY_S, 3_600, &rows)
}

fn with(series: &Series, calendar: &str, feeds: &[Feed]) -> Forecast {
    let calendar = match calendar {
        "" => Calendar::default(),
        text => Calendar::read(text.as_bytes()).unwrap(),
    };
    forecast(&Request {
        series,
        horizon: 24,
        quantiles: &QUANTILES,
        calendar: &calendar,
        feeds,
    })
}

#[test]
fn a_declared_event_changes_its_steps_only() {
    let series = dated(&waves(24 * 21, 24, 6, 1));
    let plain = with(&series, "", &[]);
    let calendar = "name,start,end,factor\nlaunch,2026-06-22T06:00,2026-06-22T09:00,3\n";
    let lifted = with(&series, calendar, &[]);
    check(&lifted, 24);
    assert!(told(&lifted, "`launch` is declared"));
    for step in 0..24 {
        let factor = if (6..9).contains(&step) { 3.0 } else { 1.0 };
        let (a, b) = (plain.quantiles["0.9"][step], lifted.quantiles["0.9"][step]);
        assert!((a * factor - b).abs() < 1e-9, "{step}: {a} {b}");
    }
}

#[test]
fn a_feed_that_is_known_ahead_is_followed() {
    let mut dice = Dice::new(3);
    let plan: Vec<f64> = (0..24 * 30).map(|_| (dice.share() * 8.0).floor()).collect();
    let rows: Vec<f64> = plan[..24 * 29]
        .iter()
        .map(|orders| (10.0 * (orders * 0.3).exp()).round())
        .collect();
    let feed = Feed {
        name: "orders".to_owned(),
        rows: plan
            .iter()
            .enumerate()
            .map(|(at, v)| (MONDAY_S + 3_600 * at as i64, *v))
            .collect(),
    };
    let answer = with(&dated(&rows), "", &[feed]);
    check(&answer, 24);
    assert!(told(&answer, "`orders` is among the inputs"));
    let far = |step: usize| {
        let actual = 10.0 * (plan[24 * 29 + step] * 0.3).exp();
        (answer.quantiles["0.5"][step] / actual).ln().abs()
    };
    let mean = (0..24).map(far).sum::<f64>() / 24.0;
    assert!(mean < 0.25, "{mean}");
}

#[test]
fn an_empty_or_constant_feed_says_nothing() {
    let series = dated(&waves(24 * 21, 24, 6, 4));
    let constant = Feed {
        name: "a".to_owned(),
        rows: vec![(MONDAY_S, 1.0), (MONDAY_S + 60, 1.0)],
    };
    let broken = Feed {
        name: "b".to_owned(),
        rows: vec![(i64::MIN, f64::NAN), (i64::MAX, f64::INFINITY)],
    };
    assert_eq!(
        with(&series, "", &[constant, broken, Feed::default()]),
        with(&series, "", &[])
    );
}
