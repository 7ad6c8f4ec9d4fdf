//! What a run has cost: what it used, times the price list that also priced its plan.

use std::collections::BTreeMap;

use foreshard_model::topology::Topology;
use foreshard_model::units::{Mib, Usd};

use crate::price::{
    EACH_SHARD, LANE_UNITS, PARKING_LOG_BYTES, PARKING_UNITS, Rates, VIRTUAL_WRITE_UNITS, rates,
};

/// What a run used of each service, counted where it was counted and derived where it was not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Used {
    /// Shards without tasks of their own.
    pub virtual_shards: u64,
    /// Attempts of all shards: one execute each.
    pub attempts: u64,
    /// Time in workers by memory tier, in milliseconds.
    pub busy_ms: BTreeMap<Mib, u64>,
    /// Objects that tasks have left in the store.
    pub objects: u64,
    /// Lanes of a round.
    pub lanes: u32,
    /// Rounds.
    pub rounds: u32,
    /// Answers of dispatch to the lanes of the last round; those of earlier rounds are derived.
    pub lane_answers: u64,
}

/// Dollars by service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spent {
    /// `lambda`, `step_functions`, `dynamodb`, `s3`, `cloudwatch`.
    pub by_service: BTreeMap<String, Usd>,
}

impl Spent {
    /// All services together.
    #[must_use]
    pub fn total(&self) -> Usd {
        self.by_service.values().copied().sum()
    }
}

/// Transitions of a round beside its lanes: plan, choice, map, aggregate.
const ROUND_TRANSITIONS: u64 = 4;

/// Prices what a run used.
///
/// Transitions: dispatch and choice for each answer, execute for each attempt, park for each answer that was neither a
/// shard nor a lane's last, the end of each lane, and four for each round. Requests to table, store and logs are those
/// that a plan counts for an attempt, a parking and a lane. Free tiers and discounts are not looked at.
#[must_use]
pub fn spent(used: &Used, topology: &Topology) -> Spent {
    let target = topology.targets.first();
    let rates = rates(
        target.map_or("", |t| t.region.as_str()),
        target.map(|t| t.architecture).unwrap_or_default(),
    );
    let by_service = dollars(used, &rates)
        .into_iter()
        .map(|(service, usd)| (service.to_owned(), Usd(usd)))
        .collect();
    Spent { by_service }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of one run are far below 2^52"
)]
fn dollars(used: &Used, rates: &Rates) -> [(&'static str, f64); 5] {
    let last_answers = u64::from(used.lanes) * u64::from(used.rounds);
    let answers = used.lane_answers.max(used.attempts + last_answers);
    let parkings = answers - used.attempts - last_answers;
    let transitions = 2 * answers
        + used.attempts
        + parkings
        + last_answers
        + ROUND_TRANSITIONS * u64::from(used.rounds);
    let attempts = used.attempts as f64;
    let objects = used.objects as f64;
    let answers = answers as f64;
    let (lanes, parkings) = (last_answers as f64, parkings as f64);
    let units =
        |each: f64, lane: f64, parking: f64| attempts * each + lanes * lane + parkings * parking;
    let writes = units(EACH_SHARD.write_units, LANE_UNITS.0, PARKING_UNITS.0)
        + used.virtual_shards as f64 * VIRTUAL_WRITE_UNITS;
    let reads = units(EACH_SHARD.read_units, LANE_UNITS.1, PARKING_UNITS.1);
    let invocations = answers + attempts + 2.0 * f64::from(used.rounds);
    let gb_s: f64 = used
        .busy_ms
        .iter()
        .map(|(tier, ms)| f64::from(tier.0) / 1024.0 * *ms as f64 / 1000.0)
        .sum();
    [
        (
            "lambda",
            invocations * rates.invocation + (gb_s + answers * EACH_SHARD.gb_s) * rates.gb_s,
        ),
        ("step_functions", transitions as f64 * rates.transition),
        (
            "dynamodb",
            writes * rates.write_unit + reads * rates.read_unit,
        ),
        (
            "s3",
            (attempts * EACH_SHARD.puts + objects) * rates.put
                + (attempts * EACH_SHARD.gets + objects) * rates.get,
        ),
        (
            "cloudwatch",
            attempts
                * (EACH_SHARD.metric_requests * rates.metric_request
                    + EACH_SHARD.log_bytes * rates.log_byte)
                + parkings * PARKING_LOG_BYTES * rates.log_byte,
        ),
    ]
}
