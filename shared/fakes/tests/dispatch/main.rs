//! Dispatch, one question at a time: what a lane is told, and what is left in the store.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod lanes;
mod store;

use std::collections::BTreeSet;

use foreshard_engine::frontier::{self, put_shard};
use foreshard_fakes::{Fault, block_on, build};
use foreshard_model::frontier::{LaneItem, ShardState, Write};
use foreshard_model::ids::{Attempt, Round, ShardId};
use foreshard_model::ledger::EventKind;
use foreshard_model::message::{AnswerKind, Cause, DispatchRequest, Finished, Outcome};
use foreshard_model::run::RunState;
use foreshard_model::workflow::OnFailure;
use foreshard_stages::ports::{Clock as _, FrontierWrites as _, PortError, RunKey};

use lanes::{Lanes, shard_of};

#[test]
fn a_lane_takes_one_shard_after_another_until_the_run_completes() {
    let lanes = Lanes::new("a>b>c");
    let mut question = Lanes::first(0);
    let mut told = Vec::new();
    loop {
        let answer = lanes.ask(&question).unwrap();
        told.push(format!("{:?}: {}", answer.kind, answer.because));
        match answer.kind {
            AnswerKind::Run => question = lanes.after(0, &answer),
            _ => break,
        }
    }
    assert_eq!(
        told,
        [
            "Run: rank 0, one of 1 ready, attempt 1 on 128 MiB",
            "Run: rank 1, one of 1 ready, attempt 1 on 128 MiB",
            "Run: rank 2, one of 1 ready, attempt 1 on 128 MiB",
            "Done: the run is completing",
        ]
    );
    assert_eq!(lanes.states(), "a Done, b Done, c Done, END Done");
    let ledger = lanes.world.ledger(&build::run_id());
    let count = |kind| ledger.iter().filter(|e| e.kind == kind).count();
    assert_eq!(
        (count(EventKind::Claimed), count(EventKind::Settled)),
        (3, 3)
    );
    assert_eq!(count(EventKind::State), 1);
    let settled = ledger
        .iter()
        .find(|e| e.kind == EventKind::Settled)
        .unwrap();
    assert_eq!(settled.numbers["duration_ms"], 1_000.0);
}

#[test]
fn the_same_question_has_the_same_answer_and_is_acted_on_once() {
    let lanes = Lanes::new("a>b a>c");
    let first = lanes.ask(&Lanes::first(0)).unwrap();
    assert_eq!(lanes.ask(&Lanes::first(0)).unwrap(), first);
    let question = lanes.after(0, &first);
    let second = lanes.ask(&question).unwrap();
    // Even when the run has ended in between: the lane is to get what was decided.
    lanes.change_run(|run| run.state = RunState::Cancelling);
    assert_eq!(lanes.ask(&question).unwrap(), second);
    let late = lanes.ask(&Lanes::first(0)).unwrap();
    assert_eq!(late.kind, AnswerKind::Done);
    let attempts: Vec<u32> = lanes
        .world
        .shard_items(&build::run_id())
        .iter()
        .map(|item| item.attempt.0)
        .collect();
    assert_eq!(attempts.iter().sum::<u32>(), 2);
    assert_eq!(lanes.world.ledger(&build::run_id()).len(), 3);
}

#[test]
fn lanes_do_not_take_the_same_shard() {
    let mut topology = build::topology("a b c d e f g h");
    topology.lanes = 8;
    topology.partitions = 3;
    let lanes = Lanes::of(topology);
    let taken: BTreeSet<u32> = (0..8)
        .map(|lane| shard_of(&lanes.ask(&Lanes::first(lane)).unwrap()))
        .collect();
    assert_eq!(taken.len(), 8);
    let ninth = lanes.ask(&Lanes::first(8)).unwrap();
    assert_eq!(ninth.kind, AnswerKind::Done);
    assert_eq!(
        ninth.because,
        "8 other lanes run, and what waits for them never needs more"
    );
}

#[test]
fn who_is_not_needed_again_ends_and_who_is_parks() {
    let join = "a>z b>z c>z d>z z>e";
    let mut topology = build::topology(join);
    topology.lanes = 6;
    let lanes = Lanes::of(topology);
    let given: Vec<_> = (0..4)
        .map(|lane| lanes.ask(&Lanes::first(lane)).unwrap())
        .collect();
    let kinds: Vec<AnswerKind> = (0..3)
        .map(|lane| {
            lanes
                .ask(&lanes.after(lane, &given[lane as usize]))
                .unwrap()
        })
        .map(|answer| answer.kind)
        .collect();
    // Three, then two others run: never again are more needed. Then only one runs, and one more stays.
    assert_eq!(
        kinds,
        [AnswerKind::Done, AnswerKind::Done, AnswerKind::Idle]
    );
    // A repeat gets the same answer, and the last goes on.
    let again = lanes.ask(&lanes.after(0, &given[0])).unwrap();
    assert_eq!(again.kind, AnswerKind::Done);
    let last = lanes.ask(&lanes.after(3, &given[3])).unwrap();
    assert_eq!(last.kind, AnswerKind::Run);
}

#[test]
fn a_stale_attempt_changes_nothing_and_its_lane_goes_on() {
    let lanes = Lanes::new("a>b");
    let first = lanes.ask(&Lanes::first(0)).unwrap();
    let mut item = lanes.world.shard_items(&build::run_id()).remove(0);
    item.attempt = Attempt(2);
    lanes.world.put_shard(item.clone());
    let answer = lanes.ask(&lanes.after(0, &first)).unwrap();
    assert_eq!(answer.kind, AnswerKind::Idle);
    assert_eq!(lanes.world.shard_items(&build::run_id())[0], item);
}

#[test]
fn a_fan_of_256_is_released_at_once_and_wakes_two() {
    let edges: Vec<String> = (0..256).map(|i| format!("a>x{i}")).collect();
    let mut topology = build::topology(&edges.join(" "));
    topology.lanes = 300;
    let lanes = Lanes::of(topology);
    let first = lanes.ask(&Lanes::first(0)).unwrap();
    for lane in 1..6 {
        let idle = lanes.ask(&Lanes::first(lane)).unwrap();
        let told = lanes.park(lane, &idle, &format!("token {lane}"));
        assert_eq!(told.because, "parked until woken");
    }
    lanes.ask(&lanes.after(0, &first)).unwrap();
    let items = lanes.world.shard_items(&build::run_id());
    let ready = items.iter().filter(|i| i.state == ShardState::Ready);
    assert_eq!(ready.count(), 255);
    assert!(items[0].released);
    let woken = lanes.world.take_answered();
    assert_eq!(woken.len(), 2, "{woken:?}");
    let forgotten = lanes.world.lane_items(&build::run_id());
    let parked = forgotten.iter().filter(|lane| lane.token.is_some()).count();
    assert_eq!(parked, 3);
    // Each that was woken wakes two more.
    let lane: u32 = woken[0].strip_prefix("token ").unwrap().parse().unwrap();
    let idle = forgotten[lane as usize].answer.clone().unwrap();
    lanes.ask(&Lanes::then(lane, &idle, None)).unwrap();
    assert_eq!(lanes.world.take_answered().len(), 2);
}

#[test]
fn a_lane_that_parks_when_there_is_work_is_woken_at_once() {
    let lanes = Lanes::new("a>b a>c");
    let first = lanes.ask(&Lanes::first(0)).unwrap();
    let idle = lanes.ask(&Lanes::first(1)).unwrap();
    // Between the answer and the parking, the other lane releases two.
    lanes.ask(&lanes.after(0, &first)).unwrap();
    let told = lanes.park(1, &idle, "t");
    assert_eq!(told.because, "a shard is ready");
    assert_eq!(lanes.world.take_answered(), ["t"]);
    let lane = &lanes.world.lane_items(&build::run_id())[1];
    assert_eq!(lane.token, None);
    // It goes on, and a late repeat of the parking is answered at once.
    let next = lanes.ask(&Lanes::then(1, &idle, None)).unwrap();
    assert_eq!(next.kind, AnswerKind::Run);
    let told = lanes.park(1, &idle, "t again");
    assert_eq!(told.because, "the lane has gone on");
    assert_eq!(lanes.world.take_answered(), ["t again"]);
}

#[test]
fn the_end_of_a_run_wakes_the_parked_without_the_sweep() {
    for state in [RunState::Cancelling, RunState::Pausing, RunState::Failing] {
        let lanes = Lanes::new("a>b");
        let first = lanes.ask(&Lanes::first(0)).unwrap();
        let idle = lanes.ask(&Lanes::first(1)).unwrap();
        lanes.park(1, &idle, "t");
        lanes.change_run(|run| run.state = state);
        let done = lanes.ask(&lanes.after(0, &first)).unwrap();
        assert_eq!(done.kind, AnswerKind::Done);
        assert_eq!(lanes.world.take_answered(), ["t"]);
        // What was under way is kept, and what follows is ready for a resume.
        assert_eq!(lanes.states(), "a Done, b Ready, END Waiting");
        let told = lanes.park(1, &idle, "t again");
        assert_eq!(told.because, "the round is over");
    }
}

#[test]
fn a_lane_at_its_share_closes_the_round_for_all() {
    let mut topology = build::topology("a>b>c x>y");
    topology.lane_events = 24;
    let lanes = Lanes::of(topology);
    let first = lanes.ask(&Lanes::first(0)).unwrap();
    let other = lanes.ask(&Lanes::first(1)).unwrap();
    let done = lanes.ask(&lanes.after(0, &first)).unwrap();
    assert_eq!(done.kind, AnswerKind::Done);
    assert_eq!(lanes.run().closing_round, Some(Round(0)));
    assert_eq!(lanes.run().state, RunState::Running);
    assert_eq!(
        lanes.ask(&lanes.after(1, &other)).unwrap().kind,
        AnswerKind::Done
    );
    // The next round takes the lanes over.
    lanes.change_run(|run| run.round = Round(1));
    let question = DispatchRequest {
        round: Round(1),
        ..Lanes::first(0)
    };
    let answer = lanes.ask(&question).unwrap();
    assert_eq!((answer.kind, answer.step.0), (AnswerKind::Run, 1));
    // A lane of the round before, late, ends, but its result counts.
    assert_eq!(
        lanes.ask(&Lanes::first(0)).unwrap().because,
        "a later round has the lane"
    );
}

#[test]
fn throttled_work_is_put_back_and_this_lane_waits_for_it() {
    let lanes = Lanes::new("a>b");
    let first = lanes.ask(&Lanes::first(0)).unwrap();
    let throttled = Finished::Caught {
        error: "Lambda.TooManyRequestsException".to_owned(),
        cause: "Rate Exceeded.".to_owned(),
    };
    let wait = lanes.ask(&Lanes::then(0, &first, Some(throttled))).unwrap();
    assert_eq!((wait.kind, wait.wait_s), (AnswerKind::Wait, Some(1)));
    let item = &lanes.world.shard_items(&build::run_id())[0];
    assert_eq!(item.state, ShardState::Ready);
    assert!(item.not_before.unwrap() > lanes.world.now());
    lanes.world.advance(1_000);
    let again = lanes.ask(&Lanes::then(0, &wait, None)).unwrap();
    assert_eq!(again.shard.unwrap().attempt, Attempt(2));
}

#[test]
fn every_committed_task_leaves_one_note_in_the_trace() {
    let lanes = Lanes::new("a>b");
    lanes.change_run(|run| run.options.trace = true);
    let first = lanes.ask(&Lanes::first(0)).unwrap();
    let question = lanes.after(0, &first);
    lanes.ask(&question).unwrap();
    lanes.ask(&question).unwrap();
    let hash = "ca978112ca1bbdcafac231b39a23dc4d"; // SHA-256 of `a`, first half.
    let key = format!("runs/{}/trace/commit/{hash}/0-1", build::RUN);
    assert_eq!(
        lanes
            .world
            .blob_keys(&format!("runs/{}/trace/", build::RUN)),
        std::slice::from_ref(&key)
    );
    let body: serde_json::Value = serde_json::from_slice(&lanes.world.blob(&key).unwrap()).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"task": "a", "shard": 0, "attempt": 1})
    );
}

#[test]
fn what_cannot_be_answered_is_refused_in_our_words() {
    let lanes = Lanes::new("a>b");
    let unknown = DispatchRequest {
        run: "r-bbbbbbbbbbbbbbbbbbbb".into(),
        ..Lanes::first(0)
    };
    assert_eq!(lanes.ask(&unknown).unwrap_err().word(), "Rejected");
    let unplanned = Lanes::new("a>b");
    unplanned.change_run(|run| run.plan = None);
    assert_eq!(
        unplanned.ask(&Lanes::first(0)).unwrap().kind,
        AnswerKind::Done
    );
    let corrupt = Lanes::new("a>b");
    let key = corrupt.run().plan.unwrap().topology.key;
    corrupt.world.put_blob(&key, b"{}".to_vec());
    assert_eq!(
        corrupt.ask(&Lanes::first(0)).unwrap_err().word(),
        "Rejected"
    );
    lanes.world.faults(|f| {
        for nth in 0..100 {
            f.arm(nth, Fault::Conflict);
        }
    });
    assert_eq!(lanes.ask(&Lanes::first(0)).unwrap_err().word(), "Conflict");
    lanes.world.faults(|f| {
        f.disarm();
        f.arm_read(0);
    });
    assert_eq!(
        lanes.ask(&Lanes::first(0)).unwrap_err().word(),
        "Unavailable"
    );
    assert_eq!(lanes.ask(&Lanes::first(0)).unwrap().kind, AnswerKind::Run);
}

#[test]
fn a_tier_that_nobody_has_fails_the_run_with_the_reason() {
    let mut topology = build::topology("a>b");
    topology.shards[0].tier = foreshard_model::units::Mib(99_999);
    let lanes = Lanes::of(topology);
    let answer = lanes.ask(&Lanes::first(0)).unwrap();
    assert_eq!(answer.because, "the run is failing");
    let cause = lanes.run().cause.unwrap();
    assert_eq!(
        (cause.cause, cause.message.as_str()),
        (Cause::NoTarget, "no target has 99999 MiB")
    );
}

/// A stage that slept through a resume: what it was about to write is refused.
#[test]
fn whoever_sleeps_through_a_resume_can_neither_skip_nor_fail() {
    let mut topology = build::topology("a>b");
    topology.on_failure = OnFailure::Continue;
    let lanes = Lanes::of(topology);
    let first = lanes.ask(&Lanes::first(0)).unwrap();
    let failed: Outcome = build::failed(ShardId(0), Attempt(1), Cause::TaskFailed);
    let finished = Finished::Answered { outcome: failed };
    lanes.ask(&Lanes::then(0, &first, Some(finished))).unwrap();
    assert_eq!(lanes.states(), "a Failed, b Skipped, END Skipped");
    let items = lanes.world.shard_items(&build::run_id());
    let key = RunKey {
        run: build::run_id(),
        partitions: 1,
    };
    let mut sleeper = items[0].clone();
    sleeper.released = false;
    let now = lanes.world.now();
    let resumed: Vec<Write> = items
        .iter()
        .filter_map(|item| {
            let node = lanes.topology.node(item.id).unwrap();
            frontier::resume(item, node, |_| false, now)
        })
        .map(put_shard)
        .collect();
    block_on(lanes.world.commit(&key, &resumed)).unwrap();
    lanes.change_run(|run| {
        run.state = RunState::Running;
        run.cause = None;
    });
    assert_eq!(lanes.states(), "a Ready, b Waiting, END Waiting");
    let successor = lanes.world.shard_items(&build::run_id())[1].clone();
    let skip = frontier::skip(&sleeper, &successor, now).unwrap();
    let cause = sleeper.cause.clone().unwrap();
    let fails = frontier::fails(&lanes.run(), &sleeper, &cause, now).unwrap();
    for writes in [skip.writes, fails] {
        let refused = block_on(lanes.world.commit(&key, &writes));
        assert!(
            matches!(refused, Err(PortError::Conflict(_))),
            "{refused:?}"
        );
    }
    assert_eq!(lanes.states(), "a Ready, b Waiting, END Waiting");
}

#[test]
fn a_dead_token_counts_as_answered_and_the_next_is_tried() {
    let mut topology = build::topology("a>b a>c a>d");
    topology.lanes = 6;
    let lanes = Lanes::of(topology);
    let first = lanes.ask(&Lanes::first(0)).unwrap();
    for lane in 1..6 {
        let idle = lanes.ask(&Lanes::first(lane)).unwrap();
        lanes.park(lane, &idle, &format!("token {lane}"));
        if lane < 4 {
            lanes.world.drop_token(&format!("token {lane}"));
        }
    }
    lanes.ask(&lanes.after(0, &first)).unwrap();
    let woken: BTreeSet<String> = lanes.world.take_answered().into_iter().collect();
    assert_eq!(woken, ["token 4".to_owned(), "token 5".to_owned()].into());
    let asleep = |lane: &&LaneItem| lane.token.as_deref().is_some_and(|t| t > "token 3");
    let items = lanes.world.lane_items(&build::run_id());
    assert_eq!(items.iter().filter(asleep).count(), 0);
}
