//! Builders for tests: topologies from text such as `a>b a>c b>d`, runs, outcomes, and a pool.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::claim::Claim;
use foreshard_model::ids::{Attempt, RunId, Sha256Hex, ShardId, TargetId, TaskId};
use foreshard_model::message::{Cause, Failure, Outcome, OutcomeStatus, ShardUsage};
use foreshard_model::output::{Manifest, OutputValue, TaskOutput, TaskUsage};
use foreshard_model::plan::{LaneMode, ShardKind};
use foreshard_model::run::{Context, PlanPointer, RunItem, RunState};
use foreshard_model::target::{Architecture, Pool, Target};
use foreshard_model::topology::{ShardNode, Topology};
use foreshard_model::units::{Mib, TimeMs};
use serde_json::json;

use crate::world::World;

/// When every world begins: 2026-11-21 00:00 UTC.
pub const START: TimeMs = TimeMs(1_795_219_200_000);

/// The run of the builders.
pub const RUN: &str = "r-aaaaaaaaaaaaaaaaaaaa";

/// The run's id.
#[must_use]
pub fn run_id() -> RunId {
    RunId::from(RUN)
}

/// The tiers of the pool, in MiB.
pub const TIERS: [u32; 4] = [128, 256, 512, 1024];

/// A pool of four tiers, as the first deployment has it.
#[must_use]
pub fn pool() -> Pool {
    let targets = TIERS
        .iter()
        .map(|memory| Target {
            id: TargetId(format!("foreshard-execute-{memory}:live")),
            region: "us-east-1".to_owned(),
            memory: Mib(*memory),
            architecture: Architecture::Arm64,
            limit_ms: 900_000,
            labels: BTreeMap::new(),
            speed: 1.0,
        })
        .collect();
    Pool {
        targets,
        lanes_max: 1_000,
        lane_memory: None,
        concurrency: 1_000,
        links: Vec::new(),
    }
}

/// A topology from edges and single names: `a>b a>c b>d e`; sinks get END after them.
///
/// Names are ids in order of first appearance, so `a` is shard 0; a name that begins with `~` is a relay. The rank is
/// the order of appearance, every shard has one task of the same name, starts on the smallest tier and may take 60 s.
#[must_use]
pub fn topology(text: &str) -> Topology {
    let mut names: Vec<&str> = Vec::new();
    let mut edges: BTreeSet<(usize, usize)> = BTreeSet::new();
    for word in text.split_whitespace() {
        let chain: Vec<&str> = word.split('>').collect();
        let places: Vec<usize> = chain.iter().map(|name| place(&mut names, name)).collect();
        edges.extend(places.windows(2).map(|pair| (pair[0], pair[1])));
    }
    let end = names.len();
    let sinks: Vec<usize> = (0..end)
        .filter(|i| !edges.iter().any(|(from, _)| from == i))
        .collect();
    edges.extend(sinks.iter().map(|sink| (*sink, end)));
    let mut shards: Vec<ShardNode> = names.iter().enumerate().map(|(i, n)| node(i, n)).collect();
    shards.push(ShardNode {
        kind: ShardKind::End,
        tasks: 0,
        ..node(end, "END")
    });
    for (from, to) in edges {
        let successor = shards[to].id;
        shards[from].successors.push(successor);
        shards[to].predecessors += 1;
    }
    Topology {
        run: run_id(),
        shards,
        targets: pool().targets,
        partitions: 1,
        lanes: 2,
        lane_events: 15_000,
        chunks: vec![claim("runs/chunk-0.json", b"chunk")],
        ..Topology::default()
    }
}

fn place<'t>(names: &mut Vec<&'t str>, name: &'t str) -> usize {
    names.iter().position(|n| *n == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}

fn node(index: usize, name: &str) -> ShardNode {
    let relay = name.starts_with('~');
    ShardNode {
        id: shard(index),
        kind: if relay {
            ShardKind::Relay
        } else {
            ShardKind::Work
        },
        rank: u32::try_from(index).unwrap_or(u32::MAX),
        tier: Mib(TIERS[0]),
        limit_ms: 60_000,
        estimate_ms: 1_000,
        tasks: u32::from(!relay),
        first_task: TaskId::from(name),
        ..ShardNode::default()
    }
}

/// A shard's id from its position.
#[must_use]
pub fn shard(index: usize) -> ShardId {
    ShardId(u32::try_from(index).unwrap_or(u32::MAX))
}

/// A claim on these bytes under this key.
#[must_use]
pub fn claim(key: &str, bytes: &[u8]) -> Claim {
    Claim {
        key: key.to_owned(),
        sha256: Sha256Hex::of(bytes),
        bytes: bytes.len() as u64,
    }
}

/// Puts bytes into the world and gives the claim on them.
pub fn stored(world: &World, key: &str, bytes: &[u8]) -> Claim {
    world.put_blob(key, bytes.to_vec());
    claim(key, bytes)
}

/// A running run of this topology, its `topology.json` stored in the world. The item is not put.
pub fn running(world: &World, topology: &Topology) -> RunItem {
    let bytes = serde_json::to_vec(topology).unwrap_or_default();
    let key = format!("runs/{}/plans/0/topology.json", topology.run);
    let tasks = topology.shards.iter().map(|s| s.tasks).sum();
    RunItem {
        run: topology.run.clone(),
        version: 1,
        state: RunState::Running,
        workflow: "test".to_owned(),
        context: context(),
        plan: Some(PlanPointer {
            generation: topology.generation,
            plan: claim(&format!("runs/{}/plans/0/plan.json", topology.run), b"plan"),
            topology: stored(world, &key, &bytes),
            tasks,
            shards: u32::try_from(topology.shards.len()).unwrap_or(u32::MAX),
            lanes: topology.lanes,
            mode: LaneMode::Inline,
            partitions: topology.partitions,
            ..PlanPointer::default()
        }),
        accepted_at: START,
        planned_at: Some(START),
        updated_at: START,
        ..RunItem::default()
    }
}

/// An owner for tests.
#[must_use]
pub fn context() -> Context {
    Context {
        tenant: "123456789012".into(),
        principal: "arn:aws:iam::123456789012:user/test".to_owned(),
        trace_id: "0123456789abcdef0123456789abcdef".to_owned(),
        ..Context::default()
    }
}

/// The outcome of an attempt that finished these tasks; its manifest is stored in the world.
pub fn done(world: &World, run: &RunId, id: ShardId, attempt: Attempt, tasks: &[&str]) -> Outcome {
    let manifest = manifest(run, id, attempt, tasks);
    let bytes = serde_json::to_vec(&manifest).unwrap_or_default();
    let sha256 = Sha256Hex::of(&bytes);
    let key = format!("runs/{run}/shards/{id}/{attempt}/0/{sha256}");
    Outcome {
        output: Some(stored(world, &key, &bytes)),
        usage: ShardUsage {
            duration_ms: 1_000,
            cpu_ms: 900,
            peak_kib: 65_536,
            tasks: u32::try_from(tasks.len()).unwrap_or(u32::MAX),
            cold: false,
        },
        ..outcome(id, attempt, OutcomeStatus::Done)
    }
}

/// A manifest in which these tasks were run by this attempt.
#[must_use]
pub fn manifest(run: &RunId, id: ShardId, attempt: Attempt, tasks: &[&str]) -> Manifest {
    let tasks = tasks.iter().map(|task| {
        let output = TaskOutput {
            attempt,
            value: OutputValue::Inline(json!({ "task": task })),
            files: BTreeMap::new(),
            usage: TaskUsage::default(),
        };
        (TaskId::from(*task), output)
    });
    Manifest {
        run: run.clone(),
        shard: id,
        tasks: tasks.collect(),
    }
}

/// The outcome of an attempt that failed.
#[must_use]
pub fn failed(id: ShardId, attempt: Attempt, cause: Cause) -> Outcome {
    Outcome {
        failure: Some(Failure {
            cause,
            task: None,
            message: format!("injected {}", cause.as_str()),
        }),
        ..outcome(id, attempt, OutcomeStatus::Failed)
    }
}

/// The outcome of an attempt that yields with this checkpoint.
#[must_use]
pub fn yielded(id: ShardId, attempt: Attempt, progress: Option<Claim>) -> Outcome {
    Outcome {
        progress,
        ..outcome(id, attempt, OutcomeStatus::Yielded)
    }
}

/// An outcome without anything else.
#[must_use]
pub fn outcome(shard: ShardId, attempt: Attempt, status: OutcomeStatus) -> Outcome {
    Outcome {
        shard,
        attempt,
        status,
        output: None,
        progress: None,
        failure: None,
        usage: ShardUsage::default(),
    }
}
