//! The tasks of a text topology as the worker reads them, so that dispatch, workers and re-cuts find chunks in the world.

use std::collections::BTreeMap;

use foreshard_model::claim::Claim;
use foreshard_model::ids::TaskId;
use foreshard_model::objective::Objective;
use foreshard_model::output::{Located, ShardTask};
use foreshard_model::plan::{Chunk, LaneMode, Plan, PlannedShard, ShardTasks};
use foreshard_model::policy::RunOptions;
use foreshard_model::price::Price;
use foreshard_model::topology::{ShardNode, Topology};
use foreshard_model::units::Mib;
use foreshard_model::workflow::{CutRules, Effect, Resources, Synthetic, TaskKind};

use crate::build;
use crate::world::World;

/// The ids of a shard's tasks: its first task's, or that with a number.
#[must_use]
pub fn tasks_of(node: &ShardNode) -> Vec<TaskId> {
    match node.tasks {
        0 => Vec::new(),
        1 => vec![node.first_task.clone()],
        many => (0..many)
            .map(|i| TaskId(format!("{}/{i}", node.first_task)))
            .collect(),
    }
}

/// Stores the tasks of every shard in one chunk, and gives its claim.
///
/// Every task reads the first one of each shard before its own. Within a shard, by its id modulo three, the tasks are
/// independent, in single file, or all behind the first.
pub fn stored(world: &World, topology: &Topology) -> Claim {
    let shards = topology.shards.iter().filter(|node| node.tasks > 0);
    let shards = shards.map(|node| ShardTasks {
        id: node.id,
        tasks: shard_tasks(topology, node),
    });
    let chunk = Chunk {
        shards: shards.collect(),
    };
    let bytes = serde_json::to_vec(&chunk).unwrap_or_default();
    let key = format!("runs/{}/plans/0/chunk-0.json", topology.run);
    build::stored(world, &key, &bytes)
}

/// Stores a plan of these shards, and gives its claim: what people would see of it, without reasons or prices.
pub fn stored_plan(world: &World, topology: &Topology) -> Claim {
    let plan = Plan {
        run: topology.run.clone(),
        generation: topology.generation,
        parent: None,
        workflow: "test".to_owned(),
        tasks: topology.shards.iter().map(|node| node.tasks).sum(),
        lanes: topology.lanes,
        mode: LaneMode::Inline,
        history_budget: topology.lane_events,
        partitions: topology.partitions,
        targets: topology.targets.clone(),
        shards: topology.shards.iter().map(planned).collect(),
        reasons: Vec::new(),
        limits: Vec::new(),
        price: Price::default(),
        critical_path_ms: 0,
        work_ms: 0,
        on_failure: topology.on_failure,
        options: RunOptions::default(),
        objective: Objective::default(),
        warnings: Vec::new(),
    };
    let bytes = serde_json::to_vec(&plan).unwrap_or_default();
    let key = format!("runs/{}/plans/0/plan.json", topology.run);
    build::stored(world, &key, &bytes)
}

fn planned(node: &ShardNode) -> PlannedShard {
    PlannedShard {
        id: node.id,
        kind: node.kind,
        tasks: tasks_of(node),
        predecessors: Vec::new(),
        target: None,
        lane: None,
        start_ms: 0,
        duration_ms: node.estimate_ms,
        upward_rank_ms: 0,
        reason: "as written".to_owned(),
    }
}

fn shard_tasks(topology: &Topology, node: &ShardNode) -> Vec<ShardTask> {
    let before: Vec<&ShardNode> = topology
        .shards
        .iter()
        .filter(|other| other.tasks > 0 && other.successors.contains(&node.id))
        .collect();
    let names = tasks_of(node);
    (0..node.tasks)
        .map(|place| {
            let after = match node.id.0 % 3 {
                _ if place == 0 => Vec::new(),
                0 => Vec::new(),
                1 => vec![place - 1],
                _ => vec![0],
            };
            let within = after.iter().map(|at| (node.id, &names[*at as usize]));
            let outside: Vec<(_, TaskId)> = before
                .iter()
                .filter_map(|other| Some((other.id, tasks_of(other).into_iter().next()?)))
                .collect();
            let outside = outside.iter().map(|(id, task)| (*id, task));
            let inputs = within.chain(outside).enumerate();
            let inputs: BTreeMap<String, Located> = inputs
                .map(|(number, (shard, task))| {
                    let located = Located::Task {
                        shard,
                        task: task.clone(),
                        path: None,
                    };
                    (format!("in{number}"), located)
                })
                .collect();
            ShardTask {
                after,
                inputs,
                effect: match node.once {
                    true => Effect::Once,
                    false => Effect::Pure,
                },
                estimate_ms: node.estimate_ms / u64::from(node.tasks.max(1)),
                ..task(&names[place as usize])
            }
        })
        .collect()
}

/// A task that nothing is known of but its id; its type is the id up to the first digit or slash.
#[must_use]
pub fn task(id: &TaskId) -> ShardTask {
    let kind = |c: char| c.is_ascii_digit() || c == '/';
    let task_type = id.as_str().split(kind).next().unwrap_or_default();
    ShardTask {
        id: id.clone(),
        task_type: task_type.to_owned(),
        kind: TaskKind::Synthetic(Synthetic {
            cpu_ms: 100.0,
            memory: Mib(16),
        }),
        bundle: None,
        after: Vec::new(),
        inputs: BTreeMap::new(),
        files: Vec::new(),
        slice: None,
        parts: Vec::new(),
        writes: Vec::new(),
        resources: Resources {
            memory: Mib(16),
            vcpus: 1.0,
            gpu: None,
            disk: Mib(0),
            network_mbps: 0,
        },
        estimate_ms: 0,
        bound: false,
        instead: Vec::new(),
        timeout_ms: 60_000,
        effect: Effect::Pure,
        cut: CutRules::default(),
    }
}
