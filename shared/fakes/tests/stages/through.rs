//! From a submitted document to its result: submit, plan, lanes, aggregate, all production, while things go wrong.

use std::rc::Rc;
use std::sync::Arc;

use foreshard_engine::report::RunResult;
use foreshard_fakes::machine::{Chaos, Fates, Machine, Played, Work, executes, violations};
use foreshard_fakes::{World, block_on, wire};
use foreshard_model::ids::{Round, RunId};
use foreshard_model::message::{Cause, PlanRequest};
use foreshard_model::output::OutputValue;
use foreshard_model::run::RunState;
use foreshard_model::topology::Topology;
use foreshard_stages::plan::plan;
use serde_json::json;

use crate::caller::{Caller, run_of};

/// Two levels of three tasks between a first and a last one; every task a shard.
const LATTICE: &str = r#"
foreshard: 1
name: lattice
version: "1"
tasks:
  - {id: first, kind: synthetic, cpu_s: 3}
  - {id: a1, kind: synthetic, cpu_s: 3, needs: [first]}
  - {id: a2, kind: synthetic, cpu_s: 3, needs: [first]}
  - {id: a3, kind: synthetic, cpu_s: 3, needs: [first]}
  - {id: b1, kind: synthetic, cpu_s: 3, needs: [a1, a2]}
  - {id: b2, kind: synthetic, cpu_s: 3, needs: [a2, a3]}
  - {id: b3, kind: synthetic, cpu_s: 3, needs: [a3, a1]}
  - {id: last, kind: synthetic, cpu_s: 3, needs: [b1, b2, b3]}
outputs:
  all: {task: last}
  part: {task: b2, path: $.task}
"#;

pub(crate) struct Story {
    pub(crate) caller: Caller,
    pub(crate) run: RunId,
    pub(crate) topology: Topology,
    pub(crate) work: Rc<Work>,
    pub(crate) played: Played,
}

/// Submits, looks at the plan so that the worker knows its shards, and plays.
fn story(seed: u64, chaos: &Chaos, fates: Fates, options: &serde_json::Value) -> Story {
    story_of(seed, chaos, fates, &json!({ "options": options }))
}

/// As [`story`], with everything that a body may have beside its document.
pub(crate) fn story_of(seed: u64, chaos: &Chaos, fates: Fates, body: &serde_json::Value) -> Story {
    let mut body = body.clone();
    body["document"] = json!(LATTICE);
    story_with(chaos, &body, |world| Work::new(world, seed, fates), seed)
}

/// As [`story`], of any document, with a worker of the caller's.
pub(crate) fn story_with(
    chaos: &Chaos,
    body: &serde_json::Value,
    work: impl FnOnce(&Arc<World>) -> Work,
    seed: u64,
) -> Story {
    let caller = Caller::new();
    let world = caller.world.clone();
    let answer = caller.submit_body("k", body);
    assert_eq!(answer.status, 202, "{}", answer.value());
    let run = run_of(&answer);
    let request = PlanRequest {
        run: run.clone(),
        round: Round(0),
    };
    block_on(plan(&wire::plan(&world), &request)).unwrap();
    let pointer = world.run_item(&run).unwrap().plan.unwrap();
    let topology: Topology =
        serde_json::from_slice(&world.blob(&pointer.topology.key).unwrap()).unwrap();
    let work = Rc::new(work(&world));
    let mut machine = Machine::staged(&world, seed, chaos, executes(&work), wire::rounds(&world));
    let played = machine.play(&run, 24 * 14);
    Story {
        caller,
        run,
        topology,
        work,
        played,
    }
}

impl Story {
    /// What is wrong, after all of it.
    pub(crate) fn violations(&self) -> Vec<String> {
        violations(&self.caller.world, &self.topology, &self.work, &self.played)
    }

    pub(crate) fn result(&self) -> RunResult {
        let item = self.caller.world.run_item(&self.run).unwrap();
        let bytes = self.caller.world.blob(&item.result.unwrap().key).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }
}

fn one_to_a_shard() -> serde_json::Value {
    json!({"shard_tasks_max": 1, "trace": true})
}

#[test]
fn a_document_becomes_its_result() {
    let story = story(1, &Chaos::none(), Fates::default(), &one_to_a_shard());
    assert_eq!(story.violations(), [""; 0]);
    assert_eq!(story.played.run.state, RunState::Succeeded);
    assert_eq!(story.played.counts.executions, 1);
    let result = story.result();
    assert_eq!(result.outputs["part"], OutputValue::Inline(json!("b2")));
    assert!(result.missing.is_empty());
    let view = story.caller.get(&format!("/runs/{}", story.run)).value();
    assert_eq!(view["summary"]["committed"], 8);
    assert_eq!(view["summary"]["tasks"], 8);
    let shown = story
        .caller
        .get(&format!("/runs/{}/result", story.run))
        .value();
    assert_eq!(shown["outputs"]["part"], "b2");
}

#[test]
fn a_small_share_of_history_takes_several_rounds_and_repeats_nothing() {
    let options =
        json!({"shard_tasks_max": 1, "trace": true, "history_budget": 60, "lanes_max": 2});
    let story = story(2, &Chaos::none(), Fates::default(), &options);
    assert_eq!(story.violations(), [""; 0]);
    assert_eq!(story.played.run.state, RunState::Succeeded);
    let rounds = story.played.run.summary.unwrap().rounds;
    assert!(rounds > 1, "{rounds} round");
    assert_eq!(story.played.counts.executions, rounds);
    assert!(story.work.starts().values().all(|starts| *starts == 1));
}

#[test]
fn whatever_goes_wrong_every_task_is_committed_once_or_the_run_says_why() {
    let fates = Fates {
        lost: 40,
        throttled: 60,
        timeout: 20,
        unavailable: 30,
        yielded: 100,
        ..Fates::default()
    };
    let mut succeeded = 0;
    for seed in 0..60 {
        let story = story(seed, &Chaos::heavy(), fates, &one_to_a_shard());
        assert_eq!(story.violations(), [""; 0], "seed {seed}");
        let run = &story.played.run;
        match run.state {
            RunState::Succeeded => {
                succeeded += 1;
                assert_eq!(run.summary.map(|s| s.committed), Some(8), "seed {seed}");
                assert!(story.result().missing.is_empty(), "seed {seed}");
            }
            RunState::Failed => {
                let cause = run.cause.clone().unwrap();
                assert_ne!(
                    cause.cause,
                    Cause::Rejected,
                    "seed {seed}: {}",
                    cause.message
                );
            }
            other => panic!("seed {seed}: {}", other.as_str()),
        }
    }
    assert!(succeeded >= 40, "only {succeeded} of 60 runs succeeded");
}
