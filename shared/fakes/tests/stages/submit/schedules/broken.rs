//! Each write of a deed broken in turn by each kind of fault: the repeat, or the sweep, ends it.

use foreshard_fakes::{Fault, block_on, wire};
use foreshard_model::schedule::Outcome;
use foreshard_stages::submit::{fire, sweep};
use serde_json::json;

use super::{GRACE_MS, at, hourly, key, morning, recent, runs, swept};
use crate::caller::Caller;

/// Breaks each write of a deed in turn by each kind of fault, then repeats the deed as its caller would.
fn break_each(
    deed: &str,
    prepare: &dyn Fn(&Caller),
    act: &dyn Fn(&Caller),
    check: &dyn Fn(&Caller, &str),
) {
    let mut broken = 0;
    for fault in Fault::ALL {
        for nth in 0.. {
            let caller = morning();
            prepare(&caller);
            caller.world.faults(|f| f.arm(nth, fault));
            act(&caller);
            let hit = caller.world.faults(|f| !f.hits().is_empty());
            caller.world.faults(|f| {
                f.disarm();
                f.revive();
            });
            act(&caller);
            check(&caller, &format!("{deed}, {fault:?} at write {nth}"));
            if !hit {
                break;
            }
            broken += 1;
        }
    }
    assert!(broken >= 6 * 2, "{deed}: only {broken} writes were broken");
}

#[test]
fn a_broken_write_while_it_is_made_is_mended_by_a_repeat() {
    let act = |caller: &Caller| {
        caller.call("PUT", "/schedules/hourly", &hourly());
    };
    break_each("make", &|_| {}, &act, &|caller, case| {
        let item = caller.world.schedule_item(&key("hourly"));
        assert!(item.is_some_and(|i| !i.paused), "{case}");
        assert!(caller.world.timer(&key("hourly")).is_some(), "{case}");
        caller.world.set_now(at("2026-06-01T11:05:00Z"));
        assert_eq!(swept(caller).runs.len(), 1, "{case}: the sweep knows it");
    });
}

#[test]
fn a_broken_write_while_it_fires_ends_in_one_run() {
    let prepare = |caller: &Caller| {
        let mut body = hourly();
        body["catch_up"] = true.into();
        caller.call("PUT", "/schedules/hourly", &body);
        caller.world.set_now(at("2026-06-01T13:00:01Z"));
    };
    let time = Some("2026-06-01T13:00:00Z");
    let act = |caller: &Caller| {
        let ports = wire::submit(&caller.world);
        // The service delivers an event again when it fails, and sometimes when it does not.
        let _ = block_on(fire(&ports, &key("hourly"), time));
    };
    let check = |caller: &Caller, case: &str| {
        assert_eq!(
            runs(&caller.world),
            [
                "2026-06-01T11:00:00Z",
                "2026-06-01T12:00:00Z",
                "2026-06-01T13:00:00Z"
            ],
            "{case}"
        );
        let item = caller.world.schedule_item(&key("hourly")).unwrap();
        let open = item
            .recent
            .iter()
            .any(|f| !matches!(f.outcome, Outcome::Started { .. }));
        assert!(!open, "{case}: {:?}", item.recent);
    };
    break_each("fire", &prepare, &act, &check);
}

#[test]
fn an_event_that_never_comes_again_is_ended_by_the_sweep() {
    let prepare = |caller: &Caller| {
        caller.call("PUT", "/schedules/hourly", &hourly());
        caller.world.set_now(at("2026-06-01T11:03:00Z"));
    };
    // Broken in the event, then only the sweep comes.
    let first = std::cell::Cell::new(true);
    let act = |caller: &Caller| {
        let ports = wire::submit(&caller.world);
        if first.replace(!first.get()) {
            let _ = block_on(fire(&ports, &key("hourly"), Some("2026-06-01T11:00:00Z")));
        } else {
            let _ = block_on(sweep(&ports, GRACE_MS));
        }
    };
    let check = |caller: &Caller, case: &str| {
        assert_eq!(runs(&caller.world), ["2026-06-01T11:00:00Z"], "{case}");
        let seen = recent(caller, "hourly");
        assert_eq!(seen, "2026-06-01T11:00:00Z started: chain@1", "{case}");
    };
    break_each("sweep", &prepare, &act, &check);
}

#[test]
fn a_broken_write_of_a_backfill_is_mended_by_a_repeat() {
    let prepare = |caller: &Caller| {
        caller.call("PUT", "/schedules/hourly", &hourly());
        caller.world.set_now(at("2026-06-01T14:30:00Z"));
    };
    let act = |caller: &Caller| {
        let body = json!({"from": "2026-06-01T11:00:00Z", "to": "2026-06-01T13:00:00Z"});
        caller.call("POST", "/schedules/hourly/backfill", &body);
    };
    let check = |caller: &Caller, case: &str| {
        assert_eq!(
            runs(&caller.world),
            [
                "2026-06-01T11:00:00Z",
                "2026-06-01T12:00:00Z",
                "2026-06-01T13:00:00Z"
            ],
            "{case}"
        );
    };
    break_each("backfill", &prepare, &act, &check);
}
