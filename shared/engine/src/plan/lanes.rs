//! How many lanes a round has, how they run, and over how many partition keys the shards spread.

use foreshard_model::limits::{
    DISTRIBUTED_CHILDREN, EVENTS_PER_PARKING, EVENTS_PER_SHARD, HISTORY_BUDGET_EVENTS,
    INLINE_BRANCHES, PARTITION_WRITES_PER_S,
};
use foreshard_model::plan::{LaneMode, Reason};
use foreshard_model::policy::RunOptions;
use foreshard_model::target::Pool;

use crate::place::Schedule;
use crate::price::EACH_SHARD;

use super::reasons::reason;

/// Shards that one partition key takes before another is used: their items and arrivals stay far below its 1,000 writes a second.
const SHARDS_PER_PARTITION: u32 = 2_000;
/// Most partition keys: dispatch looks into each of them when it finds nothing to do.
const PARTITIONS_MAX: u32 = 16;
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
    /// Events that one lane may use.
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

/// Most lanes that the pool and the options allow, with the name of what binds.
pub(super) fn lanes_allowed(pool: &Pool, options: &RunOptions) -> (u32, &'static str) {
    [
        (DISTRIBUTED_CHILDREN, "children of a distributed Map"),
        (pool.concurrency, "the account's concurrency"),
        (pool.lanes_max, "the deployment's most lanes"),
        (options.lanes_max.unwrap_or(u32::MAX), "the run's most lanes"),
    ]
    .into_iter()
    .min_by_key(|(lanes, _)| *lanes)
    .map_or((1, "the smallest number"), |(lanes, name)| (lanes.max(1), name))
}

/// The lanes of a round, for the chosen shards and their schedule.
pub(super) fn lanes(
    schedule: &Schedule,
    shards: usize,
    busy_ms: f64,
    peak_mib: u32,
    pool: &Pool,
    options: &RunOptions,
) -> Lanes {
    let (allowed, name) = lanes_allowed(pool, options);
    let mut reasons = Vec::new();
    let mut lanes = schedule.width.clamp(1, allowed);
    let mut binding = if lanes < allowed { "the width of the shard graph" } else { name };
    if let Some(memory) = pool.lane_memory {
        let fitting = (memory.0 / peak_mib.max(1)).max(1);
        if fitting < lanes {
            lanes = fitting;
            binding = "the memory that all lanes share";
        }
    }
    let shard_ms = busy_ms / shards.max(1) as f64;
    let writes_per_s = |lanes: u32| f64::from(lanes) * EACH_SHARD.write_units / (shard_ms / 1000.0).max(0.001);
    let rate = f64::from(PARTITION_WRITES_PER_S);
    let sustained = rate * f64::from(PARTITIONS_MAX);
    if writes_per_s(lanes) > sustained {
        lanes = ((sustained / writes_per_s(1)) as u32).max(1);
        binding = "the writes that the table's partitions take";
    }
    let for_rate = (writes_per_s(lanes) / rate).ceil() as u32;
    let partitions = (shards as u32)
        .div_ceil(SHARDS_PER_PARTITION)
        .max(for_rate)
        .clamp(1, PARTITIONS_MAX);
    reasons.push(reason(
        "lanes",
        format!("{lanes} lanes: bound by {binding}"),
        &[
            ("lanes", f64::from(lanes)),
            ("width", f64::from(schedule.width)),
            ("allowed", f64::from(allowed)),
            ("partitions", f64::from(partitions)),
        ],
    ));
    let events = u64::from(EVENTS_PER_ROUND)
        + u64::from(EVENTS_PER_LANE) * u64::from(lanes)
        + u64::from(EVENTS_PER_SHARD) * shards as u64
        + u64::from(EVENTS_PER_PARKING) * u64::from(schedule.parkings);
    let inline = lanes <= INLINE_BRANCHES && events <= u64::from(HISTORY_BUDGET_EVENTS);
    let mode = if inline { LaneMode::Inline } else { LaneMode::Distributed };
    let history_budget = options
        .history_budget
        .unwrap_or(HISTORY_BUDGET_EVENTS)
        .clamp(1, HISTORY_BUDGET_EVENTS);
    let lane_events = if inline { (history_budget / lanes).max(1) } else { history_budget };
    reasons.push(reason(
        "mode",
        if inline {
            format!("inline: {lanes} lanes and about {events} events fit one history")
        } else {
            format!("distributed: {lanes} lanes and about {events} events need a history for each lane")
        },
        &[
            ("events", events as f64),
            ("budget", f64::from(HISTORY_BUDGET_EVENTS)),
            ("lane_events", f64::from(lane_events)),
        ],
    ));
    Lanes {
        lanes,
        mode,
        history_budget,
        lane_events,
        partitions,
        events,
        partition_writes: writes_per_s(lanes) / f64::from(partitions),
        reasons,
    }
}
