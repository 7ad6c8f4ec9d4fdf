//! The list schedule: when lanes that pull shards by priority will run each of them. Also the judge of every sharding.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use crate::graph::Csr;

/// When and on which lane each shard runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Schedule {
    /// Start of each shard, in microseconds after the run's.
    pub start_us: Vec<u64>,
    /// Lane of each shard.
    pub lane: Vec<u32>,
    /// End of the last shard, in microseconds.
    pub makespan_us: u64,
    /// Lanes that were busy at the same time, at most.
    pub width: u32,
    /// How often a lane finds nothing ready and has to wait: see [`parkings`].
    pub parkings: u32,
}

impl Schedule {
    /// The schedule of shards whose times are known: each gets the lowest lane that is free.
    ///
    /// # Complexity
    ///
    /// O(shards · log shards).
    #[must_use]
    pub fn of_times(start_us: &[u64], takes_us: &[u64]) -> Self {
        let mut order: Vec<u32> = (0..start_us.len() as u32).collect();
        order.sort_by_key(|&shard| (start_us[shard as usize], shard));
        let mut schedule = Self {
            start_us: start_us.to_vec(),
            lane: vec![0; start_us.len()],
            ..Self::default()
        };
        let mut running: BinaryHeap<Reverse<(u64, u32)>> = BinaryHeap::new();
        let mut idle: BTreeSet<u32> = BTreeSet::new();
        for shard in order {
            let start = start_us[shard as usize];
            while let Some(&Reverse((ends, lane))) = running.peek() {
                if ends > start {
                    break;
                }
                running.pop();
                idle.insert(lane);
            }
            let lane = idle.pop_first().unwrap_or_else(|| {
                schedule.width += 1;
                schedule.width - 1
            });
            schedule.lane[shard as usize] = lane;
            let ends = start + takes_us[shard as usize];
            schedule.makespan_us = schedule.makespan_us.max(ends);
            running.push(Reverse((ends, lane)));
        }
        schedule.parkings = parkings(start_us, takes_us);
        schedule
    }
}

/// How often lanes will park, when as many of them as run at once at most all begin at the start.
///
/// ```text
///   lane 0 │ a │ c   │ f │     lane 2 ends behind d: never again do more lanes run than then, and two do (frontier::spare);
///   lane 1     │ e  │          lane 1 parks, one of two; before, both had found nothing at first and parked once
///   lane 2     │ d │
/// ```
///
/// # Complexity
///
/// O(shards · log shards).
#[must_use]
pub fn parkings(start_us: &[u64], takes_us: &[u64]) -> u32 {
    // Moments at which something starts or ends: when, how many end, how many start.
    let mut moments: BTreeMap<u64, (u32, u32)> = BTreeMap::new();
    for (start, takes) in start_us.iter().zip(takes_us) {
        moments.entry(*start).or_default().1 += 1;
        moments.entry(start + takes).or_default().0 += 1;
    }
    let mut running = Vec::with_capacity(moments.len());
    let mut now = 0;
    for (ended, started) in moments.values() {
        now = now + started - ended;
        running.push(now);
    }
    let at_first = moments.values().next().map_or(0, |(_, started)| *started);
    let mut parked = running
        .iter()
        .max()
        .map_or(0, |most| most - at_first.min(*most));
    let mut ahead = 0;
    for ((ended, started), running) in moments.values().zip(&running).rev() {
        let spare = *running >= ahead.max(2);
        if *running > 0 && !spare {
            parked += ended.saturating_sub(*started);
        }
        ahead = ahead.max(*running);
    }
    parked
}

/// Runs the shards on `lanes` lanes: a free lane takes the ready shard of lowest `rank`.
///
/// ```text
///   lane 0 │ a │   c    │ e │
///   lane 1 │   b   │ d │
/// ```
///
/// Ties go to the lower lane and the lower shard, so that the same shards always give the same schedule. The graph has no
/// cycle; shards on a cycle would never start.
///
/// # Complexity
///
/// O(edges + shards · log shards).
#[must_use]
pub fn list_schedule(graph: &Csr, duration_us: &[u64], rank: &[u32], lanes: u32) -> Schedule {
    let shards = graph.len();
    let mut schedule = Schedule {
        start_us: vec![0; shards],
        lane: vec![0; shards],
        ..Schedule::default()
    };
    let mut missing: Vec<u32> = (0..shards as u32)
        .map(|shard| graph.predecessors(shard).len() as u32)
        .collect();
    let mut ready: BinaryHeap<Reverse<(u32, u32)>> = (0..shards as u32)
        .filter(|&shard| missing[shard as usize] == 0)
        .map(|shard| Reverse((rank[shard as usize], shard)))
        .collect();
    let mut running: BinaryHeap<Reverse<(u64, u32, u32)>> = BinaryHeap::new();
    let mut idle: BTreeSet<u32> = BTreeSet::new();
    let mut opened = 0;
    let mut now = 0;
    loop {
        while !ready.is_empty() {
            let lane = match idle.pop_first() {
                Some(lane) => lane,
                None if opened < lanes.max(1) => {
                    opened += 1;
                    opened - 1
                }
                None => break,
            };
            let Some(Reverse((_, shard))) = ready.pop() else {
                break;
            };
            schedule.start_us[shard as usize] = now;
            schedule.lane[shard as usize] = lane;
            running.push(Reverse((now + duration_us[shard as usize], lane, shard)));
        }
        schedule.width = schedule.width.max(running.len() as u32);
        let Some(Reverse((ends, lane, shard))) = running.pop() else {
            break;
        };
        now = ends;
        idle.insert(lane);
        release(graph, shard, rank, &mut missing, &mut ready);
        while let Some(&Reverse((also, lane, shard))) = running.peek() {
            if also > now {
                break;
            }
            running.pop();
            idle.insert(lane);
            release(graph, shard, rank, &mut missing, &mut ready);
        }
    }
    schedule.makespan_us = now;
    schedule.parkings = parkings(&schedule.start_us, duration_us);
    schedule
}

fn release(
    graph: &Csr,
    shard: u32,
    rank: &[u32],
    missing: &mut [u32],
    ready: &mut BinaryHeap<Reverse<(u32, u32)>>,
) {
    for &successor in graph.successors(shard) {
        missing[successor as usize] -= 1;
        if missing[successor as usize] == 0 {
            ready.push(Reverse((rank[successor as usize], successor)));
        }
    }
}
