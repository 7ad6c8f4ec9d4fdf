//! What follows failed attempts, cause by cause.

use foreshard_model::message::{Cause, Failure};

use super::*;
use crate::frontier::*;

/// Fails the same shard by the same cause again and again, until it has failed finally or ten times.
fn history(item: ShardItem, finished: &Finished) -> String {
    let topology = topology("0>1");
    let mut item = item;
    let mut lines = Vec::new();
    for _ in 0..10 {
        let mut finished = finished.clone();
        if let Finished::Answered { outcome } = &mut finished {
            outcome.attempt = item.attempt;
        }
        let node = &topology.shards[0];
        let next = settle(&item, item.attempt, node, &topology.targets, &finished, NOW);
        lines.push(next.because);
        item = next.item.unwrap();
        if item.state == ShardState::Failed {
            break;
        }
        item.state = ShardState::Running;
        item.attempt.0 += 1;
    }
    lines.join("\n")
}

fn failed(cause: Cause) -> Finished {
    answered(Outcome {
        failure: Some(Failure {
            cause,
            task: Some("sort".into()),
            message: "it said no".to_owned(),
        }),
        ..outcome(1, OutcomeStatus::Failed)
    })
}

#[test]
fn a_task_that_fails_is_repeated_as_often_as_it_asks() {
    insta::assert_snapshot!(history(item(0, ShardState::Running), &failed(Cause::TaskFailed)), @r"
    task_failed: it said no; number 1 of 1 allowed, next attempt after 957 ms
    task_failed: it said no; 1 is allowed
    ");
}

#[test]
fn out_of_memory_goes_up_the_tiers() {
    let exact = caught("Runtime.OutOfMemory", "");
    insta::assert_snapshot!(history(item(0, ShardState::Running), &exact), @r"
    out_of_memory: `Runtime.OutOfMemory`; next attempt with 256 MiB instead of 128 MiB
    out_of_memory: `Runtime.OutOfMemory`; next attempt with 512 MiB instead of 256 MiB
    out_of_memory: `Runtime.OutOfMemory`; there is no larger tier
    ");
}

#[test]
fn a_kill_without_a_reason_is_memory_and_on_the_largest_tier_a_lost_worker() {
    let killed = caught(
        "Runtime.ExitError",
        "Runtime exited with error: signal: killed",
    );
    insta::assert_snapshot!(history(item(0, ShardState::Running), &killed), @r"
    out_of_memory (killed without a reason, taken for it): `Runtime.ExitError`: Runtime exited with error: signal: killed; next attempt with 256 MiB instead of 128 MiB
    out_of_memory (killed without a reason, taken for it): `Runtime.ExitError`: Runtime exited with error: signal: killed; next attempt with 512 MiB instead of 256 MiB
    worker_lost (killed without a reason): `Runtime.ExitError`: Runtime exited with error: signal: killed; number 1 of 3 allowed, next attempt after 0 ms
    worker_lost (killed without a reason): `Runtime.ExitError`: Runtime exited with error: signal: killed; number 2 of 3 allowed, next attempt after 0 ms
    worker_lost (killed without a reason): `Runtime.ExitError`: Runtime exited with error: signal: killed; number 3 of 3 allowed, next attempt after 0 ms
    worker_lost (killed without a reason): `Runtime.ExitError`: Runtime exited with error: signal: killed; 3 are allowed
    ");
}

#[test]
fn a_throttled_shard_is_put_back_for_ever_with_longer_and_longer_waits() {
    let throttled = caught("Lambda.TooManyRequestsException", "Rate Exceeded.");
    insta::assert_snapshot!(history(item(0, ShardState::Running), &throttled), @r"
    throttled: `Lambda.TooManyRequestsException`: Rate Exceeded.; number 1, next attempt after 957 ms
    throttled: `Lambda.TooManyRequestsException`: Rate Exceeded.; number 2, next attempt after 1161 ms
    throttled: `Lambda.TooManyRequestsException`: Rate Exceeded.; number 3, next attempt after 3390 ms
    throttled: `Lambda.TooManyRequestsException`: Rate Exceeded.; number 4, next attempt after 7163 ms
    throttled: `Lambda.TooManyRequestsException`: Rate Exceeded.; number 5, next attempt after 12460 ms
    throttled: `Lambda.TooManyRequestsException`: Rate Exceeded.; number 6, next attempt after 21514 ms
    throttled: `Lambda.TooManyRequestsException`: Rate Exceeded.; number 7, next attempt after 57613 ms
    throttled: `Lambda.TooManyRequestsException`: Rate Exceeded.; number 8, next attempt after 35634 ms
    throttled: `Lambda.TooManyRequestsException`: Rate Exceeded.; number 9, next attempt after 50480 ms
    throttled: `Lambda.TooManyRequestsException`: Rate Exceeded.; number 10, next attempt after 48870 ms
    ");
}

#[test]
fn every_other_cause_ends() {
    let mut lines = Vec::new();
    for cause in [
        Cause::Timeout,
        Cause::WorkerLost,
        Cause::Unavailable,
        Cause::InputMissing,
        Cause::BadOutput,
        Cause::Rejected,
        Cause::NoTarget,
    ] {
        let history = history(item(0, ShardState::Running), &failed(cause));
        lines.push(format!(
            "{}: {}",
            history.lines().count(),
            history.lines().last().unwrap()
        ));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    3: timeout: it said no; 2 are allowed
    4: worker_lost: it said no; 3 are allowed
    9: unavailable: it said no; 8 are allowed
    2: input_missing: it said no; 1 is allowed
    2: bad_output: it said no; 1 is allowed
    1: rejected: it said no; none is allowed
    1: no_target: it said no; none is allowed
    ");
}

#[test]
fn what_must_not_run_twice_never_does() {
    let marked = ShardItem {
        started_once: true,
        ..item(0, ShardState::Running)
    };
    let lines = [
        history(marked.clone(), &caught("States.Timeout", "")),
        history(marked.clone(), &failed(Cause::TaskFailed)),
        history(marked, &caught("Runtime.ExitError", "signal: killed")),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r"
    outcome_unknown: `States.Timeout`; a task that must not run twice was started
    task_failed: it said no; a task that must not run twice was started
    outcome_unknown: `Runtime.ExitError`: signal: killed; a task that must not run twice was started
    ");
}

#[test]
fn the_checkpoint_of_a_failed_attempt_is_kept() {
    let checkpoint = Claim {
        key: "two tasks".to_owned(),
        ..Claim::default()
    };
    let Finished::Answered { outcome } = failed(Cause::TaskFailed) else {
        panic!("not an outcome");
    };
    let outcome = answered(Outcome {
        progress: Some(checkpoint.clone()),
        ..outcome
    });
    let topology = topology("0>1");
    let running = item(0, ShardState::Running);
    let next = settle(
        &running,
        Attempt(1),
        &topology.shards[0],
        &topology.targets,
        &outcome,
        NOW,
    );
    assert_eq!(next.item.unwrap().progress, Some(checkpoint));
    assert!(next.put_back, "the lane waits for what it put back");
}

#[test]
fn the_cause_of_a_failed_attempt_is_the_one_that_was_counted() {
    let mut before = ShardItem::default();
    before.failures.insert(Cause::Throttled, 3);
    before.failures.insert(Cause::OutOfMemory, 1);
    assert_eq!(crate::frontier::failed_by(&before, &before), None);
    let mut after = before.clone();
    after.failures.insert(Cause::OutOfMemory, 2);
    assert_eq!(
        crate::frontier::failed_by(&before, &after),
        Some(Cause::OutOfMemory)
    );
}

/// Two families of three tiers: the second one has the even positions.
fn two_families() -> Topology {
    let mut topology = topology("0>1");
    let mut targets = Vec::new();
    for one in &topology.targets {
        targets.push(one.clone());
        let mut other = one.clone();
        other.id.0.insert_str(0, "eu-");
        other.region = "eu-west-1".to_owned();
        targets.push(other);
    }
    topology.targets = targets;
    topology
}

#[test]
fn a_shard_runs_where_it_was_placed_and_elsewhere_when_it_was_turned_away() {
    let mut topology = two_families();
    let on = |topology: &Topology, item: &ShardItem| {
        let node = &topology.shards[0];
        let target = crate::frontier::target::target_for(item, node, &topology.targets);
        target.map(|target| target.id.0.clone())
    };
    let mut ready = item(0, ShardState::Ready);
    ready.tier = Mib(256);
    assert_eq!(on(&topology, &ready).unwrap(), "eu-execute-256:live");
    topology.shards[0].places = vec![0];
    assert_eq!(on(&topology, &ready).unwrap(), "execute-256:live");
    topology.shards[0].places = vec![1, 0];
    assert_eq!(on(&topology, &ready).unwrap(), "eu-execute-256:live");
    ready.failures.insert(Cause::Throttled, 1);
    assert_eq!(on(&topology, &ready).unwrap(), "execute-256:live");
    ready.failures.insert(Cause::Unavailable, 1);
    assert_eq!(on(&topology, &ready).unwrap(), "eu-execute-256:live");
    ready.tier = Mib(1_024);
    assert_eq!(on(&topology, &ready), None);
}

#[test]
fn more_memory_is_only_looked_for_where_the_shard_may_run() {
    let mut topology = two_families();
    topology.targets.truncate(5);
    let above = |topology: &Topology| {
        let item = ShardItem {
            tier: Mib(256),
            target: None,
            ..item(0, ShardState::Running)
        };
        crate::frontier::target::tier_above(&item, &topology.shards[0], &topology.targets)
    };
    topology.shards[0].places = vec![0];
    assert_eq!(above(&topology), Some(Mib(512)));
    topology.shards[0].places = vec![1];
    assert_eq!(above(&topology), None);
    topology.shards[0].places = vec![1, 0];
    assert_eq!(above(&topology), Some(Mib(512)));
}
