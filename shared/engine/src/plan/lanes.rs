//! How many lanes a round has, how they run, and over how many partition keys the shards spread.

use foreshard_model::limits::{
    DISTRIBUTED_CHILDREN, ENVIRONMENTS_PER_10_S, EVENTS_PER_PARKING, EVENTS_PER_SHARD,
    HISTORY_BUDGET_EVENTS, INLINE_BRANCHES, LANE_OPENS_WITHIN_S,
};
use foreshard_model::plan::{LaneMode, Reason};
use foreshard_model::policy::RunOptions;

use crate::place::Sites;
use crate::shard::{Chosen, Market, PARTITIONS_MAX, Quota, Rules};

use super::reasons::reason;

/// Shards that one partition key takes before another is used: their items and arrivals stay far below its 1,000 writes a
/// second.
const SHARDS_PER_PARTITION: u32 = 2_000;
/// Events of a lane's branch beside its shards: its iteration, first question, end.
const EVENTS_PER_LANE: u32 = 14;
/// Events of a round beside its lanes: plan, choice, map, aggregate.
const EVENTS_PER_ROUND: u32 = 20;

/// Lanes, mode and partitions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lanes {
    /// Lanes of a round.
    pub(super) lanes: u32,
    /// How they run.
    pub(super) mode: LaneMode,
    /// Events of history after which a round hands over.
    pub(super) history_budget: u32,
    /// Events that one lane may use: one shard always fits.
    pub(super) lane_events: u32,
    /// Partition keys.
    pub(super) partitions: u32,
    /// Events that all lanes together are expected to write.
    pub(super) events: u64,
    /// Rates that the lanes share, and what all of them take a second, of one partition key where each has its own.
    pub(super) rates: Vec<(Quota, f64)>,
    /// Why.
    pub(super) reasons: Vec<Reason>,
}

/// Environments that a function can get while a lane repeats its first question: more lanes would never open.
const LANES_OPENED: u32 = ENVIRONMENTS_PER_10_S / 10 * LANE_OPENS_WITHIN_S;

/// Most lanes that the pool, what is free of it, and the options allow, with the name of what binds.
pub(super) fn lanes_allowed(sites: &Sites<'_>, options: &RunOptions) -> (u32, &'static str) {
    let whole = sites.yards.iter().map(|yard| yard.whole);
    let free = match sites.most() < whole.fold(0, u32::saturating_add) {
        true => "what is expected to be free and promised to nobody",
        false => "the account's concurrency",
    };
    [
        (DISTRIBUTED_CHILDREN, "children of a distributed Map"),
        (LANES_OPENED, "the environments that Lambda adds in time"),
        (sites.most(), free),
        (sites.pool.lanes_max, "the deployment's most lanes"),
        (
            options.lanes_max.unwrap_or(u32::MAX),
            "the run's most lanes",
        ),
    ]
    .into_iter()
    .min_by_key(|(lanes, _)| *lanes)
    .map_or((1, "the smallest number"), |(lanes, name)| {
        (lanes.max(1), name)
    })
}

/// The lanes of a round, for the chosen shards and their schedule.
pub(super) fn lanes(
    chosen: &Chosen,
    market: &Market<'_>,
    rules: &Rules<'_>,
    options: &RunOptions,
) -> Lanes {
    let schedule = &chosen.schedule;
    let shards = chosen.duration_ms.len() as u64;
    let (allowed, binding) = market.lanes_for(&chosen.shards.profiles, &chosen.duration_ms, rules);
    let lanes = schedule.width.clamp(1, allowed);
    let binding = if lanes < allowed && !market.sites.is_roomy(lanes + 1) {
        "what is expected to be free and promised to nobody"
    } else if lanes < allowed {
        "the width of the shard graph"
    } else {
        binding
    };
    let used = |quota: &Quota| (*quota, quota.used(lanes, &chosen.duration_ms));
    let mut rates: Vec<(Quota, f64)> = market.quotas.iter().map(used).collect();
    let keys = rates.iter().filter(|(quota, _)| quota.per_key);
    let for_rate = keys
        .map(|(quota, used)| (used / quota.per_s).ceil() as u32)
        .max()
        .unwrap_or(1);
    let partitions = (shards as u32)
        .div_ceil(SHARDS_PER_PARTITION)
        .max(for_rate)
        .clamp(1, PARTITIONS_MAX);
    for (quota, used) in &mut rates {
        if quota.per_key {
            *used /= f64::from(partitions);
        }
    }
    let events = u64::from(EVENTS_PER_ROUND)
        + u64::from(EVENTS_PER_LANE) * u64::from(lanes)
        + u64::from(EVENTS_PER_SHARD) * shards
        + u64::from(EVENTS_PER_PARKING) * u64::from(schedule.parkings);
    let inline = lanes <= INLINE_BRANCHES && events <= u64::from(HISTORY_BUDGET_EVENTS);
    let history_budget = options
        .history_budget
        .unwrap_or(HISTORY_BUDGET_EVENTS)
        .clamp(1, HISTORY_BUDGET_EVENTS);
    let lane_events = if inline {
        (history_budget / lanes).max(EVENTS_PER_SHARD)
    } else {
        history_budget
    };
    Lanes {
        lanes,
        mode: if inline {
            LaneMode::Inline
        } else {
            LaneMode::Distributed
        },
        history_budget,
        lane_events,
        partitions,
        events,
        rates,
        reasons: vec![
            width_reason(lanes, schedule.width, allowed, binding),
            keys_reason(partitions, shards, for_rate),
            mode_reason(inline, lanes, events, lane_events),
            rounds_reason(events, lane_events, lanes),
        ],
    }
}

fn width_reason(lanes: u32, width: u32, allowed: u32, binding: &str) -> Reason {
    reason(
        "lanes",
        format!("{lanes} lanes: bound by {binding}"),
        &[
            ("lanes", f64::from(lanes)),
            ("width", f64::from(width)),
            ("allowed", f64::from(allowed)),
        ],
    )
}

fn keys_reason(partitions: u32, shards: u64, for_rate: u32) -> Reason {
    reason(
        "partitions",
        format!(
            "{partitions} partition key(s): at most {SHARDS_PER_PARTITION} shards on one, and no more writes and reads than it takes"
        ),
        &[
            ("partitions", f64::from(partitions)),
            ("shards", shards as f64),
            ("keys_for_rates", f64::from(for_rate)),
        ],
    )
}

/// Into how many executions the run is cut, so that no history fills.
fn rounds_reason(events: u64, lane_events: u32, lanes: u32) -> Reason {
    let each_round = u64::from(lane_events) * u64::from(lanes.max(1));
    let rounds = events.div_ceil(each_round.max(1)).max(1);
    reason(
        "rounds",
        format!(
            "about {rounds} round(s): a lane hands over after {lane_events} events of its history"
        ),
        &[
            ("rounds", rounds as f64),
            ("events", events as f64),
            ("events_each_round", each_round as f64),
        ],
    )
}

fn mode_reason(inline: bool, lanes: u32, events: u64, lane_events: u32) -> Reason {
    let because = if inline {
        format!("inline: {lanes} lanes and about {events} events fit one history")
    } else {
        format!("distributed: {lanes} lanes and about {events} events need a history for each lane")
    };
    reason(
        "mode",
        because,
        &[
            ("events", events as f64),
            ("budget", f64::from(HISTORY_BUDGET_EVENTS)),
            ("lane_events", f64::from(lane_events)),
        ],
    )
}
