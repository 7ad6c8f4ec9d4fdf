//! Submitting runs and waiting for them; a run that does not come to its end is shown with everything that is known of it.

use std::time::{Duration, Instant};

use foreshard_model::api::SubmitRequest;
use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::RunId;
use foreshard_model::plan::Plan;
use foreshard_model::policy::RunOptions;
use foreshard_model::run::{RunItem, RunState};
use foreshard_stages::ports::{FrontierReads as _, LedgerReads as _, RunKey, RunReads as _};
use serde_json::{Value, json};

use super::stack::Deployment;

/// How often a condition is looked at: a look costs the emulator about 3 ms.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Longest wait for a small run on a busy machine of two cores.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// Waits until `look` gives something; `None` when it did not within `limit`.
pub async fn until<T>(limit: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(seen) = look().await {
            return Some(seen);
        }
        if Instant::now() > end {
            return None;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Options with the independent trace.
pub fn traced() -> RunOptions {
    RunOptions {
        trace: true,
        ..RunOptions::default()
    }
}

/// Submits a document.
pub async fn submit(on: &Deployment, document: &Value, options: RunOptions) -> RunId {
    let document = Some(document.to_string());
    let request = SubmitRequest {
        document,
        options,
        ..SubmitRequest::default()
    };
    let answer = on
        .api
        .submit(&request, None)
        .await
        .expect("the document is accepted");
    assert!(answer.created && answer.started, "{answer:?}");
    answer.run
}

/// The run's item.
pub async fn item(on: &Deployment, run: &RunId) -> RunItem {
    let item = on.table.run(run).await.expect("the table answers");
    item.unwrap_or_else(|| panic!("run {run} exists"))
}

/// Waits until the run is in a state in which nothing more happens.
pub async fn ended(on: &Deployment, run: &RunId, limit: Duration) -> RunItem {
    let look = async || {
        let item = item(on, run).await;
        item.state.is_terminal().then_some(item)
    };
    match until(limit, look).await {
        Some(item) => item,
        None => panic!(
            "run {run} did not end within {limit:?}\n{}",
            diagnosis(on, run).await
        ),
    }
}

/// Waits until the run has succeeded.
pub async fn succeeded(on: &Deployment, run: &RunId, limit: Duration) -> RunItem {
    let item = ended(on, run, limit).await;
    if item.state != RunState::Succeeded {
        panic!(
            "run {run} ended {}\n{}",
            item.state.as_str(),
            diagnosis(on, run).await
        );
    }
    item
}

/// Submits a document and waits until it has succeeded.
pub async fn run(on: &Deployment, document: &Value, options: RunOptions) -> RunItem {
    let run = submit(on, document, options).await;
    succeeded(on, &run, PATIENCE).await
}

/// All shards of a planned run, by id.
pub async fn shards(on: &Deployment, item: &RunItem) -> Vec<ShardItem> {
    let Some(plan) = &item.plan else {
        return Vec::new();
    };
    let key = RunKey {
        run: item.run.clone(),
        partitions: plan.partitions,
    };
    let mut shards = Vec::new();
    for partition in 0..plan.partitions {
        let mut after: Option<String> = None;
        loop {
            let page = on
                .table
                .shards_of(&key, partition, after.as_deref())
                .await
                .expect("shards");
            shards.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    shards.sort_by_key(|shard| shard.id);
    shards
}

/// The run's plan, as the API gives it.
pub async fn plan(on: &Deployment, run: &RunId) -> Plan {
    let plan = on.api.plan(run).await.expect("the plan is there");
    serde_json::from_value(plan).expect("it is a plan")
}

/// Looks for what was lost, in this run or in all.
pub async fn sweep(on: &Deployment, run: Option<&RunId>) -> Value {
    on.cloud
        .invoke(&on.stack.function("reshard"), &json!({ "run": run }))
        .await
}

/// What is known of a run, for a failed test.
pub async fn diagnosis(on: &Deployment, run: &RunId) -> String {
    let item = item(on, run).await;
    let mut lines = vec![format!(
        "{} in round {}, cause {:?}",
        item.state.as_str(),
        item.round,
        item.cause
    )];
    for shard in shards(on, &item).await {
        if shard.state != ShardState::Done || !shard.failures.is_empty() {
            let cause = shard.cause.map(|cause| cause.message);
            lines.push(format!(
                "  shard {} {:?} attempt {} tier {} failures {:?} {cause:?}",
                shard.id, shard.state, shard.attempt, shard.tier, shard.failures
            ));
        }
    }
    for event in on
        .table
        .events(run, "", 1000)
        .await
        .unwrap_or_default()
        .iter()
        .rev()
        .take(40)
        .rev()
    {
        lines.push(format!(
            "  {} {:?} {:?} {}",
            event.at.0, event.kind, event.shard, event.because
        ));
    }
    for stage in [
        "submit",
        "plan",
        "dispatch",
        "aggregate",
        "reshard",
        "prewarm",
    ] {
        let said = on
            .cloud
            .log_lines(&on.stack.function(stage), run.as_str())
            .await;
        let bad = said
            .iter()
            .filter(|line| line.contains("\"ERROR\"") || line.contains("\"WARN\""));
        lines.extend(bad.rev().take(8).map(|line| format!("  {stage}: {line}")));
    }
    lines.join("\n")
}
