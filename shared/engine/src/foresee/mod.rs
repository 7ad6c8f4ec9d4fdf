//! Joins what was measured of a deployment into what is expected of it: demand by target, free lanes by region, what is strange.

mod flags;
mod history;

use std::collections::BTreeMap;

use foreshard_model::forecast::{Forecast, Quantity, StoredForecast};
use foreshard_model::limits::CONCURRENCY_KEPT_FREE;
use foreshard_model::outlook::StoredOutlook;
use foreshard_model::plan::Reason;
use foreshard_model::target::{Pool, Target};
use foreshard_model::units::TimeMs;

use crate::availability::{Known, Minute, Seen, availability};
use crate::calendar::Calendar;
use crate::forecast::{Demand, InFlight, Request, forecast, in_flight};

pub use flags::strange;

use history::{History, busy_share, claimed_by_others, used};

#[cfg(test)]
mod tests;

/// Length of a step, in seconds: provisioned concurrency is billed by as much.
pub const STEP_S: u32 = 300;

/// Steps that are looked ahead: a day.
pub const HORIZON: usize = 288;

/// Steps of history that a forecast is made from: two weeks, so that each weekday is there twice.
pub const HISTORY: usize = 4_032;

/// Steps in which errors, durations and throttles are looked at: three days, as anomalies are.
pub const RECENT: usize = 864;

/// Quantiles that are kept.
pub const QUANTILES: [f64; 7] = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99];

/// Measured values: start of the step or minute in seconds since 1970, and the value. What was not measured is left out.
pub type Points = Vec<(i64, f64)>;

/// What was measured of one function.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// Most invocations at once, by step.
    pub busy: Points,
    /// Invocations, by step.
    pub calls: Points,
    /// Invocations that ended without an answer: killed, timed out. By step.
    pub errors: Points,
    /// Milliseconds of all invocations, by step.
    pub duration_ms: Points,
    /// Invocations refused for lack of concurrency, by step.
    pub throttles: Points,
}

/// What was measured of a region, all functions of the account together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MeasuredRegion {
    /// Most invocations at once, by step.
    pub busy: Points,
    /// Invocations, by minute of the last hour.
    pub calls: Points,
    /// Those refused, by minute of the last hour.
    pub throttles: Points,
}

/// Everything that is looked at; the same input gives the same forecasts.
#[derive(Debug, Clone)]
pub struct Foresight<'a> {
    /// Now.
    pub now: TimeMs,
    /// The first moment of which metrics may not have come yet: nothing after it is taken for measured.
    pub measured_until_s: i64,
    /// The targets, and the concurrency of the account.
    pub pool: &'a Pool,
    /// By target, in the pool's order; a target may be missing.
    pub functions: &'a BTreeMap<String, Measured>,
    /// Of the deployment's region.
    pub region: &'a MeasuredRegion,
    /// Admitted runs, and scheduled ones as the last run of their workflow was planned.
    pub runs: &'a [InFlight<'a>],
    /// Holidays and events.
    pub calendar: &'a Calendar,
}

/// What is expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreseen {
    /// By target, and that of the region.
    pub forecasts: Vec<StoredForecast>,
    /// For planning, and for whoever looks after what is strange.
    pub outlook: StoredOutlook,
}

/// Forecasts and outlook from now on.
///
/// # Complexity
/// A forecast (tens of milliseconds) for each target that was used in two weeks, and one for the region.
#[must_use]
pub fn foresee(by: &Foresight<'_>) -> Foreseen {
    let history = History::new(by.measured_until_s, by.region);
    let region = by.pool.targets.first().map_or("", |t| t.region.as_str());
    let flying = flying(by, history.end_s());
    let mut forecasts = Vec::new();
    for target in &by.pool.targets {
        let measured = by.functions.get(target.id.as_str());
        let flying = flying.get(target.id.as_str());
        if measured.is_some_and(|m| used(&m.busy)) || flying.is_some() {
            forecasts.push(of_target(by, &history, target, measured, flying));
        }
    }
    let claimed = of_region(by, &history, region);
    let outlook = outlook(by, region, &claimed.forecast);
    forecasts.push(claimed);
    Foreseen { forecasts, outlook }
}

/// What the runs ask for by target, from the step on at which forecasts begin: what has gone by since then is none.
fn flying(by: &Foresight<'_>, begins_s: i64) -> BTreeMap<String, Demand> {
    let step = i64::from(STEP_S);
    let now_s = ((by.now.0 / 1_000) as i64).div_euclid(step) * step;
    let gone = usize::try_from((now_s - begins_s) / step).unwrap_or(0);
    let gone = gone.min(HORIZON);
    let mut all = in_flight(by.runs, now_s, STEP_S, HORIZON - gone);
    for demand in all.values_mut() {
        demand.peak.splice(..0, std::iter::repeat_n(0.0, gone));
    }
    all
}

fn of_target(
    by: &Foresight<'_>,
    history: &History,
    target: &Target,
    measured: Option<&Measured>,
    flying: Option<&Demand>,
) -> StoredForecast {
    let busy = measured.map_or(&[][..], |m| m.busy.as_slice());
    let series = history.of_function(busy);
    let calendar = by.calendar.of_region(&target.region);
    let place = target.id.as_str();
    let made = stored(by, place, Quantity::Concurrency, &series, &calendar, flying);
    let busy = measured.and_then(|measured| busy_share(by.measured_until_s, measured));
    StoredForecast {
        busy: busy.map(digits),
        ..made
    }
}

/// What others than the deployment's targets claim of the region.
fn of_region(by: &Foresight<'_>, history: &History, region: &str) -> StoredForecast {
    let own = by.functions.values().map(|m| m.busy.as_slice());
    let series = history.of_steps(&claimed_by_others(&by.region.busy, own));
    let calendar = by.calendar.of_region(region);
    stored(by, region, Quantity::Claimed, &series, &calendar, None)
}

fn stored(
    by: &Foresight<'_>,
    place: &str,
    quantity: Quantity,
    series: &crate::forecast::Series,
    calendar: &Calendar,
    flying: Option<&Demand>,
) -> StoredForecast {
    let rows = series.values.iter().filter(|v| !v.is_nan()).count();
    let made = forecast(&Request {
        series,
        horizon: HORIZON,
        quantiles: &QUANTILES,
        calendar,
        feeds: &[],
    });
    StoredForecast {
        place: place.to_owned(),
        quantity,
        made_at: by.now,
        rows: rows as u32,
        forecast: brief(made),
        known: flying.map_or_else(Vec::new, |demand| demand.peak.clone()),
        busy: None,
    }
}

/// Four digits are more than is known, and an item has its limits.
fn brief(mut made: Forecast) -> Forecast {
    for value in made.quantiles.values_mut().flatten() {
        *value = digits(*value);
    }
    for judged in &mut made.judged {
        judged.loss = digits(judged.loss);
        judged.naive_loss = digits(judged.naive_loss);
    }
    made.reasons = storable(made.reasons);
    made
}

fn digits(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let unit = 10_f64.powi(3 - value.abs().log10().floor() as i32);
    (value * unit).round() / unit
}

/// No store keeps numbers that are not finite.
fn storable(mut reasons: Vec<Reason>) -> Vec<Reason> {
    for reason in &mut reasons {
        reason.numbers.retain(|_, number| number.is_finite());
    }
    reasons
}

fn outlook(by: &Foresight<'_>, region: &str, claimed: &Forecast) -> StoredOutlook {
    let of_target = |target: &Target| {
        let measured = by.functions.get(target.id.as_str())?;
        Some((target.id.clone(), reliability(measured)))
    };
    let targets: BTreeMap<_, Seen> = by.pool.targets.iter().filter_map(of_target).collect();
    let seen = Seen {
        quota: Some(by.pool.concurrency),
        kept_free: kept_free(by.pool.concurrency),
        claimed: Some(claimed.clone()),
        minutes: minutes(by.region),
        failures: targets.values().map(|seen| seen.failures).sum(),
        running_h: targets.values().map(|seen| seen.running_h).sum(),
    };
    let found = availability(&Known {
        now_s: (by.now.0 / 1_000) as i64,
        horizon_s: STEP_S * HORIZON as u32,
        regions: [(region.to_owned(), seen)].into(),
        targets,
        planned: &[],
        calendar: by.calendar,
    });
    StoredOutlook {
        made_at: by.now,
        outlook: found.outlook,
        flags: flags::flags(by, region),
        reasons: storable(found.reasons),
    }
}

/// What is left to the control functions and to others: of a small account a tenth, or nothing would be left to runs.
fn kept_free(concurrency: u32) -> u32 {
    CONCURRENCY_KEPT_FREE.min(concurrency / 10)
}

/// How often invocations of a function have ended without an answer, and in how many hours.
fn reliability(measured: &Measured) -> Seen {
    let sum = |points: &Points| points.iter().map(|(_, value)| value).sum::<f64>();
    Seen {
        failures: sum(&measured.errors),
        running_h: sum(&measured.duration_ms) / 3_600_000.0,
        ..Seen::default()
    }
}

/// Calls and throttles by minute, the newest last.
fn minutes(region: &MeasuredRegion) -> Vec<Minute> {
    let mut minutes: BTreeMap<i64, Minute> = BTreeMap::new();
    for &(at, calls) in &region.calls {
        minutes.entry(at).or_default().calls = calls;
    }
    for &(at, throttled) in &region.throttles {
        minutes.entry(at).or_default().throttled = throttled;
    }
    minutes.into_values().collect()
}
