//! The list schedule: one task after the other, each into the idle time where it ends first.

use super::gaps::{Gaps, Slot};
use super::optimistic::optimistic;
use super::priority::{Priority, sequence};
use super::{Instance, Timetable};

/// How a list schedule chooses the target of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Where it ends first: HEFT's rule.
    EarliestFinish,
    /// Where its end and what remains at best come to least: PEFT's rule.
    LookAhead,
}

/// A timetable by one priority and one rule of choice, with insertion into gaps.
///
/// # Complexity
///
/// O(edges + tasks · (log tasks + targets)): HEFT as published is O(tasks² · targets), its gaps being searched from the start.
#[must_use]
pub fn list(instance: &Instance<'_>, priority: Priority, choice: Choice) -> Timetable {
    let order = sequence(instance, priority);
    let remaining = match choice {
        Choice::EarliestFinish => Vec::new(),
        Choice::LookAhead => optimistic(instance),
    };
    in_order(instance, &order, &remaining)
}

/// A timetable that takes the tasks in this order, each after all that it needs.
pub fn in_order(instance: &Instance<'_>, order: &[u32], remaining: &[f64]) -> Timetable {
    let tasks = instance.work_s.len();
    let speeds = &instance.network.speeds;
    let pace: Vec<f64> = speeds.iter().map(|speed| 1.0 / speed).collect();
    let least = instance.work_s.iter().copied().fold(f64::MAX, f64::min);
    let mut fastest: Vec<usize> = (0..speeds.len()).collect();
    fastest.sort_by(|&a, &b| speeds[b].total_cmp(&speeds[a]).then(a.cmp(&b)));
    let mut gaps = vec![Gaps::default(); speeds.len()];
    let mut ready = vec![0.0_f64; speeds.len()];
    let mut table = Timetable {
        target: vec![0; tasks],
        start_s: vec![0.0; tasks],
        finish_s: vec![0.0; tasks],
        makespan_s: 0.0,
    };
    for &task in order {
        arrivals(instance, &table, task, &mut ready);
        let work = instance.work_s[task as usize];
        let rest = remaining.get(task as usize * speeds.len()..).unwrap_or(&[]);
        let mut best: Option<(f64, f64, usize, Slot)> = None;
        for &target in &fastest {
            let takes = work * pace[target];
            let more = rest.get(target).copied().unwrap_or(0.0);
            if best.is_some_and(|(least, ..)| ready[target] + takes + more >= least) {
                continue;
            }
            let slot = gaps[target].earliest(ready[target], takes);
            let end = slot.start + takes;
            if best.is_none_or(|(least, ..)| end + more < least) {
                best = Some((end + more, end, target, slot));
            }
        }
        let Some((_, end, target, slot)) = best else {
            break;
        };
        gaps[target].take(slot, work * pace[target], least * pace[target]);
        table.target[task as usize] = target as u32;
        table.start_s[task as usize] = slot.start;
        table.finish_s[task as usize] = end;
        table.makespan_s = table.makespan_s.max(end);
    }
    table
}

/// When the task's inputs are on each target.
fn arrivals(instance: &Instance<'_>, table: &Timetable, task: u32, ready: &mut [f64]) {
    ready.fill(0.0);
    for (before, bytes) in instance.graph.incoming_bytes(task) {
        let end = table.finish_s[before as usize];
        let home = table.target[before as usize] as usize;
        let here = ready[home].max(end);
        let elsewhere = end + instance.moving(bytes);
        for at in &mut *ready {
            *at = at.max(elsewhere);
        }
        // `home` was raised with the others: it only had to wait for what it held before, and for the task's end.
        ready[home] = here;
    }
}
