//! Twenty thousand shards into a table that takes no more than DynamoDB does: paced, throttled, crashed in the middle.

use std::sync::{Arc, OnceLock};

use foreshard_fakes::{Fault, Throughput, World, block_on, wire};
use foreshard_model::frontier::ShardItem;
use foreshard_model::ids::{Round, RunId, Sha256Hex};
use foreshard_model::message::{PlanAnswer, PlanRequest};
use foreshard_stages::StageError;
use foreshard_stages::plan::plan;
use foreshard_stages::ports::Clock as _;
use serde_json::json;

use crate::caller::{ACCOUNT, Caller, run_of};

const SHARDS: usize = 20_000;
/// What DynamoDB gives a partition key, and an on-demand table from its first second on.
const LIMITS: (u32, u32) = (1_000, 4_000);

/// Two thousand chains of ten tasks.
fn document() -> Vec<u8> {
    let tasks: Vec<_> = (0..SHARDS)
        .map(|at| {
            let needs: Vec<String> = (at % 10 > 0)
                .then(|| format!("t{}", at - 1))
                .into_iter()
                .collect();
            json!({"id": format!("t{at}"), "kind": "synthetic", "cpu_s": 40, "needs": needs})
        })
        .collect();
    let document = json!({"foreshard": 1, "name": "wide", "version": "1", "tasks": tasks});
    serde_json::to_vec(&document).unwrap()
}

/// The run, and every shard of its plan.
fn submitted() -> (Caller, RunId) {
    static DOCUMENT: OnceLock<Vec<u8>> = OnceLock::new();
    let document = DOCUMENT.get_or_init(document);
    let caller = Caller::new();
    let digest = Sha256Hex::of(document);
    caller
        .world
        .put_blob(&format!("uploads/{ACCOUNT}/{digest}"), document.clone());
    let body = json!({"upload": digest, "options": {"shard_tasks_max": 1}});
    let answer = caller.submit_body("k", &body);
    assert_eq!(answer.status, 202, "{}", answer.value());
    (caller, run_of(&answer))
}

fn begin(world: &Arc<World>, run: &RunId) -> Result<PlanAnswer, StageError> {
    let request = PlanRequest {
        run: run.clone(),
        round: Round(0),
    };
    block_on(plan(&wire::plan(world), &request))
}

/// What a table without limits has after planning.
fn expected() -> &'static [ShardItem] {
    static EXPECTED: OnceLock<Vec<ShardItem>> = OnceLock::new();
    EXPECTED.get_or_init(|| {
        let (caller, run) = submitted();
        begin(&caller.world, &run).unwrap();
        caller.world.shard_items(&run)
    })
}

#[test]
fn the_pace_keeps_within_the_limits_of_partitions_and_table() {
    let (caller, run) = submitted();
    let world = &caller.world;
    let begun = world.now().0;
    world.limit_throughput(Throughput::new(LIMITS.0, LIMITS.1, 1, 0));
    assert!(!begin(world, &run).unwrap().lanes.is_empty());
    assert!(world.shard_items(&run) == expected());
    assert!(expected().len() > SHARDS);
    assert_eq!(world.calls_refused(), 0);
    let (partition, table) = world.busiest_second();
    assert!(partition <= LIMITS.0 && table <= LIMITS.1);
    // 18,000 shards that wait for 2 units, 2,000 ready ones for 6, over one partition key or several.
    let took_s = (world.now().0 - begun) / 1_000;
    assert!((10..=90).contains(&took_s), "{took_s} s");
}

#[test]
fn a_table_that_others_use_too_slows_it_down_and_gets_every_shard() {
    let (caller, run) = submitted();
    let world = &caller.world;
    world.limit_throughput(Throughput::new(LIMITS.0 / 4, LIMITS.1 / 4, 2, 20));
    begin(world, &run).unwrap();
    assert!(world.shard_items(&run) == expected());
    assert!(world.calls_refused() > 0);
}

#[test]
fn a_crash_anywhere_and_a_repeat_leave_the_same_shards() {
    let fault_at = [
        (Fault::CrashBefore, 10),
        (Fault::CrashAfter, 300),
        (Fault::FailAfter, 700),
        (Fault::CrashAfter, 801),
    ];
    for (seed, (fault, nth)) in fault_at.into_iter().enumerate() {
        let (caller, run) = submitted();
        let world = &caller.world;
        world.limit_throughput(Throughput::new(LIMITS.0, LIMITS.1, seed as u64, 30));
        world.faults(|f| f.arm(nth, fault));
        let first = begin(world, &run);
        assert!(first.is_err(), "{fault:?} at {nth}: {first:?}");
        let there = world.shard_items(&run).len();
        assert!(there < expected().len(), "{fault:?} at {nth}: {there}");
        world.faults(|f| f.revive());
        assert!(!begin(world, &run).unwrap().lanes.is_empty());
        assert!(world.shard_items(&run) == expected(), "{fault:?} at {nth}");
    }
}

#[test]
fn a_table_that_takes_nothing_is_given_up_and_a_repeat_goes_on() {
    let (caller, run) = submitted();
    let world = &caller.world;
    world.limit_throughput(Throughput::new(0, 0, 3, 0));
    let refused = begin(world, &run);
    assert!(
        matches!(refused, Err(StageError::Unavailable(_))),
        "{refused:?}"
    );
    assert!(world.shard_items(&run).is_empty());
    world.limit_throughput(Throughput::new(LIMITS.0, LIMITS.1, 3, 0));
    begin(world, &run).unwrap();
    assert!(world.shard_items(&run) == expected());
}
