//! A task that needs more memory than its tier is killed by the limit, and repeated one tier up; nothing else is.

use foreshard_model::frontier::ShardItem;
use foreshard_model::message::Cause;
use foreshard_model::run::RunItem;
use foreshard_model::units::Mib;
use serde_json::{Value, json};

use super::documents::{bash, burn, document};
use super::runs::{self, PATIENCE};
use super::stack::{Deployment, deployment};
use super::witness::{Witness, tasks};

/// The tier that the declared memory chooses, and the one above it.
const TIER: Mib = Mib(128);
const NEXT_TIER: Mib = Mib(256);

/// `tail` holds 160 MB until its input ends, and stays at it long enough to be seen.
const HOG: &str = r#"
set -o pipefail
{ head -c 160000000 /dev/zero; sleep 0.5; } | tail -c 160000000 | wc -c | { read -r bytes; echo "{\"bytes\": $bytes}"; }
"#;

/// Three tasks that finish, the one that needs too much, and one after it, all in one place.
fn workflow() -> Value {
    let mut document = document(vec![
        burn("t0", 0.05, &[]),
        burn("t1", 0.05, &["t0"]),
        burn("t2", 0.05, &["t1"]),
        bash("hog", HOG, &["t2"]),
        burn("last", 0.05, &["hog"]),
    ]);
    for task in document["tasks"].as_array_mut().into_iter().flatten() {
        task["affinity"] = json!({ "together": "one place" });
    }
    document["outputs"] = json!({ "bytes": { "task": "hog", "path": "$.bytes" } });
    document
}

fn hog_shard(shards: &[ShardItem]) -> &ShardItem {
    let failed = |shard: &&ShardItem| !shard.failures.is_empty();
    shards
        .iter()
        .find(failed)
        .expect("the shard of the hog has failed once")
}

async fn finished(on: &Deployment) -> RunItem {
    let run = runs::submit(on, &workflow(), runs::traced()).await;
    runs::succeeded(on, &run, PATIENCE).await
}

#[tokio::test]
async fn out_of_memory() {
    let on = deployment().await;
    let item = finished(&on).await;
    let plan = runs::plan(&on, &item.run).await;
    let tasks = tasks(&plan);
    let home = plan
        .shards
        .iter()
        .find(|s| s.tasks.iter().any(|t| t.as_str() == "hog"))
        .expect("it is planned");
    assert!(
        home.tasks.len() > 1,
        "finished tasks are before it in its shard: {:?}",
        home.tasks
    );
    assert!(
        home.target
            .as_deref()
            .is_some_and(|t| t.contains(&format!("-{}:", TIER.0))),
        "{:?}",
        home.target
    );

    let shards = runs::shards(&on, &item).await;
    let shard = hog_shard(&shards);
    assert_eq!(shard.id, home.id);
    assert_eq!(
        shard.failures.get(&Cause::OutOfMemory),
        Some(&1),
        "{:?}",
        shard.failures
    );
    assert_eq!(
        (shard.tier, shard.attempt.0),
        (NEXT_TIER, 2),
        "one tier up, and once"
    );

    let witness = Witness::of(&on, &item.run).await;
    witness.assert_committed_once(&tasks);
    let repeated = witness.repeated(&tasks);
    let names: Vec<&str> = repeated.keys().map(|task| task.as_str()).collect();
    assert_eq!(names, ["hog"], "only the task that died is repeated");
    let result = on.api.result(&item.run).await.expect("the result is there");
    assert_eq!(result.outputs.get("bytes"), Some(&json!(160_000_000)));
    println!(
        "killed at {TIER}, repeated at {NEXT_TIER}: {} starts of {} tasks in {} attempts",
        witness.all_starts(),
        tasks.len(),
        item.summary.map_or(0, |summary| summary.attempts)
    );
}
