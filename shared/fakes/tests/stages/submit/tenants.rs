//! No tenant sees, changes or uses what is another's: tried on every operation that the API describes. An operation that
//! is not tried here fails the test.

use std::sync::Arc;

use foreshard_engine::report::RunResult;
use foreshard_fakes::{World, build};
use foreshard_model::ids::{Attempt, RunId, Sha256Hex, ShardId};
use foreshard_model::logs;
use foreshard_model::output::OutputValue;
use foreshard_model::run::{PlanPointer, RunItem};
use foreshard_model::schedule::{ScheduleItem, ScheduleKey};
use foreshard_stages::submit::{ApiResponse, openapi};
use serde_json::{Value, json};

use crate::caller::{ACCOUNT, CHAIN, Caller, refused, run_of};

const STRANGER: &str = "210987654321";

/// In everything that the owner has; in nothing that a stranger is answered.
const CANARY: &str = "owners-canary";

/// What an owner has, and who they are.
struct Scene {
    owner: Caller,
    stranger: Caller,
    run: RunId,
    upload: String,
    bundle: String,
    cursor: String,
}

/// A run with everything that a run can have, an upload, a bundle, a registered workflow, a schedule of it.
fn scene() -> Scene {
    let world = Arc::new(World::new());
    let owner = Caller::of(ACCOUNT, &world);
    let stranger = Caller::of(STRANGER, &world);
    let document = CHAIN.replace("chain", CANARY);
    assert_eq!(
        owner
            .call("PUT", "/workflows", &json!({"document": document}))
            .status,
        201
    );
    let path = format!("/schedules/{CANARY}");
    assert_eq!(owner.call("PUT", &path, &hourly()).status, 201);
    owner.submit("another", CHAIN);
    let run = run_of(&owner.submit(CANARY, &document));
    let plan = build::stored(
        &world,
        "runs/plan",
        json!({"canary": CANARY}).to_string().as_bytes(),
    );
    let result = RunResult {
        run: run.clone(),
        outputs: [("out".to_owned(), OutputValue::Inline(json!(CANARY)))].into(),
        missing: Default::default(),
    };
    let result = build::stored(&world, "runs/result", &serde_json::to_vec(&result).unwrap());
    let mut item = world.run_item(&run).unwrap();
    item.plan = Some(PlanPointer {
        plan,
        ..PlanPointer::default()
    });
    item.result = Some(result);
    world.put_run(item);
    let log = logs::key(&run, ShardId(0), Attempt(1), &"a".into());
    world.put_blob(&log, CANARY.into());
    let upload = Sha256Hex::of(document.as_bytes()).to_string();
    world.put_blob(
        &format!("uploads/{ACCOUNT}/{upload}"),
        document.into_bytes(),
    );
    let bundle = Sha256Hex::of(CANARY.as_bytes()).to_string();
    world.put_blob(&format!("bundles/{ACCOUNT}/{bundle}"), CANARY.into());
    let page = owner.get("/runs?limit=1").value();
    let cursor = page["next"].as_str().unwrap().to_owned();
    Scene {
        owner,
        stranger,
        run,
        upload,
        bundle,
        cursor,
    }
}

fn hourly() -> Value {
    json!({"workflow": CANARY, "version": "1", "expression": "cron(0 * * * ? *)"})
}

/// What a stranger sends to an operation, and how its answer begins.
struct Try {
    query: String,
    key: Option<&'static str>,
    body: Value,
    answer: &'static str,
}

fn try_body(body: Value, answer: &'static str) -> Try {
    Try {
        query: String::new(),
        key: None,
        body,
        answer,
    }
}

fn try_query(query: &str, answer: &'static str) -> Try {
    Try {
        query: query.to_owned(),
        ..try_body(Value::Null, answer)
    }
}

/// A document that uses the owner's registered workflow.
fn borrowing() -> String {
    format!(
        "foreshard: 1\nname: mine\nversion: \"1\"\ntasks:\n  - {{id: a, workflow: {CANARY}@1}}\n"
    )
}

/// A submission or its validation: the owner's upload and bundle are not there for a stranger.
fn submissions(scene: &Scene) -> Vec<Try> {
    let bundles = json!({ "programs": scene.bundle });
    vec![
        try_body(json!({ "upload": scene.upload }), "400 FS3012"),
        try_body(json!({"document": CHAIN, "bundles": bundles}), "400 FS3018"),
    ]
}

fn tries(operation: &str, scene: &Scene) -> Vec<Try> {
    let bytes = CHAIN.replace("chain", CANARY).len();
    match operation {
        "submitRun" => {
            let mut tries = submissions(scene);
            tries.push(try_body(json!({ "document": borrowing() }), "400 FS3009"));
            let same_key = Try {
                key: Some(CANARY),
                ..try_body(json!({ "document": CHAIN }), "202 {")
            };
            tries.push(same_key);
            tries
        }
        "validateRun" => {
            let mut tries = submissions(scene);
            tries.push(try_body(
                json!({ "document": borrowing() }),
                "200 {\"valid\":false",
            ));
            tries
        }
        "listRuns" => vec![
            try_query("", "200 {\"runs\":[]}"),
            try_query(&format!("after={}", scene.cursor), "200 {\"runs\":[]}"),
            try_query(&format!("workflow={CANARY}"), "200 {\"runs\":[]}"),
        ],
        "getRun" | "cancelRun" | "pauseRun" | "resumeRun" | "listEvents" | "getPlan"
        | "getResult" | "listLogs" => vec![try_query("", "404 FS3005")],
        "registerWorkflow" => {
            let other = CHAIN.replace("chain", CANARY).replace("0.1", "0.2");
            vec![try_body(json!({ "document": other }), "201 {")]
        }
        "listWorkflows" => vec![
            try_query("", "200 {\"workflows\":[]}"),
            try_query(&format!("after={}", scene.cursor), "200 {\"workflows\":[]}"),
        ],
        "listVersions" => vec![try_query("", "404 FS3017")],
        "getWorkflow" => vec![try_query("", "404 FS3017")],
        "listSchedules" => vec![
            try_query("", "200 {\"schedules\":[]}"),
            try_query(&format!("workflow={CANARY}"), "200 {\"schedules\":[]}"),
            try_query(&format!("after={}", scene.cursor), "400 FS3006"),
        ],
        "getSchedule" | "deleteSchedule" | "pauseSchedule" | "resumeSchedule" => {
            vec![try_query("", "404 FS3030")]
        }
        "backfillSchedule" => {
            let window = json!({"from": "2000-01-01T00:00:00Z", "to": "2000-01-02T00:00:00Z"});
            vec![try_body(window, "404 FS3030")]
        }
        "putSchedule" => vec![try_body(hourly(), "404 FS3017")],
        "createUpload" => {
            let sha256 = &scene.upload;
            let body = json!({"kind": "document", "sha256": sha256, "bytes": bytes});
            vec![try_body(body, "200 {")]
        }
        "getPool" | "getForecasts" | "getPrewarm" | "getOpenApi" => vec![try_query("", "200 {")],
        other => panic!("say here what a stranger tries on the new operation `{other}`"),
    }
}

/// Every operation that the API describes: method, path, name.
fn operations() -> Vec<(String, String, String)> {
    let described = openapi();
    let paths = described["paths"].as_object().unwrap();
    let mut all = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            all.push((method.to_uppercase(), path.clone(), name.to_owned()));
        }
    }
    assert!(all.len() >= 25, "{all:?}");
    all
}

fn path_of(template: &str, scene: &Scene) -> String {
    let path = template
        .replace("{run}", scene.run.as_str())
        .replace("{name}", CANARY)
        .replace("{schedule}", CANARY)
        .replace("{version}", "1");
    assert!(
        !path.contains('{'),
        "fill the new segment of `{template}` here"
    );
    path
}

/// The owner's run and schedule as they are stored.
fn kept(scene: &Scene) -> (Option<RunItem>, Option<ScheduleItem>) {
    let key = ScheduleKey {
        tenant: ACCOUNT.into(),
        name: CANARY.to_owned(),
    };
    let world = &scene.owner.world;
    (world.run_item(&scene.run), world.schedule_item(&key))
}

fn summary(answer: &ApiResponse) -> String {
    if answer.status >= 400 {
        return refused(answer);
    }
    format!(
        "{} {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    )
}

#[test]
fn a_stranger_finds_nothing_and_changes_nothing_on_any_operation() {
    for (method, template, name) in operations() {
        for attempt in tries(&name, &scene()) {
            let scene = scene();
            let before = kept(&scene);
            let path = format!("{}?{}", path_of(&template, &scene), attempt.query);
            let mut request = scene.stranger.request(&method, &path, &attempt.body);
            if let Some(key) = attempt.key {
                let key = key.to_owned();
                request.headers.insert("idempotency-key".to_owned(), key);
            }
            let answer = scene.stranger.send(&request);
            let seen = summary(&answer);
            assert!(seen.starts_with(attempt.answer), "{name}: {seen}");
            for secret in [ACCOUNT, "runs/result", scene.run.as_str(), CANARY] {
                // What the stranger has named may be named in return.
                let named = path.contains(secret) || attempt.body.to_string().contains(secret);
                assert!(
                    named || !seen.contains(secret),
                    "{name} tells `{secret}`: {seen}"
                );
            }
            if name == "createUpload" {
                assert_eq!(answer.value()["present"], false, "{seen}");
            }
            if name == "submitRun" && answer.status == 202 {
                assert_ne!(run_of(&answer), scene.run);
            }
            assert_eq!(kept(&scene), before, "{name}");
            let kept = scene.owner.get(&format!("/workflows/{CANARY}/1")).value();
            assert!(kept["document"].as_str().unwrap().contains("0.1"), "{name}");
        }
    }
}

#[test]
fn the_owner_finds_all_of_it() {
    let scene = scene();
    for (method, template, name) in operations() {
        let looks = method == "GET" && template.contains('{');
        if looks {
            let answer = scene.owner.get(&path_of(&template, &scene));
            assert_eq!(answer.status, 200, "{name}: {}", summary(&answer));
            let told = summary(&answer).contains(CANARY) || name == "listEvents";
            assert!(told, "{name}: {}", summary(&answer));
        }
    }
    let present = json!({
        "kind": "document", "sha256": scene.upload, "bytes": CHAIN.replace("chain", CANARY).len()
    });
    assert_eq!(
        scene.owner.call("POST", "/uploads", &present).value()["present"],
        true
    );
}

#[test]
fn nobody_is_answered_by_no_operation_and_nothing_is_read_for_them() {
    for (method, template, name) in operations() {
        let scene = scene();
        let reads = scene.owner.world.faults(|f| f.reads());
        let mut request =
            scene
                .stranger
                .request(&method, &path_of(&template, &scene), &Value::Null);
        request.identity = None;
        let answer = scene.stranger.send(&request);
        assert!(refused(&answer).starts_with("403 FS3004"), "{name}");
        assert_eq!(scene.owner.world.faults(|f| f.reads()), reads, "{name}");
    }
}
