//! What tasks took against what was expected of them, by type.

use std::collections::BTreeMap;

use foreshard_model::ids::{Generation, TaskId};
use foreshard_model::output::{Manifest, ShardTask};
use foreshard_model::topology::ShardNode;

/// Observations of a type before its estimate is doubted: two may be an accident.
const ENOUGH: usize = 3;

/// Observations kept of a type: a median of more says nothing new.
const KEPT: usize = 512;

/// Durations realised against estimated, by task type.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// Realised over estimated.
    ratios: BTreeMap<String, Vec<f64>>,
    sealed: BTreeMap<String, f64>,
}

impl Observed {
    /// Takes the finished tasks of a shard, or of its checkpoint.
    pub fn add(&mut self, tasks: &[ShardTask], manifest: &Manifest) {
        for task in tasks {
            if let Some(output) = manifest.tasks.get(&task.id) {
                self.took(task, output.usage.duration_ms as f64);
            }
        }
    }

    /// A task has taken this long, or longer: it may still be running.
    pub(super) fn took(&mut self, task: &ShardTask, ms: f64) {
        let ratios = self.ratios.entry(task.task_type.clone()).or_default();
        if ratios.len() < KEPT {
            ratios.push(ms.max(1.0) / (task.estimate_ms.max(1)) as f64);
        }
    }

    /// Nothing is added any more: medians are kept.
    pub(super) fn seal(&mut self) {
        for (task_type, ratios) in &mut self.ratios {
            if ratios.len() >= ENOUGH {
                ratios.sort_by(f64::total_cmp);
                let median = ratios[ratios.len() / 2];
                self.sealed.insert(task_type.clone(), median);
            }
        }
    }

    /// How long a task is expected to take by now, in milliseconds: its estimate times the median of its type.
    pub(super) fn expected_ms(&self, task: &ShardTask) -> f64 {
        task.estimate_ms.max(1) as f64 * self.ratio(&task.task_type)
    }

    /// How long a shard takes for each millisecond of its tasks, as it was planned: below one where they run side by side.
    ///
    /// The plan knew the estimates, a cut the observations of its time. What a shard takes once, however long its tasks are,
    /// is no part of it.
    pub(super) fn scale(&self, node: &ShardNode, tasks: &[ShardTask]) -> f64 {
        let of_plan = |task: &ShardTask| task.estimate_ms.max(1) as f64;
        let planned_ms: f64 = match node.generation {
            Generation(0) => tasks.iter().map(of_plan).sum(),
            _ => tasks.iter().map(|task| self.expected_ms(task)).sum(),
        };
        (node.estimate_ms.max(1) as f64 / planned_ms.max(1.0)).min(1.0)
    }

    /// Realised over estimated of a type; 1 of one of which too little was seen.
    pub(super) fn ratio(&self, task_type: &str) -> f64 {
        self.sealed.get(task_type).copied().unwrap_or(1.0)
    }

    /// The type that is farthest from its estimate, either way, among those that were seen often enough.
    pub(super) fn farthest(&self) -> Option<(&str, f64, usize)> {
        let far = |ratio: f64| ratio.ln().abs();
        let all = self.sealed.iter();
        let (name, ratio) = all.max_by(|a, b| far(*a.1).total_cmp(&far(*b.1)))?;
        Some((name, *ratio, self.ratios.get(name).map_or(0, Vec::len)))
    }
}

/// Tasks of a shard that are not finished.
pub(super) fn open<'t>(
    tasks: &'t [ShardTask],
    finished: &'t std::collections::BTreeSet<TaskId>,
) -> impl Iterator<Item = &'t ShardTask> {
    tasks.iter().filter(|task| !finished.contains(&task.id))
}
