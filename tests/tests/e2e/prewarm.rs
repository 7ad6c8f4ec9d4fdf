//! Pre-warming on the emulator: environments wait on the right alias when a scheduled wave comes, serve it, and are released.

use std::time::Duration;

use foreshard_local_emulator::Emulator;
use foreshard_model::api::RegisterRequest;
use foreshard_model::ids::{RunId, TargetId};
use foreshard_model::policy::RunOptions;
use foreshard_model::prewarm::{PrewarmAction, WarmState, WarmStatus};
use foreshard_model::schedule::Outcome;
use foreshard_model::schedule_api::ScheduleRequest;
use foreshard_stages::ports::{BlobWrites as _, ForecastReads as _, WarmPool as _};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::documents::{burn, document};
use super::runs::{self, PATIENCE, until};
use super::stack::{Deployment, deployment, is_full};

const POLICY: &str = "policies/prewarm.json";
/// Lambda's lead of two minutes, a decision and its margin: what is known so long before can be warm in time.
const AHEAD_S: i64 = 165;
/// Timers are looked at every ten seconds.
const TIMER_PATIENCE: Duration = Duration::from_secs(AHEAD_S as u64 + 180);

async fn policy(on: &Deployment, policy: &Value) {
    let put = on.bucket.put(POLICY, policy.to_string().into_bytes());
    put.await.expect("the policy is written");
}

async fn decided(on: &Deployment) -> Value {
    let prewarm = on.stack.function("prewarm");
    on.cloud.invoke(&prewarm, &json!({})).await
}

/// Registers two tasks that run side by side.
async fn registered(on: &Deployment) -> String {
    let name = format!("prewarmed-{}", on.cloud.executions(&on.machine).await);
    let mut document = document(vec![burn("a", 1.0, &[]), burn("b", 1.0, &[])]);
    document["name"] = json!(name);
    let request = RegisterRequest {
        document: Some(document.to_string()),
        ..RegisterRequest::default()
    };
    on.api.register(&request).await.expect("registered");
    name
}

/// Lets the workflow run once in so many seconds.
async fn set(on: &Deployment, workflow: &str, after_s: i64) {
    let at = Timestamp::now().as_second() + after_s;
    let at = Timestamp::from_second(at).expect("a moment");
    let request = ScheduleRequest {
        workflow: workflow.to_owned(),
        version: "1".to_owned(),
        expression: format!("at({})", at.strftime("%Y-%m-%dT%H:%M:%S")),
        options: RunOptions {
            shard_tasks_max: Some(1),
            lanes_max: Some(2),
            ..RunOptions::default()
        },
        ..ScheduleRequest::default()
    };
    on.api.put_schedule(workflow, &request).await.expect("set");
}

/// The newest run of the schedule, another one than `before`.
async fn started(on: &Deployment, schedule: &str, before: Option<&RunId>) -> RunId {
    let look = async || {
        let view = on.api.schedule(schedule).await.expect("it is there");
        view.recent
            .iter()
            .rev()
            .find_map(|firing| match &firing.outcome {
                Outcome::Started { run, .. } if Some(run) != before => Some(run.clone()),
                _ => None,
            })
    };
    until(TIMER_PATIENCE, look).await.expect("the timer fires")
}

async fn state(on: &Deployment, target: &TargetId) -> WarmState {
    on.warm.warm(target).await.expect("the alias is there")
}

/// How the environments began that served a run.
async fn initializations(on: &Deployment, target: &TargetId, run: &RunId) -> Vec<String> {
    let function = target.as_str().split(':').next().unwrap_or_default();
    let lines = on.cloud.log_lines(function, run.as_str()).await;
    let lines = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let answered = lines.filter(|line| line["message"] == "answered");
    answered
        .map(|line| {
            line["initialization"]
                .as_str()
                .unwrap_or("unknown")
                .to_owned()
        })
        .collect()
}

/// What was decided about the target: two environments, one where the rule comes while one of two shards is settled, and at last none.
async fn put_and_released(on: &Deployment, target: &TargetId) {
    let records = on.table.prewarm_records(target, 100).await;
    let records = records.expect("records");
    let told = records
        .iter()
        .map(|record| (record.decision.action, &record.decision.reasons));
    let told: Vec<_> = told.collect();
    println!("decided, the newest first: {told:?}");
    let mut acted: Vec<PrewarmAction> = told.iter().map(|(action, _)| *action).collect();
    acted.retain(|action| *action != PrewarmAction::Keep);
    // The rule may decide at the same moment: a release that comes twice is harmless.
    acted.dedup();
    let [two, one] = [2, 1].map(|environments| PrewarmAction::Put { environments });
    let either = [
        vec![PrewarmAction::Delete, two],
        vec![PrewarmAction::Delete, one, two],
    ];
    assert!(either.contains(&acted), "the newest first: {acted:?}");
}

#[tokio::test]
async fn a_scheduled_wave_is_served_by_environments_that_wait_for_it() {
    let on = deployment().await;
    if on.stack.record.emulator == Emulator::Localstack {
        println!("SKIPPED: provisioned concurrency is a number only on LocalStack");
        return;
    }
    if !is_full() {
        println!("SKIPPED: it waits for two scheduled waves, some five minutes: make e2e-prewarm");
        return;
    }
    policy(
        &on,
        &json!({"mode": "act", "worth": {"kind": "usd", "each": 1.0}}),
    )
    .await;
    let workflow = registered(&on).await;
    set(&on, &workflow, 5).await;
    let first = started(&on, &workflow, None).await;
    runs::succeeded(&on, &first, PATIENCE).await;
    let shards = runs::plan(&on, &first).await.shards;
    let target = shards.into_iter().find_map(|shard| shard.target);
    let target = TargetId::from(target.expect("it ran somewhere"));
    let cold = initializations(&on, &target, &first).await;
    assert!(
        !cold.is_empty() && cold.iter().all(|kind| kind == "on-demand"),
        "{cold:?}"
    );

    // The same schedule: one that has never had a run says nothing of its next wave.
    set(&on, &workflow, AHEAD_S).await;
    decided(&on).await;
    let ready = async || {
        let state = state(&on, &target).await;
        (state.status == WarmStatus::Ready).then_some(state.provisioned)
    };
    assert_eq!(
        until(PATIENCE, ready).await,
        Some(2),
        "as many as its lanes"
    );
    let second = started(&on, &workflow, Some(&first)).await;
    runs::succeeded(&on, &second, PATIENCE).await;
    let warm = initializations(&on, &target, &second).await;
    println!("served by {warm:?}, after {cold:?} without");
    assert!(
        !warm.is_empty() && warm.iter().all(|kind| kind == "provisioned-concurrency"),
        "{warm:?}"
    );

    on.api.delete_schedule(&workflow).await.expect("deleted");
    decided(&on).await;
    assert_eq!(state(&on, &target).await, WarmState::default());
    put_and_released(&on, &target).await;
    policy(&on, &json!({"mode": "advise"})).await;
}
