//! The task graph as planning leaves it behind for the report, and what was measured of each of its tasks.

use std::collections::BTreeMap;

use foreshard_model::ids::{ShardId, TaskId};
use foreshard_model::output::{Manifest, OutputValue, TaskUsage};
use foreshard_model::workflow::{Task, TaskKind, Workflow};
use serde::{Deserialize, Serialize};

use crate::profile::learnt_type;
use crate::rightsize::learnt_types;

/// Who needs whom, without anything else: a tenth of the document's size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskGraph {
    /// The tasks, in the order of the workflow.
    pub tasks: Vec<TaskId>,
    /// For each task the positions of its direct predecessors.
    pub needs: Vec<Vec<u32>>,
    /// Names that profiles are kept by, each once; see [`learnt_type`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learnt: Vec<String>,
    /// For each task the position of its name among them; beyond their end: nothing is learnt of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learnt_as: Vec<u32>,
}

impl TaskGraph {
    /// The graph of a workflow.
    #[must_use]
    pub fn of(workflow: &Workflow) -> Self {
        let learnt = learnt_types(workflow);
        let learnt_as = learnt_as(workflow, &learnt);
        Self {
            learnt,
            learnt_as,
            tasks: workflow.tasks.iter().map(|t| t.id.clone()).collect(),
            needs: workflow
                .tasks
                .iter()
                .map(|t| t.needs.iter().map(|n| n.task.0).collect())
                .collect(),
        }
    }

    /// The name that the profiles of the task at a position are kept by.
    #[must_use]
    pub fn learnt_as(&self, position: u32) -> Option<&str> {
        let name = *self.learnt_as.get(position as usize)?;
        self.learnt.get(name as usize).map(String::as_str)
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

/// For each task the position of its name; empty where there is none at all.
fn learnt_as(workflow: &Workflow, learnt: &[String]) -> Vec<u32> {
    if learnt.is_empty() {
        return Vec::new();
    }
    let mut last: (&str, u32) = ("", u32::MAX);
    let position = |task: &Task| {
        let name = learnt_type(&workflow.name, &task.kind, &task.task_type)?;
        Some(learnt.binary_search(&name).ok()? as u32)
    };
    let mut all = Vec::with_capacity(workflow.tasks.len());
    for task in &workflow.tasks {
        if matches!(task.kind, TaskKind::Synthetic(_)) {
            all.push(u32::MAX);
            continue;
        }
        // Tasks of one type mostly follow each other.
        if last.0 != task.task_type {
            last = (&task.task_type, position(task).unwrap_or(u32::MAX));
        }
        all.push(last.1);
    }
    all
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

    /// The name that a task's profiles are kept by.
    #[must_use]
    pub fn learnt_as(&self, task: &TaskId) -> Option<&'g str> {
        self.graph.learnt_as(*self.positions.get(task)?)
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
