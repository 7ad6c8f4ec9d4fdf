//! How long a shard's tasks take side by side: the worker's own order on the threads of its tier, instead of a bound.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::place::{Load, Rung};

use super::Demand;
use super::atoms::Atoms;
use super::contract::Members;
use super::rules::Rules;

/// Standard deviation of a task's duration, as a share of it: estimates are not exact, and nothing pays for the threads that wait
/// for the last task but the shard. Assumed: equal tasks on equal functions differ by some percent, and so do the simulator's.
const SPREAD: f64 = 0.06;

/// By how many standard deviations the largest of so many normal values is above their mean (Blom, "Statistical estimates and
/// transformed beta-variables", 1958): one to six, which is the most threads that a function has.
const LARGEST_OF: [f64; 6] = [0.0, 0.56, 0.85, 1.03, 1.16, 1.27];

/// Replaces the bound of every shard whose tasks share threads by what the worker's order gives.
///
/// ```text
///   thread 0 │ a │ d │         a free thread takes the first task, by upward rank, whose predecessors are done;
///   thread 1 │  b  │           one that needs more threads than are free is passed over
///   thread 2 │  c  │           bound: longest path + (work - longest path) / 3
/// ```
///
/// # Complexity
///
/// O(edges + tasks · log tasks) where a shard has several threads and tasks to share them; otherwise O(shards).
pub(super) fn pack(demand: &Demand, shards: &mut Atoms, rules: &Rules<'_>) {
    let rungs: Vec<Option<&Rung>> = shards
        .profiles
        .iter()
        .map(|profile| {
            let rungs = rules.ladders[profile.class as usize].rungs();
            let several = |rung: &&Rung| rung.threads > 1 && profile.tasks > profile.depth;
            rungs.get(profile.rung).filter(several)
        })
        .collect();
    if rungs.iter().all(Option::is_none) {
        return;
    }
    let members = Members::new(&shards.of_task, rungs.len(), &demand.sequence);
    let mut side = Side {
        demand,
        of: &shards.of_task,
        missing: vec![0; demand.loads.len()],
        place: vec![0; demand.loads.len()],
    };
    for (shard, (profile, rung)) in shards.profiles.iter_mut().zip(rungs).enumerate() {
        let Some(rung) = rung else { continue };
        let tasks = members.of(shard as u32);
        // Six threads on 5.8 vCPUs are a little slower than one on one.
        let share = (f64::from(rung.threads) / rung.vcpus.max(1.0)).max(1.0);
        let ms = side.by_side_us(tasks, rung.threads) as f64 * share / 1000.0;
        let takes_ms = ms + waits_ms(demand, tasks, rung.threads, ms);
        *profile = profile.packed(rung.threads, takes_ms);
    }
}

/// How much longer a shard is expected to take because its tasks do not take exactly what is estimated: what a thread runs in
/// `ms` varies by [`SPREAD`] of each task, independently, and the shard ends with the last thread.
fn waits_ms(demand: &Demand, tasks: &[u32], threads: u32, ms: f64) -> f64 {
    let of = |task: &u32| demand.loads[*task as usize].ms;
    let work_ms: f64 = tasks.iter().map(of).sum();
    let squares: f64 = tasks.iter().map(|task| of(task) * of(task)).sum();
    let at_once = (threads as usize).min(tasks.len()).min(LARGEST_OF.len());
    if work_ms <= 0.0 || at_once == 0 {
        return 0.0;
    }
    SPREAD * LARGEST_OF[at_once - 1] * (squares / work_ms * ms).sqrt()
}

/// Threads that a task keeps busy: as many as its processor time takes within its duration.
fn used_threads(load: &Load) -> u32 {
    (load.cpu_ms / load.ms.max(f64::MIN_POSITIVE))
        .ceil()
        .max(1.0) as u32
}

struct Side<'a> {
    demand: &'a Demand,
    of: &'a [u32],
    /// Predecessors of each task in its own shard that are not done.
    missing: Vec<u32>,
    /// Place of each task in the order of its shard.
    place: Vec<u32>,
}

impl Side<'_> {
    /// When the last of the tasks ends, in microseconds after the first starts.
    fn by_side_us(&mut self, tasks: &[u32], threads: u32) -> u64 {
        let graph = &self.demand.graph;
        let mut ready: BinaryHeap<Reverse<u32>> = BinaryHeap::new();
        for (place, &task) in tasks.iter().enumerate() {
            let mine = self.of[task as usize];
            let inside = |before: &&u32| self.of[**before as usize] == mine;
            let missing = graph.predecessors(task).iter().filter(inside).count();
            self.missing[task as usize] = missing as u32;
            self.place[task as usize] = place as u32;
            if missing == 0 {
                ready.push(Reverse(place as u32));
            }
        }
        let mut running: BinaryHeap<Reverse<(u64, u32)>> = BinaryHeap::new();
        let mut passed_over: Vec<Reverse<u32>> = Vec::new();
        let (mut now_us, mut free) = (0, threads);
        loop {
            while free > 0
                && let Some(Reverse(place)) = ready.pop()
            {
                let task = tasks[place as usize];
                let load = &self.demand.loads[task as usize];
                let uses = used_threads(load).min(threads);
                if uses > free {
                    passed_over.push(Reverse(place));
                    continue;
                }
                free -= uses;
                running.push(Reverse((now_us + (load.ms * 1000.0) as u64, task)));
            }
            ready.extend(passed_over.drain(..));
            let Some(Reverse((ends_us, task))) = running.pop() else {
                return now_us;
            };
            now_us = ends_us;
            free += used_threads(&self.demand.loads[task as usize]).min(threads);
            for &next in graph.successors(task) {
                if self.of[next as usize] == self.of[task as usize] {
                    self.missing[next as usize] -= 1;
                    if self.missing[next as usize] == 0 {
                        ready.push(Reverse(self.place[next as usize]));
                    }
                }
            }
        }
    }
}
