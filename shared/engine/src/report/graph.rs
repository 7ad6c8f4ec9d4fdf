//! The task graph as planning leaves it behind for the report, and what was measured of each of its tasks.

use std::collections::BTreeMap;

use foreshard_model::ids::{ShardId, TaskId};
use foreshard_model::output::{Manifest, OutputValue, TaskUsage};
use foreshard_model::workflow::Workflow;
use serde::{Deserialize, Serialize};

/// Who needs whom, without anything else: a tenth of the document's size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskGraph {
    /// The tasks, in the order of the workflow.
    pub tasks: Vec<TaskId>,
    /// For each task the positions of its direct predecessors.
    pub needs: Vec<Vec<u32>>,
}

impl TaskGraph {
    /// The graph of a workflow.
    #[must_use]
    pub fn of(workflow: &Workflow) -> Self {
        Self {
            tasks: workflow.tasks.iter().map(|t| t.id.clone()).collect(),
            needs: workflow
                .tasks
                .iter()
                .map(|t| t.needs.iter().map(|n| n.task.0).collect())
                .collect(),
        }
    }

    /// Positions such that every task comes after what it needs; `None` when the graph is no DAG of its own tasks.
    #[must_use]
    pub(super) fn order(&self) -> Option<Vec<u32>> {
        let count = self.tasks.len();
        if self.needs.len() != count {
            return None;
        }
        let mut missing: Vec<usize> = self.needs.iter().map(Vec::len).collect();
        let mut followers: Vec<Vec<u32>> = vec![Vec::new(); count];
        for (task, needs) in (0u32..).zip(&self.needs) {
            for need in needs {
                followers.get_mut(*need as usize)?.push(task);
            }
        }
        let mut order: Vec<u32> = (0u32..)
            .zip(&missing)
            .filter(|(_, missing)| **missing == 0)
            .map(|(task, _)| task)
            .collect();
        let mut next = 0;
        while let Some(task) = order.get(next).copied() {
            next += 1;
            for follower in &followers[task as usize] {
                let left = &mut missing[*follower as usize];
                *left -= 1;
                if *left == 0 {
                    order.push(*follower);
                }
            }
        }
        (order.len() == count).then_some(order)
    }
}

/// What was measured of one task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The shard that ran it.
    pub shard: ShardId,
    /// What it used, in the attempt whose output is committed.
    pub usage: TaskUsage,
    /// Objects that it has left in the store: files, and a value too large for the manifest.
    pub objects: u32,
}

/// What was measured of the tasks of a graph; manifests may be added in any order, each once or more.
#[derive(Debug, Clone)]
pub struct Measurements<'g> {
    graph: &'g TaskGraph,
    positions: BTreeMap<&'g TaskId, u32>,
    measured: Vec<Option<Measured>>,
}

impl<'g> Measurements<'g> {
    /// Nothing measured yet.
    #[must_use]
    pub fn new(graph: &'g TaskGraph) -> Self {
        Self {
            graph,
            positions: graph.tasks.iter().zip(0u32..).collect(),
            measured: vec![None; graph.tasks.len()],
        }
    }

    /// Takes the committed manifest of a shard into account.
    pub fn add(&mut self, manifest: &Manifest) {
        for (task, output) in &manifest.tasks {
            let Some(position) = self.positions.get(task) else {
                continue;
            };
            self.measured[*position as usize] = Some(Measured {
                shard: manifest.shard,
                usage: output.usage,
                objects: u32::try_from(output.files.len()).unwrap_or(u32::MAX)
                    + u32::from(matches!(output.value, OutputValue::Stored(_))),
            });
        }
    }

    /// The graph that they belong to.
    #[must_use]
    pub fn graph(&self) -> &'g TaskGraph {
        self.graph
    }

    /// What was measured of the task at a position.
    #[must_use]
    pub fn at(&self, position: u32) -> Option<&Measured> {
        self.measured.get(position as usize)?.as_ref()
    }

    /// Tasks whose output is committed.
    #[must_use]
    pub fn committed(&self) -> u32 {
        u32::try_from(self.measured.iter().flatten().count()).unwrap_or(u32::MAX)
    }

    /// Objects that all tasks have left in the store.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.measured
            .iter()
            .flatten()
            .map(|m| u64::from(m.objects))
            .sum()
    }

    /// Sum of the durations, in milliseconds.
    #[must_use]
    pub fn work_ms(&self) -> u64 {
        self.measured
            .iter()
            .flatten()
            .map(|m| m.usage.duration_ms)
            .sum()
    }
}
