//! The REST API, route by route.

mod accept;
mod control;
mod documents;
mod limits;
mod listing;
mod reading;
mod schedules;
mod tenants;
mod validate;

use std::sync::Arc;

use foreshard_fakes::{World, wire};
use foreshard_model::message::ForecastRequest;
use foreshard_model::prewarm::{PrewarmDecision, PrewarmRecord};
use foreshard_model::units::TimeMs;
use foreshard_stages::forecast::forecast;
use foreshard_stages::ports::ForecastWrites as _;
use serde_json::{Value, json};

use crate::caller::{Caller, refused};

#[test]
fn who_is_not_identified_is_refused_before_anything_is_read() {
    let caller = Caller::new();
    for (account, principal) in [("", "arn"), ("1", ""), ("a/b", "arn")] {
        let mut request = caller.request("GET", "/runs", &Value::Null);
        let identity = request.identity.as_mut().unwrap();
        identity.account = account.to_owned();
        identity.principal = principal.to_owned();
        assert!(refused(&caller.send(&request)).starts_with("403 FS3004"));
    }
    let mut request = caller.request("GET", "/runs", &Value::Null);
    request.identity = None;
    assert!(refused(&caller.send(&request)).starts_with("403 FS3004"));
    assert_eq!(caller.world.faults(|f| f.reads()), 0);
}

#[test]
fn what_is_no_route_is_answered_as_such() {
    let caller = Caller::new();
    insta::assert_snapshot!(refused(&caller.get("/nothing")), @"404 FS3002 `/nothing`");
    let answer = caller.call("DELETE", "/runs", &Value::Null);
    insta::assert_snapshot!(refused(&answer), @"405 FS3003 `DELETE`: only GET, POST");
    assert_eq!(answer.headers["allow"], "GET, POST");
}

#[test]
fn the_pool_is_shown() {
    let pool = Caller::new().get("/pool").value();
    assert_eq!(pool["targets"].as_array().unwrap().len(), 4);
}

#[test]
fn what_is_expected_is_shown_and_before_the_first_forecast_nothing_is() {
    let caller = Caller::new();
    assert_eq!(caller.get("/forecasts").value(), json!({"forecasts": []}));
    let ports = wire::forecast(&caller.world);
    foreshard_fakes::block_on(forecast(&ports, &ForecastRequest::default())).unwrap();
    let shown = caller.get("/forecasts").value();
    assert_eq!(shown["forecasts"][0]["place"], "us-east-1");
    let free = &shown["outlook"]["outlook"]["regions"]["us-east-1"]["free"][0];
    assert_eq!(free["lanes"]["0.5"], 900.0);
}

#[test]
fn what_was_decided_about_provisioned_concurrency_is_shown_with_its_reasons() {
    let caller = Caller::new();
    assert_eq!(caller.get("/prewarm").value(), json!({"decisions": []}));
    let pool = caller.get("/pool").value();
    let record = |target: usize, at: u64| PrewarmRecord {
        at: TimeMs(at),
        decision: PrewarmDecision {
            target: pool["targets"][target]["id"].as_str().unwrap().into(),
            reasons: vec!["nothing is expected".to_owned()],
            ..PrewarmDecision::default()
        },
        ..PrewarmRecord::default()
    };
    for record in [record(0, 1), record(1, 2), record(0, 3)] {
        foreshard_fakes::block_on(caller.world.put_prewarm_record(&record)).unwrap();
    }
    let shown = caller.get("/prewarm").value();
    let decisions = shown["decisions"].as_array().unwrap();
    let times: Vec<u64> = decisions
        .iter()
        .map(|d| d["at"].as_u64().unwrap())
        .collect();
    assert_eq!(times, [3, 2, 1]);
    let reasons = &decisions[0]["decision"]["reasons"];
    assert_eq!(*reasons, json!(["nothing is expected"]));
}

#[test]
fn one_tenant_never_sees_the_run_of_another() {
    let world = Arc::new(World::new());
    let owner = Caller::of("123456789012", &world);
    let other = Caller::of("210987654321", &world);
    let run = owner.submitted();
    let routes = ["", "/events", "/plan", "/result", "/logs"].map(|what| ("GET", what));
    let wishes = ["/cancel", "/pause", "/resume"].map(|what| ("POST", what));
    for (method, what) in routes.into_iter().chain(wishes) {
        let answer = other.call(method, &format!("/runs/{run}{what}"), &Value::Null);
        assert_eq!(refused(&answer), format!("404 FS3005 `{run}`"), "{what}");
    }
    assert_eq!(other.get("/runs").value()["runs"], serde_json::json!([]));
    assert_eq!(
        owner.get(&format!("/runs/{run}")).value()["state"],
        "accepted"
    );
    assert_ne!(other.submitted(), run);
}

#[test]
fn a_service_that_does_not_answer_is_said_to_be_so() {
    let caller = Caller::new();
    let run = caller.submitted();
    caller.world.faults(|f| f.arm_read(0));
    let answer = caller.get(&format!("/runs/{run}"));
    assert!(refused(&answer).starts_with("503 FS3019"));
    assert_eq!(answer.headers["retry-after"], "2");
}
