//! Runs of the examples on the emulator, and the simulation of the same documents on the same targets with the same options.
//!
//! `FORESHARD_RECORD=1 cargo test --workspace --test e2e simulated` has recorded them. They agree on the plan, on what waits for
//! what, and on transitions, but for those of lanes that park; docs/simulator.md says why times differ.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use foreshard_model::ids::{ShardId, TaskId};
use foreshard_model::plan::{Plan, ShardKind};
use foreshard_model::policy::RunOptions;
use foreshard_model::target::Pool;
use foreshard_simulator::{Scenario, ours};
use serde::Deserialize;

use super::{OF_EXECUTION, OF_QUESTION, Seen, arrows, real};

/// Seeds that are simulated of each: lanes park as often as others let them.
const SEEDS: u64 = 10;

/// What was recorded of a run.
#[derive(Debug, Deserialize)]
struct Recorded {
    document: String,
    options: RunOptions,
    pool: Pool,
    lanes: u32,
    shards: Vec<Shard>,
    commits: Vec<Commit>,
    /// Stays in the states of lanes, by what they do.
    states: BTreeMap<String, u64>,
    transitions: u64,
    executions: u64,
    makespan_ms: u64,
}

/// A shard of its plan.
#[derive(Debug, PartialEq, Deserialize)]
struct Shard {
    id: ShardId,
    kind: ShardKind,
    tasks: Vec<TaskId>,
    predecessors: Vec<ShardId>,
    target: Option<String>,
}

/// The attempt of a shard that was committed.
#[derive(Debug, Deserialize)]
struct Commit {
    shard: u32,
    target: String,
    from_ms: u64,
    to_ms: u64,
}

fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the checkout")
}

fn recorded(name: &str) -> Recorded {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read(here.join(format!("tests/fixtures/{name}.json")));
    serde_json::from_slice(&text.expect("it was recorded")).expect("a recorded run")
}

fn scenario(of: &Recorded) -> Scenario {
    let document = std::fs::read(root().join(&of.document)).expect("an example");
    Scenario {
        bundles: vec!["bundle".to_owned()],
        options: of.options.clone(),
        pool: of.pool.clone(),
        ..Scenario::of(document, "us-east-1")
    }
}

fn planned(plan: &Plan) -> Vec<Shard> {
    let shards = plan.shards.iter().map(|shard| Shard {
        id: shard.id,
        kind: shard.kind,
        tasks: shard.tasks.clone(),
        predecessors: shard.predecessors.clone(),
        target: shard.target.clone(),
    });
    shards.collect()
}

impl Recorded {
    fn seen(&self) -> Seen {
        let shards = self.commits.iter();
        let shards = shards.map(|commit| (commit.shard, (commit.from_ms, commit.to_ms)));
        Seen {
            shards: shards.collect(),
            commits: self.commits.len(),
            lanes: self.lanes,
            transitions: self.transitions,
            idle: self.states["Park"] + self.states["Wait"],
        }
    }

    /// Everything was committed once, where the plan says; lanes asked as often as the definition lets them.
    fn is_sound(&self) {
        let targets: BTreeMap<u32, &str> = self
            .shards
            .iter()
            .filter_map(|shard| Some((shard.id.0, shard.target.as_deref()?)))
            .collect();
        let ran: BTreeMap<u32, &str> = self
            .commits
            .iter()
            .map(|commit| (commit.shard, commit.target.as_str()))
            .collect();
        assert_eq!(ran, targets, "placement");
        let questions = self.states["Execute"] + self.seen().idle + u64::from(self.lanes);
        assert_eq!(self.states["Dispatch"], questions, "{:?}", self.states);
        let transitions = OF_EXECUTION * self.executions + OF_QUESTION * questions;
        assert_eq!(self.transitions, transitions, "{:?}", self.states);
    }
}

fn in_order(name: &str, seen: &Seen, arrows: &BTreeSet<(u32, u32)>) {
    assert_eq!(
        seen.commits,
        seen.shards.len(),
        "{name}: a shard is committed once"
    );
    for (from, to) in arrows {
        let (before, after) = (seen.shards[from], seen.shards[to]);
        assert!(
            before.1 <= after.0,
            "{name}: {from} before {to}: {before:?} {after:?}"
        );
    }
}

/// Holds the simulation of a run to what was recorded of it.
fn agree(name: &str) {
    let recorded = recorded(name);
    recorded.is_sound();
    let scenario = scenario(&recorded);
    let (_, plan) = real(&scenario, 0);
    assert_eq!(planned(&plan), recorded.shards, "{name}: the plan");
    let arrows = arrows(&plan);
    let seen = recorded.seen();
    in_order(name, &seen, &arrows);
    let (mut transitions, mut makespans_s) = (BTreeSet::new(), Vec::new());
    for seed in 0..SEEDS {
        let scenario = Scenario {
            seed,
            ..scenario.clone()
        };
        let of = ours(&scenario).expect("it ends");
        let simulated = Seen::simulated(&of);
        in_order(name, &simulated, &arrows);
        assert_eq!(simulated.lanes, seen.lanes, "{name}: lanes");
        assert_eq!(
            simulated.fixed(),
            seen.fixed(),
            "{name}: {simulated:?} {seen:?}"
        );
        transitions.insert(simulated.transitions);
        makespans_s.push(of.makespan_s);
    }
    println!(
        "{name}: {} transitions, simulated {transitions:?}; {:.1} s, simulated {makespans_s:.1?}",
        recorded.transitions,
        recorded.makespan_ms as f64 / 1_000.0
    );
}

#[test]
fn examples_are_simulated_as_the_emulator_ran_them() {
    for name in ["word-count", "sales-report", "pipeline", "access-log"] {
        agree(name);
    }
}
