//! Questions of lanes: new, repeated, of the past; parking, waking, waiting, handing over.

use super::*;
use crate::frontier::*;

fn asked(lane: Option<&LaneItem>, request: &DispatchRequest) -> String {
    match replay(lane, request) {
        Replay::Stored(answer) => format!("stored {:?} of step {}", answer.kind, answer.step),
        Replay::Turn(turn) => format!("step {} of round {}", turn.step(), turn.round()),
        Replay::Gone(answer) => format!("{:?}: {}", answer.kind, answer.because),
    }
}

#[test]
fn a_step_is_answered_once() {
    let at_2 = lane(0, 2, AnswerKind::Run);
    let ask = |round, last: Option<u32>| {
        let last = last.map(|step| answer(step, AnswerKind::Run));
        asked(Some(&at_2), &request(round, last))
    };
    let lines = [
        format!("first of all: {}", asked(None, &request(0, None))),
        format!("next: {}", ask(0, Some(2))),
        format!("repeated: {}", ask(0, Some(1))),
        format!("late: {}", ask(0, Some(0))),
        format!("of the next round: {}", ask(1, None)),
        format!("in the middle of the next round: {}", ask(1, Some(1))),
        format!("never answered: {}", ask(0, Some(7))),
        format!(
            "of the round before: {}",
            asked(Some(&lane(3, 1, AnswerKind::Idle)), &request(2, None))
        ),
        format!(
            "without an item: {}",
            asked(None, &request(0, Some(answer(1, AnswerKind::Run))))
        ),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r"
    first of all: step 1 of round 0
    next: step 3 of round 0
    repeated: stored Run of step 2
    late: Done: the lane has gone on
    of the next round: step 1 of round 1
    in the middle of the next round: Done: the lane was never given the answer that it names
    never answered: Done: the lane was never given the answer that it names
    of the round before: Done: a later round has the lane
    without an item: Done: the lane was never given the answer that it names
    ");
}

#[test]
fn an_answer_is_stored_with_its_step_and_its_share_of_the_history() {
    let Replay::Turn(turn) = replay(
        Some(&lane(0, 2, AnswerKind::Idle)),
        &request(0, Some(answer(2, AnswerKind::Idle))),
    ) else {
        panic!("not a turn");
    };
    let stored = [AnswerKind::Run, AnswerKind::Idle].map(|kind| turn.answered(&answer(3, kind)));
    insta::assert_snapshot!(written(&stored), @r"
    lane 3 v10 Version(9) round 0 step 3 events 36 token None
    lane 3 v10 Version(9) round 0 step 3 events 37 token None
    ");
    let Replay::Turn(fresh) = replay(Some(&lane(0, 2, AnswerKind::Done)), &request(1, None)) else {
        panic!("not a turn");
    };
    insta::assert_snapshot!(written(&[fresh.answered(&answer(1, AnswerKind::Run))]), @"lane 3 v10 Version(9) round 1 step 1 events 12 token None");
}

fn parking(item: Option<&LaneItem>, step: u32) -> String {
    let request = DispatchRequest {
        park: true,
        step: Some(Step(step)),
        token: Some("token-2".to_owned()),
        ..request(0, None)
    };
    match park(item, &request) {
        Park::Store { write, .. } => written(&[*write]),
        Park::Answer(because) => format!("answer: {because}"),
    }
}

#[test]
fn a_lane_parks_only_at_the_step_of_its_idle_answer() {
    let lines = [
        parking(Some(&lane(0, 2, AnswerKind::Idle)), 2),
        parking(Some(&lane(0, 3, AnswerKind::Idle)), 2),
        parking(Some(&lane(1, 2, AnswerKind::Idle)), 2),
        parking(Some(&lane(0, 2, AnswerKind::Run)), 2),
        parking(None, 2),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    lane 3 v10 Version(9) round 0 step 2 events 24 token Some("token-2")
    answer: the lane has gone on
    answer: the lane has gone on
    answer: the lane was not told to park
    answer: the lane is unknown
    "#);
}

#[test]
fn a_parked_lane_has_work_when_something_is_ready_or_its_round_is_over() {
    let parked = lane(0, 2, AnswerKind::Idle);
    let ready = [item(1, ShardState::Ready)];
    let backing_off = [ShardItem {
        not_before: Some(NOW.plus(1)),
        ..item(1, ShardState::Ready)
    }];
    let closing = RunItem {
        closing_round: Some(Round(0)),
        ..run(RunState::Running)
    };
    let running = run(RunState::Running);
    assert_eq!(works_for_parked(&running, &parked, &[], NOW), None);
    assert_eq!(works_for_parked(&running, &parked, &backing_off, NOW), None);
    assert!(works_for_parked(&running, &parked, &ready, NOW).is_some());
    assert!(works_for_parked(&closing, &parked, &[], NOW).is_some());
    assert!(works_for_parked(&run(RunState::Cancelling), &parked, &[], NOW).is_some());
}

#[test]
fn as_many_are_woken_as_there_is_work_for_and_two_when_the_round_is_over() {
    let running = run(RunState::Running);
    let widths = [0, 1, 2, 9].map(|beyond| wake_width(&running, Round(0), beyond));
    assert_eq!(widths, [0, 1, 2, 2]);
    assert_eq!(wake_width(&run(RunState::Failing), Round(0), 0), 2);
    assert_eq!(wake_width(&running, Round(7), 0), 2);
    let parked: Vec<LaneItem> = (0..5)
        .map(|number| LaneItem {
            lane: LaneId(number),
            token: Some(format!("token {number}")),
            ..lane(0, 2, AnswerKind::Idle)
        })
        .collect();
    let firsts: std::collections::BTreeSet<u32> = (0..50)
        .map(|number| wake_order(&parked, (LaneId(number), Step(1)))[0].lane.0)
        .collect();
    assert_eq!(
        firsts.len(),
        5,
        "each is the first for somebody: {firsts:?}"
    );
    assert!(wake_order(&[], (LaneId(1), Step(1))).is_empty());
    insta::assert_snapshot!(written(&[forget(&parked[2])]), @"lane 2 v10 Version(9) round 0 step 2 events 24 token None");
}

fn idle_answer(run: &RunItem, ready: &[ShardItem], put_back: bool, number: u32) -> String {
    let question = DispatchRequest {
        lane: LaneId(number),
        ..request(0, None)
    };
    let Replay::Turn(turn) = replay(None, &question) else {
        panic!("not a turn");
    };
    let topology = topology("0>1");
    let answer = answer_without_claim(run, &topology, &turn, ready, put_back, NOW);
    format!("{:?} {:?}: {}", answer.kind, answer.wait_s, answer.because)
}

#[test]
fn without_a_claim_a_lane_ends_waits_or_parks() {
    let later = |ms| ShardItem {
        not_before: Some(NOW.plus(ms)),
        ..item(1, ShardState::Ready)
    };
    let running = run(RunState::Running);
    let closing = RunItem {
        closing_round: Some(Round(0)),
        ..running.clone()
    };
    let lines = [
        idle_answer(&running, &[], false, 0),
        idle_answer(&running, &[item(1, ShardState::Ready)], false, 0),
        idle_answer(&running, &[later(2_500)], true, 0),
        idle_answer(&running, &[later(999_000)], true, 0),
        idle_answer(&closing, &[], false, 0),
        idle_answer(&run(RunState::Completing), &[], false, 0),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r"
    Idle None: nothing is ready
    Idle None: other lanes were quicker
    Wait Some(3): 1 ready shards back off
    Wait Some(60): 1 ready shards back off
    Done None: the round hands over to the next: its history is used up
    Done None: the run is completing
    ");
    let waits =
        (0..100).filter(|n| idle_answer(&running, &[later(2_500)], false, *n).starts_with("Wait"));
    let waits = waits.count();
    assert!(
        (20..80).contains(&waits),
        "two in four lanes wait for one shard: {waits}"
    );
}

#[test]
fn a_lane_at_its_share_closes_the_round_but_never_before_its_first_step() {
    let topology = topology("0>1");
    assert!(!is_used_up(
        0,
        &Topology {
            lane_events: 1,
            ..topology.clone()
        }
    ));
    assert!(!is_used_up(87, &topology));
    assert!(is_used_up(88, &topology));
    let closing = close_round(&run(RunState::Running), Round(0), NOW).unwrap();
    assert_eq!(
        (closing.closing_round, closing.version),
        (Some(Round(0)), 6)
    );
    assert_eq!(close_round(&closing, Round(0), NOW), None);
    assert_eq!(close_round(&run(RunState::Running), Round(1), NOW), None);
    assert_eq!(close_round(&run(RunState::Failing), Round(0), NOW), None);
}
