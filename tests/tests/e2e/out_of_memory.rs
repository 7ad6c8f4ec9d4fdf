//! A task that needs more memory than its tier is killed by the limit, and repeated one tier up; nothing else is. The next run
//! of the workflow starts there.

use std::time::{SystemTime, UNIX_EPOCH};

use foreshard_model::frontier::ShardItem;
use foreshard_model::message::Cause;
use foreshard_model::plan::{Plan, PlannedShard, Reason};
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
    // What is learnt is the workflow's own: nobody has run this one before, however long the emulator is up.
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_ms = since.map_or(0, |since| since.as_millis());
    document["name"] = json!(format!("hog-{now_ms}"));
    document
}

fn hog_shard(shards: &[ShardItem]) -> &ShardItem {
    let failed = |shard: &&ShardItem| !shard.failures.is_empty();
    shards
        .iter()
        .find(failed)
        .expect("the shard of the hog has failed once")
}

async fn finished(on: &Deployment, workflow: &Value) -> RunItem {
    let run = runs::submit(on, workflow, runs::traced()).await;
    runs::succeeded(on, &run, PATIENCE).await
}

/// The shard of the hog as it was planned.
fn home(plan: &Plan) -> &PlannedShard {
    let mut shards = plan.shards.iter();
    let has = |shard: &&PlannedShard| shard.tasks.iter().any(|task| task.as_str() == "hog");
    shards.find(has).expect("it is planned")
}

fn is_on(shard: &PlannedShard, tier: Mib) -> bool {
    let target = shard.target.as_deref();
    target.is_some_and(|target| target.contains(&format!("-{}:", tier.0)))
}

#[tokio::test]
async fn out_of_memory() {
    let on = deployment().await;
    let workflow = workflow();
    let item = finished(&on, &workflow).await;
    let plan = runs::plan(&on, &item.run).await;
    let tasks = tasks(&plan);
    let home = home(&plan);
    assert!(
        home.tasks.len() > 1,
        "finished tasks are before it in its shard: {:?}",
        home.tasks
    );
    assert!(is_on(home, TIER), "{:?}", home.target);

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
    the_next_run_starts_there(&on, &workflow).await;
}

async fn the_next_run_starts_there(on: &Deployment, workflow: &Value) {
    let item = finished(on, workflow).await;
    let plan = runs::plan(on, &item.run).await;
    assert!(is_on(home(&plan), NEXT_TIER), "{:#?}", plan.reasons);
    let told = |reason: &&Reason| reason.because.contains("too small");
    let told = plan.reasons.iter().find(told).expect("it is told why");
    assert_eq!(told.subject, "size", "{}", told.because);
    let shards = runs::shards(on, &item).await;
    assert!(
        shards.iter().all(|shard| shard.failures.is_empty()),
        "nothing is killed any more: {shards:#?}"
    );
    Witness::of(on, &item.run)
        .await
        .assert_committed_once(&tasks(&plan));
}
