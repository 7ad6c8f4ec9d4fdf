//! Schedules: declared and made by hand, fired once for each time, paused, backfilled; and each write of that broken in turn.

mod backfill;
mod broken;
mod declared;
mod firing;
mod manage;

use std::sync::Arc;

use foreshard_engine::schedule::{instant, rfc3339};
use foreshard_fakes::{World, block_on, wire};
use foreshard_model::schedule::ScheduleKey;
use foreshard_model::units::TimeMs;
use foreshard_stages::submit::{Fired, fire, sweep};
use serde_json::{Value, json};

use crate::caller::{ACCOUNT, CHAIN, Caller};

/// How long a sweep leaves a time to its timer.
const GRACE_MS: u64 = 120_000;

fn at(text: &str) -> TimeMs {
    instant(text).unwrap_or_else(|| panic!("`{text}` is no moment"))
}

fn key(name: &str) -> ScheduleKey {
    ScheduleKey {
        tenant: ACCOUNT.into(),
        name: name.to_owned(),
    }
}

fn hourly() -> Value {
    json!({"workflow": "chain", "version": "1", "expression": "cron(0 * * * ? *)"})
}

/// A caller at half past ten who has registered [`CHAIN`].
fn morning() -> Caller {
    morning_in(&Arc::new(World::new()))
}

fn morning_in(world: &Arc<World>) -> Caller {
    let caller = Caller::of(ACCOUNT, world);
    caller.world.set_now(at("2026-06-01T10:30:00Z"));
    let registered = caller.call("PUT", "/workflows", &json!({ "document": CHAIN }));
    assert_eq!(registered.status, 201, "{}", registered.value());
    caller
}

fn fired(caller: &Caller, name: &str, stated: Option<&str>) -> Fired {
    let ports = wire::submit(&caller.world);
    block_on(fire(&ports, &key(name), stated)).unwrap()
}

fn swept(caller: &Caller) -> Fired {
    block_on(sweep(&wire::submit(&caller.world), GRACE_MS)).unwrap()
}

/// The scheduled times that have a run, oldest first.
fn runs(world: &World) -> Vec<String> {
    let items = world.run_items();
    let mut times: Vec<TimeMs> = items
        .iter()
        .filter_map(|item| Some(item.scheduled.as_ref()?.time))
        .collect();
    times.sort();
    times.iter().map(|time| rfc3339(*time)).collect()
}

/// What became of the last times, one a line.
fn recent(caller: &Caller, name: &str) -> String {
    let item = caller.world.schedule_item(&key(name)).unwrap();
    let lines: Vec<String> = item
        .recent
        .iter()
        .map(|firing| {
            let (word, because) = firing.outcome.parts();
            format!("{} {word}: {because}", rfc3339(firing.time))
        })
        .collect();
    lines.join("\n")
}
