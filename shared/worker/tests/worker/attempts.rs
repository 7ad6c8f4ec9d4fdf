//! How an attempt goes on, gives way, fails and is fenced off.

use foreshard_fakes::Fault;
use foreshard_model::ids::{Attempt, ShardId};
use foreshard_model::message::{Cause, OutcomeStatus};
use foreshard_model::units::Mib;
use foreshard_model::workflow::Effect;
use serde_json::json;

use crate::bench::{Bench, RUN, With as _, handler, script, synthetic};

/// Whether the two tasks of the manifest ran at the same time.
fn overlap(
    bench: &Bench,
    outcome: &foreshard_model::message::Outcome,
    one: &str,
    other: &str,
) -> bool {
    let interval = |task| {
        let usage = bench.task_output(outcome, task).usage;
        (usage.started_ms, usage.started_ms + usage.duration_ms)
    };
    let ((a, b), (c, d)) = (interval(one), interval(other));
    a < d && c < b
}

#[tokio::test]
async fn independent_tasks_use_both_vcpus() {
    let bench = Bench::new();
    let tasks = vec![
        synthetic("a", 400.0, 0),
        synthetic("b", 400.0, 0),
        synthetic("c", 1.0, 0).after(&[0, 1]),
    ];
    let outcome = bench.execute(&bench.shard(0, tasks)).await;
    assert!(overlap(&bench, &outcome, "a", "b"));
    assert!(!overlap(&bench, &outcome, "b", "c"));
    assert!(outcome.usage.cpu_ms >= 800, "{:?}", outcome.usage);
    assert_eq!(outcome.usage.tasks, 3);
}

#[tokio::test]
async fn tasks_never_get_more_memory_together_than_the_target_has() {
    let bench = Bench::new();
    let large = |id: &str| {
        let mut task = script(id, "sleep 0.1");
        task.resources.memory = Mib(400);
        task
    };
    let outcome = bench
        .execute(&bench.shard(0, vec![large("a"), large("b")]))
        .await;
    assert!(!overlap(&bench, &outcome, "a", "b"));
}

#[tokio::test]
async fn out_of_memory_repeats_only_the_task_that_died() {
    let bench = Bench::new();
    let marks = bench.root.path().join("marks");
    let mark =
        |id: &str, then: &str| script(id, &format!("echo {id} >> {}; {then}", marks.display()));
    let mut dies = mark("dies", "test $FORESHARD_ATTEMPT = 2 || kill -9 $$");
    dies.after = vec![0];
    let mut sibling = mark("sibling", "sleep 0.3; echo 5");
    sibling.after = vec![0];
    let mut last = mark("last", "cat").value("x", 0, "sibling", None);
    last.after = vec![1, 2];
    let request = bench.shard(0, vec![mark("before", "true"), dies, sibling, last]);
    let outcome = bench.execute(&request).await;
    assert_eq!(outcome.status, OutcomeStatus::Failed);
    let failure = outcome.failure.clone().unwrap();
    assert_eq!(
        (failure.cause, failure.task),
        (Cause::OutOfMemory, Some("dies".into()))
    );
    assert_eq!(bench.item(ShardId(0)).progress, outcome.progress);
    let finished: Vec<_> = bench
        .manifest(&outcome)
        .tasks
        .into_keys()
        .map(|t| t.0)
        .collect();
    assert_eq!(finished, ["before", "sibling"]);
    let outcome = bench.execute(&bench.next(&request, outcome.progress)).await;
    assert_eq!(bench.value(&outcome, "last"), json!({"x": 5}));
    assert_eq!(bench.task_output(&outcome, "sibling").attempt, Attempt(1));
    let mut marks: Vec<_> = std::fs::read_to_string(marks)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    marks.sort();
    assert_eq!(marks, ["before", "dies", "dies", "last", "sibling"]);
}

#[tokio::test]
async fn an_attempt_that_was_replaced_stops_at_once() {
    let bench = Bench::new();
    let tasks = vec![
        script("slow", "sleep 1.1"),
        script("endless", "sleep 600").timeout(60_000),
        script("c", "true").after(&[0]),
    ];
    let request = bench.shard(0, tasks);
    bench.own(RUN, ShardId(0), Attempt(2));
    let began = std::time::Instant::now();
    let outcome = bench.execute(&request).await;
    assert_eq!(outcome.status, OutcomeStatus::Fenced);
    assert_eq!((outcome.output, outcome.progress), (None, None));
    assert!(began.elapsed().as_secs() < 30);
    assert_eq!(bench.item(ShardId(0)).progress, None);
}

#[tokio::test]
async fn checkpoints_are_written_while_work_goes_on() {
    let bench = Bench::new();
    let tasks = vec![
        script("one", "sleep 1.1"),
        script("two", "sleep 0.2; exit 1").after(&[0]),
    ];
    // `two` fails; what `one` did was safe before that.
    let request = bench.shard(0, tasks);
    let outcome = bench.execute(&request).await;
    assert_eq!(outcome.status, OutcomeStatus::Failed);
    let item = bench.item(ShardId(0));
    assert_eq!(
        item.version, 2,
        "one checkpoint: the last one had nothing to add"
    );
    assert_eq!(item.progress, outcome.progress);
}

#[tokio::test]
async fn an_attempt_yields_when_the_next_task_would_not_end_in_time() {
    let bench = Bench::new();
    let work = |id: &str, after: &[u32]| script(id, "sleep 0.4; echo 1").after(after);
    let tasks = vec![
        work("t1", &[]),
        work("t2", &[0]),
        work("t3", &[1]),
        work("t4", &[2]),
    ];
    let mut request = bench.shard(0, tasks);
    let mut attempts = 0;
    let outcome = loop {
        attempts += 1;
        let outcome = bench.worker.execute(request.clone(), 1_400).await.unwrap();
        if outcome.status != OutcomeStatus::Yielded {
            break outcome;
        }
        assert!(
            outcome.usage.tasks > 0 && outcome.usage.duration_ms < 1_400,
            "{:?}",
            outcome.usage
        );
        assert_eq!(bench.item(ShardId(0)).progress, outcome.progress);
        request = bench.next(&request, outcome.progress);
    };
    assert_eq!(outcome.status, OutcomeStatus::Done, "{:?}", outcome.failure);
    assert_eq!(bench.manifest(&outcome).tasks.len(), 4);
    assert!((2..=4).contains(&attempts), "{attempts}");
}

#[tokio::test]
async fn a_task_longer_than_an_attempt_is_a_timeout() {
    let bench = Bench::new();
    let request = bench.shard(0, vec![script("long", "sleep 600").timeout(900_000)]);
    let outcome = bench.worker.execute(request, 500).await.unwrap();
    let failure = outcome.failure.unwrap();
    assert_eq!(
        (failure.cause, failure.task),
        (Cause::Timeout, Some("long".into()))
    );
}

#[tokio::test]
async fn annotations_end_the_shard_after_their_task() {
    let bench = Bench::new();
    let mut large = script("large", "head -c 5000 /dev/zero > f; echo 1").writes("f", None);
    large.cut.when_output_exceeds_bytes = Some(4_000);
    let mut slow = script("slow", "sleep 0.2").after(&[0]);
    slow.cut.when_elapsed_exceeds_ms = Some(100);
    let last = script("last", "true").after(&[1]);
    let mut request = bench.shard(0, vec![large, slow, last]);
    for expected in [&["large"][..], &["large", "slow"]] {
        let outcome = bench.execute(&request).await;
        assert_eq!(outcome.status, OutcomeStatus::Yielded);
        let finished: Vec<_> = bench
            .manifest(&outcome)
            .tasks
            .into_keys()
            .map(|t| t.0)
            .collect();
        assert_eq!(finished, expected);
        request = bench.next(&request, outcome.progress);
    }
    assert_eq!(bench.execute(&request).await.status, OutcomeStatus::Done);
}

#[tokio::test]
async fn a_once_task_is_marked_before_it_starts() {
    let bench = Bench::new();
    let marks = bench.root.path().join("marks");
    let once = |text: &str| {
        script("once", &format!("echo x >> {}; {text}", marks.display())).effect(Effect::Once)
    };
    let started = || {
        std::fs::read_to_string(&marks)
            .unwrap_or_default()
            .lines()
            .count()
    };
    // The marker is refused: it does not start.
    let request = bench.shard(0, vec![once("true")]);
    bench.own(RUN, ShardId(0), Attempt(2));
    assert_eq!(bench.execute(&request).await.status, OutcomeStatus::Fenced);
    assert_eq!(started(), 0);
    // The marker cannot be written: it does not start, and may be repeated.
    let request = bench.shard(0, vec![once("true")]);
    bench
        .world
        .faults(|faults| faults.arm(0, Fault::FailBefore));
    let outcome = bench.execute(&request).await;
    bench.world.faults(|faults| faults.disarm());
    assert_eq!(outcome.failure.unwrap().cause, Cause::Unavailable);
    assert_eq!(started(), 0);
    // Its end is known: the marker is taken back with its output.
    let request = bench.shard(0, vec![once("true"), script("next", "exit 1").after(&[0])]);
    let outcome = bench.execute(&request).await;
    assert_eq!(outcome.failure.unwrap().cause, Cause::TaskFailed);
    assert!(!bench.item(ShardId(0)).started_once);
    assert_eq!(started(), 1);
}

#[tokio::test]
async fn a_once_task_of_unknown_end_is_never_repeated() {
    let bench = Bench::new();
    let table = [
        ("kill -9 $$", 20_000, 60_000),
        ("sleep 600", 200, 60_000),
        ("sleep 600", 600_000, 600),
    ];
    for (text, timeout_ms, attempt_ms) in table {
        let task = script("once", text)
            .effect(Effect::Once)
            .timeout(timeout_ms);
        let outcome = bench
            .worker
            .execute(bench.shard(0, vec![task]), attempt_ms)
            .await
            .unwrap();
        assert_eq!(
            outcome.failure.unwrap().cause,
            Cause::OutcomeUnknown,
            "{text}"
        );
        assert!(bench.item(ShardId(0)).started_once, "{text}");
    }
    let failed = script("once", "exit 1").effect(Effect::Once);
    let outcome = bench.execute(&bench.shard(0, vec![failed])).await;
    assert_eq!(outcome.failure.unwrap().cause, Cause::TaskFailed);
    assert!(!bench.item(ShardId(0)).started_once);
}

#[tokio::test]
async fn outputs_that_cannot_be_stored_are_not_answered() {
    let bench = Bench::new();
    let task = || script("t", "head -c 10 /dev/zero > f").writes("f", None);
    for nth in 0..2 {
        let request = bench.shard(0, vec![task()]);
        bench
            .world
            .faults(|faults| faults.arm(nth, Fault::FailBefore));
        let outcome = bench.execute(&request).await;
        bench.world.faults(|faults| faults.disarm());
        // The identity is the first write of the run, the file the second, the manifest the third.
        assert_eq!(
            outcome.failure.unwrap().cause,
            Cause::Unavailable,
            "write {nth}"
        );
        assert_eq!(outcome.output, None);
    }
}

#[tokio::test]
async fn starts_are_traced_independently() {
    let bench = Bench::new();
    let mut request = bench.shard(0, vec![handler("a/b", "collect"), handler("c", "collect")]);
    request.trace = true;
    bench.execute(&request).await;
    bench.execute(&bench.next(&request, None)).await;
    let hash = foreshard_model::ids::Sha256Hex::of(b"a/b").0[..32].to_owned();
    let keys = bench
        .world
        .blob_keys(&format!("runs/{RUN}/trace/start/{hash}/"));
    assert_eq!(keys.len(), 2, "{keys:?}");
    let entry: serde_json::Value =
        serde_json::from_slice(&bench.world.blob(&keys[0]).unwrap()).unwrap();
    assert_eq!(
        (&entry["task"], &entry["shard"], &entry["attempt"]),
        (&json!("a/b"), &json!(0), &json!(1))
    );
    assert!(entry["at"].as_u64().is_some());
}
