//! Ends of attempts: done, yielded, stale, repeated, late.

use super::*;
use crate::frontier::*;

fn settled(item: &ShardItem, attempt: u32, finished: &Finished) -> String {
    let topology = topology("0>1");
    let node = &topology.shards[0];
    let settled = settle(
        item,
        Attempt(attempt),
        node,
        &topology.targets,
        finished,
        NOW,
    );
    let item = settled
        .item
        .map_or("nothing".to_owned(), |i| written(&[put_shard(i)]));
    let events: Vec<String> = settled
        .events
        .iter()
        .map(|e| format!("{:?}@{}", e.kind, e.at.0))
        .collect();
    let release = if settled.release { ", release" } else { "" };
    format!("{item}{release} {events:?}: {}", settled.because)
}

#[test]
fn only_the_attempt_that_runs_counts() {
    let running = item(0, ShardState::Running);
    let done = answered(outcome(1, OutcomeStatus::Done));
    let finished = ShardItem {
        output: outcome(1, OutcomeStatus::Done).output,
        settled_at: TimeMs(5),
        attempt: Attempt(1),
        ..item(0, ShardState::Done)
    };
    let put_back = ShardItem {
        attempt: Attempt(1),
        settled_at: TimeMs(5),
        ..item(0, ShardState::Ready)
    };
    let second = ShardItem {
        attempt: Attempt(2),
        ..running.clone()
    };
    let lines = [
        format!("in time: {}", settled(&running, 1, &done)),
        format!("repeated: {}", settled(&finished, 1, &done)),
        format!(
            "repeated, released: {}",
            settled(
                &ShardItem {
                    released: true,
                    ..finished.clone()
                },
                1,
                &done
            )
        ),
        format!(
            "another outcome: {}",
            settled(&finished, 1, &caught("States.Timeout", ""))
        ),
        format!("after it was put back: {}", settled(&put_back, 1, &done)),
        format!(
            "a failure, repeated: {}",
            settled(&put_back, 1, &caught("States.Timeout", ""))
        ),
        format!(
            "after the next attempt began: {}",
            settled(&second, 1, &done)
        ),
        format!("of another attempt: {}", settled(&second, 2, &done)),
        format!(
            "fenced: {}",
            settled(&running, 1, &answered(outcome(1, OutcomeStatus::Fenced)))
        ),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    in time: shard 0 v8 Version(7) Done attempt 1 arrived [], release ["Settled@1000000"]: attempt 1 is done
    repeated: nothing, release ["Settled@5"]: the shard is done already
    repeated, released: nothing ["Settled@5"]: the shard is done already
    another outcome: nothing, release []: the shard is done already
    after it was put back: nothing ["Retried@5"]: the shard is ready already
    a failure, repeated: nothing ["Retried@5"]: the shard is ready already
    after the next attempt began: nothing []: attempt 1 is stale: attempt 2 has taken over
    of another attempt: nothing []: the outcome is of shard 0 attempt 1, not of attempt 2: ignored
    fenced: nothing []: the worker was fenced off, but its attempt is the last: left to its deadline
    "#);
}

#[test]
fn a_yield_goes_on_at_its_checkpoint_and_is_no_failure() {
    let running = ShardItem {
        started_once: true,
        ..item(0, ShardState::Running)
    };
    let checkpoint = Claim {
        key: "checkpoint".to_owned(),
        ..Claim::default()
    };
    let yielded = answered(Outcome {
        progress: Some(checkpoint.clone()),
        ..outcome(1, OutcomeStatus::Yielded)
    });
    let topology = topology("0>1");
    let node = &topology.shards[0];
    let next = settle(&running, Attempt(1), node, &topology.targets, &yielded, NOW);
    let item = next.item.unwrap();
    assert_eq!(
        (item.state, item.progress),
        (ShardState::Ready, Some(checkpoint))
    );
    assert_eq!(
        (item.failures.len(), item.not_before, item.started_once),
        (0, None, false)
    );
    assert_eq!((item.lane, item.target, item.deadline), (None, None, None));
}

#[test]
fn an_answer_that_says_nothing_is_a_failure() {
    let running = item(0, ShardState::Running);
    let idle = Outcome {
        usage: ShardUsage::default(),
        ..outcome(1, OutcomeStatus::Yielded)
    };
    let empty = Outcome {
        output: None,
        ..outcome(1, OutcomeStatus::Done)
    };
    let lines = [
        settled(&running, 1, &answered(idle)),
        settled(&running, 1, &answered(empty)),
        settled(&running, 1, &answered(outcome(1, OutcomeStatus::Failed))),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    shard 0 v8 Version(7) Ready attempt 1 arrived [] ["Retried@1000000"]: timeout: the attempt yielded without finishing a task; number 1 of 2 allowed, next attempt after 957 ms
    shard 0 v8 Version(7) Ready attempt 1 arrived [] ["Retried@1000000"]: bad_output: the worker gave no manifest; number 1 of 1 allowed, next attempt after 957 ms
    shard 0 v8 Version(7) Ready attempt 1 arrived [] ["Retried@1000000"]: worker_lost: the worker failed without a reason; number 1 of 3 allowed, next attempt after 0 ms
    "#);
}

#[test]
fn usage_adds_up_over_attempts() {
    let running = ShardItem {
        usage: ShardUsage {
            duration_ms: 40,
            peak_kib: 9,
            tasks: 2,
            ..ShardUsage::default()
        },
        ..item(0, ShardState::Running)
    };
    let topology = topology("0>1");
    let done = answered(outcome(1, OutcomeStatus::Done));
    let item = settle(
        &running,
        Attempt(1),
        &topology.shards[0],
        &topology.targets,
        &done,
        NOW,
    )
    .item;
    let usage = item.unwrap().usage;
    assert_eq!(
        (usage.duration_ms, usage.peak_kib, usage.tasks),
        (140, 9, 3)
    );
}

#[test]
fn only_a_deadline_that_has_passed_expires() {
    let topology = topology("0>1");
    let (node, targets) = (&topology.shards[0], &topology.targets);
    let running = item(0, ShardState::Running);
    assert_eq!(expire(&running, node, targets, NOW.plus(10_000)), None);
    assert_eq!(
        expire(&item(0, ShardState::Ready), node, targets, NOW.plus(99_999)),
        None
    );
    let expired = expire(&running, node, targets, NOW.plus(10_001)).unwrap();
    insta::assert_snapshot!(written(&[put_shard(expired.item.unwrap())]), @"shard 0 v8 Version(7) Ready attempt 1 arrived []");
    let marked = ShardItem {
        started_once: true,
        ..running
    };
    let expired = expire(&marked, node, targets, NOW.plus(10_001)).unwrap();
    insta::assert_snapshot!(expired.because, @"outcome_unknown: nothing was heard of the attempt until its deadline; a task that must not run twice was started");
    assert!(expired.release);
}
