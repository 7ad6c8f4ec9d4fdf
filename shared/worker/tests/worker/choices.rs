//! What a task says about itself beside its work: whether it runs, what its whole input is, which errors it repeats or takes.

use std::sync::atomic::{AtomicUsize, Ordering};

use foreshard_model::limits::LAMBDA_PAYLOAD_BYTES;
use foreshard_model::message::Cause;
use foreshard_model::output::ShardTask;
use foreshard_model::workflow::{CONDITION, Effect, Errors, Retry, TaskKind, WHOLE_INPUT};
use serde_json::{Value, json};

use crate::bench::{Bench, With as _, handler, lambda, script};

/// A function that fails so often before it answers, with an error of this name.
fn failing(bench: &Bench, times: usize, error: &'static str) {
    let calls = AtomicUsize::new(0);
    bench.world.on_invoke("shaky", move |payload| {
        if calls.fetch_add(1, Ordering::Relaxed) < times {
            let said = json!({"errorType": error, "errorMessage": "not now"});
            return Err(format!("Unhandled: {said}"));
        }
        Ok(payload)
    });
}

/// Two repeats after `Busy`, one after any other error but a `Gone`; what is `Refused` or runs out of time is an output.
fn shaky() -> ShardTask {
    let retry = |errors: &[&str], repeats: u32| Retry {
        errors: errors.iter().map(|name| (*name).to_owned()).collect(),
        repeats,
        interval_ms: 1,
        backoff: 2.0,
        longest_ms: 5,
    };
    let mut task = lambda("shaky", "shaky").constant("x", json!(4));
    task.kind = TaskKind::Lambda {
        function: "shaky".to_owned(),
        errors: Some(Box::new(Errors {
            retry: vec![
                retry(&["Busy"], 2),
                retry(&["Gone"], 0),
                retry(&["States.ALL"], 1),
            ],
            catch: vec![
                vec!["Never".to_owned()],
                vec!["Refused".to_owned(), "States.Timeout".to_owned()],
            ],
        })),
    };
    task
}

#[tokio::test]
async fn errors_that_have_a_name_are_repeated_as_the_task_says() {
    for (error, times, calls) in [("Busy", 2, 3), ("Other", 1, 2)] {
        let bench = Bench::new();
        failing(&bench, times, error);
        assert_eq!(bench.output(shaky()).await, json!({"ok": {"x": 4}}));
        assert_eq!(bench.world.invoked().len(), calls, "{error}");
    }
    for (error, times, calls) in [("Busy", 3, 3), ("Gone", 1, 1), ("Other", 2, 2)] {
        let bench = Bench::new();
        failing(&bench, times, error);
        let (cause, message) = bench.failure(shaky()).await;
        assert_eq!(cause, Cause::TaskFailed, "{error}");
        assert!(!message.contains("not now"), "{message}");
        assert_eq!(bench.world.invoked().len(), calls, "{error}");
    }
}

#[tokio::test]
async fn an_error_that_is_caught_is_the_output() {
    let bench = Bench::new();
    failing(&bench, 9, "Refused");
    let output = bench.output(shaky().effect(Effect::Once)).await;
    assert_eq!(output["by"], json!(1));
    assert_eq!(output["caught"]["Error"], json!("Refused"));
    let cause: Value = serde_json::from_str(output["caught"]["Cause"].as_str().unwrap()).unwrap();
    assert_eq!(cause["errorMessage"], json!("not now"));
    assert_eq!(bench.world.invoked().len(), 2);
}

#[tokio::test]
async fn an_input_that_is_too_large_is_no_error_to_be_caught_with_all_others() {
    let bench = Bench::new();
    let mut task = shaky().constant("y", json!("x".repeat(LAMBDA_PAYLOAD_BYTES)));
    if let TaskKind::Lambda {
        errors: Some(errors),
        ..
    } = &mut task.kind
    {
        errors.catch = vec![vec!["States.ALL".to_owned()]];
    }
    let (cause, _) = bench.failure(task).await;
    assert_eq!(cause, Cause::TaskFailed);
    assert_eq!(bench.world.invoked().len(), 0);
}

#[tokio::test]
async fn a_task_whose_condition_does_not_hold_is_done_without_having_run() {
    let bench = Bench::new();
    let touch = |id: &str, condition: Value| script(id, "echo 1").constant(CONDITION, condition);
    assert_eq!(bench.output(touch("yes", json!(true))).await, json!(1));
    for condition in [json!(false), json!(null)] {
        assert_eq!(bench.output(touch("no", condition)).await, json!(null));
    }
    let first = handler("way", "collect").constant("left", json!(true));
    let on = |id: &str, path: &str| {
        script(id, "cat")
            .after(&[0])
            .value(CONDITION, 0, "way", Some(path))
    };
    let tasks = vec![first, on("left", "$.left"), on("right", "$.right")];
    let outcome = bench.execute(&bench.shard(0, tasks)).await;
    assert_eq!(bench.value(&outcome, "left"), json!({}));
    assert_eq!(bench.value(&outcome, "right"), json!(null));
    let (cause, message) = bench.failure(touch("odd", json!("yes"))).await;
    assert_eq!(cause, Cause::InputMissing);
    assert!(message.contains("neither true nor false"), "{message}");
    // What would be missing is not missed by who does not run.
    let absent = lambda("absent", "no-such-function").constant(CONDITION, json!(false));
    assert_eq!(bench.output(absent).await, json!(null));
}

#[tokio::test]
async fn an_input_can_be_anything_as_a_whole() {
    let bench = Bench::new();
    for whole in [json!([1, {"a": 2}]), json!("text"), json!(null)] {
        let task = script("cat", "cat").constant(WHOLE_INPUT, whole.clone());
        assert_eq!(bench.output(task).await, whole);
    }
    let task = script("none", "cat").value(WHOLE_INPUT, 0, "nobody", Some("$.a"));
    let (_, message) = bench.failure(task).await;
    assert!(message.contains("input `$`"), "{message}");
}

#[tokio::test]
async fn a_task_can_be_there_to_fail() {
    let bench = Bench::new();
    let task = handler("end", "fail")
        .constant("Error", json!("NotOk"))
        .constant("Cause", json!({"n": 1}));
    let (cause, message) = bench.failure(task).await;
    assert_eq!(cause, Cause::TaskFailed);
    assert!(!message.contains("NotOk"), "{message}");
    assert_eq!(bench.log("end"), "NotOk: {\"n\":1}");
}
