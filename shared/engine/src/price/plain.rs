//! What the same DAG takes as plain Step Functions: one Standard Task state for each task, as a competent user writes it.

use foreshard_model::workflow::Task;

use crate::graph::{Csr, critical_path, levels};
use crate::place::SHARD_MS;

use super::definition::measured;
use super::{Counted, Rates};

/// What a plain state adds to its task, in milliseconds: a shard passes through two of them.
const STATE_MS: f64 = SHARD_MS / 2.0;
/// A DAG as plain states.
///
/// [`definition`](super::definition()) writes it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Plain {
    /// End of the run were each task to start once its inputs are there, in milliseconds: no plain run is faster.
    pub makespan_ms: f64,
    /// The same with a Parallel state for each level, in milliseconds.
    pub by_levels_ms: f64,
    /// Levels of the DAG.
    pub levels: u64,
    /// The definition, in bytes; escapes in names are not counted.
    pub definition_bytes: u64,
    /// Events in the history of one execution.
    pub events: u64,
}

/// Measures the plain DAG: `ms` is what each task takes alone on the smallest tier that fits, inputs read, outputs stored.
///
/// # Complexity
///
/// O(tasks + edges).
#[must_use]
pub fn plain(graph: &Csr, order: &[u32], ms: &[f64], tasks: &[Task], concurrency: u32) -> Plain {
    let state_ms: Vec<f64> = ms.iter().map(|ms| ms + STATE_MS).collect();
    let level = levels(graph, order);
    let mut longest: Vec<f64> = Vec::new();
    for (&level, &ms) in level.iter().zip(&state_ms) {
        let level = level as usize;
        if longest.len() <= level {
            longest.resize(level + 1, 0.0);
        }
        longest[level] = longest[level].max(ms);
    }
    let at_once = f64::from(concurrency.max(1));
    let crowded = state_ms.iter().sum::<f64>() / at_once;
    let barriers: f64 = longest.iter().map(|ms| ms + STATE_MS).sum();
    let (definition_bytes, events) = measured(&level, tasks);
    Plain {
        makespan_ms: critical_path(graph, order, &state_ms).max(crowded),
        by_levels_ms: barriers.max(crowded),
        levels: longest.len() as u64,
        definition_bytes,
        events,
    }
}

/// Dollars of one Standard state, one invocation, the smallest tier that fits and the scratch disk that its files need for
/// each task; its files are stored all the same.
#[must_use]
pub fn plain_usd(counted: &Counted, rates: &Rates) -> f64 {
    plain_orchestration_usd(counted, rates)
        + counted.plain_gb_s * rates.gb_s
        + counted.plain_disk_gb_s * rates.disk_gb_s
}

/// All of [`plain_usd`] but memory and scratch disk: states, invocations, and what is stored.
#[must_use]
pub fn plain_orchestration_usd(counted: &Counted, rates: &Rates) -> f64 {
    counted.tasks as f64 * (rates.transition + rates.invocation)
        + counted.objects as f64 * rates.put
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Edge;
    use crate::graph::topological_order;
    use crate::plan::tests::workflow;
    use crate::price::definition;

    #[test]
    fn the_definition_is_measured_to_the_byte() {
        let workflow = workflow("a>b a>c b>d c>d solo");
        let graph = Csr::new(
            workflow.tasks.len(),
            workflow.tasks.iter().enumerate().flat_map(|(to, task)| {
                task.needs.iter().map(move |need| Edge {
                    from: need.task.0,
                    to: to as u32,
                    bytes: 0,
                })
            }),
        );
        let order = topological_order(&graph).unwrap();
        let types = workflow.tasks.iter().map(|task| task.task_type.clone());
        let written = definition(&workflow, &types.collect::<Vec<_>>());
        let _: serde_json::Value = serde_json::from_str(&written.text).unwrap();
        let ms = vec![1_000.0; workflow.tasks.len()];
        let plain = plain(&graph, &order, &ms, &workflow.tasks, 1_000);
        assert_eq!(plain.definition_bytes, written.text.len() as u64);
        assert_eq!(plain.events, written.events);
        assert_eq!(plain.levels, 3);
        assert_eq!(plain.events, 5 * 5 + 2 * 4 + 2);
        assert_eq!(plain.makespan_ms, 3.0 * 1_075.0);
        assert_eq!(plain.by_levels_ms, 3.0 * 1_150.0);
        let crowded = super::plain(&graph, &order, &ms, &workflow.tasks, 1);
        assert_eq!(crowded.makespan_ms, 5.0 * 1_075.0);
    }
}
