//! Submitting: what is accepted, what is refused, and what a repeat gives.

use foreshard_fakes::Fault;
use foreshard_model::ids::Round;
use foreshard_model::run::RunState;
use serde_json::{Value, json};

use crate::caller::{CHAIN, CYCLE, Caller, refused, run_of};

#[test]
fn a_run_is_stored_recorded_and_started() {
    let caller = Caller::new();
    let body = json!({
        "document": CHAIN,
        "input": {"day": 1},
        "options": {"scale": 0.5},
        "role": "arn:aws:iam::123456789012:role/etl",
        "baggage": {"team": "blue"},
    });
    let mut request = caller.request("POST", "/runs", &body);
    request.headers.insert(
        "x-amzn-trace-id".into(),
        "Root=1-67891233-abcdef012345678912345678".into(),
    );
    let answer = caller.send(&request);
    assert_eq!(answer.status, 202, "{}", answer.value());
    let run = run_of(&answer);
    assert_eq!(answer.headers["location"], format!("/runs/{run}"));
    assert_eq!(answer.value()["created"], true);
    assert_eq!(answer.value()["started"], true);

    let item = caller.world.run_item(&run).unwrap();
    assert_eq!(item.state, RunState::Accepted);
    assert_eq!(item.workflow, "chain");
    assert_eq!(item.context.tenant.as_str(), "123456789012");
    assert_eq!(item.context.trace_id, "67891233abcdef012345678912345678");
    assert_eq!(item.context.baggage["team"], "blue");
    assert_eq!(
        caller.world.blob(&item.document.key).unwrap(),
        CHAIN.as_bytes()
    );
    assert_eq!(
        caller.world.blob(&item.input.unwrap().key).unwrap(),
        br#"{"day":1}"#
    );
    assert_eq!(caller.world.executions_started(), [(run.clone(), Round(0))]);
    assert_eq!(caller.world.ledger(&run).len(), 1);
}

#[test]
fn the_same_key_twice_gives_one_run_and_another_content_is_refused() {
    let caller = Caller::new();
    let first = caller.submit("monday", CHAIN);
    let run = run_of(&first);
    caller.world.advance(1_000);
    let second = caller.submit("monday", CHAIN);
    assert_eq!(second.status, 202);
    assert_eq!(
        (run_of(&second), &second.value()["created"]),
        (run.clone(), &json!(false))
    );
    assert_eq!(caller.world.executions_started().len(), 1);
    let other = caller.submit_body("monday", &json!({"document": CHAIN, "input": 1}));
    assert!(
        refused(&other).starts_with("409 FS3007"),
        "{}",
        other.value()
    );
    let scaled = json!({"document": CHAIN, "options": {"scale": 2.0}});
    assert_eq!(caller.submit_body("monday", &scaled).status, 409);
    assert_ne!(run_of(&caller.submit("tuesday", CHAIN)), run);
    let unkeyed =
        |caller: &Caller| run_of(&caller.call("POST", "/runs", &json!({"document": CHAIN})));
    assert_ne!(unkeyed(&caller), unkeyed(&caller));
}

#[test]
fn a_bad_document_gets_all_of_its_problems_and_nothing_is_written() {
    let caller = Caller::new();
    let answer = caller.submit("k", CYCLE);
    insta::assert_snapshot!(refused(&answer), @"400 FS3009 1 problem");
    assert_eq!(answer.value()["problems"][0]["code"], "FS1022");
    let two = CYCLE.replace("cpu_s", "cpus_s");
    let problems = caller.submit("k", &two).value()["problems"].clone();
    assert!(problems.as_array().unwrap().len() >= 2, "{problems}");
    assert_eq!(caller.world.faults(|f| f.writes()), 0);
}

#[test]
fn what_no_target_can_run_is_refused_at_once() {
    let caller = Caller::new();
    let large = CHAIN.replace("cpu_s: 0.1}", "cpu_s: 0.1, memory_mib: 9000}");
    let answer = caller.submit("k", &large);
    assert_eq!(answer.status, 400);
    let code = answer.value()["problems"][0]["code"].clone();
    assert!(code.as_str().unwrap().starts_with("FS2"), "{code}");
    assert_eq!(caller.world.faults(|f| f.writes()), 0);
}

/// A task that takes a parameter.
const ASKS: &str = r#"
foreshard: 1
name: asks
version: "1"
params: {day: {}, week: {default: 47}}
tasks:
  - id: a
    kind: handler
    handler: collect
    inputs: {day: {param: day}, week: {param: week}}
"#;

#[test]
fn an_input_that_lacks_what_the_workflow_takes_is_refused() {
    let caller = Caller::new();
    for input in [Value::Null, json!({}), json!({"week": 1}), json!([])] {
        let body = json!({"document": ASKS, "input": input});
        let answer = caller.submit_body("k", &body);
        assert!(
            refused(&answer).starts_with("400 FS3022"),
            "{}",
            answer.value()
        );
        assert_eq!(answer.value()["problems"][0]["code"], "FS3022");
    }
    let body = json!({"document": ASKS, "input": {"day": null}});
    assert_eq!(caller.submit_body("k", &body).status, 202);
}

#[test]
fn bodies_that_make_no_sense_are_refused_each_with_its_code() {
    let caller = Caller::new();
    let table = [
        (json!([1]), "400 FS3001"),
        (json!({"documents": CHAIN}), "400 FS3001"),
        (json!({"document": 1}), "400 FS3001"),
        (json!({}), "400 FS3010"),
        (json!({"document": CHAIN, "upload": "x"}), "400 FS3010"),
        (json!({"document_gzip": "%%%"}), "400 FS3011"),
        (json!({"document_gzip": "aGVsbG8="}), "400 FS3009"),
        (json!({"document": ""}), "400 FS3009"),
        (
            json!({"document": "x".repeat(4 * 1024 * 1024 + 1)}),
            "413 FS3008",
        ),
        (json!({"upload": "nonsense"}), "400 FS3012"),
        (json!({"upload": "a".repeat(64)}), "400 FS3012"),
        (
            json!({"document": CHAIN, "options": {"scale": -1.0}}),
            "400 FS3013",
        ),
        (
            json!({"document": CHAIN, "options": {"speed": 1}}),
            "400 FS3001",
        ),
        (json!({"document": CHAIN, "role": "root"}), "400 FS3013"),
        (
            json!({"document": CHAIN, "baggage": {"": "x"}}),
            "400 FS3013",
        ),
        (
            json!({"document": CHAIN, "bundles": {"b": "nonsense"}}),
            "400 FS3018",
        ),
        (
            json!({"document": CHAIN, "bundles": {"b": "a".repeat(64)}}),
            "400 FS3018",
        ),
    ];
    for (body, expected) in table {
        let answer = caller.submit_body("k", &body);
        assert!(
            refused(&answer).starts_with(expected),
            "{expected}: {}",
            refused(&answer)
        );
    }
    assert!(refused(&caller.submit("", CHAIN)).starts_with("400 FS3006"));
    let mut request = caller.request("POST", "/runs", &Value::Null);
    request.body = vec![0xff; 10];
    assert!(refused(&caller.send(&request)).starts_with("400 FS3001"));
    request.body = vec![b' '; 6 * 1024 * 1024 + 1];
    assert!(refused(&caller.send(&request)).starts_with("413 FS3008"));
    assert_eq!(caller.world.faults(|f| f.writes()), 0);
}

#[test]
fn a_run_that_cannot_be_started_now_is_accepted_all_the_same() {
    let caller = Caller::new();
    let whole = Caller::new();
    whole.submit("k", CHAIN);
    let start = whole.world.faults(|f| f.writes()) - 1;
    caller.world.faults(|f| f.arm(start, Fault::FailBefore));
    let answer = caller.submit("k", CHAIN);
    assert_eq!(
        (answer.status, &answer.value()["started"]),
        (202, &json!(false))
    );
    assert_eq!(caller.world.executions_started(), []);
    let again = caller.submit("k", CHAIN);
    assert_eq!(again.value()["started"], true);
    assert_eq!(caller.world.executions_started().len(), 1);
}

#[test]
fn a_crash_at_any_write_is_healed_by_the_same_submission() {
    let whole = Caller::new();
    let run = run_of(&whole.submit_body("k", &json!({"document": CHAIN, "input": 1})));
    for nth in 0..whole.world.faults(|f| f.writes()) {
        for fault in Fault::ALL {
            let caller = Caller::new();
            let submit = || caller.submit_body("k", &json!({"document": CHAIN, "input": 1}));
            caller.world.faults(|f| f.arm(nth, fault));
            let first = submit();
            caller.world.faults(|f| f.revive());
            let second = submit();
            assert_eq!(second.status, 202, "{fault:?} at {nth}: {}", first.value());
            assert_eq!(run_of(&second), run);
            assert_eq!(caller.world.run_item(&run), whole.world.run_item(&run));
            assert_eq!(caller.world.ledger(&run), whole.world.ledger(&run));
            let started = caller.world.executions_started();
            assert_eq!(started, [(run.clone(), Round(0))], "{fault:?} at {nth}");
            let keys = |c: &Caller| c.world.blob_keys("");
            assert_eq!(keys(&caller), keys(&whole));
        }
    }
}
