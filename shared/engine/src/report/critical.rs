//! The critical path as it happened: the longest path through the tasks by measured durations, and the waits along it.

use foreshard_model::ids::{ShardId, TaskId};
use foreshard_model::units::TimeMs;
use serde::{Deserialize, Serialize};

use super::graph::Measurements;

/// Steps that are listed; a longer path is cut at its beginning and says so. It keeps a report readable.
const STEPS_LISTED: usize = 1_000;

/// The longest path.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CriticalPath {
    /// Sum of the measured durations along it, in milliseconds: no schedule of these tasks can be shorter.
    pub duration_ms: u64,
    /// Tasks along it.
    pub tasks: u32,
    /// Its last tasks, in order, at most a thousand.
    pub steps: Vec<PathStep>,
}

/// One task along the path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathStep {
    /// The task.
    pub task: TaskId,
    /// Its shard.
    pub shard: ShardId,
    /// Start, in milliseconds after the run was accepted.
    pub start_ms: u64,
    /// Measured duration, in milliseconds.
    pub duration_ms: u64,
    /// Time between the end of the step before and its start, in milliseconds: dispatch, claim, queueing.
    pub waited_ms: u64,
}

/// The longest path through the measured tasks; a task without a measurement counts nothing and is not listed.
///
/// Among predecessors of equal length the first named wins, so that the same run gives the same path.
///
/// ```text
/// a(3) ─► b(1) ─► d(2)     longest: a, b, d = 6
///    └──────────►─┘
/// ```
///
/// # Complexity
/// O(tasks + dependencies).
#[must_use]
pub fn critical_path(measurements: &Measurements<'_>, accepted_at: TimeMs) -> CriticalPath {
    let graph = measurements.graph();
    let Some(order) = graph.order() else {
        return CriticalPath::default();
    };
    let mut until = vec![0u64; graph.tasks.len()];
    let mut before: Vec<Option<u32>> = vec![None; graph.tasks.len()];
    let mut last: Option<u32> = None;
    for task in order {
        let mut start = 0;
        for need in &graph.needs[task as usize] {
            let end = until[*need as usize];
            if end > start || before[task as usize].is_none() {
                start = end;
                before[task as usize] = Some(*need);
            }
        }
        let duration = measurements.at(task).map_or(0, |m| m.usage.duration_ms);
        until[task as usize] = start + duration;
        if last.is_none_or(|l| until[task as usize] > until[l as usize]) {
            last = Some(task);
        }
    }
    let duration_ms = last.map_or(0, |l| until[l as usize]);
    let mut path = Vec::new();
    while let Some(task) = last {
        path.push(task);
        last = before[task as usize];
    }
    path.reverse();
    CriticalPath {
        duration_ms,
        tasks: u32::try_from(path.len()).unwrap_or(u32::MAX),
        steps: steps(measurements, &path, accepted_at),
    }
}

fn steps(measurements: &Measurements<'_>, path: &[u32], accepted_at: TimeMs) -> Vec<PathStep> {
    let mut ended = accepted_at.0;
    let mut steps: Vec<PathStep> = path
        .iter()
        .filter_map(|position| {
            let measured = measurements.at(*position)?;
            let usage = measured.usage;
            let step = PathStep {
                task: measurements.graph().tasks[*position as usize].clone(),
                shard: measured.shard,
                start_ms: usage.started_ms.saturating_sub(accepted_at.0),
                duration_ms: usage.duration_ms,
                waited_ms: usage.started_ms.saturating_sub(ended),
            };
            ended = usage.started_ms.saturating_add(usage.duration_ms);
            Some(step)
        })
        .collect();
    let cut = steps.len().saturating_sub(STEPS_LISTED);
    steps.drain(..cut);
    steps
}
