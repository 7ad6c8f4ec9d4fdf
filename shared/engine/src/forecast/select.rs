//! The choice: every model that suits is judged, and only one that beats the best naive model is used.

use std::collections::BTreeMap;

use foreshard_model::forecast::{Forecast, Judged};
use foreshard_model::plan::Reason;

use crate::calendar::{Calendar, Event};

use super::court::{Court, filled};
use super::feeds::Feed;
use super::ground::Ground;
use super::judge::Held;
use super::level::of_few;
use super::model::Quantiles;
use super::series::Series;
use super::words::{period, reason};

/// What a declared factor counts as at least, when it is taken out of the history.
const FACTOR_MIN: f64 = 0.01;
/// Most steps that are forecast: a week of minutes.
const HORIZON_MAX: usize = 10_080;

/// What to forecast.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What was measured, up to the moment that the forecast begins at.
    pub series: &'a Series,
    /// Steps to look ahead.
    pub horizon: usize,
    /// From 0 to 1, such as 0.5 and 0.99.
    pub quantiles: &'a [f64],
    /// Holidays and events.
    pub calendar: &'a Calendar,
    /// Quantities from outside.
    pub feeds: &'a [Feed],
}

/// Quantiles for the next steps, the model that gave them, and why.
///
/// Nothing after the end of the series is read but what the calendar and feeds say of it. The answer is never negative, and there
/// always is one: without any value it is zero, and says so.
///
/// # Complexity
/// For 20,160 rows and five quantiles, tens of milliseconds: two quantile regressions over 3,000 points.
#[must_use]
pub fn forecast(request: &Request<'_>) -> Forecast {
    let series = request.series;
    let horizon = request.horizon.min(HORIZON_MAX);
    let mut wanted: Vec<f64> = request
        .quantiles
        .iter()
        .map(|q| q.clamp(0.0, 1.0))
        .collect();
    wanted.sort_by(f64::total_cmp);
    wanted.dedup();
    let (series, declared) = undeclared(series, horizon, request.calendar);
    let ground = Ground::new(&series, horizon, request.calendar, request.feeds);
    let mut reasons = series.notes.clone();
    reasons.extend(seen(&series, &ground));
    let chosen = choose(&ground, horizon, &wanted, &mut reasons);
    let mut quantiles = BTreeMap::new();
    let mut before: Option<Vec<f64>> = None;
    for (q, values) in wanted.iter().zip(&chosen.answer) {
        let mut values: Vec<f64> = values.iter().map(|v| ground.back(*v)).collect();
        for (at, value) in values.iter_mut().enumerate() {
            if let Some(lower) = before.as_ref().map(|b: &Vec<f64>| b[at]) {
                *value = value.max(lower);
            }
        }
        before = Some(values.clone());
        quantiles.insert(q.to_string(), values);
    }
    apply(&mut quantiles, &series, &declared, &mut reasons);
    Forecast {
        start_s: series.end_s(),
        step_s: series.step_s,
        quantiles,
        model: chosen.model,
        judged: chosen.judged,
        reasons,
    }
}

/// The chosen model's answer at the end of the rows.
struct Chosen {
    model: String,
    answer: Quantiles,
    judged: Vec<Judged>,
}

fn choose(ground: &Ground, horizon: usize, quantiles: &[f64], reasons: &mut Vec<Reason>) -> Chosen {
    let there = ground.values.iter().filter(|v| !v.is_nan()).count();
    if there == 0 {
        let because = "there is no value: zero is assumed".to_owned();
        reasons.push(reason("forecast", because, &[]));
        return Chosen {
            model: "none".to_owned(),
            answer: vec![vec![0.0; horizon]; quantiles.len()],
            judged: Vec::new(),
        };
    }
    let Some(held) = Held::new(ground, horizon) else {
        let because =
            "the history is too short to hold rows back: the distribution of its values is used";
        reasons.push(reason(
            "forecast",
            because.to_owned(),
            &[("rows", there as f64)],
        ));
        return Chosen {
            model: "level of all rows".to_owned(),
            answer: of_few(ground, horizon, quantiles),
            judged: Vec::new(),
        };
    };
    let (model, answer, judged) = Court::new(ground, &held, quantiles).settle();
    reasons.push(why(&model, &judged, &held));
    Chosen {
        model,
        answer: filled(answer, ground),
        judged,
    }
}

fn why(model: &str, judged: &[Judged], held: &Held) -> Reason {
    let of = judged.iter().find(|j| j.model == model);
    let because = if model.starts_with("naive") {
        format!("`{model}` is used: no model loses less on the rows held back")
    } else {
        format!(
            "`{model}` is used: it loses least on the rows held back, and less than the naive model"
        )
    };
    let numbers = [
        ("loss", of.map_or(f64::NAN, |j| j.loss)),
        ("naive_loss", of.map_or(f64::NAN, |j| j.naive_loss)),
        ("origins", held.origins.len() as f64),
        ("models", judged.len() as f64),
    ];
    reason("forecast", because, &numbers)
}

/// What was noticed in the rows.
fn seen(series: &Series, ground: &Ground) -> Vec<Reason> {
    let mut found = Vec::new();
    let rows = series.values.len();
    let there: Vec<f64> = series
        .values
        .iter()
        .copied()
        .filter(|v| !v.is_nan())
        .collect();
    let missing = rows - there.len();
    if missing > 0 {
        let because = "rows are missing, and are not taken for zero".to_owned();
        let numbers = [("missing", missing as f64), ("rows", rows as f64)];
        found.push(reason("data", because, &numbers));
    }
    if there.len() > 1 && there.iter().all(|v| *v == there[0]) {
        found.push(reason(
            "data",
            "every value is the same".to_owned(),
            &[("value", there[0])],
        ));
    }
    if !ground.seasons.is_empty() {
        let name = |s: &super::seasons::Season| period(s.period as u64 * u64::from(series.step_s));
        let names: Vec<String> = ground.seasons.iter().map(name).collect();
        let numbers: Vec<(&str, f64)> = names
            .iter()
            .map(String::as_str)
            .zip(ground.seasons.iter().map(|s| s.strength))
            .collect();
        found.push(reason(
            "season",
            format!("it repeats with a period of {}", names.join(", ")),
            &numbers,
        ));
    }
    for column in &ground.columns {
        found.push(reason(
            "input",
            format!("`{}` is among the inputs", column.name),
            &[],
        ));
    }
    found
}

/// Takes what events declare out of the history, so that it is not learnt; answers those that the horizon meets.
fn undeclared(series: &Series, horizon: usize, calendar: &Calendar) -> (Series, Vec<Event>) {
    let mut series = series.clone();
    let step = i64::from(series.step_s);
    let end_s = series.end_s();
    let met = calendar.between(series.start_s, end_s + step * horizon as i64);
    let declared: Vec<Event> = met.into_iter().filter(Event::declares).collect();
    for (at, value) in series.values.iter_mut().enumerate() {
        let at_s = series.start_s + step * at as i64;
        for event in declared.iter().filter(|e| e.covers(at_s)) {
            *value /= event.factor.max(FACTOR_MIN);
        }
    }
    let ahead = declared.into_iter().filter(|event| event.end_s > end_s);
    let ahead = ahead.collect();
    (series, ahead)
}

/// Puts what events declare on the steps that they cover.
fn apply(
    quantiles: &mut BTreeMap<String, Vec<f64>>,
    series: &Series,
    declared: &[Event],
    reasons: &mut Vec<Reason>,
) {
    for event in declared {
        let mut steps = 0;
        for values in quantiles.values_mut() {
            steps = 0;
            for (at, value) in values.iter_mut().enumerate() {
                let at_s = series.end_s() + i64::from(series.step_s) * at as i64;
                if event.covers(at_s) {
                    *value *= event.factor;
                    steps += 1;
                }
            }
        }
        if steps > 0 {
            let numbers = [("factor", event.factor), ("steps", f64::from(steps))];
            reasons.push(reason(
                "event",
                format!("`{}` is declared to change it", event.name),
                &numbers,
            ));
        }
    }
}
