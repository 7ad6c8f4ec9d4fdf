//! Shows a cut to people: the plan as it is after it.

use std::collections::BTreeMap;

use foreshard_model::ids::{ShardId, TaskId};
use foreshard_model::plan::{Plan, PlannedShard, ShardKind};

use super::group::Cut;
use crate::plan::reason;

/// The plan as people see it, after a cut of its shards.
#[must_use]
pub fn shown(plan: &Plan, cut: &Cut) -> Plan {
    let topology = &cut.topology;
    let mut before: BTreeMap<ShardId, Vec<ShardId>> = BTreeMap::new();
    for node in &topology.shards {
        for successor in &node.successors {
            before.entry(*successor).or_default().push(node.id);
        }
    }
    let tasks: BTreeMap<ShardId, Vec<TaskId>> = cut
        .chunks
        .iter()
        .flat_map(|chunk| &chunk.shards)
        .map(|shard| (shard.id, shard.tasks.iter().map(|t| t.id.clone()).collect()))
        .collect();
    let mut next = plan.clone();
    next.generation = topology.generation;
    next.parent = Some(plan.generation);
    for node in topology
        .shards
        .iter()
        .filter(|n| n.generation == topology.generation)
    {
        let new = node.id.index() >= plan.shards.len();
        let mut seen = std::iter::once(&node.id).chain(&node.successors);
        let seen = seen.find_map(|id| plan.shards.get(id.index()));
        let shard = PlannedShard {
            id: node.id,
            kind: node.kind,
            tasks: tasks.get(&node.id).cloned().unwrap_or_default(),
            predecessors: before.get(&node.id).cloned().unwrap_or_default(),
            target: seen
                .and_then(|shard| shard.target.clone())
                .filter(|_| node.kind == ShardKind::Work),
            lane: None,
            start_ms: seen.map_or(0, |shard| shard.start_ms),
            duration_ms: node.estimate_ms,
            upward_rank_ms: seen.map_or(0, |shard| shard.upward_rank_ms),
            reason: match (node.kind, new) {
                (ShardKind::Work, _) => {
                    format!(
                        "{} tasks, cut again in generation {}",
                        node.tasks, topology.generation
                    )
                }
                (_, true) => "takes the arrivals of a shard that was cut again".to_owned(),
                (_, false) => format!(
                    "cut again in generation {}: joins its parts",
                    topology.generation
                ),
            },
        };
        match next.shards.get_mut(node.id.index()) {
            Some(place) => *place = shard,
            None => next.shards.push(shard),
        }
    }
    if let Some(recut) = topology.recuts.last() {
        let numbers: Vec<(&str, f64)> = recut
            .numbers
            .iter()
            .map(|(n, v)| (n.as_str(), *v))
            .collect();
        next.reasons
            .push(reason("recut", recut.because.clone(), &numbers));
    }
    next
}
