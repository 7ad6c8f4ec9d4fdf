//! How many lanes a round has, how they run, and over how many partition keys the shards spread.

use foreshard_model::limits::{
    DISTRIBUTED_CHILDREN, EVENTS_PER_PARKING, EVENTS_PER_SHARD, HISTORY_BUDGET_EVENTS,
    INLINE_BRANCHES, PARTITION_WRITES_PER_S,
};
use foreshard_model::plan::{LaneMode, Reason};
use foreshard_model::policy::RunOptions;

use crate::place::Sites;
use crate::shard::{Chosen, Market, PARTITIONS_MAX, Rules, writes_per_s};

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
    /// Writes a second on one partition key while all lanes are busy, expected.
    pub(super) partition_writes: f64,
    /// Why.
    pub(super) reasons: Vec<Reason>,
}

/// Most lanes that the pool, what is free of it, and the options allow, with the name of what binds.
pub(super) fn lanes_allowed(sites: &Sites<'_>, options: &RunOptions) -> (u32, &'static str) {
    let whole = sites.yards.iter().map(|yard| yard.whole);
    let free = match sites.most() < whole.fold(0, u32::saturating_add) {
        true => "what is expected to be free and promised to nobody",
        false => "the account's concurrency",
    };
    [
        (DISTRIBUTED_CHILDREN, "children of a distributed Map"),
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
    let writes = writes_per_s(lanes, &chosen.duration_ms);
    let for_rate = (writes / f64::from(PARTITION_WRITES_PER_S)).ceil() as u32;
    let partitions = (shards as u32)
        .div_ceil(SHARDS_PER_PARTITION)
        .max(for_rate)
        .clamp(1, PARTITIONS_MAX);
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
    let width = reason(
        "lanes",
        format!("{lanes} lanes: bound by {binding}"),
        &[
            ("lanes", f64::from(lanes)),
            ("width", f64::from(schedule.width)),
            ("allowed", f64::from(allowed)),
            ("partitions", f64::from(partitions)),
        ],
    );
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
        partition_writes: writes / f64::from(partitions),
        reasons: vec![width, mode_reason(inline, lanes, events, lane_events)],
    }
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
