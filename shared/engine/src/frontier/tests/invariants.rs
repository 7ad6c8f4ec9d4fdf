//! What holds of every transition, whatever the item.

use foreshard_model::message::Cause;
use proptest::prelude::*;

use super::*;
use crate::frontier::*;

const STATES: [ShardState; 6] = [
    ShardState::Waiting,
    ShardState::Ready,
    ShardState::Running,
    ShardState::Done,
    ShardState::Failed,
    ShardState::Skipped,
];

const ENDS: [(&str, &str); 6] = [
    ("Lambda.TooManyRequestsException", ""),
    ("Runtime.ExitError", "signal: killed"),
    ("Runtime.OutOfMemory", ""),
    ("States.Timeout", ""),
    ("Unavailable", ""),
    ("Anything", "else"),
];

prop_compose! {
    fn any_item()(
        state in 0usize..6, attempt in 0u32..4, version in 1u64..99, tier in 0usize..3,
        once in any::<bool>(), released in any::<bool>(), lost in 0u32..6, arrived in 0u32..4,
    ) -> ShardItem {
        ShardItem {
            version,
            attempt: Attempt(attempt),
            tier: Mib([128, 256, 512][tier]),
            started_once: once && STATES[state] == ShardState::Running,
            released: released && matches!(STATES[state], ShardState::Done | ShardState::Failed | ShardState::Skipped),
            failures: BTreeMap::from([(Cause::WorkerLost, lost)]),
            arrived: (10..10 + arrived).map(ShardId).collect(),
            ..item(0, STATES[state])
        }
    }
}

proptest! {
    #[test]
    fn a_write_raises_the_version_by_one_and_only_a_running_attempt_is_settled(
        shard in any_item(), attempt in 0u32..4, end in 0usize..7, yielded in any::<bool>(),
    ) {
        let topology = topology("0>1");
        let finished = match ENDS.get(end) {
            Some((error, cause)) => caught(error, cause),
            None if yielded => answered(outcome(attempt, OutcomeStatus::Yielded)),
            None => answered(outcome(attempt, OutcomeStatus::Done)),
        };
        let node = &topology.shards[0];
        let settled = settle(&shard, Attempt(attempt), node, &topology.targets, &finished, NOW);
        let counts = shard.state == ShardState::Running && shard.attempt == Attempt(attempt);
        prop_assert_eq!(settled.item.is_some(), counts);
        if let Some(next) = settled.item {
            prop_assert_eq!(next.version, shard.version + 1);
            prop_assert_eq!(next.attempt, shard.attempt);
            prop_assert!(next.state != ShardState::Running);
            prop_assert_eq!(settled.release, matches!(next.state, ShardState::Done | ShardState::Failed));
            prop_assert_eq!(next.state == ShardState::Failed, next.cause.is_some());
            prop_assert!(!(shard.started_once && next.state == ShardState::Ready && !yielded));
            prop_assert!(next.tier >= shard.tier);
            prop_assert_eq!(settled.events.len(), 1);
        }
    }

    #[test]
    fn a_released_shard_is_left_alone_and_a_resumed_one_forgets_it(shard in any_item()) {
        let topology = topology("0>1");
        let node = &topology.shards[0];
        if shard.released {
            prop_assert_eq!(release(&shard, node, &topology), Release::Nothing);
        }
        if let Some(next) = resume(&shard, node, |_| false, NOW) {
            prop_assert_eq!(next.version, shard.version + 1);
            prop_assert!(!next.released);
            prop_assert!(next.state != ShardState::Running && next.state != ShardState::Skipped);
            // A repeat finds nothing to do.
            prop_assert_eq!(resume(&next, node, |_| false, NOW), None);
        }
    }

    #[test]
    fn a_claim_takes_what_is_ready_and_nothing_else(shards in prop::collection::vec(any_item(), 0..6), lane in 0u32..9) {
        let topology = topology("0>1");
        let question = DispatchRequest { lane: LaneId(lane), ..request(0, None) };
        let Replay::Turn(turn) = replay(None, &question) else { panic!("not a turn") };
        let run = run(RunState::Running);
        let view = View { run: &run, topology: &topology, turn: &turn, ready: &shards, tries: 0, now: NOW };
        let free = claimable(&shards, NOW);
        match claim(&view) {
            Claimed::Run { writes, answer, .. } => {
                prop_assert!(free.iter().any(|s| Some(s.id) == answer.shard.as_ref().map(|e| e.shard)));
                prop_assert_eq!(writes.len(), 2);
            }
            Claimed::Nothing => prop_assert!(free.is_empty()),
            Claimed::Behind => prop_assert!(false, "nothing is of a later generation"),
            Claimed::NoTarget(_) => prop_assert!(false, "every tier has a target"),
        }
    }

    #[test]
    fn a_back_off_grows_and_never_passes_a_minute(count in 0u32..40, attempt in 0u32..99) {
        let topology = topology("0>1");
        let shard = ShardItem {
            attempt: Attempt(attempt),
            failures: BTreeMap::from([(Cause::Throttled, count)]),
            ..item(0, ShardState::Running)
        };
        let throttled = caught("Lambda.TooManyRequestsException", "");
        let next = settle(&shard, Attempt(attempt), &topology.shards[0], &topology.targets, &throttled, NOW);
        let wait_ms = next.item.unwrap().not_before.unwrap().since(NOW);
        let longest = (1_000u64 << count.min(6)).min(60_000);
        prop_assert!((longest / 2..=longest).contains(&wait_ms), "{wait_ms} of {longest}");
    }
}
