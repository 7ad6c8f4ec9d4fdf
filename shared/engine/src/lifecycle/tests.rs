//! Transitions as text: a state and a wish or an end in, the next state out.

use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::{Round, ShardId};
use foreshard_model::message::{CaughtError, Cause};
use foreshard_model::plan::ShardKind;
use foreshard_model::run::{PlanPointer, RunItem, RunState};
use foreshard_model::units::TimeMs;
use proptest::prelude::*;

use super::*;

const STATES: [RunState; 10] = [
    RunState::Accepted,
    RunState::Running,
    RunState::Completing,
    RunState::Failing,
    RunState::Cancelling,
    RunState::Pausing,
    RunState::Paused,
    RunState::Succeeded,
    RunState::Failed,
    RunState::Cancelled,
];

fn run(state: RunState) -> RunItem {
    RunItem {
        state,
        version: 7,
        plan: Some(PlanPointer::default()),
        ..RunItem::default()
    }
}

fn shard(id: u32, kind: ShardKind, state: ShardState) -> ShardItem {
    ShardItem {
        id: ShardId(id),
        kind,
        state,
        ..ShardItem::default()
    }
}

fn progress(end: ShardState, settled: u32) -> Progress {
    let mut progress = Progress::default();
    progress.add(&shard(0, ShardKind::End, end));
    progress.settled = settled;
    progress
}

fn wishes(wish: fn(&RunItem, TimeMs) -> Wished) -> String {
    let mut table = String::new();
    for state in STATES {
        let line = match wish(&run(state), TimeMs(5)) {
            Wished::Write(item) => {
                assert_eq!((item.version, item.updated_at), (8, TimeMs(5)));
                item.state.as_str()
            }
            Wished::Already => "=",
            Wished::Refused(_) => "refused",
        };
        table += &format!("{} > {line}\n", state.as_str());
    }
    table
}

#[test]
fn cancel_leads_to_cancelled_from_everything_that_is_not_over() {
    insta::assert_snapshot!(wishes(cancel), @r"
    accepted > cancelling
    running > cancelling
    completing > refused
    failing > =
    cancelling > =
    pausing > cancelling
    paused > cancelled
    succeeded > refused
    failed > refused
    cancelled > =
    ");
}

#[test]
fn pause_leads_to_paused_from_what_runs() {
    insta::assert_snapshot!(wishes(pause), @r"
    accepted > pausing
    running > pausing
    completing > refused
    failing > refused
    cancelling > refused
    pausing > =
    paused > =
    succeeded > refused
    failed > refused
    cancelled > refused
    ");
}

#[test]
fn resume_goes_on_from_what_has_ended_without_a_result() {
    let mut table = String::new();
    for state in STATES {
        let line = match resume(&run(state)) {
            Resume::Refused(_) => "refused".to_owned(),
            other => format!("{other:?}").to_lowercase(),
        };
        table += &format!("{} > {line}\n", state.as_str());
    }
    insta::assert_snapshot!(table, @r"
    accepted > already
    running > already
    completing > already
    failing > refused
    cancelling > refused
    pausing > refused
    paused > shards
    succeeded > refused
    failed > shards
    cancelled > shards
    ");
}

#[test]
fn a_refused_document_is_not_resumed_and_an_unplanned_run_is_planned() {
    let unplanned = RunItem {
        plan: None,
        ..run(RunState::Cancelled)
    };
    assert_eq!(resume(&unplanned), Resume::Plan);
    assert_eq!(resumed(&unplanned, 0, TimeMs(1)).state, RunState::Accepted);
    let rejected = RunItem {
        plan: None,
        cause: Some(failure(Cause::Rejected, "no")),
        ..run(RunState::Failed)
    };
    assert!(matches!(resume(&rejected), Resume::Refused(_)));
}

#[test]
fn resuming_forgets_how_the_run_ended_and_keeps_its_plan() {
    let ended = RunItem {
        cause: Some(failure(Cause::TaskFailed, "exit 1")),
        ended_at: Some(TimeMs(3)),
        futile_rounds: 2,
        closing_round: Some(Round(0)),
        ..run(RunState::Failed)
    };
    let next = resumed(&ended, 4, TimeMs(9));
    assert_eq!(next.state, RunState::Running);
    assert_eq!((next.round, next.version), (Round(1), 8));
    assert_eq!((next.futile_rounds, next.settled_before_round), (0, 4));
    assert_eq!(
        (next.cause, next.ended_at, next.closing_round),
        (None, None, None)
    );
    assert_eq!(next.plan, ended.plan);
}

fn end_of(run: &RunItem, progress: &Progress, error: Option<&CaughtError>) -> String {
    match round_ended(run, progress, error, TimeMs(9)) {
        RoundEnd::Collect => "collect".into(),
        RoundEnd::Close(state) => format!("close as {}", state.as_str()),
        RoundEnd::Fail(cause) => format!("fail: {}: {}", cause.cause.as_str(), cause.message),
        RoundEnd::Next(item) => format!("round {}, futile {}", item.round, item.futile_rounds),
        RoundEnd::Ended => "ended".into(),
    }
}

#[test]
fn a_round_ends_by_the_state_of_the_run_and_of_its_last_shard() {
    let mut table = String::new();
    for state in STATES {
        for end in [ShardState::Waiting, ShardState::Done, ShardState::Skipped] {
            let line = end_of(&run(state), &progress(end, 1), None);
            table += &format!("{}, end {end:?}: {line}\n", state.as_str());
        }
    }
    insta::assert_snapshot!(table, @r"
    accepted, end Waiting: round 1, futile 0
    accepted, end Done: round 1, futile 0
    accepted, end Skipped: round 1, futile 0
    running, end Waiting: round 1, futile 0
    running, end Done: collect
    running, end Skipped: fail: task_failed: 
    completing, end Waiting: collect
    completing, end Done: collect
    completing, end Skipped: collect
    failing, end Waiting: close as failed
    failing, end Done: close as failed
    failing, end Skipped: close as failed
    cancelling, end Waiting: close as cancelled
    cancelling, end Done: close as cancelled
    cancelling, end Skipped: close as cancelled
    pausing, end Waiting: close as paused
    pausing, end Done: collect
    pausing, end Skipped: close as paused
    paused, end Waiting: ended
    paused, end Done: ended
    paused, end Skipped: ended
    succeeded, end Waiting: ended
    succeeded, end Done: ended
    succeeded, end Skipped: ended
    failed, end Waiting: ended
    failed, end Done: ended
    failed, end Skipped: ended
    cancelled, end Waiting: ended
    cancelled, end Done: ended
    cancelled, end Skipped: ended
    ");
}

#[test]
fn three_futile_rounds_fail_the_run_with_what_was_seen() {
    let second = RunItem {
        futile_rounds: 2,
        settled_before_round: 5,
        ..run(RunState::Running)
    };
    let error = CaughtError {
        error: "States.Timeout".into(),
        cause: String::new(),
    };
    insta::assert_snapshot!(
        end_of(&second, &progress(ShardState::Waiting, 5), Some(&error)),
        @"fail: no_progress: no shard was settled in 3 rounds in a row; the last round ended with `States.Timeout`: ");
    insta::assert_snapshot!(
        end_of(&second, &progress(ShardState::Waiting, 6), Some(&error)),
        @"round 1, futile 0");
    let unplanned = RunItem {
        plan: None,
        settled_before_round: 0,
        ..RunItem {
            state: RunState::Accepted,
            ..second
        }
    };
    let error = CaughtError {
        error: "Unavailable".into(),
        cause: r#"{"errorType":"Unavailable","errorMessage":"no answer"}"#.into(),
    };
    insta::assert_snapshot!(
        end_of(&unplanned, &Progress::default(), Some(&error)),
        @"fail: plan_failed: planning failed in 3 rounds in a row; the last round ended with `Unavailable`: no answer");
}

#[test]
fn the_first_failure_is_the_cause() {
    let mut progress = Progress::default();
    for (id, at, message) in [
        (4, 20, "late"),
        (3, 10, "first"),
        (5, 10, "same time, later id"),
    ] {
        progress.add(&ShardItem {
            settled_at: TimeMs(at),
            cause: Some(failure(Cause::TaskFailed, message)),
            ..shard(id, ShardKind::Work, ShardState::Failed)
        });
    }
    progress.add(&shard(9, ShardKind::End, ShardState::Skipped));
    insta::assert_snapshot!(
        end_of(&run(RunState::Running), &progress, None),
        @"fail: task_failed: first");
}

proptest! {
    #[test]
    fn every_write_raises_the_version_by_one_and_never_touches_identity(
        state in 0usize..10, version in 1u64..1000, round in 0u32..9, settled in 0u32..9, futile in 0u32..3,
    ) {
        let before = RunItem {
            version,
            round: Round(round),
            futile_rounds: futile,
            run: "r-aaaaaaaaaaaaaaaaaaaa".into(),
            accepted_at: TimeMs(1),
            ..run(STATES[state])
        };
        let mut writes = vec![resumed(&before, settled, TimeMs(2)), closed(&before, RunState::Cancelled, None, None, TimeMs(2))];
        for wished in [cancel(&before, TimeMs(2)), pause(&before, TimeMs(2))] {
            if let Wished::Write(item) = wished { writes.push(*item); }
        }
        if let RoundEnd::Next(item) = round_ended(&before, &progress(ShardState::Waiting, settled), None, TimeMs(2)) {
            prop_assert_eq!(item.round.0, round + 1);
            writes.push(*item);
        }
        for after in writes {
            prop_assert_eq!(after.version, version + 1);
            prop_assert_eq!(&after.run, &before.run);
            prop_assert_eq!(after.accepted_at, before.accepted_at);
            prop_assert_eq!(&after.plan, &before.plan);
        }
    }
}

#[test]
fn a_round_begins_with_a_plan_with_lanes_or_with_nothing() {
    let mut table = String::new();
    for state in STATES {
        let kinds: Vec<&str> = [0, 1, 2]
            .map(|round| {
                let item = RunItem {
                    round: Round(1),
                    plan: (state != RunState::Accepted).then(PlanPointer::default),
                    ..run(state)
                };
                match begins(&item, Round(round), TimeMs(9)) {
                    Begins::Plan => "plan",
                    Begins::Lanes => "lanes",
                    Begins::Write(next) => {
                        assert_eq!((next.round, next.version), (Round(round), 8));
                        "write"
                    }
                    Begins::Nothing(_) => "-",
                }
            })
            .to_vec();
        table += &format!("{}: {}\n", state.as_str(), kinds.join(" "));
    }
    insta::assert_snapshot!(table, @r"
    accepted: - plan write
    running: - lanes write
    completing: - - -
    failing: - - -
    cancelling: - - -
    pausing: - - -
    paused: - - -
    succeeded: - - -
    failed: - - -
    cancelled: - - -
    ");
}
