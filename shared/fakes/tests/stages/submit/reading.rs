//! What an owner reads: runs, events, plan, result, logs.

use foreshard_engine::report::RunResult;
use foreshard_fakes::build;
use foreshard_model::claim::Claim;
use foreshard_model::ids::{Attempt, RunId, Sha256Hex, ShardId};
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::logs;
use foreshard_model::message::{Cause, Failure};
use foreshard_model::output::OutputValue;
use foreshard_model::run::{PlanPointer, RunItem, RunState};
use foreshard_stages::ports::LedgerWrites as _;
use serde_json::json;

use crate::caller::{CHAIN, Caller, refused, run_of};

fn change(caller: &Caller, run: &RunId, with: impl FnOnce(&mut RunItem)) {
    let mut item = caller.world.run_item(run).unwrap();
    with(&mut item);
    caller.world.put_run(item);
}

#[test]
fn a_run_is_shown_with_why_it_was_refused() {
    let caller = Caller::new();
    let run = caller.submitted();
    let view = caller.get(&format!("/runs/{run}")).value();
    assert_eq!(view["state"], "accepted");
    assert_eq!(view["workflow"], "chain");
    assert_eq!(view["principal"], "arn:aws:iam::123456789012:user/ada");
    let problem = json!([{"code": "FS1001", "severity": "error", "path": "", "message": "m"}]);
    caller.world.put_blob(
        &format!("runs/{run}/problems.json"),
        problem.to_string().into_bytes(),
    );
    change(&caller, &run, |item| {
        item.state = RunState::Failed;
        item.cause = Some(Failure {
            cause: Cause::Rejected,
            task: None,
            message: "no".into(),
        });
    });
    let view = caller.get(&format!("/runs/{run}")).value();
    assert_eq!(view["problems"], problem);
    assert_eq!(view["cause"]["cause"], "rejected");
}

#[test]
fn runs_are_listed_newest_first_in_pages() {
    let caller = Caller::new();
    let mut runs: Vec<RunId> = Vec::new();
    for key in ["a", "b", "c"] {
        runs.insert(0, run_of(&caller.submit(key, CHAIN)));
        caller.world.advance(1_000);
    }
    let ids = |page: &serde_json::Value| -> Vec<RunId> {
        let runs = page["runs"].as_array().unwrap();
        runs.iter()
            .map(|r| RunId::from(r["run"].as_str().unwrap()))
            .collect()
    };
    let page = caller.get("/runs?limit=2").value();
    assert_eq!(ids(&page), runs[..2]);
    let next = page["next"].as_str().unwrap();
    let rest = caller.get(&format!("/runs?limit=2&after={next}")).value();
    assert_eq!(ids(&rest), runs[2..]);
    assert_eq!(rest["next"], serde_json::Value::Null);
    for bad in ["limit=0", "limit=many", "limit=-1", "after=%00\n"] {
        let answer = caller.get(&format!("/runs?{bad}"));
        assert!(refused(&answer).starts_with("400 FS3006"), "{bad}");
    }
}

#[test]
fn events_are_read_from_where_the_last_page_ended_and_never_missed() {
    let caller = Caller::new();
    let run = caller.submitted();
    let event = |at: u64, kind| Event {
        run: run.clone(),
        at: build::START.plus(at),
        kind,
        shard: None,
        attempt: None,
        lane: None,
        target: None,
        because: "because".into(),
        numbers: [].into(),
    };
    let record = |event: Event| {
        foreshard_fakes::block_on(caller.world.record(&[event])).unwrap();
    };
    record(event(100, EventKind::Planned));
    record(event(9_000, EventKind::Round));
    caller.world.advance(10_000);
    let path = |after: &str| format!("/runs/{run}/events?after={after}");
    let kinds = |page: &serde_json::Value| -> Vec<String> {
        let events = page["events"].as_array().unwrap();
        events
            .iter()
            .map(|e| e["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    let page = caller.get(&path("")).value();
    assert_eq!(kinds(&page), ["accepted", "planned", "round"]);
    assert_eq!(page["state"], "accepted");
    // An event of the last seconds may have company that is recorded late: the page stays behind it.
    record(event(8_000, EventKind::Claimed));
    let next = page["next"].as_str().unwrap().replace('#', "%23");
    let next = next.replace("%23", "#");
    let page = caller.get(&path(&next)).value();
    assert_eq!(kinds(&page), ["claimed", "round"]);
    caller.world.advance(10_000);
    let page = caller.get(&path(&next)).value();
    let last = page["next"].as_str().unwrap().to_owned();
    assert_eq!(kinds(&caller.get(&path(&last)).value()), [""; 0]);
}

#[test]
fn a_plan_is_answered_when_it_is_there_and_linked_when_it_is_large() {
    let caller = Caller::new();
    let run = caller.submitted();
    let path = format!("/runs/{run}/plan");
    assert!(refused(&caller.get(&path)).starts_with("409 FS3015"));
    let plan = build::stored(&caller.world, "runs/plan", br#"{"shards":[]}"#);
    change(&caller, &run, |item| {
        item.plan = Some(PlanPointer {
            plan,
            ..PlanPointer::default()
        });
    });
    assert_eq!(caller.get(&path).value(), json!({"shards": []}));
    caller.world.put_blob("runs/plan", b"{}".to_vec());
    assert!(refused(&caller.get(&path)).starts_with("500 FS3021"));
    change(&caller, &run, |item| {
        item.plan = Some(PlanPointer {
            plan: Claim {
                key: "runs/plan".into(),
                sha256: Sha256Hex::of(b""),
                bytes: 5_000_000,
            },
            ..PlanPointer::default()
        });
    });
    let elsewhere = caller.get(&path).value()["elsewhere"].clone();
    assert_eq!(elsewhere["bytes"], 5_000_000);
    assert!(elsewhere["url"].as_str().unwrap().contains("runs/plan"));
}

#[test]
fn a_result_is_answered_with_links_to_what_is_large() {
    let caller = Caller::new();
    let run = caller.submitted();
    let path = format!("/runs/{run}/result");
    insta::assert_snapshot!(
        refused(&caller.get(&path)).replace(run.as_str(), "<run>"),
        @"409 FS3015 run `<run>`, accepted, has no result");
    let large = build::stored(&caller.world, "runs/large", b"[]");
    let result = RunResult {
        run: run.clone(),
        outputs: [
            ("small".to_owned(), OutputValue::Inline(json!(1))),
            ("large".to_owned(), OutputValue::Stored(large)),
        ]
        .into(),
        missing: [("gone".to_owned(), "nothing there".to_owned())].into(),
    };
    let bytes = serde_json::to_vec(&result).unwrap();
    let claim = build::stored(&caller.world, "runs/result", &bytes);
    change(&caller, &run, |item| item.result = Some(claim));
    let view = caller.get(&path).value();
    assert_eq!(view["outputs"], json!({"small": 1}));
    assert_eq!(view["missing"]["gone"], "nothing there");
    assert_eq!(view["stored"]["large"]["bytes"], 2);
    change(&caller, &run, |item| {
        item.result.as_mut().unwrap().bytes = 5_000_000;
    });
    let view = caller.get(&path).value();
    assert!(view["elsewhere"]["url"].is_string() && view["outputs"].is_null());
}

#[test]
fn logs_are_read_by_shard_and_task_in_pages() {
    let caller = Caller::new();
    let run = caller.submitted();
    for (shard, attempt, task, text) in [
        (1, 1, "a", "first"),
        (1, 2, "a", "again"),
        (2, 1, "sub/b", "other"),
    ] {
        let key = logs::key(&run, ShardId(shard), Attempt(attempt), &task.into());
        caller.world.put_blob(&key, text.into());
    }
    let path = |query: &str| format!("/runs/{run}/logs?{query}");
    let page = caller.get(&path("limit=2")).value();
    assert_eq!(
        page["logs"][1],
        json!({"task": "a", "shard": 1, "attempt": 2, "text": "again"})
    );
    let next = page["next"].as_str().unwrap();
    let rest = caller.get(&path(&format!("after={next}"))).value();
    assert_eq!(rest["logs"][0]["task"], "sub/b");
    assert_eq!(rest["next"], serde_json::Value::Null);
    let count = |query: &str| {
        let page = caller.get(&path(query)).value();
        (
            page["logs"].as_array().unwrap().len(),
            page["next"].is_null(),
        )
    };
    assert_eq!(count("shard=2"), (1, true));
    assert_eq!(count("task=sub/b"), (1, true));
    assert_eq!(count("task=a"), (2, true));
    assert_eq!(count("task=a&limit=1"), (1, false));
    assert_eq!(count("task=b"), (0, true));
    let bad = caller.get(&path("shard=x"));
    assert!(refused(&bad).starts_with("400 FS3006"));
}
