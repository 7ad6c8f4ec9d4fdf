//! Made by hand: what is accepted, what is refused, paused and removed, and whose it is.

use std::sync::Arc;

use foreshard_fakes::World;
use foreshard_stages::submit::Fired;
use serde_json::{Value, json};

use super::{at, fired, hourly, key, morning, morning_in, runs, swept};
use crate::caller::{Caller, refused};

#[test]
fn a_schedule_is_made_changed_listed_and_removed() {
    let caller = morning();
    let made = caller.call("PUT", "/schedules/hourly", &hourly());
    assert_eq!(made.status, 201, "{}", made.value());
    assert_eq!(made.value()["next"][0], at("2026-06-01T11:00:00Z").0);
    assert_eq!(
        caller.call("PUT", "/schedules/hourly", &hourly()).status,
        200
    );
    let item = caller.world.schedule_item(&key("hourly")).unwrap();
    assert_eq!(item.version, 1, "the same again writes nothing");
    let timer = caller.world.timer(&key("hourly")).unwrap();
    assert_eq!(
        (timer.expression.as_str(), timer.enabled),
        ("cron(0 * * * ? *)", true)
    );

    let mut body = hourly();
    body["expression"] = "rate(10 minutes)".into();
    let changed = caller.call("PUT", "/schedules/hourly", &body).value();
    assert_eq!(changed["next"][0], at("2026-06-01T10:40:00Z").0);
    let timer = caller.world.timer(&key("hourly")).unwrap();
    assert_eq!(timer.start, Some(at("2026-06-01T10:40:00Z")));
    let listed = caller.get("/schedules").value();
    assert_eq!(listed["schedules"].as_array().unwrap().len(), 1);

    assert_eq!(
        caller
            .call("DELETE", "/schedules/hourly", &Value::Null)
            .status,
        200
    );
    assert_eq!(caller.world.timer(&key("hourly")), None);
    let gone = refused(&caller.get("/schedules/hourly"));
    assert_eq!(gone, "404 FS3030 `hourly`");
    // An event on its way finds nothing.
    let late = fired(&caller, "hourly", None);
    assert!(late.runs.is_empty(), "{late:?}");
}

#[test]
fn what_could_never_run_is_refused_now() {
    let caller = morning();
    let mut table = String::new();
    for (member, value) in [
        ("expression", json!("cron(0 25 * * * *)")),
        ("timezone", json!("CEST+1")),
        ("expression", json!("at(2020-01-01T00:00:00)")),
        ("version", json!("2")),
        ("workflow", json!("../../etc")),
        ("bundles", json!({"bin": "00"})),
        ("role", json!("arn:aws:iam::999999999999:role/x")),
        ("options", json!({"scale": 0.0})),
        ("input", json!("x".repeat(20_000))),
        ("unknown", json!(1)),
    ] {
        let mut body = hourly();
        body[member] = value;
        let answer = caller.call("PUT", "/schedules/hourly", &body);
        let text = refused(&answer);
        let first: String = text.chars().take(90).collect();
        table += &format!("{member}: {first}\n");
    }
    for name in ["Hourly", "a.b", "x".repeat(65).as_str()] {
        let answer = caller.call("PUT", &format!("/schedules/{name}"), &hourly());
        assert!(refused(&answer).starts_with("400 FS3006"), "{name}");
    }
    insta::assert_snapshot!(table, @r"
    expression: 400 FS3031 2 problems
    timezone: 400 FS3031 1 problem
    expression: 400 FS3031 `at(2020-01-01T00:00:00)` has no time left to come
    version: 404 FS3017 `chain` version `2`
    workflow: 404 FS3017 `../../etc` version `1`
    bundles: 400 FS3018 bundle `00` of `bin`
    role: 400 FS3013 `role` is of account `999999999999`, not yours
    options: 400 FS3013 `options.scale` is 0: above 0, at most 1000000
    input: 400 FS3013 `input` has 20002 bytes: at most 16384
    unknown: 400 FS3001 unknown field `unknown`, expected one of `workflow`, `version`, `expression`, `
    ");
    assert!(caller.world.schedule_item(&key("hourly")).is_none());
}

#[test]
fn a_paused_schedule_starts_nothing_and_goes_on_from_now() {
    let caller = morning();
    caller.call("PUT", "/schedules/hourly", &hourly());
    let paused = caller.post("/schedules/hourly/pause").value();
    assert_eq!(
        (&paused["paused"], &paused["next"]),
        (&json!(true), &json!([]))
    );
    assert!(!caller.world.timer(&key("hourly")).unwrap().enabled);
    caller.world.set_now(at("2026-06-01T13:05:00Z"));
    let event = fired(&caller, "hourly", Some("2026-06-01T13:00:00Z"));
    assert_eq!(event.because, ["the schedule is paused"]);
    assert_eq!(swept(&caller), Fired::default());
    // Changing it leaves it paused.
    caller.call("PUT", "/schedules/hourly", &hourly());
    assert_eq!(caller.get("/schedules/hourly").value()["paused"], true);
    let resumed = caller.post("/schedules/hourly/resume").value();
    assert_eq!(resumed["missed"], json!([]));
    assert!(caller.world.timer(&key("hourly")).unwrap().enabled);
    caller.world.set_now(at("2026-06-01T14:00:00Z"));
    fired(&caller, "hourly", Some("2026-06-01T14:00:00Z"));
    assert_eq!(runs(&caller.world), ["2026-06-01T14:00:00Z"]);
}

#[test]
fn no_tenant_sees_the_schedules_of_another() {
    let world = Arc::new(World::new());
    let caller = morning_in(&world);
    caller.call("PUT", "/schedules/hourly", &hourly());
    let stranger = Caller::of("210987654321", &world);
    assert_eq!(stranger.get("/schedules").value()["schedules"], json!([]));
    let window = json!({"from": "2026-06-01T09:00:00Z", "to": "2026-06-01T10:00:00Z"});
    for (method, path, body) in [
        ("GET", "/schedules/hourly", &Value::Null),
        ("DELETE", "/schedules/hourly", &Value::Null),
        ("POST", "/schedules/hourly/pause", &Value::Null),
        ("POST", "/schedules/hourly/resume", &Value::Null),
        ("POST", "/schedules/hourly/backfill", &window),
    ] {
        let answer = stranger.call(method, path, body);
        assert_eq!(refused(&answer), "404 FS3030 `hourly`", "{method} {path}");
    }
    // The workflow is not theirs either.
    let answer = stranger.call("PUT", "/schedules/hourly", &hourly());
    assert!(refused(&answer).starts_with("404 FS3017"));
}
