//! Fired by an event or by the sweep: one run for each time, or the reason why there is none.

use foreshard_model::run::RunState;
use foreshard_stages::submit::Fired;
use serde_json::json;

use super::{at, fired, hourly, morning, recent, runs, swept};
use crate::caller::ACCOUNT;

#[test]
fn an_event_that_comes_twice_gives_one_run_with_its_time() {
    let caller = morning();
    caller.call("PUT", "/schedules/hourly", &hourly());
    caller.world.set_now(at("2026-06-01T11:00:02Z"));
    let first = fired(&caller, "hourly", Some("2026-06-01T11:00:00Z"));
    assert_eq!(first.runs.len(), 1, "{first:?}");
    for stated in [
        Some("2026-06-01T11:00:00Z"),
        None,
        Some("<aws.scheduler.scheduled-time>"),
    ] {
        caller.world.advance(60_000);
        assert!(fired(&caller, "hourly", stated).runs.is_empty());
    }
    assert!(swept(&caller).runs.is_empty());
    assert_eq!(runs(&caller.world), ["2026-06-01T11:00:00Z"]);
    let view = caller.get(&format!("/runs/{}", first.runs[0])).value();
    assert_eq!(
        view["scheduled"],
        json!({"schedule": "hourly", "time": at("2026-06-01T11:00:00Z").0})
    );
    let item = caller.world.run_item(&first.runs[0]).unwrap();
    let input = caller.world.blob(&item.input.unwrap().key).unwrap();
    assert_eq!(
        String::from_utf8(input).unwrap(),
        r#"{"scheduled_time":"2026-06-01T11:00:00Z"}"#
    );
    assert_eq!(
        recent(&caller, "hourly"),
        "2026-06-01T11:00:00Z started: chain@1"
    );
    // A late event of an earlier time changes nothing either.
    let early = fired(&caller, "hourly", Some("2026-06-01T10:00:00Z"));
    assert!(early.runs.is_empty(), "{early:?}");
}

#[test]
fn the_sweep_starts_what_no_event_came_for() {
    let caller = morning();
    caller.call("PUT", "/schedules/hourly", &hourly());
    caller.world.set_now(at("2026-06-01T11:01:59Z"));
    assert_eq!(swept(&caller), Fired::default(), "it is left to the timer");
    caller.world.set_now(at("2026-06-01T11:02:00Z"));
    assert_eq!(swept(&caller).runs.len(), 1);
    assert_eq!(swept(&caller), Fired::default());
    // Five hours of an emulator that was off: what is older than an hour is missed.
    caller.world.set_now(at("2026-06-01T16:10:00Z"));
    assert_eq!(swept(&caller).runs.len(), 1);
    assert_eq!(
        runs(&caller.world),
        ["2026-06-01T11:00:00Z", "2026-06-01T16:00:00Z"]
    );
    let view = caller.get("/schedules/hourly").value();
    assert_eq!(view["missed"].as_array().unwrap().len(), 4);
}

#[test]
fn overlapping_runs_are_skipped_where_that_is_asked_for() {
    let caller = morning();
    let mut body = hourly();
    body["overlap"] = "skip".into();
    caller.call("PUT", "/schedules/hourly", &body);
    let ask = |hour: &str| {
        let time = format!("2026-06-01T{hour}:00:00Z");
        caller.world.set_now(at(&time));
        fired(&caller, "hourly", Some(&time))
    };
    let first = ask("11").runs[0].clone();
    ask("12");
    let mut run = caller.world.run_item(&first).unwrap();
    run.state = RunState::Succeeded;
    run.version += 1;
    caller.world.put_run(run);
    // What was skipped stays skipped, whenever its event comes again.
    assert!(
        fired(&caller, "hourly", Some("2026-06-01T12:00:00Z"))
            .runs
            .is_empty()
    );
    ask("13");
    let seen = recent(&caller, "hourly").replace(first.as_str(), "<run>");
    insta::assert_snapshot!(seen, @r"
    2026-06-01T11:00:00Z started: chain@1
    2026-06-01T12:00:00Z skipped: run `<run>` of 2026-06-01T11:00:00Z is accepted
    2026-06-01T13:00:00Z started: chain@1
    ");
}

#[test]
fn a_run_that_is_refused_is_recorded_with_its_code() {
    let caller = morning();
    caller.call("PUT", "/schedules/hourly", &hourly());
    caller
        .world
        .remove_blob(&format!("workflows/{ACCOUNT}/chain/1"));
    caller.world.set_now(at("2026-06-01T11:00:00Z"));
    let event = fired(&caller, "hourly", Some("2026-06-01T11:00:00Z"));
    assert!(event.runs.is_empty());
    insta::assert_snapshot!(recent(&caller, "hourly"), @"2026-06-01T11:00:00Z failed: FS3017 there is no such workflow: `chain` version `1`");
    assert_eq!(swept(&caller), Fired::default());
}
