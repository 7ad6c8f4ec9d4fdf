//! Tasks that are planned, and may still be stopped: alone in their shard, and long for the target that it runs on.

use foreshard_model::problem::{Problem, Severity};
use foreshard_model::target::Pool;
use foreshard_model::workflow::Workflow;

use crate::place::SHARD_MS;
use crate::price::KNOWN_AT_MOST;

use super::emit::Layout;

/// A task that may not end in time.
struct Tight {
    task: usize,
    ms: f64,
    limit_ms: u64,
    target: usize,
}

/// What is said of tasks that end in time only if they take no longer than expected.
///
/// Shards of several tasks are cut so that they end in time nonetheless; a task cannot be cut.
pub(super) fn warnings(layout: &Layout<'_>, workflow: &Workflow, pool: &Pool) -> Vec<Problem> {
    let tight = tight(layout);
    let Some(longest) = tight.iter().max_by(|a, b| a.share().total_cmp(&b.share())) else {
        return Vec::new();
    };
    let id = &workflow.tasks[longest.task].id;
    let others = match tight.len() - 1 {
        0 => String::new(),
        more => format!("; it is the tightest of {} such tasks", more + 1),
    };
    vec![Problem {
        code: "FS2013".to_owned(),
        severity: Severity::Note,
        path: format!("tasks.{id}.estimate_ms"),
        place: None,
        message: format!(
            "the task is expected to take {:.0} s, and `{}` stops after {:.0} s: one that takes {:.1} % longer fails{others}",
            longest.ms / 1000.0,
            pool.targets[longest.target].id,
            longest.limit_ms as f64 / 1000.0,
            (longest.limit_ms as f64 / longest.ms - 1.0) * 100.0,
        ),
        hint: Some(
            "declare how the task can be split, or give it more vCPUs if it can use them"
                .to_owned(),
        ),
    }]
}

impl Tight {
    /// Of the time that it has, the part that it is expected to take.
    fn share(&self) -> f64 {
        self.ms / self.limit_ms as f64
    }
}

fn tight(layout: &Layout<'_>) -> Vec<Tight> {
    let chosen = layout.chosen;
    let mut of_shard = vec![None; chosen.shards.profiles.len()];
    for (number, &shard) in layout.at.iter().enumerate() {
        let rung = layout.rung(number as u32);
        let ms = chosen.duration_ms[shard as usize] - SHARD_MS;
        let alone = chosen.shards.profiles[shard as usize].tasks == 1;
        if alone && ms * KNOWN_AT_MOST > rung.limit_ms as f64 {
            of_shard[shard as usize] = Some((ms, rung));
        }
    }
    let tasks = chosen.shards.of_task.iter().enumerate();
    tasks
        .filter_map(|(task, &shard)| {
            let (ms, rung) = of_shard[shard as usize]?;
            Some(Tight {
                task,
                ms,
                limit_ms: rung.limit_ms,
                target: rung.target,
            })
        })
        .collect()
}
