//! The sweep: what is left behind by lost messages, lost lanes and dead stages is found and finished.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use foreshard_engine::frontier;
use foreshard_fakes::{Fault, World, block_on, build, wire};
use foreshard_model::frontier::{LaneItem, ShardItem, ShardState};
use foreshard_model::ids::{Attempt, LaneId, Round, RunId, ShardId};
use foreshard_model::ledger::EventKind;
use foreshard_model::message::{ReshardAnswer, ReshardRequest};
use foreshard_model::run::RunState;
use foreshard_model::topology::Topology;
use foreshard_stages::ports::{Clock as _, Executions as _};
use foreshard_stages::{StageError, reshard};

fn world_of(topology: &Topology, change: impl Fn(&mut ShardItem)) -> Arc<World> {
    let world = Arc::new(World::new());
    world.put_run(build::running(&world, topology));
    for mut item in frontier::initial_items(topology) {
        change(&mut item);
        world.put_shard(item);
    }
    block_on(world.start(&topology.run, Round(0))).unwrap();
    world
}

fn sweep(world: &Arc<World>) -> ReshardAnswer {
    block_on(reshard::reshard(
        &wire::reshard(world),
        &ReshardRequest::default(),
    ))
    .unwrap()
}

fn states(world: &World) -> Vec<ShardState> {
    let items = world.shard_items(&build::run_id());
    items.iter().map(|item| item.state).collect()
}

fn parked(number: u32) -> LaneItem {
    LaneItem {
        run: build::run_id(),
        lane: LaneId(number),
        version: 1,
        token: Some(format!("token {number}")),
        ..LaneItem::default()
    }
}

#[test]
fn what_is_done_but_not_released_is_released() {
    let world = world_of(&build::topology("a>~r ~r>b a>c"), |item| {
        if item.id == ShardId(0) {
            item.state = ShardState::Done;
        }
    });
    assert_eq!(sweep(&world).released, 1);
    let expected = [
        ShardState::Done,
        ShardState::Done,
        ShardState::Ready,
        ShardState::Ready,
        ShardState::Waiting,
    ];
    assert_eq!(states(&world), expected);
    assert_eq!(
        sweep(&world),
        ReshardAnswer {
            runs: 1,
            ..ReshardAnswer::default()
        }
    );
}

#[test]
fn an_end_that_nobody_noticed_completes_the_run() {
    let world = world_of(&build::topology("a"), |item| item.state = ShardState::Done);
    sweep(&world);
    let run = world.run_item(&build::run_id()).unwrap();
    assert_eq!(run.state, RunState::Completing);
}

#[test]
fn attempts_past_their_deadline_are_put_back_and_the_ledger_says_so() {
    let late = |item: &mut ShardItem| {
        if item.id.0 < 2 {
            item.state = ShardState::Running;
            item.attempt = Attempt(1);
            item.deadline = Some(build::START.plus(u64::from(item.id.0) * 5_000));
        }
    };
    let world = world_of(&build::topology("a b"), late);
    world.advance(1_000);
    assert_eq!(sweep(&world).expired, 1);
    assert_eq!(
        states(&world)[..2],
        [ShardState::Ready, ShardState::Running]
    );
    let ledger = world.ledger(&build::run_id());
    assert_eq!(ledger.len(), 1);
    assert_eq!(ledger[0].kind, EventKind::Retried);
    assert_eq!(sweep(&world).expired, 0);
}

#[test]
fn the_parked_are_woken_for_work_and_for_the_end() {
    let world = world_of(&build::topology("a b>c"), |_| {});
    for number in 0..4 {
        world.open_token(&format!("token {number}"));
        world.put_lane(parked(number));
    }
    assert_eq!(sweep(&world).woken, 2, "as many as shards are ready");
    let mut run = world.run_item(&build::run_id()).unwrap();
    run.state = RunState::Cancelling;
    world.put_run(run);
    assert_eq!(sweep(&world).woken, 2, "everybody, when the run is ending");
    assert_eq!(world.take_answered().len(), 4);
}

#[test]
fn a_run_whose_execution_is_gone_gets_its_next_round() {
    let world = world_of(&build::topology("a"), |_| {});
    world.advance(60_000);
    assert_eq!(sweep(&world).rounds, 0, "it is under way");
    world.close_execution(&build::run_id(), Round(0));
    assert_eq!(sweep(&world).rounds, 1);
    assert_eq!(sweep(&world).rounds, 0, "its item was written just now");
    let run = world.run_item(&build::run_id()).unwrap();
    assert_eq!(run.round, Round(1));
    let started: Vec<Round> = world
        .executions_started()
        .into_iter()
        .map(|(_, r)| r)
        .collect();
    assert_eq!(started, [Round(0), Round(1)]);
}

#[test]
fn a_run_that_was_accepted_and_never_started_is_started() {
    let world = Arc::new(World::new());
    let mut run = build::running(&world, &build::topology("a"));
    run.state = RunState::Accepted;
    run.plan = None;
    world.put_run(run);
    assert_eq!(sweep(&world).rounds, 0, "submit may be about to");
    world.advance(60_000);
    assert_eq!(sweep(&world).rounds, 1);
    assert_eq!(world.executions_started(), [(build::run_id(), Round(0))]);
}

#[test]
fn a_start_that_failed_after_the_write_is_repeated_under_the_same_name() {
    let world = world_of(&build::topology("a"), |_| {});
    world.close_execution(&build::run_id(), Round(0));
    world.advance(60_000);
    // The run's item is the first write of this sweep, the start the second.
    world.faults(|f| f.arm(1, Fault::FailBefore));
    assert_eq!(sweep(&world).rounds, 0);
    assert_eq!(world.run_item(&build::run_id()).unwrap().round, Round(1));
    world.advance(60_000);
    assert_eq!(sweep(&world).rounds, 1);
    assert_eq!(world.executions_started().last().unwrap().1, Round(1));
}

#[test]
fn a_broken_run_does_not_stop_the_others() {
    let world = Arc::new(World::new());
    let runs: Vec<RunId> = (0..45).map(|i| RunId(format!("r-{i:0>20}"))).collect();
    for (place, run) in runs.iter().enumerate() {
        let mut topology = build::topology("a>b");
        topology.run = run.clone();
        let item = build::running(&world, &topology);
        if place == 7 {
            world.remove_blob(&item.plan.as_ref().unwrap().topology.key);
        }
        world.put_run(item);
        for mut item in frontier::initial_items(&topology) {
            if item.id == ShardId(0) {
                item.state = ShardState::Done;
            }
            world.put_shard(item);
        }
    }
    let answer = sweep(&world);
    assert_eq!((answer.runs, answer.released), (45, 44));
    let asked = ReshardRequest {
        run: Some(runs[7].clone()),
    };
    let alone = block_on(reshard::reshard(&wire::reshard(&world), &asked));
    assert!(matches!(alone, Err(StageError::Rejected(_))), "{alone:?}");
}

#[test]
fn a_run_that_has_ended_is_left_alone() {
    let world = world_of(&build::topology("a"), |item| item.state = ShardState::Done);
    let mut run = world.run_item(&build::run_id()).unwrap();
    run.state = RunState::Cancelled;
    world.put_run(run.clone());
    assert_eq!(sweep(&world), ReshardAnswer::default());
    let asked = ReshardRequest {
        run: Some(run.run.clone()),
    };
    block_on(reshard::reshard(&wire::reshard(&world), &asked)).unwrap();
    assert_eq!(world.run_item(&run.run), Some(run));
    assert!(world.now() >= build::START);
}
