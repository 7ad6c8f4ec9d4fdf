//! How data comes to tasks and leaves them: values, paths, files, claims.

use foreshard_model::claim::Claim;
use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::{Sha256Hex, ShardId};
use foreshard_model::message::{Cause, OutcomeStatus};
use foreshard_model::output::{Located, OutputValue};
use foreshard_model::plan::ShardKind;
use serde_json::json;

use crate::bench::{Bench, RUN, With as _, handler, script};

#[tokio::test]
async fn values_pass_within_a_shard_and_between_shards() {
    let bench = Bench::new();
    let make = handler("make", "collect").constant("list", json!([{"n": 1}, {"n": 2}]));
    let inside =
        handler("inside", "collect")
            .after(&[0])
            .value("first", 0, "make", Some("$.list[0].n"));
    let first = bench.execute(&bench.shard(0, vec![make, inside])).await;
    assert_eq!(bench.value(&first, "inside"), json!({"first": 1}));
    bench.commit(&first);
    let outside = handler("outside", "collect")
        .value("all", 0, "make", Some("$.list[*].n"))
        .value("none", 0, "make", Some("$.list[?@.n > 5]"))
        .value("whole", 0, "inside", None);
    let second = bench.execute(&bench.shard(1, vec![outside])).await;
    assert_eq!(
        bench.value(&second, "outside"),
        json!({"all": [1, 2], "none": [], "whole": {"first": 1}})
    );
}

#[tokio::test]
async fn large_values_get_an_object_of_their_own() {
    let bench = Bench::new();
    let text = "x".repeat(300 * 1024);
    let make = handler("make", "collect").constant("text", json!(text));
    let inside = handler("inside", "collect")
        .after(&[0])
        .value("text", 0, "make", Some("$.text"));
    let small = handler("small", "collect").constant("text", json!("y"));
    let first = bench
        .execute(&bench.shard(0, vec![make, inside, small]))
        .await;
    assert!(matches!(
        bench.task_output(&first, "make").value,
        OutputValue::Stored(_)
    ));
    assert!(matches!(
        bench.task_output(&first, "small").value,
        OutputValue::Inline(_)
    ));
    assert_eq!(bench.value(&first, "inside"), json!({ "text": text }));
    bench.commit(&first);
    let outside = handler("outside", "collect").value("text", 0, "make", Some("$.text"));
    let second = bench.execute(&bench.shard(1, vec![outside])).await;
    assert_eq!(bench.value(&second, "outside"), json!({ "text": text }));
    // Two equal values are one object; chunk and manifest beside it.
    assert_eq!(
        bench
            .world
            .blob_keys("runs/r-aaaaaaaaaaaaaaaaaaaa/shards/0/1/0/")
            .len(),
        2
    );
}

#[tokio::test]
async fn files_pass_within_a_shard_and_between_shards() {
    let bench = Bench::new();
    let make = script(
        "make",
        "head -c 2000000 /dev/zero > large; printf small > small",
    )
    .writes("large", None)
    .writes("small", None);
    let inside = script("inside", "wc -c < big")
        .after(&[0])
        .file("big", 0, "make", "large");
    let first = bench.execute(&bench.shard(0, vec![make, inside])).await;
    assert_eq!(bench.value(&first, "inside"), json!(2_000_000));
    bench.commit(&first);
    let outside = script("outside", r#"echo '"'$(cat s)$(wc -c < l)'"'"#)
        .file("s", 0, "make", "small")
        .file("l", 0, "make", "large");
    let second = bench.execute(&bench.shard(1, vec![outside])).await;
    assert_eq!(bench.value(&second, "outside"), json!("small2000000"));
    assert_eq!(
        bench.task_output(&second, "outside").usage.read_bytes,
        2_000_005
    );
}

#[tokio::test]
async fn generated_files_are_there_for_every_kind() {
    let bench = Bench::new();
    let task = handler("digest", "digest").generated("g", 100_003);
    assert_eq!(
        bench.output(task).await["files"]["g"]["bytes"],
        json!(100_003)
    );
}

#[tokio::test]
async fn the_runs_input_is_selected_and_has_defaults() {
    let bench = Bench::new();
    let run = |path: &str, default| Located::Run {
        path: Some(path.to_owned()),
        default,
    };
    let mut task = handler("read", "collect");
    task.inputs.insert("name".to_owned(), run("$.name", None));
    task.inputs
        .insert("size".to_owned(), run("$.size", Some(json!(10))));
    let mut request = bench.shard(0, vec![task.clone()]);
    request.input = Some(bench.store("runs/x/input", &json!({"name": "ada"})));
    let outcome = bench.execute(&request).await;
    assert_eq!(
        bench.value(&outcome, "read"),
        json!({"name": "ada", "size": 10})
    );
    let (cause, message) = bench.failure(task).await;
    assert_eq!(cause, Cause::InputMissing);
    assert_eq!(
        message,
        "task `read`: input `name`: `$.name` finds nothing in the value"
    );
}

#[tokio::test]
async fn what_is_not_there_or_not_the_same_is_not_read() {
    let bench = Bench::new();
    let make = script("make", "echo 1; head -c 9 /dev/zero > f").writes("f", None);
    let first = bench.execute(&bench.shard(0, vec![make])).await;
    let reader = handler("reader", "collect")
        .value("x", 0, "make", None)
        .file("f", 0, "make", "f");
    // Not committed: a stale attempt's output is never read.
    let request = bench.shard(1, vec![reader]);
    let outcome = bench.execute(&request).await;
    assert_eq!(outcome.failure.unwrap().cause, Cause::InputMissing);
    // Committed, but another content stands there.
    bench.commit(&first);
    let file = bench.task_output(&first, "make").files["f"].clone();
    bench.world.put_blob(&file.key, b"tampered!".to_vec());
    let fresh = Bench {
        world: bench.world.clone(),
        ..Bench::new()
    };
    let worker = foreshard_worker::Worker::new(
        crate::bench::ports(&fresh.world),
        foreshard_worker::Handlers::builtin(),
        crate::bench::settings(fresh.root.path().to_path_buf()),
    );
    let outcome = worker.execute(request.clone(), 60_000).await.unwrap();
    let failure = outcome.failure.unwrap();
    assert_eq!(
        (failure.cause, failure.task),
        (Cause::InputMissing, Some("reader".into()))
    );
    // The same worker has kept what it wrote itself, by digest.
    let outcome = bench.execute(&request).await;
    assert_eq!(outcome.status, OutcomeStatus::Done, "{:?}", outcome.failure);
}

#[tokio::test]
async fn what_a_shard_gave_up_is_found_with_those_that_took_it_over() {
    let bench = Bench::new();
    // Shard 0 had finished `kept` when it was cut into 3 and 4, and 3 was cut again into 5.
    for (shard, task) in [(0, "kept"), (4, "b"), (5, "a")] {
        let make = script(task, &format!("echo '\"{task}\"'; echo {task} > f")).writes("f", None);
        let outcome = bench.execute(&bench.shard(shard, vec![make])).await;
        bench.commit(&outcome);
    }
    let joins = |shard: u32, arrived: &[u32]| {
        let mut item = match shard {
            0 => bench.item(ShardId(0)),
            _ => ShardItem {
                run: RUN.into(),
                id: ShardId(shard),
                ..ShardItem::default()
            },
        };
        item.kind = ShardKind::Relay;
        item.state = ShardState::Done;
        item.arrived = arrived.iter().copied().map(ShardId).collect();
        bench.world.put_shard(item);
    };
    joins(0, &[3, 4]);
    joins(3, &[5]);
    let reader = handler("reader", "collect")
        .value("kept", 0, "kept", None)
        .value("a", 0, "a", None)
        .value("b", 0, "b", None)
        .file("of-a", 0, "a", "f");
    let outcome = bench.execute(&bench.shard(9, vec![reader])).await;
    assert_eq!(
        bench.value(&outcome, "reader"),
        json!({"kept": "kept", "a": "a", "b": "b"})
    );
    let lost = handler("reader", "collect").value("c", 0, "c", None);
    let outcome = bench.execute(&bench.shard(10, vec![lost])).await;
    let failure = outcome.failure.unwrap();
    assert_eq!(failure.cause, Cause::InputMissing);
    assert!(
        failure
            .message
            .contains("task `c` has no committed output in shard 0")
    );
}

#[tokio::test]
async fn a_chunk_is_checked_and_must_hold_the_shard() {
    let bench = Bench::new();
    let request = bench.shard(0, vec![handler("a", "collect")]);
    let mut other = request.clone();
    other.shard = foreshard_model::ids::ShardId(9);
    let error = bench.worker.execute(other, 1_000).await.unwrap_err();
    assert_eq!(error.word(), "Rejected");
    let mut damaged = request;
    damaged.chunk.sha256 = Sha256Hex::of(b"other");
    let outcome = bench.execute(&damaged).await;
    assert_eq!(outcome.failure.unwrap().cause, Cause::InputMissing);
    damaged.chunk = Claim {
        key: "nowhere".to_owned(),
        ..damaged.chunk
    };
    assert_eq!(
        bench.execute(&damaged).await.failure.unwrap().cause,
        Cause::InputMissing
    );
}
