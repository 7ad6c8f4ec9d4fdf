//! Backfilled: the times of a window that have no run get one.

use serde_json::{Value, json};

use super::{at, fired, hourly, morning, runs};
use crate::caller::refused;

#[test]
fn a_backfill_starts_what_is_missing_page_by_page() {
    let caller = morning();
    caller.call("PUT", "/schedules/hourly", &hourly());
    for (now, time) in [("11:02:00", "11:00:00"), ("16:10:00", "16:00:00")] {
        caller.world.set_now(at(&format!("2026-06-01T{now}Z")));
        let event = format!("2026-06-01T{time}Z");
        assert_eq!(fired(&caller, "hourly", Some(&event)).runs.len(), 1);
    }
    let window =
        json!({"from": "2026-06-01T09:00:00Z", "to": "2026-06-01T16:00:00Z", "dry_run": true});
    let dry = caller
        .call("POST", "/schedules/hourly/backfill", &window)
        .value();
    let status = |answer: &Value| {
        let times = answer["times"].as_array().unwrap().clone();
        let words: Vec<String> = times
            .iter()
            .map(|t| t["status"].as_str().unwrap().to_owned())
            .collect();
        words.join(" ")
    };
    assert_eq!(
        status(&dry),
        "missing missing exists missing missing missing missing exists"
    );
    assert_eq!(runs(&caller.world).len(), 2);
    let mut window = window;
    window["dry_run"] = false.into();
    window["limit"] = 5.into();
    let first = caller
        .call("POST", "/schedules/hourly/backfill", &window)
        .value();
    assert_eq!(status(&first), "started started exists started started");
    window["from"] = first["next"].clone();
    let rest = caller
        .call("POST", "/schedules/hourly/backfill", &window)
        .value();
    assert_eq!(
        (status(&rest).as_str(), &rest["next"]),
        ("started started exists", &Value::Null)
    );
    assert_eq!(runs(&caller.world).len(), 8);
    let view = caller.get("/schedules/hourly").value();
    assert_eq!(view["missed"], json!([]));
    let again = caller
        .call("POST", "/schedules/hourly/backfill", &window)
        .value();
    assert_eq!(status(&again), "exists exists exists");
}

#[test]
fn a_backfill_says_what_is_wrong_with_its_window() {
    let caller = morning();
    caller.call("PUT", "/schedules/hourly", &hourly());
    let ask = |from: &str, to: &str| {
        let body = json!({"from": from, "to": to});
        refused(&caller.call("POST", "/schedules/hourly/backfill", &body))
    };
    insta::assert_snapshot!(ask("yesterday", "2026-06-01T10:00:00Z"), @"400 FS3013 `from` is `yesterday`: RFC 3339 with an offset, such as `2026-12-01T06:00:00Z`");
    insta::assert_snapshot!(ask("2026-06-01T10:00:00Z", "2026-06-01T09:00:00Z"), @"400 FS3013 `to` is before `from`");
    insta::assert_snapshot!(ask("2026-06-01T10:00:00Z", "2026-06-01T11:00:00Z"), @"400 FS3013 `to` is in the future");
}
