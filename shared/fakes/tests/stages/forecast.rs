//! The forecast stage: from recorded metrics, runs in flight and schedules to what is kept, whatever goes wrong on the way.

use std::sync::Arc;

use foreshard_fakes::{Fault, World, block_on, wire};
use foreshard_model::forecast::{Quantity, StoredForecast};
use foreshard_model::ids::{Round, RunId};
use foreshard_model::message::{ForecastAnswer, ForecastRequest, PlanRequest};
use foreshard_model::schedule::{Firing, Outcome, ScheduleItem, Timing};
use foreshard_model::units::TimeMs;
use foreshard_stages::StageError;
use foreshard_stages::forecast::forecast;
use foreshard_stages::plan::plan;
use foreshard_stages::ports::{Clock as _, ForecastReads as _, ScheduleWrites as _};
use serde_json::json;

use crate::caller::{Caller, run_of};

const STEP_MS: u64 = 300_000;
const STEPS: u64 = 6 * 288;

fn forecast_now(world: &Arc<World>) -> Result<ForecastAnswer, StageError> {
    block_on(forecast(
        &wire::forecast(world),
        &ForecastRequest::default(),
    ))
}

/// Six days in which the function of a tier was in use for the first hour of each day, and others had `others` all the time.
fn measured(world: &World, memory: u32, others: f64) {
    let now = world.now().0 / STEP_MS * STEP_MS;
    let function = vec![("FunctionName", format!("foreshard-execute-{memory}"))];
    let steps = (1..=STEPS).map(|back| TimeMs(now - back * STEP_MS));
    let busy = |at: &TimeMs| at.0 / STEP_MS % 288 < 12;
    let used = |value: f64| steps.clone().filter(busy).map(move |at| (at, value));
    let record = |name: &str, value: f64| {
        world.record_metric("AWS/Lambda", name, &function, used(value));
    };
    record("ConcurrentExecutions", 30.0);
    record("Invocations", 300.0);
    record("Duration", 300.0 * 2_000.0);
    let total = steps
        .clone()
        .map(|at| (at, others + if busy(&at) { 30.0 } else { 0.0 }));
    world.record_metric("AWS/Lambda", "ConcurrentExecutions", &[], total);
}

fn kept(world: &World, place: &str, quantity: Quantity) -> Option<StoredForecast> {
    block_on(world.forecast(place, quantity)).unwrap()
}

fn target(memory: u32) -> String {
    format!("foreshard-execute-{memory}:live")
}

#[test]
fn what_recurs_is_expected_and_what_others_claim_is_not_free() {
    let world = Arc::new(World::new());
    measured(&world, 512, 40.0);
    let answer = forecast_now(&world).unwrap();
    assert_eq!(
        (answer.forecasts, answer.runs),
        (2, 0),
        "one target, and the region"
    );
    let demand = kept(&world, &target(512), Quantity::Concurrency).unwrap();
    let at = |of_day: u64| {
        let first = u64::try_from(demand.forecast.start_s).unwrap() / 300;
        demand.at(((of_day + 288 - first % 288) % 288) as usize, 0.5)
    };
    assert!(at(6) > Some(20.0), "{:?}", at(6));
    assert!(at(150) < Some(1.0), "{:?}", at(150));
    assert_eq!(kept(&world, &target(128), Quantity::Concurrency), None);
    let outlook = block_on(world.outlook()).unwrap().unwrap();
    assert_eq!(outlook.made_at, world.now());
    let region = &outlook.outlook.regions["us-east-1"];
    let lanes = region.free[0].lanes_at(0.5);
    assert!((855.0..=865.0).contains(&lanes), "{lanes}");
}

const NIGHTLY: &str = r#"
foreshard: 1
name: nightly
version: "1"
tasks:
  - {id: load, kind: synthetic, cpu_s: 400, memory_mib: 100}
"#;

/// A run that is planned, and where its work is to run.
fn planned(caller: &Caller) -> (RunId, String) {
    let run = run_of(&caller.submit_body("k", &json!({ "document": NIGHTLY })));
    let request = PlanRequest {
        run: run.clone(),
        round: Round(0),
    };
    block_on(plan(&wire::plan(&caller.world), &request)).unwrap();
    let pointer = caller.world.run_item(&run).unwrap().plan.unwrap();
    let plan = caller.world.blob(&pointer.plan.key).unwrap();
    let plan: foreshard_model::plan::Plan = serde_json::from_slice(&plan).unwrap();
    let target = plan.shards.iter().find_map(|shard| shard.target.clone());
    (run, target.unwrap())
}

#[test]
fn runs_in_flight_are_known_to_come() {
    let caller = Caller::new();
    let (_, target) = planned(&caller);
    let answer = forecast_now(&caller.world).unwrap();
    assert_eq!(answer.runs, 1);
    let demand = kept(&caller.world, &target, Quantity::Concurrency).unwrap();
    let lanes: Vec<f64> = demand.known.iter().copied().take(12).collect();
    assert_eq!(lanes.iter().copied().fold(0.0, f64::max), 1.0, "{lanes:?}");
    assert!(demand.known[100..].iter().all(|n| *n == 0.0));
}

#[test]
fn a_scheduled_run_is_expected_as_the_last_of_its_kind_was_planned() {
    let caller = Caller::new();
    let world = &caller.world;
    let (run, target) = planned(&caller);
    let mut item = world.run_item(&run).unwrap();
    item.state = foreshard_model::run::RunState::Succeeded;
    item.version += 1;
    world.put_run(item);
    let time = TimeMs(world.now().0 / 60_000 * 60_000 + 4 * 3_600_000);
    let schedule = ScheduleItem {
        tenant: "acme".into(),
        name: "nightly.load".to_owned(),
        version: 1,
        timing: Timing {
            expression: "rate(24 hours)".to_owned(),
            timezone: "UTC".to_owned(),
            anchor: time,
            ..Timing::default()
        },
        recent: vec![Firing {
            time: TimeMs(1),
            decided_at: TimeMs(1),
            outcome: Outcome::Started {
                run,
                because: String::new(),
            },
        }],
        ..ScheduleItem::default()
    };
    block_on(world.put_schedule(&schedule, Some(time))).unwrap();
    assert_eq!(forecast_now(world).unwrap().runs, 1);
    let demand = kept(world, &target, Quantity::Concurrency).unwrap();
    let start = u64::try_from(demand.forecast.start_s).unwrap() * 1_000;
    let step = ((time.0 - start) / STEP_MS) as usize;
    let known = |step: usize| demand.known[step];
    assert_eq!((known(step - 1), known(step + 1)), (0.0, 1.0));
    assert_eq!(demand.at(step + 1, 0.5), Some(1.0));
    let paused = ScheduleItem {
        version: 2,
        paused: true,
        ..schedule
    };
    block_on(world.put_schedule(&paused, Some(time))).unwrap();
    assert_eq!(forecast_now(world).unwrap().runs, 0);
}

#[test]
fn a_calendar_moves_what_is_free_and_a_broken_one_is_said() {
    let world = Arc::new(World::new());
    let from_s = world.now().0 / 1_000;
    let event = format!(
        "name,start,end,kind,factor,lanes,region\nfair,{},{},event,,300,us-east-1\n",
        rfc3339(from_s - 3_600),
        rfc3339(from_s + 36_000)
    );
    let lanes = |world: &Arc<World>| {
        forecast_now(world).unwrap();
        let outlook = block_on(world.outlook()).unwrap().unwrap();
        let free = outlook.outlook.regions["us-east-1"].free[0].lanes_at(0.5);
        (free, outlook.reasons)
    };
    assert_eq!(lanes(&world).0, 900.0);
    world.put_blob("policies/calendar", event.into_bytes());
    assert_eq!(lanes(&world).0, 600.0);
    world.put_blob(
        "policies/calendar",
        b"name,start\nfair,yesterday\n".to_vec(),
    );
    let (free, reasons) = lanes(&world);
    assert_eq!(free, 900.0);
    assert!(
        reasons.iter().any(|r| r.subject == "calendar"),
        "{reasons:?}"
    );
}

#[test]
fn free_lanes_are_of_what_the_account_has_and_what_is_assumed_is_said() {
    let lanes = |unreserved: Option<u32>| {
        let world = Arc::new(World::new());
        if let Some(unreserved) = unreserved {
            world.set_unreserved(unreserved);
        }
        forecast_now(&world).unwrap();
        let outlook = block_on(world.outlook()).unwrap().unwrap();
        let mut reasons = outlook.reasons.into_iter();
        let assumed = reasons.find(|reason| reason.subject == "quota");
        let free = outlook.outlook.regions["us-east-1"].free[0].lanes_at(0.5);
        (free, assumed.map(|reason| reason.because))
    };
    let assumed = "a concurrency of 1000 is assumed for the account: nobody tells it";
    assert_eq!(lanes(None), (900.0, Some(assumed.to_owned())));
    assert_eq!(lanes(Some(300)), (270.0, None));
    assert_eq!(lanes(Some(3_000)), (2_900.0, None));
}

fn rfc3339(second: u64) -> String {
    foreshard_engine::schedule::rfc3339(TimeMs(second * 1_000))
}

#[test]
fn a_crash_at_any_write_is_healed_by_a_repeat() {
    let scene = || {
        let world = Arc::new(World::new());
        measured(&world, 512, 10.0);
        world
    };
    let whole = scene();
    forecast_now(&whole).unwrap();
    let outcome = |world: &World| {
        (
            block_on(world.outlook()).unwrap(),
            block_on(world.forecasts(100)).unwrap(),
        )
    };
    let writes = whole.faults(|f| f.writes());
    assert_eq!(writes, 3);
    for nth in 0..writes {
        for fault in Fault::ALL {
            let world = scene();
            world.faults(|f| f.arm(nth, fault));
            let first = forecast_now(&world);
            world.faults(|f| f.revive());
            let second = forecast_now(&world);
            assert!(second.is_ok(), "{fault:?} at {nth}: {first:?}, {second:?}");
            assert_eq!(outcome(&world), outcome(&whole), "{fault:?} at {nth}");
        }
    }
}
