//! The trial of a sharding: its shards' durations, priorities and schedule, and what they add up to.

use crate::graph::upward_ranks;
use crate::place::{Ladder, SHARD_MS, Schedule, TRANSFER_BYTES_PER_MS, list_schedule};
use crate::price::Counted;

use super::Demand;
use super::atoms::Atoms;
use super::market::Market;
use super::rules::Rules;

/// One sharding, scheduled.
pub(super) struct Trial {
    /// The shards, as atoms.
    pub(super) shards: Atoms,
    /// Duration of each, in milliseconds, overhead and transfers included.
    pub(super) duration_ms: Vec<f64>,
    /// Upward rank of each, in milliseconds.
    pub(super) ranks: Vec<f64>,
    /// Place of each in the order of priority.
    pub(super) rank: Vec<u32>,
    /// When the lanes will run them.
    pub(super) schedule: Schedule,
}

/// Schedules a sharding on as many lanes as it can have.
pub(super) fn trial(
    demand: &Demand,
    shards: Atoms,
    rules: &Rules<'_>,
    market: &Market<'_>,
) -> Trial {
    let duration_ms: Vec<f64> = (0..shards.profiles.len() as u32)
        .map(|shard| {
            let bytes: u64 = shards.graph.incoming_bytes(shard).map(|(_, b)| b).sum();
            SHARD_MS
                + rules.ms(&shards.profiles[shard as usize])
                + bytes as f64 / TRANSFER_BYTES_PER_MS
        })
        .collect();
    let ranks = upward_ranks(&shards.graph, &shards.order, &duration_ms, 0.0);
    let rank = priorities(demand, &shards, &ranks);
    let duration_us: Vec<u64> = duration_ms.iter().map(|ms| (ms * 1000.0) as u64).collect();
    let (lanes, _) = market.lanes_for(&shards.profiles, &duration_ms, rules);
    let schedule = list_schedule(&shards.graph, &duration_us, &rank, lanes);
    Trial {
        shards,
        duration_ms,
        ranks,
        rank,
        schedule,
    }
}

/// Place of each shard: declared priority first, then upward rank.
fn priorities(demand: &Demand, shards: &Atoms, ranks: &[f64]) -> Vec<u32> {
    let mut declared = vec![i32::MIN; shards.profiles.len()];
    for (load, &shard) in demand.loads.iter().zip(&shards.of_task) {
        let highest = &mut declared[shard as usize];
        *highest = load.priority.max(*highest);
    }
    let mut sorted: Vec<u32> = (0..shards.profiles.len() as u32).collect();
    sorted.sort_by(|&a, &b| {
        declared[b as usize]
            .cmp(&declared[a as usize])
            .then(ranks[b as usize].total_cmp(&ranks[a as usize]))
            .then(a.cmp(&b))
    });
    let mut rank = vec![0; sorted.len()];
    for (at, &shard) in sorted.iter().enumerate() {
        rank[shard as usize] = at as u32;
    }
    rank
}

impl Trial {
    /// What it will use.
    pub(super) fn counted(&self, rules: &Rules<'_>, tasks: &Counted) -> Counted {
        counted(
            &self.shards,
            &self.duration_ms,
            &self.schedule,
            rules.ladders,
            tasks,
        )
    }
}

/// What some shards will use; virtual shards are not known here.
#[must_use]
pub fn counted(
    shards: &Atoms,
    duration_ms: &[f64],
    schedule: &Schedule,
    ladders: &[Ladder],
    tasks: &Counted,
) -> Counted {
    let gb_s = shards
        .profiles
        .iter()
        .zip(duration_ms)
        .map(|(p, ms)| p.memory_gb(&ladders[p.class as usize]) * (ms - SHARD_MS) / 1000.0)
        .sum();
    Counted {
        shards: shards.profiles.len() as u64,
        edges: shards.graph.edge_count() as u64,
        lanes: u64::from(schedule.width),
        parkings: u64::from(schedule.parkings),
        gb_s,
        makespan_ms: schedule.makespan_us as f64 / 1000.0,
        ..*tasks
    }
}
