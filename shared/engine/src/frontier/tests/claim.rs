//! Which shard a lane takes, where, and until when.

use super::*;
use crate::frontier::*;

fn claimed(
    run: &RunItem,
    topology: &Topology,
    ready: &[ShardItem],
    number: u32,
    tries: u32,
) -> Claimed {
    let question = DispatchRequest {
        lane: LaneId(number),
        ..request(0, None)
    };
    let Replay::Turn(turn) = replay(None, &question) else {
        panic!("not a turn");
    };
    claim(&View {
        run,
        topology,
        turn: &turn,
        ready,
        tries,
        now: NOW,
    })
}

#[test]
fn a_claim_is_one_transaction_of_shard_and_lane() {
    let topology = topology("0>1 1>2");
    let ready = ShardItem {
        attempt: Attempt(2),
        not_before: Some(NOW),
        started_once: true,
        ..item(0, ShardState::Ready)
    };
    let Claimed::Run {
        writes,
        answer,
        event,
    } = claimed(&run(RunState::Running), &topology, &[ready], 3, 0)
    else {
        panic!("nothing claimed");
    };
    insta::assert_snapshot!(written(&writes), @r"
    shard 0 v8 Version(7) Running attempt 3 arrived []
    lane 3 v1 Absent round 0 step 1 events 12 token None
    ");
    let Write::Shard(shard, _) = &writes[0] else {
        panic!("the shard comes first");
    };
    assert_eq!(
        shard.deadline,
        Some(NOW.plus(60_000 + DELIVERY_MS + SETTLE_MS))
    );
    assert_eq!((shard.not_before, shard.started_once), (None, false));
    assert_eq!((shard.lane, shard.claimed_at), (Some(LaneId(3)), NOW));
    let executed = answer.shard.unwrap();
    assert_eq!(executed.attempt, Attempt(3));
    assert_eq!(executed.deadline, NOW.plus(60_000 + DELIVERY_MS));
    assert_eq!(answer.target, Some(TargetId("execute-128:live".to_owned())));
    insta::assert_snapshot!(event.because, @"rank 0, one of 1 ready, attempt 3 on 128 MiB");
}

#[test]
fn lanes_spread_over_the_first_ready_shards_and_one_lane_keeps_the_order() {
    let many = topology("0>1 1>2 2>3 3>4 4>5 5>6");
    let ready: Vec<ShardItem> = (0..6).rev().map(|id| item(id, ShardState::Ready)).collect();
    let taken = |topology: &Topology, number, tries| match claimed(
        &run(RunState::Running),
        topology,
        &ready,
        number,
        tries,
    ) {
        Claimed::Run { answer, .. } => answer.shard.unwrap().shard.0,
        other => panic!("{other:?}"),
    };
    let first: std::collections::BTreeSet<u32> = (0..40).map(|n| taken(&many, n, 0)).collect();
    assert_eq!(first.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    let again: std::collections::BTreeSet<u32> =
        (0..40).map(|tries| taken(&many, 1, tries)).collect();
    assert_eq!(again.len(), 4, "a lane that has lost tries others");
    let alone = Topology { lanes: 1, ..many };
    assert!((0..40).all(|n| taken(&alone, n, n) == 0));
}

#[test]
fn nothing_is_claimed_when_the_round_is_over_or_what_is_ready_backs_off() {
    let topology = topology("0>1");
    let ready = [item(0, ShardState::Ready)];
    let later = [ShardItem {
        not_before: Some(NOW.plus(1)),
        ..item(0, ShardState::Ready)
    }];
    let elsewhere = RunItem {
        round: Round(1),
        ..run(RunState::Running)
    };
    for (run, ready) in [
        (run(RunState::Cancelling), &ready[..]),
        (elsewhere, &ready[..]),
        (run(RunState::Running), &later[..]),
        (run(RunState::Running), &[]),
    ] {
        assert_eq!(claimed(&run, &topology, ready, 0, 0), Claimed::Nothing);
    }
}

#[test]
fn a_shard_that_no_target_can_run_fails_with_the_reason() {
    let topology = topology("0>1");
    let ready = [ShardItem {
        tier: Mib(513),
        ..item(0, ShardState::Ready)
    }];
    let Claimed::NoTarget(failed) = claimed(&run(RunState::Running), &topology, &ready, 0, 0)
    else {
        panic!("claimed");
    };
    assert_eq!(failed.state, ShardState::Failed);
    insta::assert_snapshot!(failed.cause.unwrap().message, @"no target has 513 MiB");
    assert_eq!(
        look_ahead(&Topology {
            lanes: 9_999,
            ..topology
        }),
        LOOK_AHEAD_MAX
    );
}
