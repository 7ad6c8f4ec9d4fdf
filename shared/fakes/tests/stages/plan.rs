//! The beginning of a round: the plan, its lanes, what is refused, and every crash on the way there.

use std::sync::Arc;

use foreshard_engine::report::TaskGraph;
use foreshard_fakes::{Fault, World, block_on, build, wire};
use foreshard_model::frontier::ShardState;
use foreshard_model::ids::{Round, RunId, Sha256Hex};
use foreshard_model::ledger::EventKind;
use foreshard_model::message::{Cause, PlanAnswer, PlanRequest};
use foreshard_model::plan::Plan;
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::topology::Topology;
use foreshard_stages::StageError;
use foreshard_stages::plan::plan;
use serde_json::json;

use crate::caller::{ACCOUNT, CYCLE, Caller, run_of};

/// Four tasks, each a shard of its own.
const DIAMOND: &str = r#"
foreshard: 1
name: diamond
version: "1"
tasks:
  - {id: a, kind: synthetic, cpu_s: 40}
  - {id: b, kind: synthetic, cpu_s: 40, needs: [a]}
  - {id: c, kind: synthetic, cpu_s: 40, needs: [a]}
  - {id: d, kind: synthetic, cpu_s: 40, needs: [b, c]}
"#;

fn submitted() -> (Caller, RunId) {
    let caller = Caller::new();
    let body = json!({"document": DIAMOND, "options": {"shard_tasks_max": 1}});
    let answer = caller.submit_body("k", &body);
    assert_eq!(answer.status, 202, "{}", answer.value());
    (caller, run_of(&answer))
}

fn begin(world: &Arc<World>, run: &RunId, round: u32) -> Result<PlanAnswer, StageError> {
    let request = PlanRequest {
        run: run.clone(),
        round: Round(round),
    };
    block_on(plan(&wire::plan(world), &request))
}

#[test]
fn the_first_round_plans_stores_and_opens_lanes() {
    let (caller, run) = submitted();
    let world = &caller.world;
    let answer = begin(world, &run, 0).unwrap();
    assert!(!answer.lanes.is_empty());
    let item = world.run_item(&run).unwrap();
    assert_eq!((item.state, item.round), (RunState::Running, Round(0)));
    let pointer = item.plan.clone().unwrap();
    assert_eq!(pointer.tasks, 4);
    assert_eq!(answer.lanes.len(), pointer.lanes as usize);

    let bytes = world.blob(&pointer.topology.key).unwrap();
    assert_eq!(Sha256Hex::of(&bytes), pointer.topology.sha256);
    let topology: Topology = serde_json::from_slice(&bytes).unwrap();
    assert!(!topology.chunks.is_empty());
    for chunk in &topology.chunks {
        let bytes = world.blob(&chunk.key).unwrap();
        assert_eq!(Sha256Hex::of(&bytes), chunk.sha256);
    }
    let plan: Plan = serde_json::from_slice(&world.blob(&pointer.plan.key).unwrap()).unwrap();
    assert_eq!(plan.shards.len(), pointer.shards as usize);
    let graph = world
        .blob(&format!("runs/{run}/plans/0/graph.json"))
        .unwrap();
    let graph: TaskGraph = serde_json::from_slice(&graph).unwrap();
    assert_eq!(graph.needs, [vec![], vec![0], vec![0], vec![1, 2]]);

    let shards = world.shard_items(&run);
    assert_eq!(shards.len(), topology.shards.len());
    let ready = shards.iter().filter(|s| s.state == ShardState::Ready);
    assert_eq!(ready.count(), 1);
    let kinds: Vec<EventKind> = world.ledger(&run).iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [EventKind::Accepted, EventKind::Planned]);
}

#[test]
fn a_repeat_and_a_later_round_answer_the_same_lanes_and_write_nothing_else() {
    let (caller, run) = submitted();
    let first = begin(&caller.world, &run, 0).unwrap();
    let item = caller.world.run_item(&run).unwrap();
    let shards = caller.world.shard_items(&run);
    caller.world.advance(9_000);
    assert_eq!(begin(&caller.world, &run, 0).unwrap(), first);
    assert_eq!(caller.world.run_item(&run).unwrap(), item);
    assert_eq!(begin(&caller.world, &run, 1).unwrap(), first);
    assert_eq!(caller.world.run_item(&run).unwrap().round, Round(1));
    assert_eq!(begin(&caller.world, &run, 0).unwrap().lanes, []);
    assert_eq!(caller.world.shard_items(&run), shards);
}

#[test]
fn a_run_that_is_ending_opens_no_lanes() {
    for state in [
        RunState::Cancelling,
        RunState::Failing,
        RunState::Pausing,
        RunState::Completing,
        RunState::Succeeded,
    ] {
        let (caller, run) = submitted();
        let item = caller.world.run_item(&run).unwrap();
        caller.world.put_run(RunItem { state, ..item });
        assert_eq!(begin(&caller.world, &run, 0).unwrap().lanes, []);
        assert_eq!(caller.world.run_item(&run).unwrap().state, state);
    }
    let unknown = begin(&Arc::new(World::new()), &build::run_id(), 0);
    assert!(matches!(unknown, Err(StageError::Rejected(_))));
}

/// How many writes the planning of [`DIAMOND`] takes: the last two are the run and the ledger.
fn writes_of_planning() -> u64 {
    let (caller, run) = submitted();
    let before = caller.world.faults(|f| f.writes());
    begin(&caller.world, &run, 0).unwrap();
    caller.world.faults(|f| f.writes()) - before
}

/// An upload that was accepted unread because of its size.
fn uploaded(document: &str) -> (Caller, RunId, Sha256Hex) {
    let caller = Caller::new();
    let text = format!("{document}\n#{}", " ".repeat(5 * 1024 * 1024));
    let digest = Sha256Hex::of(text.as_bytes());
    caller
        .world
        .put_blob(&format!("uploads/{ACCOUNT}/{digest}"), text.into());
    let answer = caller.submit_body("k", &json!({ "upload": digest }));
    assert_eq!(answer.status, 202, "{}", answer.value());
    let run = run_of(&answer);
    (caller, run, digest)
}

#[test]
fn a_large_upload_is_read_as_a_stream() {
    let (caller, run, _) = uploaded(DIAMOND);
    assert!(!begin(&caller.world, &run, 0).unwrap().lanes.is_empty());
    let item = caller.world.run_item(&run).unwrap();
    assert_eq!(
        (item.state, item.workflow.as_str()),
        (RunState::Running, "diamond")
    );
}

#[test]
fn a_document_that_is_refused_in_planning_fails_the_run_with_its_problems() {
    let (caller, run, _) = uploaded(CYCLE);
    assert_eq!(begin(&caller.world, &run, 0).unwrap().lanes, []);
    let item = caller.world.run_item(&run).unwrap();
    assert_eq!(item.state, RunState::Failing);
    let cause = item.cause.unwrap();
    assert_eq!(cause.cause, Cause::Rejected);
    assert!(cause.message.contains("FS1022"), "{}", cause.message);
    let view = caller.get(&format!("/runs/{run}")).value();
    assert_eq!(view["problems"][0]["code"], "FS1022");
    assert!(caller.world.shard_items(&run).is_empty());
    assert_eq!(begin(&caller.world, &run, 0).unwrap().lanes, []);
}

#[test]
fn an_upload_that_has_expired_fails_the_run_and_says_so() {
    let (caller, run, digest) = uploaded(DIAMOND);
    caller
        .world
        .remove_blob(&format!("uploads/{ACCOUNT}/{digest}"));
    assert_eq!(begin(&caller.world, &run, 0).unwrap().lanes, []);
    let item = caller.world.run_item(&run).unwrap();
    assert_eq!(item.state, RunState::Failing);
    assert_eq!(item.cause.unwrap().cause, Cause::InputMissing);
}

#[test]
fn a_crash_at_any_write_is_healed_by_a_repeat() {
    let (whole, run) = submitted();
    let before = whole.world.faults(|f| f.writes());
    let expected = begin(&whole.world, &run, 0).unwrap();
    let writes = whole.world.faults(|f| f.writes()) - before;
    assert!(writes >= 6);
    for nth in 0..writes {
        for fault in Fault::ALL {
            let (caller, run) = submitted();
            caller.world.faults(|f| f.arm(nth, fault));
            let first = begin(&caller.world, &run, 0);
            caller.world.faults(|f| f.revive());
            let second = begin(&caller.world, &run, 0);
            let told = format!("{fault:?} at {nth}: {first:?}, {second:?}");
            assert_eq!(second.as_ref(), Ok(&expected), "{told}");
            assert_eq!(
                caller.world.run_item(&run),
                whole.world.run_item(&run),
                "{told}"
            );
            assert_eq!(
                caller.world.shard_items(&run),
                whole.world.shard_items(&run)
            );
            assert_eq!(caller.world.blob_keys(""), whole.world.blob_keys(""));
            assert_eq!(
                caller.world.ledger(&run),
                whole.world.ledger(&run),
                "{told}"
            );
        }
    }
}

#[test]
fn a_plan_that_is_stored_counts_even_when_the_pool_has_changed() {
    let (caller, run) = submitted();
    let (other, other_run) = submitted();
    begin(&other.world, &other_run, 0).unwrap();
    let last = writes_of_planning() - 2;
    caller.world.faults(|f| f.arm(last, Fault::CrashBefore));
    assert!(begin(&caller.world, &run, 0).is_err());
    caller.world.faults(|f| f.revive());
    let shards = caller.world.shard_items(&run);
    assert!(!shards.is_empty());
    let mut pool = build::pool();
    pool.targets.remove(0);
    caller.world.set_pool(pool);
    begin(&caller.world, &run, 0).unwrap();
    assert_eq!(caller.world.shard_items(&run), shards);
    let plans = |c: &Caller, r: &RunId| c.world.blob(&format!("runs/{r}/plans/0/plan.json"));
    assert_eq!(plans(&caller, &run), plans(&other, &other_run));
}

#[test]
fn a_cancel_that_comes_in_between_wins() {
    let (caller, run) = submitted();
    let ports = wire::plan(&caller.world);
    let request = PlanRequest {
        run: run.clone(),
        round: Round(0),
    };
    caller.world.set_interleave(true);
    let mut planning = Box::pin(plan(&ports, &request));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for _ in 0..4 {
        let _pending = planning.as_mut().poll(&mut context);
    }
    caller.world.set_interleave(false);
    assert_eq!(caller.post(&format!("/runs/{run}/cancel")).status, 202);
    assert_eq!(block_on(planning).unwrap().lanes, []);
    assert_eq!(
        caller.world.run_item(&run).unwrap().state,
        RunState::Cancelling
    );
}

/// Eight tasks side by side, each a shard of its own.
fn side_by_side(name: &str, cpu_s: u32) -> String {
    let tasks = (0..8).map(|at| format!("  - {{id: t{at}, kind: synthetic, cpu_s: {cpu_s}}}\n"));
    let tasks: String = tasks.collect();
    format!("foreshard: 1\nname: {name}\nversion: \"1\"\ntasks:\n{tasks}")
}

#[test]
fn a_second_run_plans_with_what_the_first_one_leaves_and_says_so() {
    let caller = Caller::new();
    let world = &caller.world;
    world.set_pool(foreshard_model::target::Pool {
        concurrency: 10,
        ..foreshard_model::target::Pool::default_on_aws("us-east-1")
    });
    let plan_of = |key: &str, cpu_s: u32| {
        let body = json!({"document": side_by_side(key, cpu_s), "options": {"shard_tasks_max": 1}});
        let run = run_of(&caller.submit_body(key, &body));
        let lanes = begin(world, &run, 0).unwrap().lanes.len();
        let pointer = world.run_item(&run).unwrap().plan.unwrap();
        let plan: Plan = serde_json::from_slice(&world.blob(&pointer.plan.key).unwrap()).unwrap();
        let told = plan
            .reasons
            .iter()
            .filter(|r| ["outlook", "lanes"].contains(&r.subject.as_str()));
        let told: Vec<String> = told.map(|r| r.because.clone()).collect();
        (run, lanes, told)
    };
    let (first, lanes, told) = plan_of("first", 400);
    assert_eq!((lanes, told.len()), (8, 1), "{told:?}");
    let (_, lanes, told) = plan_of("second", 40);
    assert_eq!(lanes, 2);
    assert_eq!(
        told,
        [
            "2 lanes: bound by what is expected to be free and promised to nobody",
            "`us-east-1` has 2 to 10 of 10 lanes free while the run lasts; other runs hold 8 of them, the last until 401 s \
             from now",
        ]
    );
    let ended = world.run_item(&first).unwrap();
    world.put_run(RunItem {
        state: RunState::Succeeded,
        ..ended
    });
    let (_, lanes, _) = plan_of("third", 40);
    assert_eq!(lanes, 8);
}
