//! What the same DAG takes as plain Step Functions: one Standard Task state for each task, as a competent user writes it.

use foreshard_model::workflow::Task;

use crate::graph::{Csr, critical_path, levels};
use crate::place::SHARD_MS;

use super::{Counted, Rates};

/// What a plain state adds to its task, in milliseconds: a shard passes through two of them.
const STATE_MS: f64 = SHARD_MS / 2.0;
/// Events of a Lambda task: scheduled, started, succeeded, entered and exited. Source: Step Functions, `HistoryEventType`.
const TASK_EVENTS: u64 = 5;
/// Events of a Parallel state beside its branches.
const PARALLEL_EVENTS: u64 = 4;
/// Events of an execution beside its states.
const EXECUTION_EVENTS: u64 = 2;

/// A branch of one task but for its id, which is in it three times, and its type. What Workflow Studio writes, in one line.
const BRANCH: &str = r#"{"StartAt":"","States":{"":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"","Payload":{"task":""}},"Retry":[{"ErrorEquals":["Lambda.ServiceException","Lambda.SdkClientException","Lambda.TooManyRequestsException"],"BackoffRate":2,"JitterStrategy":"FULL"}],"End":true}}}"#;
/// A level but for its branches and numbers.
const LEVEL: &str = r#""":{"Type":"Parallel","Branches":[],"Next":""}"#;
/// The last level ends instead of naming the next.
const LAST_LEVEL: &str = r#""":{"Type":"Parallel","Branches":[],"End":true}"#;
/// The document but for its states.
const DOCUMENT: &str = r#"{"StartAt":"0","States":{}}"#;

/// A DAG as plain states.
///
/// Amazon States Language has no arrows between the branches of a Parallel state: a DAG that is not series-parallel is
/// written as one Parallel state after the other, a level of the DAG in each, and every level waits for all of the one before.
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
    let levels = longest.len() as u64;
    Plain {
        makespan_ms: critical_path(graph, order, &state_ms).max(crowded),
        by_levels_ms: barriers.max(crowded),
        levels,
        definition_bytes: definition_bytes(tasks, levels),
        events: TASK_EVENTS * tasks.len() as u64 + PARALLEL_EVENTS * levels + EXECUTION_EVENTS,
    }
}

fn definition_bytes(tasks: &[Task], levels: u64) -> u64 {
    let branch = |task: &Task| BRANCH.len() + 3 * task.id.as_str().len() + task.task_type.len();
    let branches: u64 = tasks.iter().map(|task| branch(task) as u64).sum();
    // Between branches, and between levels, a comma.
    let commas = (tasks.len() as u64).saturating_sub(levels) + levels.saturating_sub(1);
    let numbered: u64 = (0..levels).map(digits).sum();
    let following: u64 = (1..levels).map(digits).sum();
    let states = LEVEL.len() as u64 * levels.saturating_sub(1) + LAST_LEVEL.len() as u64;
    DOCUMENT.len() as u64 + states + numbered + following + branches + commas
}

fn digits(number: u64) -> u64 {
    number.checked_ilog10().map_or(1, |log| u64::from(log) + 1)
}

/// Dollars of one Standard state, one invocation, the smallest tier that fits and the scratch disk that its files need for
/// each task; its files are stored all the same.
#[must_use]
pub fn plain_usd(counted: &Counted, rates: &Rates) -> f64 {
    counted.tasks as f64 * (rates.transition + rates.invocation)
        + counted.plain_gb_s * rates.gb_s
        + counted.plain_disk_gb_s * rates.disk_gb_s
        + counted.objects as f64 * rates.put
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Edge;
    use crate::graph::topological_order;
    use crate::plan::tests::workflow;

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
        let level = levels(&graph, &order);
        let last = *level.iter().max().unwrap();
        let branch = |task: &Task| {
            BRANCH
                .replacen("\"\"", &format!("\"{}\"", task.id), 2)
                .replacen(
                    "\"FunctionName\":\"\"",
                    &format!("\"FunctionName\":\"{}\"", task.task_type),
                    1,
                )
                .replacen("\"task\":\"\"", &format!("\"task\":\"{}\"", task.id), 1)
        };
        let states: Vec<String> = (0..=last)
            .map(|wanted| {
                let branches: Vec<String> = workflow
                    .tasks
                    .iter()
                    .zip(&level)
                    .filter(|(_, level)| **level == wanted)
                    .map(|(task, _)| branch(task))
                    .collect();
                let next = if wanted == last {
                    "\"End\":true".to_owned()
                } else {
                    format!("\"Next\":\"{}\"", wanted + 1)
                };
                format!(
                    "\"{wanted}\":{{\"Type\":\"Parallel\",\"Branches\":[{}],{next}}}",
                    branches.join(",")
                )
            })
            .collect();
        let text = format!("{{\"StartAt\":\"0\",\"States\":{{{}}}}}", states.join(","));
        let _: serde_json::Value = serde_json::from_str(&text).unwrap();
        let ms = vec![1_000.0; workflow.tasks.len()];
        let plain = plain(&graph, &order, &ms, &workflow.tasks, 1_000);
        assert_eq!(plain.definition_bytes, text.len() as u64, "{text}");
        assert_eq!(plain.levels, 3);
        assert_eq!(plain.events, 5 * 5 + 3 * 4 + 2);
        assert_eq!(plain.makespan_ms, 3.0 * 1_075.0);
        assert_eq!(plain.by_levels_ms, 3.0 * 1_150.0);
        let crowded = super::plain(&graph, &order, &ms, &workflow.tasks, 1);
        assert_eq!(crowded.makespan_ms, 5.0 * 1_075.0);
    }
}
