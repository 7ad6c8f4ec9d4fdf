//! A split task gives what the whole task gives: documents are planned and run by the worker, cut and uncut.

use std::collections::BTreeMap;

use foreshard_engine::parse;
use foreshard_engine::plan::{PlanInput, plan};
use foreshard_model::ids::{Generation, RunId};
use foreshard_model::message::{Cause, OutcomeStatus};
use foreshard_model::outlook::{Outlook, Promised};
use foreshard_model::output::{ShardTask, TaskOutput};
use foreshard_model::policy::RunOptions;
use foreshard_model::sculpt::{Slice, SplitBy};
use foreshard_model::target::Pool;
use foreshard_worker::{HandlerCall, HandlerError};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::bench::{Bench, RUN, With as _, handler};

/// A worker with handlers that treat each row by itself, and count how often they are called.
fn bench() -> Bench {
    Bench::with(
        |_| {},
        |handlers| {
            handlers.register("each", |call| {
                let rows = rows(call)?;
                Ok(rows.iter().map(|row| json!({"is": row})).collect())
            });
            handlers.register("by-name", |call| {
                let rows = rows(call)?.into_iter();
                let named = rows.map(|row| (format!("n{}", row % 7), json!(row)));
                Ok(Value::Object(named.collect::<Map<_, _>>()))
            });
            handlers.register("sums", |call| {
                let rows = rows(call)?;
                let even = rows.iter().filter(|row| *row % 2 == 0).count();
                Ok(json!({"sum": rows.iter().sum::<i64>(), "of": {"even": even, "all": rows.len()}}))
            });
            handlers.register("lines", |call| {
                let text = std::fs::read_to_string(call.path("whole"))?;
                let mut lines = text.lines();
                let head = lines.next().unwrap_or_default().to_owned();
                let long: Vec<&str> = lines.filter(|line| line.len() > 2).collect();
                std::fs::write(
                    call.path("long"),
                    long.iter()
                        .map(|line| format!("{head}:{line}\n"))
                        .collect::<String>(),
                )?;
                Ok(Value::Null)
            });
            handlers.register("write", |call| {
                let text = call.input["text"].as_str().unwrap_or_default();
                std::fs::write(call.path("whole"), text)?;
                Ok(Value::Null)
            });
            handlers.register("together", |call| {
                let parts = call.input["parts"].as_array().cloned().unwrap_or_default();
                let rows = parts.iter().filter_map(Value::as_array).flatten();
                Ok(Value::Array(rows.cloned().collect()))
            });
        },
    )
}

fn rows(call: &HandlerCall) -> Result<Vec<i64>, HandlerError> {
    let rows = call.input["rows"]
        .as_array()
        .ok_or(HandlerError("no rows".to_owned()))?;
    Ok(rows.iter().filter_map(Value::as_i64).collect())
}

/// Plans the tasks, each as a shard, runs the shards one after the other, and gives the last output of `id` and how many
/// tasks there were.
async fn run(bench: &Bench, tasks: &Value, id: &str) -> (TaskOutput, usize) {
    let document = json!({"foreshard": 1, "name": "x", "version": "1", "tasks": tasks});
    let parsed = parse::document(document.to_string().as_bytes(), &BTreeMap::new()).unwrap();
    let planned = plan(&PlanInput {
        run: &RunId::from(RUN),
        generation: Generation(0),
        workflow: &parsed.workflow,
        pool: &Pool::default_on_aws("us-east-1"),
        options: &RunOptions {
            shard_tasks_max: Some(1),
            ..RunOptions::default()
        },
        bundles: &BTreeMap::new(),
        region: "us-east-1",
        outlook: &Outlook::default(),
        promised: &Promised::default(),
    })
    .unwrap();
    let mut shards: Vec<(u32, Vec<ShardTask>)> = planned
        .chunks
        .of(planned.workflow(&parsed.workflow))
        .flat_map(|chunk| chunk.shards)
        .map(|shard| (shard.id.0, shard.tasks))
        .collect();
    shards.sort_by_key(|(id, _)| *id);
    let count = shards.len();
    let mut found = None;
    for (number, tasks) in shards {
        let outcome = bench.execute(&bench.shard(number, tasks.clone())).await;
        assert_eq!(outcome.status, OutcomeStatus::Done, "{:?}", outcome.failure);
        if tasks.iter().any(|task| task.id.as_str() == id) {
            found = Some(bench.task_output(&outcome, id));
        }
        bench.commit(&outcome);
    }
    (found.unwrap(), count)
}

/// The value and the files of an output.
fn content(bench: &Bench, output: &TaskOutput) -> (Value, BTreeMap<String, Vec<u8>>) {
    let value = serde_json::to_value(&output.value).unwrap();
    let files = output.files.iter();
    let files = files.map(|(name, claim)| (name.clone(), bench.world.blob(&claim.key).unwrap()));
    (value, files.collect())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn arrays_give_the_same_in_any_number_of_parts(
        rows in prop::collection::vec(0_i64..1_000, 0..24),
        parts in 1_u32..14,
        kind in 0_usize..4,
    ) {
        let (handler, merge) = [
            ("each", json!("arrays")),
            ("by-name", json!("objects")),
            ("sums", json!("numbers")),
            ("each", json!({"handler": "together"})),
        ][kind].clone();
        let whole = json!({"id": "t", "kind": "handler", "handler": handler, "inputs": {"rows": {"value": rows}}});
        let mut cut = whole.clone();
        cut["split"] = json!({"array": "$.rows", "min_parts": parts, "max_parts": parts, "merge": merge});
        runtime().block_on(async {
            let (one, other) = (bench(), bench());
            let (expected, _) = run(&one, &json!([whole]), "t").await;
            let (found, tasks) = run(&other, &json!([cut]), "t").await;
            assert_eq!(content(&other, &found), content(&one, &expected));
            assert_eq!(tasks, if parts > 1 { parts as usize + 1 } else { 1 });
        });
    }

    #[test]
    fn files_give_the_same_in_any_number_of_parts(
        text in "h\n([a-c]{0,5}\n){0,12}[a-c]{0,3}",
        parts in 1_u32..9,
    ) {
        let write = json!({"id": "w", "kind": "handler", "handler": "write", "inputs": {"text": {"value": text}}, "writes": ["whole"]});
        let whole = json!({"id": "t", "kind": "handler", "handler": "lines", "needs": ["w"], "files": [{"task": "w", "file": "whole"}], "writes": ["long"]});
        let mut cut = whole.clone();
        cut["split"] = json!({"lines": "whole", "header": 1, "min_parts": parts, "max_parts": parts, "merge": "files"});
        runtime().block_on(async {
            let (one, other) = (bench(), bench());
            let (expected, _) = run(&one, &json!([write, whole]), "t").await;
            let (found, _) = run(&other, &json!([write, cut]), "t").await;
            assert_eq!(content(&other, &found), content(&one, &expected));
        });
    }
}

#[tokio::test]
async fn a_condition_holds_for_parts_and_merge() {
    let bench = bench();
    let cut = json!({"id": "t", "kind": "handler", "handler": "each", "inputs": {"rows": {"value": [1, 2]}}, "when": {"value": false}, "writes": ["never"],
        "split": {"array": "$.rows", "min_parts": 2, "merge": "arrays"}});
    let (found, tasks) = run(&bench, &json!([cut]), "t").await;
    assert_eq!(content(&bench, &found).0, json!({"inline": null}));
    assert!(found.files.is_empty() && tasks == 3);
}

#[tokio::test]
async fn what_is_no_array_fails_its_part_with_the_place() {
    let bench = bench();
    let mut part = handler("t/part-1", "each").constant("rows", json!(3));
    part.slice = Some(Slice {
        by: SplitBy::Array {
            path: "$.rows".to_owned(),
        },
        part: 0,
        parts: 2,
    });
    let (cause, message) = bench.failure(part).await;
    assert_eq!(cause, Cause::InputMissing);
    assert!(
        message.contains("there is no array at `$.rows`"),
        "{message}"
    );
}
