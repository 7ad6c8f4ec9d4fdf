//! An independent check of a plan: it trusts nothing that the planner computed on the way.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::limits::SHARD_FAN;
use foreshard_model::plan::{LaneMode, ShardKind};
use foreshard_model::policy::RunOptions;
use foreshard_model::target::Pool;
use foreshard_model::workflow::{Effect, Workflow};

use super::Planned;

/// Panics where the plan is not sound.
pub(super) fn check(planned: &Planned, workflow: &Workflow, pool: &Pool, options: &RunOptions) {
    let shard_of = tasks_once(planned, workflow);
    graph(planned);
    dependencies(planned, workflow, &shard_of);
    annotations(planned, workflow, options, &shard_of);
    targets(planned, workflow, pool);
    schedule(planned);
    lanes(planned, pool, options);
    for proof in &planned.plan.limits {
        assert!(proof.holds, "{proof:?}");
    }
    let price = &planned.plan.price;
    assert!(
        price.total_usd.low <= price.total_usd.mid && price.total_usd.mid <= price.total_usd.high
    );
    assert!(price.total_usd.mid > 0.0 && price.makespan_s.mid > 0.0);
}

/// Shard of each task.
fn tasks_once(planned: &Planned, workflow: &Workflow) -> Vec<u32> {
    let index: BTreeMap<&str, usize> = workflow
        .tasks
        .iter()
        .enumerate()
        .map(|(at, task)| (task.id.as_str(), at))
        .collect();
    let mut shard_of = vec![u32::MAX; workflow.tasks.len()];
    for shard in &planned.plan.shards {
        assert_eq!(shard.kind == ShardKind::Work, !shard.tasks.is_empty());
        for task in &shard.tasks {
            let of = &mut shard_of[index[task.as_str()]];
            assert_eq!(*of, u32::MAX, "`{task}` is in two shards");
            *of = shard.id.0;
        }
    }
    assert!(
        shard_of.iter().all(|s| *s != u32::MAX),
        "a task is in no shard"
    );
    for (number, chunk) in planned.chunks.of(workflow).enumerate() {
        assert!(chunk.shards.len() <= 256);
        for shard in &chunk.shards {
            let node = &planned.topology.shards[shard.id.index()];
            assert_eq!(node.chunk as usize, number);
            assert_eq!(node.tasks as usize, shard.tasks.len());
            assert_eq!(node.first_task, shard.tasks[0].id);
            let ids: Vec<_> = shard.tasks.iter().map(|t| t.id.clone()).collect();
            assert_eq!(ids, planned.plan.shards[shard.id.index()].tasks);
        }
    }
    let chunked: usize = planned.chunks.of(workflow).map(|c| c.shards.len()).sum();
    let work = planned
        .plan
        .shards
        .iter()
        .filter(|s| s.kind == ShardKind::Work)
        .count();
    assert_eq!(chunked, work);
    shard_of
}

fn graph(planned: &Planned) {
    let nodes = &planned.topology.shards;
    assert_eq!(nodes.len(), planned.plan.shards.len());
    assert_eq!(nodes.last().map(|n| n.kind), Some(ShardKind::End));
    assert_eq!(nodes.iter().filter(|n| n.kind == ShardKind::End).count(), 1);
    let mut arriving = vec![0_u32; nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        assert_eq!(node.id.index(), at);
        assert!(node.successors.len() <= SHARD_FAN && node.predecessors as usize <= SHARD_FAN);
        assert!(
            node.kind == ShardKind::End || !node.successors.is_empty(),
            "{at} leads nowhere"
        );
        for next in &node.successors {
            arriving[next.index()] += 1;
            assert!(
                planned.plan.shards[next.index()]
                    .predecessors
                    .contains(&node.id)
            );
        }
    }
    for (node, arriving) in nodes.iter().zip(&arriving) {
        assert_eq!(node.predecessors, *arriving, "predecessors of {}", node.id);
    }
    let mut ready: Vec<usize> = (0..nodes.len()).filter(|&n| arriving[n] == 0).collect();
    let mut done = 0;
    while let Some(node) = ready.pop() {
        done += 1;
        for next in &nodes[node].successors {
            arriving[next.index()] -= 1;
            if arriving[next.index()] == 0 {
                ready.push(next.index());
            }
        }
    }
    assert_eq!(done, nodes.len(), "the shard graph has a cycle");
    let ranks: BTreeSet<u32> = nodes.iter().map(|n| n.rank).collect();
    assert_eq!(ranks.len(), nodes.len(), "ranks are an order");
}

fn dependencies(planned: &Planned, workflow: &Workflow, shard_of: &[u32]) {
    let waits = |shard: u32, wanted: u32| -> bool {
        let mut next = vec![shard];
        let mut seen = BTreeSet::new();
        while let Some(at) = next.pop() {
            for before in &planned.plan.shards[at as usize].predecessors {
                if before.0 == wanted {
                    return true;
                }
                let relay = planned.plan.shards[before.index()].kind == ShardKind::Relay;
                if relay && seen.insert(before.0) {
                    next.push(before.0);
                }
            }
        }
        false
    };
    for shard in planned.chunks.of(workflow).flat_map(|c| c.shards) {
        for (at, task) in shard.tasks.iter().enumerate() {
            assert!(
                task.after.iter().all(|&before| (before as usize) < at),
                "order in {}",
                shard.id
            );
            let source = workflow.tasks.iter().find(|t| t.id == task.id).unwrap();
            for need in &source.needs {
                let from = shard_of[need.task.index()];
                if from == shard.id.0 {
                    let before = &workflow.tasks[need.task.index()].id;
                    let position = shard.tasks.iter().position(|t| t.id == *before).unwrap() as u32;
                    assert!(
                        task.after.contains(&position),
                        "`{}` after `{before}`",
                        task.id
                    );
                } else {
                    assert!(waits(shard.id.0, from), "{} waits for {from}", shard.id);
                }
            }
        }
    }
}

fn annotations(planned: &Planned, workflow: &Workflow, options: &RunOptions, shard_of: &[u32]) {
    let most = options.shard_tasks_max.unwrap_or(u32::MAX).max(1);
    for node in planned
        .topology
        .shards
        .iter()
        .filter(|n| n.kind == ShardKind::Work)
    {
        assert!(node.tasks <= most, "{} tasks in {}", node.tasks, node.id);
        let members: Vec<_> = (0..shard_of.len())
            .filter(|&t| shard_of[t] == node.id.0)
            .map(|t| &workflow.tasks[t])
            .collect();
        let once = members.iter().any(|t| t.effect == Effect::Once);
        assert_eq!(node.once, once);
        assert!(
            !once || members.len() == 1,
            "a once task shares {}",
            node.id
        );
        let mut apart = BTreeSet::new();
        for task in &members {
            if let Some(value) = task.extras().affinity.apart {
                assert!(apart.insert(value), "apart in {}", node.id);
            }
        }
    }
    for (at, task) in workflow.tasks.iter().enumerate() {
        for need in &task.needs {
            if workflow.tasks[need.task.index()].extras().cut.after {
                assert_ne!(shard_of[at], shard_of[need.task.index()], "cut after");
            }
        }
    }
}

fn targets(planned: &Planned, workflow: &Workflow, pool: &Pool) {
    for (node, shown) in planned.topology.shards.iter().zip(&planned.plan.shards) {
        if node.kind != ShardKind::Work {
            assert_eq!(shown.target, None);
            continue;
        }
        let id = shown.target.as_deref().unwrap();
        let target = pool.targets.iter().find(|t| t.id.as_str() == id).unwrap();
        assert_eq!(target.memory, node.tier);
        assert!(planned.plan.targets.contains(target));
        assert!(node.limit_ms <= target.limit_ms && node.limit_ms >= 60_000.min(target.limit_ms));
        assert!(
            node.estimate_ms <= target.limit_ms + 1_000,
            "{} ms",
            node.estimate_ms
        );
        for id in &shown.tasks {
            let task = workflow.tasks.iter().find(|t| t.id == *id).unwrap();
            assert!(
                task.resources.memory.0 <= target.memory.0,
                "{id} on {}",
                target.id
            );
            for (name, value) in &task.extras().affinity.require {
                assert_eq!(target.labels.get(name), Some(value));
            }
        }
    }
}

fn schedule(planned: &Planned) {
    let shards = &planned.plan.shards;
    for shard in shards {
        for before in &shard.predecessors {
            let before = &shards[before.index()];
            // Starts are in whole milliseconds, rounded down.
            assert!(
                before.start_ms + before.duration_ms <= shard.start_ms + 2,
                "{} starts early",
                shard.id
            );
        }
    }
    let mut by_lane: BTreeMap<u32, Vec<(u64, u64)>> = BTreeMap::new();
    for shard in shards.iter().filter(|s| s.kind == ShardKind::Work) {
        let bar = (shard.start_ms, shard.start_ms + shard.duration_ms);
        by_lane.entry(shard.lane.unwrap()).or_default().push(bar);
    }
    for bars in by_lane.values_mut() {
        bars.sort_unstable();
        assert!(
            bars.windows(2).all(|w| w[0].1 <= w[1].0 + 2),
            "two shards on one lane: {bars:?}"
        );
    }
    assert!(by_lane.len() <= planned.plan.lanes as usize);
}

fn lanes(planned: &Planned, pool: &Pool, options: &RunOptions) {
    let plan = &planned.plan;
    assert!(plan.lanes >= 1);
    assert!(plan.lanes <= pool.lanes_max.max(1));
    assert!(plan.lanes <= options.lanes_max.unwrap_or(u32::MAX).max(1));
    assert!(plan.mode == LaneMode::Distributed || plan.lanes <= 40);
    assert_eq!(planned.topology.lanes, plan.lanes);
    assert!(planned.topology.lane_events >= 1);
    assert!((1..=16).contains(&plan.partitions));
    assert!(planned.topology.chunks.is_empty());
}
