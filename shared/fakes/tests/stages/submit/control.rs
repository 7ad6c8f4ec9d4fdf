//! Cancel, pause, resume: what becomes of the run, of its parked lanes and of its shards.

use std::sync::Arc;

use foreshard_fakes::{Fault, World, build};
use foreshard_model::frontier::{LaneItem, ShardItem, ShardState};
use foreshard_model::ids::{Attempt, LaneId, Round};
use foreshard_model::message::Cause;
use foreshard_model::plan::ShardKind;
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::topology::Topology;

use crate::caller::{ACCOUNT, Caller, refused};

/// A run of this topology in this state, its shards in these.
fn put(state: RunState, text: &str, shards: &[ShardState]) -> Caller {
    let world = Arc::new(World::new());
    let topology: Topology = build::topology(text);
    world.put_run(RunItem {
        state,
        ..build::running(&world, &topology)
    });
    for (node, state) in topology.shards.iter().zip(shards) {
        let mut item = ShardItem {
            run: build::run_id(),
            id: node.id,
            version: 5,
            kind: node.kind,
            state: *state,
            attempt: Attempt(u32::from(node.kind == ShardKind::Work)),
            tier: node.tier,
            ..ShardItem::default()
        };
        if *state == ShardState::Failed {
            item.cause = build::failed(item.id, item.attempt, Cause::TaskFailed).failure;
            item.released = true;
        }
        world.put_shard(item);
    }
    Caller::of(ACCOUNT, &world)
}

fn path(what: &str) -> String {
    format!("/runs/{}/{what}", build::RUN)
}

fn run_of(caller: &Caller) -> RunItem {
    caller.world.run_item(&build::run_id()).unwrap()
}

fn states(caller: &Caller) -> Vec<ShardState> {
    let shards = caller.world.shard_items(&build::run_id());
    shards.iter().map(|s| s.state).collect()
}

use ShardState::{Done, Failed, Ready, Running, Skipped, Waiting};

#[test]
fn cancelling_wakes_the_parked_and_a_repeat_changes_nothing() {
    let caller = put(RunState::Running, "a>b", &[Running, Waiting, Waiting]);
    for lane in 0..3 {
        let token = format!("token-{lane}");
        caller.world.open_token(&token);
        caller.world.put_lane(LaneItem {
            run: build::run_id(),
            lane: LaneId(lane),
            version: 2,
            token: Some(token),
            ..LaneItem::default()
        });
    }
    let answer = caller.post(&path("cancel"));
    assert_eq!(answer.status, 202, "{}", answer.value());
    assert_eq!(answer.value()["state"], "cancelling");
    assert_eq!(caller.world.take_answered().len(), 3);
    let lanes = caller.world.lane_items(&build::run_id());
    assert!(lanes.iter().all(|lane| lane.token.is_none()));
    let before = run_of(&caller);
    assert_eq!(caller.post(&path("cancel")).status, 202);
    assert_eq!(run_of(&caller), before);
    assert!(refused(&caller.post(&path("pause"))).starts_with("409 FS3014"));
    assert!(refused(&caller.post(&path("resume"))).starts_with("409 FS3014"));
    let because = caller.world.ledger(&build::run_id())[0].because.clone();
    insta::assert_snapshot!(because, @"cancelling: cancelled by arn:aws:iam::123456789012:user/ada");
}

#[test]
fn a_paused_run_is_resumed_or_cancelled() {
    let caller = put(RunState::Running, "a>b", &[Done, Ready, Waiting]);
    assert_eq!(caller.post(&path("pause")).value()["state"], "pausing");
    let paused = RunItem {
        state: RunState::Paused,
        ..run_of(&caller)
    };
    caller.world.put_run(paused.clone());
    let answer = caller.post(&path("resume"));
    assert_eq!(answer.value()["state"], "running");
    assert_eq!(answer.value()["round"], 1);
    assert_eq!(
        caller.world.executions_started(),
        [(build::run_id(), Round(1))]
    );
    assert_eq!(states(&caller), [Done, Ready, Waiting]);
    assert_eq!(run_of(&caller).settled_before_round, 1);
    assert_eq!(caller.post(&path("resume")).status, 202);
    assert_eq!(caller.world.executions_started().len(), 1);
    caller.world.put_run(paused);
    assert_eq!(caller.post(&path("cancel")).value()["state"], "cancelled");
}

#[test]
fn a_failed_run_repeats_what_failed_and_nothing_that_finished() {
    // Shards are numbered in order of appearance: a, c, b, d, END.
    let caller = put(
        RunState::Failed,
        "a>c b>c c>d",
        &[Done, Skipped, Failed, Skipped, Skipped],
    );
    let answer = caller.post(&path("resume"));
    assert_eq!(answer.status, 202, "{}", answer.value());
    assert_eq!(states(&caller), [Done, Waiting, Ready, Waiting, Waiting]);
    let run = run_of(&caller);
    assert_eq!((run.state, run.cause), (RunState::Running, None));
}

#[test]
fn more_shards_than_fit_one_transaction_are_put_back() {
    let names: Vec<String> = (0..250).map(|n| format!("t{n}")).collect();
    let mut shards = vec![Failed; 250];
    shards.push(Skipped);
    let caller = put(RunState::Failed, &names.join(" "), &shards);
    assert_eq!(caller.post(&path("resume")).status, 202);
    let mut expected = vec![Ready; 250];
    expected.push(Waiting);
    assert_eq!(states(&caller), expected);
}

#[test]
fn a_crash_at_any_write_of_a_resume_is_healed_by_a_repeat() {
    let scene = || put(RunState::Failed, "a>b", &[Failed, Skipped, Skipped]);
    let whole = scene();
    whole.post(&path("resume"));
    for nth in 0..whole.world.faults(|f| f.writes()) {
        for fault in Fault::ALL {
            let caller = scene();
            caller.world.faults(|f| f.arm(nth, fault));
            caller.post(&path("resume"));
            caller.world.faults(|f| f.revive());
            let answer = caller.post(&path("resume"));
            assert_eq!(answer.status, 202, "{fault:?} at {nth}");
            assert_eq!(states(&caller), states(&whole), "{fault:?} at {nth}");
            let run = run_of(&caller);
            assert_eq!((run.state, run.round), (RunState::Running, Round(1)));
            assert_eq!(
                caller.world.executions_started(),
                [(build::run_id(), Round(1))],
                "{fault:?} at {nth}"
            );
        }
    }
}

#[test]
fn what_has_ended_for_good_is_not_resumed() {
    let caller = put(RunState::Succeeded, "a", &[Done, Done]);
    for what in ["cancel", "pause", "resume"] {
        let refusal = refused(&caller.post(&path(what)));
        assert!(refusal.starts_with("409 FS3014"), "{refusal}");
    }
    let caller = put(RunState::Failed, "a", &[Ready, Waiting]);
    let mut run = run_of(&caller);
    run.plan = None;
    run.cause = build::failed(build::shard(0), Attempt(1), Cause::Rejected).failure;
    caller.world.put_run(run.clone());
    assert!(refused(&caller.post(&path("resume"))).starts_with("409 FS3014"));
    run.cause = None;
    caller.world.put_run(run);
    assert_eq!(caller.post(&path("resume")).value()["state"], "accepted");
}
