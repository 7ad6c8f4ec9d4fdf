//! What a submission would become, or what is wrong with it; nothing is stored.

use serde_json::{Value, json};

use crate::caller::{CHAIN, CYCLE, Caller, refused};

/// The judgement of a body; the world is as it was.
fn judged(caller: &Caller, body: &Value) -> Value {
    let before = caller.world.blob_keys("");
    let writes = caller.world.faults(|f| f.writes());
    let answer = caller.call("POST", "/validate", body);
    assert_eq!(answer.status, 200, "{}", answer.value());
    assert_eq!(caller.world.blob_keys(""), before);
    assert_eq!(caller.world.faults(|f| f.writes()), writes);
    answer.value()
}

#[test]
fn a_good_document_is_told_what_it_would_become() {
    let answer = judged(&Caller::new(), &json!({ "document": CHAIN }));
    assert_eq!(answer["valid"], true);
    assert_eq!(answer["workflow"], json!({"name": "chain", "version": "1"}));
    assert_eq!(answer["tasks"], 2);
    let plan = &answer["plan"];
    assert!(
        plan["shards"].as_u64() >= Some(1) && plan["lanes"].as_u64() >= Some(1),
        "{plan}"
    );
    assert!(
        plan["price"]["total_usd"]["mid"].as_f64() > Some(0.0),
        "{plan}"
    );
}

#[test]
fn a_bad_document_gets_the_problems_that_its_submission_would() {
    let caller = Caller::new();
    let answer = judged(&caller, &json!({ "document": CYCLE }));
    let submitted = caller.submit("k", CYCLE).value();
    assert_eq!(answer["valid"], false);
    assert_eq!(answer["problems"], submitted["problems"]);
    assert!(!answer["problems"].as_array().unwrap().is_empty());
}

#[test]
fn a_bundle_may_be_missing_until_it_is_submitted() {
    let document = "foreshard: 1\nname: b\nversion: \"1\"\ntasks:\n  - {id: a, kind: command, run: [go.sh], bundle: programs}\n";
    let answer = judged(&Caller::new(), &json!({ "document": document }));
    assert_eq!(
        (&answer["valid"], &answer["bundles"]),
        (&json!(true), &json!(["programs"])),
        "{answer}"
    );
}

#[test]
fn what_cannot_be_judged_is_refused() {
    let caller = Caller::new();
    let refused = |body: Value| refused(&caller.call("POST", "/validate", &body));
    assert!(refused(json!({})).starts_with("400 FS3010"));
    assert!(refused(json!({"document": CHAIN, "unknown": 1})).starts_with("400 FS3001"));
    assert!(
        refused(json!({"document": CHAIN, "options": {"scale": -1}})).starts_with("400 FS3013")
    );
}

#[test]
fn a_missed_deadline_is_noted_and_a_missed_budget_refused() {
    let caller = Caller::new();
    let with = |objective: Value| json!({"document": CHAIN, "options": {"objective": objective}});
    let late = judged(&caller, &with(json!({"deadline_s": 0.01})));
    assert_eq!(late["valid"], true, "{late}");
    let noted = late["notes"].as_array().unwrap();
    assert!(noted.iter().any(|note| note["code"] == "FS2021"), "{late}");
    let dear = judged(&caller, &with(json!({"budget_usd": 1e-9})));
    assert_eq!(dear["valid"], false, "{dear}");
    assert_eq!(dear["problems"][0]["code"], "FS2022", "{dear}");
    let answer = caller.call(
        "POST",
        "/runs",
        &with(json!({"deadline_s": -1, "budget_usd": -1})),
    );
    let problems = answer.value()["problems"].clone();
    assert!(refused(&answer).starts_with("400 FS3013"), "{problems}");
    let codes: Vec<&Value> = problems
        .as_array()
        .unwrap()
        .iter()
        .map(|p| &p["code"])
        .collect();
    assert_eq!(codes, ["FS2020", "FS2020"], "{problems}");
}
