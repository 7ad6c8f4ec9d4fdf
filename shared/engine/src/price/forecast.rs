//! Cost and duration of a plan before it runs, as intervals, beside one Standard state for each task.

use std::collections::BTreeMap;

use foreshard_model::price::{Interval, Price};
use foreshard_model::units::Usd;

use super::{EACH_SHARD, Rates};

/// What a plan will use, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counted {
    /// Tasks.
    pub tasks: u64,
    /// Shards with tasks.
    pub shards: u64,
    /// Virtual shards.
    pub virtual_shards: u64,
    /// Edges of the shard graph.
    pub edges: u64,
    /// Lanes of a round.
    pub lanes: u64,
    /// Parkings that the list schedule predicts.
    pub parkings: u64,
    /// Gigabyte-seconds of all shards.
    pub gb_s: f64,
    /// Gigabyte-seconds of all tasks, each alone on the smallest tier that fits.
    pub plain_gb_s: f64,
    /// Objects that tasks leave in the store.
    pub objects: u64,
    /// Tasks of which no duration is known.
    pub unknown: u64,
    /// Makespan by the list schedule, in milliseconds.
    pub makespan_ms: f64,
    /// Dollars that the gigabyte-seconds cost more than at the rates given, because targets differ in price.
    pub dearer_usd: f64,
    /// Dollars of the data that moves between regions.
    pub moved_usd: f64,
    /// Gigabyte-seconds of scratch disk above what is free, of all shards.
    pub disk_gb_s: f64,
    /// The same of all tasks, each alone with the disk that its files need.
    pub plain_disk_gb_s: f64,
    /// Makespan of plain states, in milliseconds.
    pub plain_makespan_ms: f64,
}

/// Write units of a virtual shard: its item, one arrival, its settling and its release.
pub(crate) const VIRTUAL_WRITE_UNITS: f64 = 4.0;
/// Transitions of a round beside its lanes: plan, choice, map, aggregate.
const ROUND_TRANSITIONS: f64 = 4.0;
/// Transitions of a lane beside its shards: its last question, and its end.
const LANE_TRANSITIONS: f64 = 3.0;
/// Transitions of one parking: park, and the question after it.
const PARKING_TRANSITIONS: f64 = 3.0;
/// Write and read units of a lane beside its shards: its answers, and its end. See [`EACH_SHARD`].
pub(crate) const LANE_UNITS: (f64, f64) = (7.0, 5.0);
/// The same of one parking: the answer, the token, waking and forgetting it, and who is looked at.
pub(crate) const PARKING_UNITS: (f64, f64) = (18.0, 10.0);
/// Log lines of a parking, in bytes.
pub(crate) const PARKING_LOG_BYTES: f64 = 3_400.0;
/// Arrivals that [`EACH_SHARD`] counts already.
const ARRIVALS_COUNTED: u64 = 2;

/// What the intervals of a forecast mean, and where they are from.
pub const INTERVAL: &str = "eight of ten runs are expected within it; a rule of thumb until runs have been recorded: known durations within \
     -15 % and +30 %, unknown ones within a third and three times, at worst 5 % of the shards repeated and two cold starts";

/// Prices a plan, beside plain states for the same tasks.
///
/// The intervals are a rule of thumb until runs have been recorded ([`INTERVAL`]); the fixed part of the cost does not vary,
/// but for repeated shards. Not counted: storage after the run, traces, requests to the API.
#[must_use]
pub fn forecast(counted: &Counted, rates: &Rates) -> Price {
    let orchestration = by_service(counted, rates);
    let work = counted.gb_s * rates.gb_s + counted.dearer_usd + counted.disk_gb_s * rates.disk_gb_s;
    let fixed: f64 = orchestration.values().sum();
    let (low, high) = spread(counted);
    let mut by_service: BTreeMap<String, Usd> = orchestration
        .into_iter()
        .map(|(service, usd)| (service.to_owned(), Usd(usd)))
        .collect();
    *by_service.entry("lambda".to_owned()).or_default() += Usd(work);
    let plain_by_service = plain_by_service(counted, rates);
    let within = |ms: f64| Interval {
        low: ms / 1000.0 * low,
        mid: ms / 1000.0,
        high: ms / 1000.0 * high + COLD_STARTS_S,
    };
    Price {
        total_usd: Interval {
            low: fixed + work * low,
            mid: fixed + work,
            high: fixed * (1.0 + RETRIED) + work * high,
        },
        by_service,
        plain_usd: plain_by_service.values().copied().sum(),
        plain_by_service,
        makespan_s: within(counted.makespan_ms),
        plain_makespan_s: within(counted.plain_makespan_ms),
        transitions: transitions(counted),
        source: rates.source.clone(),
        unit_prices: rates.unit_prices.clone(),
    }
}

/// Dollars of plain states by service.
fn plain_by_service(counted: &Counted, rates: &Rates) -> BTreeMap<String, Usd> {
    let tasks = counted.tasks as f64;
    let lambda = tasks * rates.invocation
        + counted.plain_gb_s * rates.gb_s
        + counted.plain_disk_gb_s * rates.disk_gb_s;
    [
        ("lambda", lambda),
        ("s3", counted.objects as f64 * rates.put),
        ("step_functions", tasks * rates.transition),
    ]
    .map(|(service, usd)| (service.to_owned(), Usd(usd)))
    .into()
}

/// Expected dollars of a plan: the middle of [`forecast`].
#[must_use]
pub fn expected_usd(counted: &Counted, rates: &Rates) -> f64 {
    orchestration_usd(counted, rates)
        + counted.gb_s * rates.gb_s
        + counted.dearer_usd
        + counted.disk_gb_s * rates.disk_gb_s
}

/// All of [`expected_usd`] but memory and scratch disk while tasks run.
#[must_use]
pub fn orchestration_usd(counted: &Counted, rates: &Rates) -> f64 {
    by_service(counted, rates).values().sum()
}

/// What a task of known duration takes at most in eight of ten runs, over its estimate. See [`INTERVAL`].
pub(crate) const KNOWN_AT_MOST: f64 = 1.30;
/// Share of shards that a pessimistic run repeats.
const RETRIED: f64 = 0.05;
/// What cold starts add to a pessimistic run, in seconds: placing an environment for dispatch and one for execute.
const COLD_STARTS_S: f64 = 0.5;

fn spread(counted: &Counted) -> (f64, f64) {
    let unknown = counted.unknown as f64 / counted.tasks.max(1) as f64;
    let low = 0.85 * (1.0 - unknown) + unknown / 3.0;
    let high = KNOWN_AT_MOST * (1.0 - unknown) + unknown * 3.0;
    (low, high)
}

/// Transitions of all rounds.
#[must_use]
pub fn transitions(counted: &Counted) -> f64 {
    EACH_SHARD.transitions * counted.shards as f64
        + ROUND_TRANSITIONS
        + LANE_TRANSITIONS * counted.lanes as f64
        + PARKING_TRANSITIONS * counted.parkings as f64
}

fn by_service(counted: &Counted, rates: &Rates) -> BTreeMap<&'static str, f64> {
    let shards = counted.shards as f64;
    let counted_arrivals = counted.shards * ARRIVALS_COUNTED;
    let more_arrivals = counted.edges.saturating_sub(counted_arrivals) as f64;
    let use_of = &EACH_SHARD;
    let (lanes, parkings) = (counted.lanes as f64, counted.parkings as f64);
    let units = |each: f64, of: fn((f64, f64)) -> f64| {
        each * shards + of(LANE_UNITS) * lanes + of(PARKING_UNITS) * parkings
    };
    let writes = units(use_of.write_units, |both| both.0)
        + VIRTUAL_WRITE_UNITS * counted.virtual_shards as f64
        + more_arrivals;
    let reads = units(use_of.read_units, |both| both.1);
    let mut services = BTreeMap::from([
        ("step_functions", transitions(counted) * rates.transition),
        (
            "dynamodb",
            writes * rates.write_unit + reads * rates.read_unit,
        ),
        (
            "s3",
            (use_of.puts * shards + counted.objects as f64) * rates.put
                + use_of.gets * shards * rates.get,
        ),
        (
            "cloudwatch",
            shards
                * (use_of.metric_requests * rates.metric_request
                    + use_of.log_bytes * rates.log_byte)
                + parkings * PARKING_LOG_BYTES * rates.log_byte,
        ),
        (
            "lambda",
            shards * (use_of.invocations * rates.invocation + use_of.gb_s * rates.gb_s)
                + 2.0 * parkings * (rates.invocation + use_of.gb_s * rates.gb_s),
        ),
    ]);
    if counted.moved_usd > 0.0 {
        services.insert("transfer", counted.moved_usd);
    }
    services
}
