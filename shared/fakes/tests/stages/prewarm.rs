//! Provisioned concurrency over the ports in memory: asked for before a wave, kept through it, released after it, or only advised.

use std::collections::BTreeMap;
use std::sync::Arc;

use foreshard_engine::prewarm::lead_ms;
use foreshard_engine::schedule::instant;
use foreshard_fakes::{Fault, WarmCall, World, block_on, wire};
use foreshard_model::forecast::{Forecast, Quantity, StoredForecast};
use foreshard_model::frontier::ShardState;
use foreshard_model::ids::{Round, RunId, TargetId};
use foreshard_model::message::{PlanRequest, PrewarmAnswer, PrewarmRequest};
use foreshard_model::plan::{Plan, ShardKind};
use foreshard_model::prewarm::{PrewarmAction, PrewarmMode, PrewarmRecord, WarmStatus};
use foreshard_model::run::RunState;
use foreshard_model::schedule::ScheduleKey;
use foreshard_model::units::TimeMs;
use foreshard_stages::StageError;
use foreshard_stages::plan::plan;
use foreshard_stages::ports::{Clock as _, ForecastReads as _, ForecastWrites as _, WarmPool as _};
use foreshard_stages::prewarm::prewarm;
use foreshard_stages::submit::fire;
use serde_json::json;

use crate::caller::{ACCOUNT, Caller};

/// Eight tasks side by side, four minutes each.
const WIDE: &str = r#"
foreshard: 1
name: wide
version: "1"
tasks:
  - {id: a, kind: synthetic, cpu_s: 240}
  - {id: b, kind: synthetic, cpu_s: 240}
  - {id: c, kind: synthetic, cpu_s: 240}
  - {id: d, kind: synthetic, cpu_s: 240}
  - {id: e, kind: synthetic, cpu_s: 240}
  - {id: f, kind: synthetic, cpu_s: 240}
  - {id: g, kind: synthetic, cpu_s: 240}
  - {id: h, kind: synthetic, cpu_s: 240}
"#;

const POLICY: &str = "policies/prewarm.json";
const MINUTE: u64 = 60_000;

fn at(text: &str) -> TimeMs {
    instant(text).unwrap()
}

fn decided(world: &Arc<World>) -> Result<PrewarmAnswer, StageError> {
    block_on(prewarm(&wire::prewarm(world), &PrewarmRequest::default()))
}

/// Decides in each of the ten minutes before the next wave.
fn decided_until_eleven(world: &Arc<World>) {
    for minute in 0..10 {
        world.set_now(at("2026-06-01T10:50:00Z").plus(minute * MINUTE));
        decided(world).unwrap();
    }
}

/// A cold start is worth a dollar, so that nobody doubts.
fn acts(world: &World) {
    let policy = json!({"mode": "act", "worth": {"kind": "usd", "each": 1.0}});
    world.put_blob(POLICY, policy.to_string().into_bytes());
}

fn records(world: &World, target: &TargetId) -> Vec<PrewarmRecord> {
    block_on(world.prewarm_records(target, 1_000)).unwrap()
}

/// Fires the schedule for a time, and plans its run.
fn started(caller: &Caller, time: &str) -> RunId {
    caller.world.set_now(at(time));
    let key = ScheduleKey {
        tenant: ACCOUNT.into(),
        name: "each-hour".to_owned(),
    };
    let fired = block_on(fire(&wire::submit(&caller.world), &key, Some(time))).unwrap();
    let run = fired.runs[0].clone();
    let request = PlanRequest {
        run: run.clone(),
        round: Round(0),
    };
    block_on(plan(&wire::plan(&caller.world), &request)).unwrap();
    run
}

fn ends(world: &World, run: &RunId) {
    let mut item = world.run_item(run).unwrap();
    item.state = RunState::Succeeded;
    item.version += 1;
    world.put_run(item);
}

/// A schedule of each hour that has run once, at ten; where its shards ran.
fn hourly() -> (Caller, TargetId) {
    let caller = Caller::of(ACCOUNT, &Arc::new(World::new()));
    caller.world.set_now(at("2026-06-01T09:30:00Z"));
    caller.call("PUT", "/workflows", &json!({ "document": WIDE }));
    let schedule = json!({
        "workflow": "wide", "version": "1", "expression": "cron(0 * * * ? *)",
        "options": {"shard_tasks_max": 1, "lanes_max": 8},
    });
    let made = caller.call("PUT", "/schedules/each-hour", &schedule);
    assert_eq!(made.status, 201, "{}", made.value());
    let run = started(&caller, "2026-06-01T10:00:00Z");
    let pointer = caller.world.run_item(&run).unwrap().plan.unwrap();
    let plan = caller.world.blob(&pointer.plan.key).unwrap();
    let plan: Plan = serde_json::from_slice(&plan).unwrap();
    let target = plan.shards.iter().find_map(|shard| shard.target.clone());
    ends(&caller.world, &run);
    (caller, target.unwrap().as_str().into())
}

#[test]
fn a_scheduled_wave_finds_its_environments_and_leaves_none() {
    let (caller, target) = hourly();
    let world = &caller.world;
    acts(world);
    let mut story = Vec::new();
    let mut run = None;
    let wave = at("2026-06-01T11:00:00Z");
    for minute in 0..40 {
        let now = at("2026-06-01T10:50:00Z").plus(minute * MINUTE);
        world.set_now(now);
        if now == wave {
            let ready = block_on(world.warm(&target)).unwrap();
            assert_eq!((ready.provisioned, ready.status), (8, WarmStatus::Ready));
            run = Some(started(&caller, "2026-06-01T11:00:00Z"));
        }
        if now == wave.plus(5 * MINUTE) {
            ends(world, run.as_ref().unwrap());
        }
        let before = world.warm_calls().len();
        decided(world).unwrap();
        for call in &world.warm_calls()[before..] {
            story.push((now, call.clone()));
        }
    }
    let [(asked, provision), (released, release)] = story.as_slice() else {
        panic!("{story:?}");
    };
    assert_eq!(*provision, WarmCall::Provision(target.clone(), 8));
    assert!(asked.plus(lead_ms(8)) <= wave, "{asked:?} is too late");
    assert!(wave.since(*asked) <= 10 * MINUTE, "{asked:?} is too early");
    assert_eq!(*release, WarmCall::Release(target.clone()));
    assert!(
        *released >= wave.plus(5 * MINUTE),
        "{released:?} is too early"
    );
    let kept = records(world, &target);
    let put = kept
        .iter()
        .find(|record| record.decision.action != PrewarmAction::Keep);
    assert!(!put.unwrap().decision.reasons.is_empty());
}

#[test]
fn of_a_wave_that_is_nearly_over_only_what_still_runs_keeps_its_environments() {
    let (caller, target) = hourly();
    let world = &caller.world;
    acts(world);
    decided_until_eleven(world);
    let run = started(&caller, "2026-06-01T11:00:00Z");
    let mut left = 3;
    for mut item in world.shard_items(&run) {
        item.version += 1;
        item.claimed_at = world.now();
        item.state = match item.kind {
            ShardKind::Work if left > 0 => ShardState::Running,
            ShardKind::Work => ShardState::Done,
            _ => continue,
        };
        left -= i32::from(item.state == ShardState::Running);
        world.put_shard(item);
    }
    world.set_now(at("2026-06-01T11:01:00Z"));
    decided(world).unwrap();
    assert_eq!(
        world.warm_calls(),
        [8, 3].map(|count| WarmCall::Provision(target.clone(), count))
    );
}

#[test]
fn a_run_that_was_accepted_but_not_planned_keeps_what_waits_for_it() {
    let (caller, target) = hourly();
    let world = &caller.world;
    acts(world);
    decided_until_eleven(world);
    // The time has come; nothing has happened yet. Then the run is there, without a plan.
    world.set_now(at("2026-06-01T11:00:00Z"));
    decided(world).unwrap();
    let key = ScheduleKey {
        tenant: ACCOUNT.into(),
        name: "each-hour".to_owned(),
    };
    block_on(fire(
        &wire::submit(world),
        &key,
        Some("2026-06-01T11:00:00Z"),
    ))
    .unwrap();
    decided(world).unwrap();
    assert_eq!(world.warm_calls(), [WarmCall::Provision(target, 8)]);
}

#[test]
fn a_run_that_is_admitted_is_decided_about_at_once_and_without_one_nothing_is() {
    let (caller, target) = hourly();
    let world = &caller.world;
    acts(world);
    let asked = |time: &str| {
        world.set_now(at(time));
        let request = PrewarmRequest::admitted();
        block_on(prewarm(&wire::prewarm(world), &request)).unwrap()
    };
    // Something is due at eleven, and no run has been admitted.
    let idle = asked("2026-06-01T10:57:00Z");
    assert!(idle.skipped, "{idle:?}");
    assert_eq!(
        (records(world, &target).len(), world.warm_calls()),
        (0, vec![])
    );
    let run = started(&caller, "2026-06-01T11:00:00Z");
    let admitted = asked("2026-06-01T11:00:40Z");
    assert!(!admitted.skipped && admitted.decided > 0, "{admitted:?}");
    assert_eq!(records(world, &target).len(), 1);
    // The next minutes have nothing new, whether it runs or has ended.
    assert!(asked("2026-06-01T11:02:00Z").skipped);
    ends(world, &run);
    assert!(asked("2026-06-01T11:03:00Z").skipped);
    assert_eq!(records(world, &target).len(), 1);
}

#[test]
fn no_more_is_provisioned_than_the_account_has_and_what_it_has_is_assumed_where_nobody_tells() {
    let reasons = |unreserved: Option<u32>| {
        let (caller, target) = hourly();
        let world = &caller.world;
        acts(world);
        if let Some(unreserved) = unreserved {
            world.set_unreserved(unreserved);
        }
        world.set_now(at("2026-06-01T10:57:00Z"));
        decided(world).unwrap();
        let decision = records(world, &target).remove(0).decision;
        (decision.environments, decision.reasons.join("\n"))
    };
    let (environments, why) = reasons(None);
    assert_eq!(environments, 8);
    assert!(
        why.contains("a concurrency of 1000 is assumed for the account: nobody tells it"),
        "{why}"
    );
    let (environments, why) = reasons(Some(103));
    assert_eq!(environments, 3);
    assert!(why.contains("3 of 8:") && !why.contains("assumed"), "{why}");
}

#[test]
fn without_a_policy_nothing_is_changed_and_everything_is_told() {
    let (caller, target) = hourly();
    let world = &caller.world;
    world.set_now(at("2026-06-01T10:57:00Z"));
    let answer = decided(world).unwrap();
    assert_eq!(
        (answer.mode, answer.changed),
        (PrewarmMode::ForecastOnly, 0)
    );
    let kept = records(world, &target);
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].decision.action, PrewarmAction::Keep);
    assert!(!kept[0].decision.reasons.is_empty());
    let advised = json!({"mode": "advise", "worth": {"kind": "usd", "each": 1.0}});
    world.put_blob(POLICY, advised.to_string().into_bytes());
    world.set_now(at("2026-06-01T10:57:30Z"));
    decided(world).unwrap();
    let newest = records(world, &target).remove(0).decision;
    assert_eq!(newest.action, PrewarmAction::Keep);
    assert_eq!(newest.would, PrewarmAction::Put { environments: 8 });
    assert!(newest.expected.saving_usd.0 > 0.0);
    assert_eq!(world.warm_calls(), []);
}

#[test]
fn what_a_policy_has_left_is_handed_back_and_nothing_else() {
    for mode in ["off", "advise"] {
        let (caller, target) = hourly();
        let world = &caller.world;
        acts(world);
        world.set_now(at("2026-06-01T10:57:00Z"));
        decided(world).unwrap();
        assert_eq!(block_on(world.warm(&target)).unwrap().provisioned, 8);
        let other = TargetId::from("foreshard-execute-128:live");
        block_on(world.provision(&other, 3)).unwrap();
        let policy = json!({ "mode": mode }).to_string();
        world.put_blob(POLICY, policy.into_bytes());
        for minute in 58..60 {
            world.set_now(at(&format!("2026-06-01T10:{minute}:00Z")));
            decided(world).unwrap();
        }
        let released: Vec<WarmCall> = world.warm_calls().into_iter().skip(2).collect();
        assert_eq!(released, [WarmCall::Release(target.clone())], "{mode}");
        let why = records(world, &target).into_iter().find(|record| {
            let reasons = &record.decision.reasons;
            reasons
                .iter()
                .any(|reason| reason.contains("no longer acts"))
        });
        assert!(why.is_some(), "{mode}");
    }
}

#[test]
fn a_policy_that_cannot_be_read_is_said_to_be() {
    let world = Arc::new(World::new());
    world.put_blob(POLICY, br#"{"mode": "perhaps"}"#.to_vec());
    let refused = decided(&world).unwrap_err();
    assert!(matches!(refused, StageError::Rejected(_)), "{refused}");
    assert!(refused.to_string().contains(POLICY), "{refused}");
}

#[test]
fn after_a_failed_allocation_less_is_asked_for() {
    let (caller, target) = hourly();
    let world = &caller.world;
    acts(world);
    world.set_warm_most(5);
    for minute in 56..60 {
        world.set_now(at(&format!("2026-06-01T10:{minute}:00Z")));
        decided(world).unwrap();
    }
    let calls = world.warm_calls();
    assert_eq!(calls[0], WarmCall::Provision(target.clone(), 8));
    assert_eq!(calls[1], WarmCall::Provision(target, 4));
}

/// Rows of a day.
const DAY: u32 = 288;

/// Load that recurs: so many environments at every quantile for two hours, forecast from so many rows.
fn recurring(world: &World, target: &TargetId, from: TimeMs, rows: u32) {
    let environments = 20.0;
    let quantiles = ["0.1", "0.5", "0.9"].map(|q| (q.to_owned(), vec![environments; 24]));
    let stored = StoredForecast {
        place: target.to_string(),
        quantity: Quantity::Concurrency,
        made_at: from,
        rows,
        known: Vec::new(),
        busy: None,
        forecast: Forecast {
            start_s: i64::try_from(from.0 / 1_000).unwrap(),
            step_s: 300,
            quantiles: BTreeMap::from(quantiles),
            model: "level".to_owned(),
            judged: Vec::new(),
            reasons: Vec::new(),
        },
    };
    block_on(world.put_forecast(&stored)).unwrap();
}

#[test]
fn a_forecast_that_has_seen_less_than_a_day_is_not_built_on_and_the_decision_says_so() {
    for (rows, asked) in [(1, 0), (DAY - 1, 0), (DAY, 20)] {
        let world = Arc::new(World::new());
        let target = TargetId::from("foreshard-execute-1024:live");
        recurring(&world, &target, world.now(), rows);
        acts(&world);
        decided(&world).unwrap();
        let decision = records(&world, &target).remove(0).decision;
        assert_eq!(decision.environments, asked, "{rows} rows: {decision:?}");
        let note = format!("the forecast has seen {} s of load", rows * 300);
        let told = decision.reasons.iter().any(|reason| reason.contains(&note));
        assert_eq!(told, asked == 0, "{rows} rows: {decision:?}");
    }
}

#[test]
fn what_came_of_a_decision_is_added_when_it_is_known() {
    let world = Arc::new(World::new());
    let now = at("2026-06-01T10:00:00Z");
    let target = TargetId::from("foreshard-execute-1024:live");
    recurring(&world, &target, now, DAY);
    world.set_now(now);
    acts(&world);
    decided(&world).unwrap();
    let put = records(&world, &target).remove(0);
    assert!(put.decision.environments > 0, "{put:?}");
    let dimensions = [
        ("FunctionName", "foreshard-execute-1024".to_owned()),
        ("Resource", target.to_string()),
    ];
    let used = (0..15).map(|minute| (now.plus(minute * MINUTE), 20.0));
    world.record_metric("AWS/Lambda", "ConcurrentExecutions", &dimensions, used);
    world.set_now(now.plus(10 * MINUTE));
    decided(&world).unwrap();
    let first = |world: &World| records(world, &target).pop().unwrap();
    assert_eq!(first(&world).came, None, "it is not known yet");
    world.set_now(now.plus(18 * MINUTE));
    decided(&world).unwrap();
    let came = first(&world).came.unwrap();
    assert!(
        came.cold_starts_avoided > 0.0 && came.idle_usd.0 > 0.0,
        "{came:?}"
    );
}

#[test]
fn a_target_that_cannot_be_changed_does_not_stop_the_others() {
    let world = Arc::new(World::new());
    let now = at("2026-06-01T10:00:00Z");
    let targets = ["foreshard-execute-512:live", "foreshard-execute-1024:live"].map(TargetId::from);
    for target in &targets {
        recurring(&world, target, now, DAY);
    }
    world.set_now(now);
    acts(&world);
    world.faults(|faults| faults.arm(0, Fault::FailBefore));
    let failed = decided(&world).unwrap_err();
    assert!(matches!(failed, StageError::Unavailable(_)), "{failed}");
    let asked = |world: &World| world.warm_calls().len();
    assert_eq!(asked(&world), 1);
    world.advance(MINUTE);
    decided(&world).unwrap();
    assert_eq!(asked(&world), 2);
}

#[test]
fn whatever_breaks_at_whichever_write_the_next_minute_mends() {
    for fault in Fault::ALL {
        for nth in 0..3 {
            let (caller, target) = hourly();
            let world = &caller.world;
            acts(world);
            world.set_now(at("2026-06-01T10:56:00Z"));
            world.faults(|faults| faults.arm(nth, fault));
            let _broken = decided(world);
            world.faults(|faults| {
                faults.disarm();
                faults.revive();
            });
            world.set_now(at("2026-06-01T10:57:00Z"));
            decided(world).unwrap();
            let state = block_on(world.warm(&target)).unwrap();
            assert_eq!(state.provisioned, 8, "{fault:?} at write {nth}");
            assert!(world.warm_calls().len() <= 2, "{fault:?} at write {nth}");
        }
    }
}
