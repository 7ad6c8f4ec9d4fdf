//! A split task on a deployed control plane: its parts run in several shards, and its result is that of the whole task.

use std::collections::BTreeSet;

use foreshard_model::ids::ShardId;
use foreshard_model::policy::RunOptions;
use serde_json::{Value, json};

use super::documents::document;
use super::runs;
use super::stack::{Deployment, deployment};

/// Numbers, and a program that gives the square of each and writes a line for each; the estimate is what makes cutting
/// worth it.
fn squares(split: Option<Value>) -> Value {
    let text = "while read -r n; do s=\"$s${s:+,}$((n * n))\"; echo \"$n\" >> seen; done < <(grep -oE '[0-9]+'); touch seen; echo \"[$s]\"";
    // Each way has a type of its own: what is learnt of one would be the estimate of the next.
    let least = split.as_ref().map(|split| split["min_parts"].to_string());
    let mut square = json!({
        "id": "square", "type": format!("square-{}", least.as_deref().unwrap_or("whole")), "kind": "command", "run": ["bash", "-c", text], "needs": ["numbers"],
        "inputs": { "list": { "task": "numbers" } }, "writes": ["seen"], "estimate_s": 60, "memory_mib": 128,
    });
    if let Some(split) = split {
        square["split"] = split;
    }
    let mut document = document(vec![
        json!({ "id": "numbers", "kind": "command", "run": ["bash", "-c", "echo [; seq -s , 1 50; echo ]"] }),
        square,
        json!({
            "id": "lines", "kind": "handler", "handler": "digest", "needs": ["square"],
            "files": [{ "task": "square", "file": "seen" }],
        }),
    ]);
    document["outputs"] =
        json!({ "squares": { "task": "square" }, "lines": { "task": "lines", "path": "$.files" } });
    document
}

async fn outputs(on: &Deployment, document: &Value) -> (Value, BTreeSet<ShardId>, Vec<String>) {
    // A shard of several threads would run the parts side by side; here they are to go several ways.
    let options = RunOptions {
        shard_tasks_max: Some(1),
        ..RunOptions::default()
    };
    let item = runs::run(on, document, options).await;
    let result = on.api.result(&item.run).await.expect("the result is there");
    let plan = runs::plan(on, &item.run).await;
    let of_parts = plan.shards.iter().filter(|shard| {
        let mut tasks = shard.tasks.iter();
        tasks.any(|task| task.as_str().starts_with("square/part-"))
    });
    let of_parts = of_parts.map(|shard| shard.id).collect();
    let reasons = plan
        .reasons
        .into_iter()
        .filter(|reason| reason.subject == "split");
    let reasons = reasons.map(|reason| reason.because).collect();
    (json!(result.outputs), of_parts, reasons)
}

#[tokio::test]
async fn a_split_task_gives_what_the_whole_gives() {
    let on = deployment().await;
    let (expected, none, silence) = outputs(&on, &squares(None)).await;
    assert_eq!(expected["squares"][49], 2_500, "{expected}");
    assert_eq!((none.len(), silence.len()), (0, 0));
    let split = json!({ "array": "$.list", "min_parts": 2, "max_parts": 4, "merge": "arrays" });
    let (found, shards, reasons) = outputs(&on, &squares(Some(split))).await;
    assert_eq!(found, expected);
    assert!(shards.len() > 1, "parts in {shards:?}: {reasons:?}");
    println!("parts in {} shards: {}", shards.len(), reasons.join("; "));
    // More parts than there are numbers: those that are given nothing are done at once.
    let split = json!({ "array": "$.list", "min_parts": 60, "max_parts": 60, "merge": "arrays" });
    let (found, _, _) = outputs(&on, &squares(Some(split))).await;
    assert_eq!(found, expected);
}
