//! How much one account may ask for: starts in a while, and sizes.

use std::sync::Arc;

use foreshard_fakes::wire;
use foreshard_model::policy::StartRate;
use foreshard_stages::submit::answer;
use serde_json::json;

use crate::caller::{CHAIN, Caller, refused, run_of};

/// Submits under a key with an allowance of two starts, one more each second.
fn submit(caller: &Caller, key: &str) -> foreshard_stages::submit::ApiResponse {
    let mut request = caller.request("POST", "/runs", &json!({ "document": CHAIN }));
    request
        .headers
        .insert("idempotency-key".to_owned(), key.to_owned());
    let ports = foreshard_stages::submit::Ports {
        start_rate: StartRate {
            burst: 2,
            per_minute: 60,
        },
        ..wire::submit(&caller.world)
    };
    foreshard_fakes::block_on(answer(&ports, &request))
}

#[test]
fn an_account_starts_so_many_runs_and_then_waits() {
    let caller = Caller::new();
    let first = run_of(&submit(&caller, "1"));
    assert_eq!(submit(&caller, "2").status, 202);
    let third = submit(&caller, "3");
    insta::assert_snapshot!(refused(&third), @"429 FS3023 an account starts 2 runs at once, and 60 a minute");
    assert_eq!(third.headers["retry-after"], "1");
    // What was started before is no start: a repeat is answered all the same, and takes nothing.
    assert_eq!(run_of(&submit(&caller, "1")), first);
    // Another account has its own allowance.
    let other = Caller::of("210987654321", &caller.world);
    assert_eq!(submit(&other, "3").status, 202);
    caller.world.advance(1_000);
    assert_eq!(submit(&caller, "3").status, 202);
    assert_eq!(submit(&caller, "4").status, 429);
}

#[test]
fn what_is_refused_takes_nothing_and_leaves_nothing() {
    let caller = Caller::new();
    for key in ["1", "2"] {
        submit(&caller, key);
    }
    let before = caller.world.blob_keys("");
    assert_eq!(submit(&caller, "3").status, 429);
    assert_eq!(caller.world.blob_keys(""), before);
    assert_eq!(
        caller.get("/runs").value()["runs"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_body_has_its_greatest_size() {
    let world = Arc::new(foreshard_fakes::World::new());
    let caller = Caller::of("123456789012", &world);
    for (method, path) in [
        ("POST", "/runs"),
        ("POST", "/validate"),
        ("PUT", "/workflows"),
        ("POST", "/uploads"),
    ] {
        let mut request = caller.request(method, path, &serde_json::Value::Null);
        request.body = vec![b' '; 6 * 1024 * 1024 + 1];
        assert!(
            refused(&caller.send(&request)).starts_with("413 FS3008"),
            "{path}"
        );
    }
}
