//! Declared in a workflow document: made, changed and removed as the document is registered.

use serde_json::json;

use super::{at, key};
use crate::caller::{Caller, refused};

/// A workflow that declares two schedules.
const DECLARING: &str = r#"
foreshard: 1
name: etl
version: "1"
schedules:
  hourly: {expression: cron(0 * * * ? *), timezone: Europe/Berlin, overlap: skip}
  nightly: {expression: "cron(30 2 * * ? *)", timezone: Europe/Berlin, catch_up: true, input: {day: 1}}
tasks:
  - {id: a, kind: synthetic, cpu_s: 0.1}
"#;

#[test]
fn registering_a_document_makes_changes_and_removes_its_schedules() {
    let caller = Caller::new();
    caller.world.set_now(at("2026-06-01T10:30:00Z"));
    let register =
        |document: &str| caller.call("PUT", "/workflows", &json!({ "document": document }));
    assert_eq!(register(DECLARING).status, 201);
    let names = || {
        let page = caller.get("/schedules?workflow=etl").value();
        let all = page["schedules"].as_array().unwrap().clone();
        let texts: Vec<String> = all
            .iter()
            .map(|s| format!("{} {} {}", s["name"], s["version"], s["expression"]))
            .collect();
        texts.join("\n").replace('"', "")
    };
    insta::assert_snapshot!(names(), @r"
    etl.hourly 1 cron(0 * * * ? *)
    etl.nightly 1 cron(30 2 * * ? *)
    ");
    caller.post("/schedules/etl.nightly/pause");
    let second = DECLARING
        .replace("version: \"1\"", "version: \"2\"")
        .replace("  hourly:", "  often:");
    assert_eq!(register(&second).status, 201);
    insta::assert_snapshot!(names(), @r"
    etl.nightly 2 cron(30 2 * * ? *)
    etl.often 2 cron(0 * * * ? *)
    ");
    assert_eq!(caller.world.timer(&key("etl.hourly")), None);
    assert_eq!(caller.get("/schedules/etl.nightly").value()["paused"], true);
    // An older version registered again: back to it.
    assert_eq!(register(DECLARING).status, 200);
    insta::assert_snapshot!(names(), @r"
    etl.hourly 1 cron(0 * * * ? *)
    etl.nightly 1 cron(30 2 * * ? *)
    ");
    let none = DECLARING.replace("version: \"1\"", "version: \"3\"");
    let (head, rest) = none.split_once("schedules:").unwrap();
    let (_, tasks) = rest.split_once("tasks:").unwrap();
    assert_eq!(register(&format!("{head}tasks:{tasks}")).status, 201);
    assert_eq!(names(), "");
}

#[test]
fn a_document_with_a_schedule_that_could_not_run_is_not_registered() {
    let caller = Caller::new();
    let wrong = DECLARING.replace("Europe/Berlin, overlap", "Europe/Bremen, overlap");
    let answer = caller.call("PUT", "/workflows", &json!({ "document": wrong }));
    assert_eq!(refused(&answer), "400 FS3009 1 problem");
    let problem = &answer.value()["problems"][0];
    assert_eq!(problem["code"], "FS1061");
    assert_eq!(problem["path"], "schedules.hourly.timezone");
    let lacking = DECLARING.replace("tasks:", "params: {region: {}}\ntasks:");
    let lacking = lacking.replace("cpu_s: 0.1}", "cpu_s: 0.1, inputs: {r: {param: region}}}");
    let answer = caller.call("PUT", "/workflows", &json!({ "document": lacking }));
    assert!(
        refused(&answer).starts_with("400 FS3022"),
        "{}",
        answer.value()
    );
    assert!(caller.world.blob_keys("workflows/").is_empty());
}
