//! The plans that a run went through, as its worker saw them: who needed whom, and which tasks each shard had.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::claim::Claim;
use foreshard_model::ids::ShardId;
use foreshard_model::limits::SHARD_FAN;
use foreshard_model::output::ShardTask;
use foreshard_model::plan::{Chunk, ShardKind};
use foreshard_model::run::RunItem;
use foreshard_model::topology::Topology;

use crate::world::World;

/// All plans of a run, the first one first.
pub(super) struct Generations {
    plans: Vec<Topology>,
    /// The tasks of each shard with tasks, by the first and by the last plan.
    first_tasks: BTreeMap<ShardId, Vec<ShardTask>>,
    last_tasks: BTreeMap<ShardId, Vec<ShardTask>>,
    /// Whom each shard waits for in the first plan that has it, and in the last.
    to_run: BTreeMap<ShardId, Vec<ShardId>>,
    to_join: BTreeMap<ShardId, Vec<ShardId>>,
}

impl Generations {
    /// Follows the run's plan to the first one; `initial` where the run has none.
    pub(super) fn of(world: &World, initial: &Topology, run: &RunItem) -> Self {
        let mut plans: Vec<Topology> = Vec::new();
        let mut next: Option<Claim> = run.plan.as_ref().map(|plan| plan.topology.clone());
        while let Some(plan) = next.and_then(|claim| plan(world, &claim)) {
            next = plan.parent.clone();
            plans.push(plan);
        }
        plans.reverse();
        if plans.is_empty() {
            plans.push(initial.clone());
        }
        let mut to_run = BTreeMap::new();
        for plan in &plans {
            for (id, before) in before(plan) {
                to_run.entry(id).or_insert(before);
            }
        }
        let to_join = plans.last().map(before).unwrap_or_default();
        let tasks = |plan: Option<&Topology>| plan.map(|p| tasks(world, p)).unwrap_or_default();
        Self {
            first_tasks: tasks(plans.first()),
            last_tasks: tasks(plans.last()),
            plans,
            to_run,
            to_join,
        }
    }

    /// The plan that the run ended with.
    pub(super) fn last(&self) -> &Topology {
        &self.plans[self.plans.len() - 1]
    }

    fn kind(&self, id: ShardId, plans: impl Iterator<Item = usize>) -> Option<ShardKind> {
        let mut found = plans.filter_map(|at| self.plans[at].node(id));
        found.next().map(|node| node.kind)
    }

    /// Whether the shard has no tasks in the last plan.
    pub(super) fn is_virtual(&self, id: ShardId) -> bool {
        let kind = self.kind(id, (0..self.plans.len()).rev());
        kind.is_some_and(|kind| kind != ShardKind::Work)
    }

    /// Whether it had none from the beginning.
    pub(super) fn was_virtual(&self, id: ShardId) -> bool {
        let kind = self.kind(id, 0..self.plans.len());
        kind.is_some_and(|kind| kind != ShardKind::Work)
    }

    /// Whom it waited for while it had tasks.
    pub(super) fn needed_to_run(&self, id: ShardId) -> &[ShardId] {
        self.to_run.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Whom it waits for as a virtual one.
    pub(super) fn needed_to_join(&self, id: ShardId) -> &[ShardId] {
        self.to_join.get(&id).map_or(&[], Vec::as_slice)
    }

    /// A virtual shard without predecessors is done when the run begins.
    pub(super) fn is_done_from_the_start(&self, id: ShardId) -> bool {
        self.was_virtual(id) && self.needed_to_run(id).is_empty()
    }

    /// The tasks of the workflow.
    pub(super) fn tasks(&self) -> impl Iterator<Item = &ShardTask> {
        self.first_tasks.values().flatten()
    }

    /// The tasks that a shard has in the last plan.
    pub(super) fn tasks_now(&self, id: ShardId) -> &[ShardTask] {
        self.last_tasks.get(&id).map_or(&[], Vec::as_slice)
    }

    /// What is wrong with the plans themselves: counts, fans, cycles, lost or doubled tasks.
    pub(super) fn malformed(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for plan in &self.plans {
            let (g, before) = (plan.generation, before(plan));
            for node in &plan.shards {
                let expected = before.get(&node.id).map_or(0, Vec::len);
                let id = node.id;
                if node.predecessors as usize != expected {
                    let says = node.predecessors;
                    wrong.push(format!("plan {g}: {id} waits for {says}, not {expected}"));
                }
                if expected.max(node.successors.len()) > SHARD_FAN {
                    wrong.push(format!("plan {g}: the fan of {id} is too wide"));
                }
            }
            if !is_acyclic(plan) {
                wrong.push(format!("plan {g} has a cycle"));
            }
        }
        let named = |tasks: &BTreeMap<ShardId, Vec<ShardTask>>| {
            let mut ids: Vec<_> = tasks.values().flatten().map(|t| t.id.clone()).collect();
            ids.sort();
            ids
        };
        let (first, last) = (named(&self.first_tasks), named(&self.last_tasks));
        let mut once = last.clone();
        once.dedup();
        if once.len() != last.len() || last.iter().any(|id| first.binary_search(id).is_err()) {
            wrong.push("the last plan has tasks twice, or others than the first".to_owned());
        }
        wrong
    }
}

fn plan(world: &World, claim: &Claim) -> Option<Topology> {
    serde_json::from_slice(&world.blob(&claim.key)?).ok()
}

fn chunk(world: &World, claim: &Claim) -> Option<Chunk> {
    serde_json::from_slice(&world.blob(&claim.key)?).ok()
}

fn before(plan: &Topology) -> BTreeMap<ShardId, Vec<ShardId>> {
    let mut before: BTreeMap<ShardId, Vec<ShardId>> = BTreeMap::new();
    for node in &plan.shards {
        before.entry(node.id).or_default();
        for successor in &node.successors {
            before.entry(*successor).or_default().push(node.id);
        }
    }
    before
}

fn is_acyclic(plan: &Topology) -> bool {
    let mut left: BTreeMap<ShardId, usize> = before(plan)
        .into_iter()
        .map(|(id, before)| (id, before.len()))
        .collect();
    let free = left.iter().filter(|(_, count)| **count == 0);
    let mut open: Vec<ShardId> = free.map(|(id, _)| *id).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        seen.insert(id);
        for successor in plan.node(id).into_iter().flat_map(|node| &node.successors) {
            let count = left.entry(*successor).or_default();
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.push(*successor);
            }
        }
    }
    seen.len() == left.len()
}

fn tasks(world: &World, plan: &Topology) -> BTreeMap<ShardId, Vec<ShardTask>> {
    let mut tasks = BTreeMap::new();
    for (number, claim) in plan.chunks.iter().enumerate() {
        let Some(chunk) = chunk(world, claim) else {
            continue;
        };
        for shard in chunk.shards {
            let here = plan.node(shard.id);
            let here = here.filter(|n| n.tasks > 0 && n.chunk as usize == number);
            if here.is_some() {
                tasks.insert(shard.id, shard.tasks);
            }
        }
    }
    tasks
}
