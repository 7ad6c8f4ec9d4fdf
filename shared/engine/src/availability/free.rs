//! Free lanes over time, by quantile.

use std::collections::BTreeMap;

use foreshard_model::outlook::Step;
use foreshard_model::plan::Reason;

use crate::calendar::{Calendar, Event};
use crate::forecast::reason;

use super::{Known, Minute, Seen};

/// Quantiles of an outlook.
const QUANTILES: [f64; 5] = [0.1, 0.25, 0.5, 0.75, 0.9];
/// Length of a step in seconds: that of forecasts.
const STEP_S: i64 = 300;
/// Most steps of an outlook: two days.
const STEPS_MAX: i64 = 576;
/// Minutes after which a throttle counts half. Lambda adds 1,000 environments each 10 s, so what throttles is demand, and that
/// passes with its wave.
const FORGOTTEN_MIN: f64 = 10.0;
/// A share of throttles below this is chance.
const THROTTLED_MIN: f64 = 0.001;

/// Steps of free lanes from now on; equal neighbours are one.
pub fn free(
    name: &str,
    quota: u32,
    seen: &Seen,
    known: &Known<'_>,
    calendar: &Calendar,
    reasons: &mut Vec<Reason>,
) -> Vec<Step> {
    let usable = f64::from(quota.saturating_sub(seen.kept_free));
    let throttled = throttled(&seen.minutes);
    let until_s = known.now_s + i64::from(known.horizon_s);
    let events = calendar.between(known.now_s, until_s.max(known.now_s + 1));
    tell(name, usable, throttled, seen, &events, reasons);
    let count = (i64::from(known.horizon_s).div_euclid(STEP_S) + 1).min(STEPS_MAX);
    let mut steps: Vec<Step> = Vec::new();
    for number in 0..count {
        let from_s = known.now_s + number * STEP_S;
        let span = (from_s, from_s + STEP_S);
        let known_to_come = taken(name, span, known, &events);
        let factor = factor(span, &events);
        let age_min = (number * STEP_S) as f64 / 60.0;
        let share = throttled * 0.5_f64.powf(age_min / FORGOTTEN_MIN);
        let at = |q: f64| {
            let claimed = claimed(seen, from_s, 1.0 - q) * factor;
            let left = (usable - claimed - known_to_come).max(0.0);
            // Where calls are refused it is less certain that any get through: low quantiles lose more.
            (left * (1.0 - share).powf(0.5 / q)).floor()
        };
        let lanes: BTreeMap<String, f64> =
            QUANTILES.iter().map(|q| (q.to_string(), at(*q))).collect();
        if steps.last().is_none_or(|last| last.lanes != lanes) {
            steps.push(Step {
                from_s: u64::try_from(number * STEP_S).unwrap_or(0),
                lanes,
            });
        }
    }
    steps
}

/// The share of calls that were throttled, new minutes counting more.
fn throttled(minutes: &[Minute]) -> f64 {
    let (mut refused, mut all) = (0.0, 0.0);
    for (age, minute) in minutes.iter().rev().enumerate() {
        let weight = 0.5_f64.powf(age as f64 / FORGOTTEN_MIN);
        refused += weight * minute.throttled.max(0.0);
        all += weight * (minute.throttled.max(0.0) + minute.calls.max(0.0));
    }
    if all > 0.0 && refused / all >= THROTTLED_MIN {
        refused / all
    } else {
        0.0
    }
}

/// What others claim at a time; beyond the forecast, as in its last step.
fn claimed(seen: &Seen, at_s: i64, quantile: f64) -> f64 {
    let Some(forecast) = &seen.claimed else {
        return 0.0;
    };
    let last = forecast.steps().saturating_sub(1);
    let since = usize::try_from(at_s - forecast.start_s).unwrap_or(0);
    let step = (since / forecast.step_s.max(1) as usize).min(last);
    forecast.at(step, quantile).unwrap_or(0.0).max(0.0)
}

/// Lanes of planned load and of events in a span.
fn taken(name: &str, (from_s, to_s): (i64, i64), known: &Known<'_>, events: &[Event]) -> f64 {
    let meets = |from: i64, until: i64| from < to_s && until > from_s;
    let planned = known
        .planned
        .iter()
        .filter(|load| load.place == name && meets(load.from_s, load.until_s));
    let planned: f64 = planned.map(|load| load.lanes).sum();
    let events = events
        .iter()
        .filter(|event| meets(event.start_s, event.end_s));
    planned + events.map(|event| event.lanes).sum::<f64>()
}

/// What events do to the load of others.
fn factor((from_s, to_s): (i64, i64), events: &[Event]) -> f64 {
    let met = events
        .iter()
        .filter(|event| event.start_s < to_s && event.end_s > from_s);
    met.map(|event| event.factor).fold(1.0, f64::max)
}

fn tell(
    name: &str,
    usable: f64,
    throttled: f64,
    seen: &Seen,
    events: &[Event],
    reasons: &mut Vec<Reason>,
) {
    let claimed = seen
        .claimed
        .as_ref()
        .and_then(|forecast| forecast.at(0, 0.5));
    let because = format!("`{name}`: the quota less what is kept free, claimed, and planned");
    let numbers = [("usable", usable), ("claimed", claimed.unwrap_or(0.0))];
    reasons.push(reason("availability", because, &numbers));
    if throttled > 0.0 {
        let because =
            format!("`{name}` throttles calls: it has fewer free lanes until that is forgotten");
        reasons.push(reason(
            "availability",
            because,
            &[("throttled_share", throttled)],
        ));
    }
    for event in events.iter().filter(|e| e.lanes > 0.0 || e.declares()) {
        let because = format!("`{}` moves `{name}`", event.name);
        let numbers = [("lanes", event.lanes), ("factor", event.factor)];
        reasons.push(reason("availability", because, &numbers));
    }
}
