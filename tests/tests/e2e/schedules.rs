//! Schedules on the emulator: one fires through EventBridge Scheduler, twice delivered it gives one run, a missed hour is backfilled.

use std::time::Duration;

use foreshard_aws::client::RunFilter;
use foreshard_model::api::RegisterRequest;
use foreshard_model::ids::RunId;
use foreshard_model::schedule::Outcome;
use foreshard_model::schedule_api::{BackfillTime, ScheduleRequest};
use foreshard_model::units::TimeMs;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::command_line::foreshard;
use super::documents::diamond;
use super::runs::{self, PATIENCE, until};
use super::stack::{Deployment, deployment};

/// MiniStack looks at its timers every ten seconds; LocalStack's never fire, and the rule of each minute does their work.
const TIMER_PATIENCE: Duration = Duration::from_secs(180);

/// Registers a small workflow; its name is new on an emulator that outlives the tests.
async fn registered(on: &Deployment, name: &str) -> String {
    let name = format!("{name}-{}", on.cloud.executions(&on.machine).await);
    let mut document = diamond(0.0);
    document["name"] = json!(name);
    let request = RegisterRequest {
        document: Some(document.to_string()),
        ..RegisterRequest::default()
    };
    let entry = on.api.register(&request).await.expect("registered");
    assert_eq!(
        (entry.name.as_str(), entry.version.as_str()),
        (name.as_str(), "1")
    );
    name
}

fn request(workflow: &str, expression: String) -> ScheduleRequest {
    ScheduleRequest {
        workflow: workflow.to_owned(),
        version: "1".to_owned(),
        expression,
        ..ScheduleRequest::default()
    }
}

fn millis(at: Timestamp) -> TimeMs {
    TimeMs(u64::try_from(at.as_millisecond()).expect("after 1970"))
}

/// Runs of a schedule, by the listing that every caller has.
async fn runs_of(on: &Deployment, schedule: &str) -> Vec<RunId> {
    let page = on
        .api
        .runs(&RunFilter::default(), 100, None)
        .await
        .expect("a page");
    let mine = page.runs.into_iter().filter(|view| {
        let of = view.scheduled.as_ref();
        of.is_some_and(|of| of.schedule == schedule)
    });
    mine.map(|view| view.run).collect()
}

#[tokio::test]
async fn a_schedule_fires_once_however_often_its_event_comes() {
    let on = deployment().await;
    let workflow = registered(&on, "fires").await;
    let seconds = Timestamp::now().as_second() + 5;
    let time = Timestamp::from_second(seconds).expect("a moment");
    let wall = time.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let view = on
        .api
        .put_schedule(&workflow, &request(&workflow, format!("at({wall})")))
        .await
        .expect("made");
    assert_eq!(view.next, [millis(time)]);
    let look = async || {
        let view = on.api.schedule(&workflow).await.expect("it is there");
        match view.recent.first().map(|firing| firing.outcome.clone()) {
            Some(Outcome::Started { run, .. }) => Some(run),
            _ => None,
        }
    };
    let begun = Timestamp::now();
    let run = until(TIMER_PATIENCE, look).await.expect("the timer fires");
    println!(
        "fired {} after it was set for 5 s later",
        begun.until(Timestamp::now()).expect("a while")
    );

    let event = json!({"schedule": {
        "tenant": "000000000000", "name": workflow, "time": time.to_string(),
    }});
    let submit = on.stack.function("submit");
    for _ in 0..2 {
        let answer = on.cloud.invoke(&submit, &event).await;
        assert_eq!(answer["runs"], json!([]), "{answer}");
    }
    assert_eq!(runs_of(&on, &workflow).await, std::slice::from_ref(&run));
    let view = on.api.run(&run).await.expect("it is there");
    assert_eq!(view.scheduled.expect("scheduled").time, millis(time));
    runs::succeeded(&on, &run, PATIENCE).await;
    on.api.delete_schedule(&workflow).await.expect("deleted");
    assert!(on.api.schedule(&workflow).await.is_err());
}

#[tokio::test]
async fn a_missed_hour_is_backfilled() {
    let on = deployment().await;
    let workflow = registered(&on, "missed").await;
    let every_twenty = request(&workflow, "cron(0/20 * * * ? *)".to_owned());
    on.api
        .put_schedule(&workflow, &every_twenty)
        .await
        .expect("made");
    let now = Timestamp::now();
    let from = (now - SignedDuration::from_mins(60)).to_string();
    let backfill = |dry: bool| {
        let mut words = vec![
            "schedule", "backfill", &workflow, "--from", &from, "--format", "json",
        ];
        let to = now.to_string();
        words.extend(["--to", &to]);
        words.extend(dry.then_some("--dry-run"));
        let said = foreshard(on.stack, &words);
        assert_eq!(said.code, 0, "{}", said.err);
        let times: Vec<BackfillTime> = serde_json::from_str(&said.out).expect("JSON");
        times
    };
    let words = |times: &[BackfillTime]| {
        let all: Vec<&str> = times.iter().map(|t| t.status.as_str()).collect();
        all.join(" ")
    };
    assert_eq!(words(&backfill(true)), "missing missing missing");
    assert!(runs_of(&on, &workflow).await.is_empty());
    let started = backfill(false);
    assert_eq!(words(&started), "started started started");
    assert_eq!(words(&backfill(false)), "exists exists exists");
    for time in &started {
        let item = runs::succeeded(&on, &time.run, PATIENCE).await;
        assert_eq!(item.scheduled.expect("scheduled").time, time.time);
    }
    assert_eq!(runs_of(&on, &workflow).await.len(), 3);
    on.api.delete_schedule(&workflow).await.expect("deleted");
}

#[tokio::test]
async fn a_declared_schedule_is_paused_and_goes_on() {
    let on = deployment().await;
    let workflow = registered(&on, "lost").await;
    let document = json!({
        "foreshard": 1, "name": workflow, "version": "2",
        "schedules": {"minutely": {"expression": "cron(* * * * ? *)", "timezone": "Asia/Kathmandu"}},
        "tasks": [{"id": "a", "kind": "synthetic", "cpu_s": 0}],
    });
    let request = RegisterRequest {
        document: Some(document.to_string()),
        ..RegisterRequest::default()
    };
    on.api.register(&request).await.expect("registered");
    let name = format!("{workflow}.minutely");
    let view = on.api.pause_schedule(&name).await.expect("paused");
    assert!(view.declared && view.next.is_empty(), "{view:?}");
    // A paused schedule: neither an event nor the sweep starts anything.
    let submit = on.stack.function("submit");
    let event = json!({"schedule": {"tenant": "000000000000", "name": name}});
    let answer = on.cloud.invoke(&submit, &event).await;
    assert_eq!(answer["because"], json!(["the schedule is paused"]));
    let answer: Value = on.cloud.invoke(&submit, &json!({"id": "schedules"})).await;
    assert!(answer["runs"].is_array(), "{answer}");
    assert!(runs_of(&on, &name).await.is_empty());
    on.api.resume_schedule(&name).await.expect("resumed");
    // Without a stated time the event stands for the minute that has begun.
    let look = async || {
        on.cloud.invoke(&submit, &event).await;
        let runs = runs_of(&on, &name).await;
        (!runs.is_empty()).then_some(runs)
    };
    let started = until(Duration::from_secs(75), look)
        .await
        .expect("a minute begins");
    runs::succeeded(&on, &started[0], PATIENCE).await;
    on.api.delete_schedule(&name).await.expect("deleted");
}
