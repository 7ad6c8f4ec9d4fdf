//! The end of a round: result, report, the next round, and every crash on the way there.

use std::collections::BTreeMap;
use std::sync::Arc;

use foreshard_engine::report::{Report, RunResult, TaskGraph};
use foreshard_fakes::{Fault, World, block_on, build, wire};
use foreshard_model::frontier::{LaneItem, ShardItem, ShardState};
use foreshard_model::ids::{Attempt, LaneId, Round, ShardId, Step, TaskId};
use foreshard_model::ledger::EventKind;
use foreshard_model::message::{AggregateAnswer, AggregateRequest, CaughtError, Cause, ShardUsage};
use foreshard_model::output::{Located, Manifest, OutputValue, TaskOutput, TaskUsage};
use foreshard_model::plan::ShardKind;
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::topology::Topology;
use foreshard_model::units::TimeMs;
use foreshard_stages::StageError;
use foreshard_stages::aggregate::aggregate;
use foreshard_stages::ports::Clock as _;
use serde_json::{Value, json};

fn request(round: u32) -> AggregateRequest {
    AggregateRequest {
        run: build::run_id(),
        round: Round(round),
        error: None,
    }
}

fn end(world: &Arc<World>, round: u32) -> Result<AggregateAnswer, StageError> {
    block_on(aggregate(&wire::aggregate(world), &request(round)))
}

fn located(shard: u32, task: &str, path: Option<&str>) -> Located {
    Located::Task {
        shard: ShardId(shard),
        task: TaskId::from(task),
        path: path.map(str::to_owned),
    }
}

/// A run of `a>b>END` whose shards have left these values.
struct Ran {
    topology: Topology,
    values: BTreeMap<&'static str, OutputValue>,
}

impl Ran {
    fn new(outputs: &[(&str, Located)]) -> Self {
        let outputs = outputs.iter().map(|(n, l)| ((*n).to_owned(), l.clone()));
        Self {
            topology: Topology {
                outputs: outputs.collect(),
                ..build::topology("a>b")
            },
            values: BTreeMap::new(),
        }
    }

    fn value(mut self, task: &'static str, value: Value) -> Self {
        self.values.insert(task, OutputValue::Inline(value));
        self
    }

    /// Puts the run in this state, with its shards: done ones have a manifest.
    fn put(&self, world: &World, state: RunState, shards: [ShardState; 3]) -> RunItem {
        let run = RunItem {
            state,
            ..build::running(world, &self.topology)
        };
        world.put_run(run.clone());
        let graph = TaskGraph {
            tasks: vec![TaskId::from("a"), TaskId::from("b")],
            needs: vec![vec![], vec![0]],
            learnt: vec!["etl/command:a".to_owned()],
            learnt_as: vec![0, u32::MAX],
        };
        let key = format!("runs/{}/plans/0/graph.json", run.run);
        world.put_blob(&key, serde_json::to_vec(&graph).unwrap());
        for (node, state) in self.topology.shards.iter().zip(shards) {
            let mut item = ShardItem {
                run: run.run.clone(),
                id: node.id,
                version: 3,
                kind: node.kind,
                state,
                // What is virtual settles without an attempt.
                attempt: Attempt(u32::from(node.kind == ShardKind::Work)),
                tier: node.tier,
                settled_at: TimeMs(build::START.0 + 1_000 * u64::from(node.id.0 + 1)),
                usage: ShardUsage {
                    duration_ms: 1_000,
                    ..ShardUsage::default()
                },
                ..ShardItem::default()
            };
            if state == ShardState::Done && node.kind == ShardKind::Work {
                item.output = Some(self.manifest(world, &item, node.first_task.as_str()));
            }
            if state == ShardState::Failed {
                item.cause = build::failed(item.id, item.attempt, Cause::TaskFailed).failure;
            }
            world.put_shard(item);
        }
        run
    }

    fn manifest(
        &self,
        world: &World,
        item: &ShardItem,
        task: &str,
    ) -> foreshard_model::claim::Claim {
        let value = self.values.get(task).cloned();
        let output = TaskOutput {
            attempt: item.attempt,
            value: value.unwrap_or(OutputValue::Inline(Value::Null)),
            files: BTreeMap::new(),
            usage: TaskUsage {
                started_ms: build::START.0 + 1_500 * u64::from(item.id.0),
                duration_ms: 1_000,
                peak_kib: 60 * 1024,
                memory: item.tier,
                ..TaskUsage::default()
            },
        };
        let manifest = Manifest {
            run: item.run.clone(),
            shard: item.id,
            tasks: [(TaskId::from(task), output)].into(),
        };
        let key = format!("runs/{}/shards/{}/1/0/m", item.run, item.id);
        build::stored(world, &key, &serde_json::to_vec(&manifest).unwrap())
    }
}

const DONE: [ShardState; 3] = [ShardState::Done; 3];
const HALF: [ShardState; 3] = [ShardState::Done, ShardState::Ready, ShardState::Waiting];

fn run_of(world: &World) -> RunItem {
    world.run_item(&build::run_id()).unwrap()
}

fn object(world: &World, name: &str) -> Vec<u8> {
    world.blob(&format!("runs/{}/{name}", build::RUN)).unwrap()
}

fn result_of(world: &World) -> RunResult {
    serde_json::from_slice(&object(world, "result.json")).unwrap()
}

#[test]
fn a_finished_run_succeeds_with_its_outputs_and_its_figures() {
    let world = Arc::new(World::new());
    let ran = Ran::new(&[
        ("whole", located(1, "b", None)),
        ("part", located(0, "a", Some("$.n[1]"))),
        ("gone", located(1, "b", Some("$.nothing"))),
        ("fixed", Located::Constant(json!(7))),
        (
            "asked",
            Located::Run {
                path: Some("$.day".into()),
                default: Some(json!("monday")),
            },
        ),
    ])
    .value("a", json!({"n": [1, 2]}))
    .value("b", json!({"ok": true}));
    ran.put(&world, RunState::Completing, DONE);
    world.put_lane(LaneItem {
        run: build::run_id(),
        lane: LaneId(0),
        version: 1,
        step: Step(2),
        ..LaneItem::default()
    });
    world.advance(4_000);

    let answer = end(&world, 0).unwrap();
    assert_eq!(
        (answer.state.as_str(), answer.next_round),
        ("succeeded", None)
    );
    let result = result_of(&world);
    assert_eq!(
        serde_json::to_value(&result.outputs).unwrap(),
        json!({
            "whole": {"inline": {"ok": true}},
            "part": {"inline": 2},
            "fixed": {"inline": 7},
            "asked": {"inline": "monday"},
        })
    );
    assert_eq!(result.missing.keys().collect::<Vec<_>>(), ["gone"]);

    let run = run_of(&world);
    let summary = run.summary.unwrap();
    assert_eq!((summary.tasks, summary.committed), (2, 2));
    assert_eq!(
        (summary.shards, summary.attempts, summary.rounds),
        (2, 2, 1)
    );
    assert!((summary.makespan_s - 4.0).abs() < 1e-9);
    assert!((summary.critical_path_s - 2.0).abs() < 1e-9);
    assert!((summary.work_s - 2.0).abs() < 1e-9);
    assert!(summary.cost_usd.0 > 0.0);
    let report: Report = serde_json::from_slice(&object(&world, "report.json")).unwrap();
    assert_eq!(report.summary, summary);
    let waits: Vec<u64> = report
        .critical_path
        .steps
        .iter()
        .map(|s| s.waited_ms)
        .collect();
    assert_eq!(waits, [0, 500]);
    assert_eq!(world.executions_started(), []);
    assert_eq!(
        world.ledger(&run.run).last().unwrap().kind,
        EventKind::State
    );
    assert_eq!(end(&world, 0).unwrap().state, "succeeded");
}

#[test]
fn large_values_stay_outside_the_result_and_a_path_leads_into_them() {
    let world = Arc::new(World::new());
    let large = json!({"text": "x".repeat(300 * 1024), "n": 5});
    let bytes = large.to_string().into_bytes();
    let claim = build::stored(&world, "runs/large", &bytes);
    let mut ran = Ran::new(&[
        ("whole", located(0, "a", None)),
        ("small part", located(0, "a", Some("$.n"))),
        ("large part", located(0, "a", Some("$.text"))),
        ("inline", located(1, "b", None)),
    ]);
    ran.values.insert("a", OutputValue::Stored(claim.clone()));
    let medium = json!("y".repeat(5_000));
    let stored = build::stored(&world, "runs/medium", medium.to_string().as_bytes());
    ran.values.insert("b", OutputValue::Stored(stored));
    ran.put(&world, RunState::Completing, DONE);

    end(&world, 0).unwrap();
    let result = result_of(&world);
    assert_eq!(result.outputs["whole"], OutputValue::Stored(claim));
    assert_eq!(result.outputs["small part"], OutputValue::Inline(json!(5)));
    assert_eq!(result.outputs["inline"], OutputValue::Inline(medium));
    let OutputValue::Stored(part) = &result.outputs["large part"] else {
        panic!("a value of 300 KiB stands in the result");
    };
    let part: Value = serde_json::from_slice(&world.blob(&part.key).unwrap()).unwrap();
    assert_eq!(part, large["text"]);
}

#[test]
fn a_lost_manifest_fails_the_run_and_says_which() {
    let world = Arc::new(World::new());
    let ran = Ran::new(&[("b", located(1, "b", None))]);
    let run = ran.put(&world, RunState::Completing, DONE);
    world.remove_blob(&format!("runs/{}/shards/1/1/0/m", run.run));
    assert_eq!(end(&world, 0).unwrap().state, "failed");
    let cause = run_of(&world).cause.unwrap();
    assert_eq!(cause.cause, Cause::InputMissing);
    assert!(cause.message.contains("shards/1"), "{}", cause.message);
}

#[test]
fn a_run_that_is_ending_ends_as_it_was_meant_to() {
    let ends = [
        (RunState::Failing, "failed"),
        (RunState::Cancelling, "cancelled"),
        (RunState::Pausing, "paused"),
    ];
    for (state, expected) in ends {
        let world = Arc::new(World::new());
        Ran::new(&[]).put(&world, state, HALF);
        assert_eq!(end(&world, 0).unwrap().state, expected);
        let run = run_of(&world);
        assert_eq!(run.summary.unwrap().committed, 1, "{expected}");
        assert!(run.ended_at.is_some() && run.result.is_none());
        assert_eq!(world.executions_started(), []);
    }
}

#[test]
fn what_failed_for_good_fails_the_run_with_the_first_cause() {
    let world = Arc::new(World::new());
    let failed = [ShardState::Failed, ShardState::Skipped, ShardState::Skipped];
    Ran::new(&[]).put(&world, RunState::Running, failed);
    assert_eq!(end(&world, 0).unwrap().state, "failed");
    assert_eq!(run_of(&world).cause.unwrap().cause, Cause::TaskFailed);
}

#[test]
fn work_that_is_left_goes_on_in_the_next_round_and_a_repeat_changes_nothing() {
    let world = Arc::new(World::new());
    Ran::new(&[]).put(&world, RunState::Running, HALF);
    let answer = end(&world, 0).unwrap();
    assert_eq!(answer.next_round, Some(Round(1)));
    let after = run_of(&world);
    assert_eq!((after.round, after.settled_before_round), (Round(1), 1));
    assert_eq!(end(&world, 0).unwrap(), answer);
    assert_eq!(run_of(&world), after);
    assert_eq!(world.executions_started(), [(build::run_id(), Round(1))]);
    let last = world.ledger(&after.run).last().unwrap().clone();
    assert_eq!(last.kind, EventKind::Round);
}

#[test]
fn three_rounds_without_progress_fail_the_run() {
    let world = Arc::new(World::new());
    Ran::new(&[]).put(&world, RunState::Running, HALF);
    for round in 0..3 {
        assert_eq!(end(&world, round).unwrap().state, "running");
        assert_eq!(end(&world, round).unwrap().state, "running");
    }
    // Only the round that settled something is followed at once; after the futile ones the sweep starts the next.
    assert!(!world.executions_started().is_empty());
    assert!(
        world
            .executions_started()
            .iter()
            .all(|(_, round)| *round == Round(1))
    );
    assert_eq!(end(&world, 3).unwrap().state, "failed");
    assert_eq!(run_of(&world).cause.unwrap().cause, Cause::NoProgress);
}

#[test]
fn a_run_whose_planning_fails_is_planned_again_twice() {
    let world = Arc::new(World::new());
    let run = RunItem {
        run: build::run_id(),
        version: 1,
        accepted_at: build::START,
        ..RunItem::default()
    };
    world.put_run(run);
    let ports = wire::aggregate(&world);
    let end = |round| {
        let request = AggregateRequest {
            error: Some(CaughtError {
                error: "Unavailable".into(),
                cause: r#"{"errorMessage":"unavailable: no answer"}"#.into(),
            }),
            ..request(round)
        };
        block_on(aggregate(&ports, &request)).unwrap().state
    };
    assert_eq!([end(0), end(1), end(2)], ["accepted", "accepted", "failed"]);
    let cause = run_of(&world).cause.unwrap();
    assert_eq!(cause.cause, Cause::PlanFailed);
    assert!(cause.message.contains("no answer"), "{}", cause.message);
    // What failed a moment ago is left to the sweep, and a repeat of aggregate does not hurry it.
    assert_eq!(world.executions_started(), []);
}

/// What counts of a run, whatever went wrong on the way.
fn outcome(world: &World) -> (RunState, Round, u32, usize, Vec<String>) {
    let run = run_of(world);
    (
        run.state,
        run.round,
        run.futile_rounds,
        world.executions_started().len(),
        world.blob_keys(&format!("runs/{}/re", run.run)),
    )
}

/// Names and samples of the profiles.
fn taught(world: &World) -> Vec<(String, u64)> {
    let tenant = &run_of(world).context.tenant;
    let profiles = world.profile_items(tenant).into_iter();
    profiles.map(|p| (p.key.task_type, p.samples)).collect()
}

#[test]
fn what_the_tasks_of_a_run_used_is_taken_in_once() {
    let world = Arc::new(World::new());
    let run = Ran::new(&[]).put(&world, RunState::Completing, DONE);
    world.advance(9_000);
    for _ in 0..2 {
        end(&world, 0).unwrap();
        assert_eq!(taught(&world), [("etl/command:a".to_owned(), 1)]);
    }
    // It goes on, and ends again: what had ended before is known already.
    let ended = run_of(&world);
    assert_eq!(ended.learnt_until, Some(world.now()));
    world.put_run(RunItem {
        state: RunState::Completing,
        round: Round(1),
        version: ended.version + 1,
        ..ended
    });
    end(&world, 1).unwrap();
    assert_eq!(taught(&world), [("etl/command:a".to_owned(), 1)]);
    let known = &world.profile_items(&run.context.tenant)[0];
    assert_eq!((known.version, known.latest), (1, world.now()));
}

#[test]
fn a_crash_at_any_write_is_healed_by_a_repeat() {
    let scenes = [
        (RunState::Completing, DONE),
        (RunState::Running, HALF),
        (RunState::Failing, HALF),
        (RunState::Cancelling, HALF),
    ];
    for (state, shards) in scenes {
        let put = || {
            let world = Arc::new(World::new());
            Ran::new(&[("b", located(1, "b", None))]).put(&world, state, shards);
            world
        };
        let whole = put();
        end(&whole, 0).unwrap();
        let writes = whole.faults(|f| f.writes());
        assert!(writes >= 2);
        for nth in 0..writes {
            for fault in Fault::ALL {
                let world = put();
                world.faults(|f| f.arm(nth, fault));
                let first = end(&world, 0);
                world.faults(|f| f.revive());
                let second = end(&world, 0);
                assert!(second.is_ok(), "{fault:?} at {nth}: {first:?}, {second:?}");
                assert_eq!(outcome(&world), outcome(&whole), "{fault:?} at {nth}");
                assert_eq!(taught(&world), taught(&whole), "{fault:?} at {nth}");
            }
        }
    }
}

#[test]
fn a_wish_that_comes_in_between_wins() {
    let world = Arc::new(World::new());
    let run = Ran::new(&[]).put(&world, RunState::Running, HALF);
    let ports = wire::aggregate(&world);
    world.set_interleave(true);
    let mut ending = Box::pin(async { aggregate(&ports, &request(0)).await });
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let _pending = ending.as_mut().poll(&mut context);
    let _pending = ending.as_mut().poll(&mut context);
    world.put_run(RunItem {
        state: RunState::Cancelling,
        version: run.version + 1,
        ..run
    });
    let answer = block_on(ending).unwrap();
    assert_eq!(answer.state, "cancelled");
    assert_eq!(world.executions_started(), []);
}
