//! The simulation of a run against runs of the same control plane elsewhere: the same shards, the same order, the same transitions.
//!
//! The other side is the state machine of the fakes: the production stages over the ports in memory, with a worker of its own, in an
//! order that another generator draws; and runs of the examples that the emulator has recorded ([`emulator`]).

#![expect(clippy::print_stdout, reason = "a test prints what it compared")]

mod emulator;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use foreshard_fakes::machine::{Chaos, Fates, Machine, Work, executes};
use foreshard_fakes::{World, block_on, wire};
use foreshard_model::api::{SubmitAnswer, SubmitRequest};
use foreshard_model::ids::{RunId, Sha256Hex, ShardId};
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::plan::{Plan, ShardKind};
use foreshard_model::run::RunState;
use foreshard_simulator::{Scenario, Simulated, ours};
use foreshard_stages::submit::{self, ApiRequest, Identity};

/// Transitions of an execution beside its lanes: plan, whether there is work, the Map, aggregate. Source: the definition.
const OF_EXECUTION: u64 = 4;
/// Transitions of each question of a lane: dispatch, the choice, and what the answer says (execute, park, wait or the end).
const OF_QUESTION: u64 = 3;

/// What a task takes, in milliseconds: near its estimate, so that nothing is cut again.
const TASK_MS: u64 = 70_000;

/// Who submits: any account will do.
const TENANT: &str = "123456789012";

const LATTICE: &str = r#"
foreshard: 1
name: lattice
version: "1"
tasks:
  - {id: first, kind: synthetic, cpu_s: 60}
  - {id: a1, kind: synthetic, cpu_s: 60, needs: [first]}
  - {id: a2, kind: synthetic, cpu_s: 90, needs: [first]}
  - {id: a3, kind: synthetic, cpu_s: 70, needs: [first]}
  - {id: b1, kind: synthetic, cpu_s: 60, needs: [a1, a2]}
  - {id: b2, kind: synthetic, cpu_s: 80, needs: [a2, a3]}
  - {id: b3, kind: synthetic, cpu_s: 60, needs: [a3, a1]}
  - {id: last, kind: synthetic, cpu_s: 60, needs: [b1, b2, b3]}
"#;

/// Layers of tasks, each behind two of the layer before.
fn layers(layers: usize, wide: usize) -> String {
    let mut text = String::from("foreshard: 1\nname: layers\nversion: \"1\"\ntasks:\n");
    for at in 0..layers * wide {
        text.push_str(&format!("  - {{ id: t{at}, kind: synthetic, cpu_s: 70"));
        if let Some(before) = (at / wide).checked_sub(1) {
            let need = |step: usize| format!("t{}", before * wide + (at + step) % wide);
            text.push_str(&format!(", needs: [{}, {}]", need(0), need(1)));
        }
        text.push_str(" }\n");
    }
    text
}

/// What is compared of a run.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// Begin and end of the attempt of each shard that was committed.
    shards: BTreeMap<u32, (u64, u64)>,
    /// Commits, one for each shard.
    commits: usize,
    lanes: u32,
    transitions: u64,
    /// Questions of lanes that were answered with neither a shard nor the end.
    idle: u64,
}

impl Seen {
    fn simulated(of: &Simulated) -> Self {
        assert_eq!(of.status, "succeeded", "{:?}", of.cause);
        let done = of.stretches.iter().filter(|stretch| !stretch.failed);
        let shards: Vec<_> = done.map(|of| (of.shard, (of.from_ms, of.to_ms))).collect();
        Self {
            commits: shards.len(),
            shards: shards.into_iter().collect(),
            lanes: of.lanes,
            transitions: of.transitions,
            idle: of.usage.parkings + of.usage.waits,
        }
    }

    /// Transitions that do not depend on who waited for whom.
    fn fixed(&self) -> u64 {
        self.transitions - OF_QUESTION * self.idle
    }
}

fn scenario(document: &str) -> Scenario {
    let mut scenario = Scenario::of(document.as_bytes().to_vec(), "us-east-1");
    scenario.options.shard_tasks_max = Some(2);
    scenario.options.lanes_max = Some(4);
    scenario
}

fn submitted(world: &Arc<World>, scenario: &Scenario) -> RunId {
    let document = String::from_utf8(scenario.document.clone()).expect("text");
    let bundle = Sha256Hex::of(b"bundle");
    world.put_blob(&format!("bundles/{TENANT}/{bundle}"), b"bundle".to_vec());
    let bundles = scenario.bundles.iter();
    let wanted = SubmitRequest {
        bundles: bundles
            .map(|folder| (folder.clone(), bundle.clone()))
            .collect(),
        document: Some(document),
        options: scenario.options.clone(),
        ..SubmitRequest::default()
    };
    let request = ApiRequest {
        method: "POST".to_owned(),
        path: "/runs".to_owned(),
        headers: [("idempotency-key".to_owned(), "real".to_owned())].into(),
        body: serde_json::to_vec(&wanted).expect("a body"),
        identity: Some(Identity {
            account: TENANT.to_owned(),
            principal: "arn:aws:iam::123456789012:user/real".to_owned(),
        }),
        ..ApiRequest::default()
    };
    let answer = block_on(submit::answer(&wire::submit(world), &request));
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let answer: SubmitAnswer = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    answer.run
}

/// The run in memory: what its ledger says, its plan, and what its lanes asked.
fn real(scenario: &Scenario, seed: u64) -> (Seen, Plan) {
    let world = Arc::new(World::new());
    world.set_pool(scenario.pool.clone());
    let run = submitted(&world, scenario);
    let work = Rc::new(Work::new(&world, seed, Fates::default()).each_taking(TASK_MS));
    let mut machine = Machine::staged(
        &world,
        seed,
        &Chaos::none(),
        executes(&work),
        wire::rounds(&world),
    );
    let played = machine.play(&run, 24);
    assert_eq!(
        played.run.state,
        RunState::Succeeded,
        "{:?}",
        played.run.cause
    );
    let pointer = played.run.plan.clone().expect("a plan");
    let plan = world.blob(&pointer.plan.key).expect("the plan is kept");
    let plan: Plan = serde_json::from_slice(&plan).expect("a plan");
    let (shards, commits) = committed(&world.ledger(&run));
    let counts = &played.counts;
    let seen = Seen {
        shards,
        commits,
        lanes: pointer.lanes,
        transitions: OF_EXECUTION * u64::from(counts.executions)
            + OF_QUESTION * u64::from(counts.answers),
        idle: u64::from(counts.answers - counts.executes - pointer.lanes),
    };
    (seen, plan)
}

/// Begin and end of committed attempts by the ledger, and how many commits there were.
fn committed(events: &[Event]) -> (BTreeMap<u32, (u64, u64)>, usize) {
    let mut claimed = BTreeMap::new();
    let mut shards = BTreeMap::new();
    let mut commits = 0;
    for event in events {
        let (Some(shard), Some(attempt)) = (event.shard, event.attempt) else {
            continue;
        };
        match event.kind {
            EventKind::Claimed => {
                claimed.insert((shard, attempt), event.at.0);
            }
            EventKind::Settled => {
                if let Some(from) = claimed.get(&(shard, attempt)) {
                    commits += 1;
                    shards.insert(shard.0, (*from, event.at.0));
                }
            }
            _ => {}
        }
    }
    (shards, commits)
}

/// Which shard waits for which, joins in between left out.
fn arrows(plan: &Plan) -> BTreeSet<(u32, u32)> {
    let by_id: BTreeMap<ShardId, _> = plan.shards.iter().map(|shard| (shard.id, shard)).collect();
    let mut arrows = BTreeSet::new();
    for shard in plan
        .shards
        .iter()
        .filter(|shard| shard.kind == ShardKind::Work)
    {
        let mut before = shard.predecessors.clone();
        while let Some(id) = before.pop() {
            match by_id.get(&id) {
                Some(other) if other.kind == ShardKind::Work => {
                    arrows.insert((id.0, shard.id.0));
                }
                Some(join) => before.extend(&join.predecessors),
                None => {}
            }
        }
    }
    arrows
}

fn agree(document: &str) {
    let scenario = scenario(document);
    let simulated = Seen::simulated(&ours(&scenario).expect("it ends"));
    for seed in 0..5 {
        let (real, plan) = real(&scenario, seed);
        let ids = |seen: &Seen| seen.shards.keys().copied().collect::<Vec<_>>();
        assert_eq!(ids(&simulated), ids(&real), "shards, seed {seed}");
        let arrows = arrows(&plan);
        assert!(!arrows.is_empty());
        for (name, seen) in [("simulated", &simulated), ("real", &real)] {
            assert_eq!(
                seen.commits,
                seen.shards.len(),
                "{name}: a shard is committed once"
            );
            for (from, to) in &arrows {
                let (before, after) = (seen.shards[from], seen.shards[to]);
                assert!(
                    before.1 <= after.0,
                    "{name}: {from} before {to}: {before:?} {after:?}"
                );
            }
        }
        assert_eq!(simulated.lanes, real.lanes, "lanes, seed {seed}");
        assert_eq!(simulated.fixed(), real.fixed(), "{simulated:?} {real:?}");
    }
}

#[test]
fn a_lattice_is_simulated_as_it_is_played() {
    agree(LATTICE);
}

#[test]
fn layers_are_simulated_as_they_are_played() {
    agree(&layers(4, 12));
}
