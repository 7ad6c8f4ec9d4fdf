//! Look-ahead over runs in flight: plans in, concurrency out.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::ids::ShardId;
use foreshard_model::plan::{PlannedShard, ShardKind};

use super::super::demand::{InFlight, Load, added, in_flight};
use super::*;

/// `a@x 0+60` is shard a on target x from second 0 for 60; `b@y 60+30 <a` follows a. Shards are numbered in their order.
fn plan(text: &str) -> Vec<PlannedShard> {
    let names: Vec<&str> = text
        .lines()
        .map(|line| line.trim().split('@').next().unwrap())
        .collect();
    let id = |name: &str| ShardId(names.iter().position(|n| *n == name).unwrap() as u32);
    let shard = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, target) = words.next().unwrap().split_once('@').unwrap();
        let (start, takes) = words.next().unwrap().split_once('+').unwrap();
        PlannedShard {
            id: id(name),
            kind: ShardKind::Work,
            tasks: Vec::new(),
            predecessors: words.map(|w| id(w.trim_start_matches('<'))).collect(),
            target: Some(target.to_owned()),
            lane: None,
            start_ms: start.parse::<u64>().unwrap() * 1_000,
            duration_ms: takes.parse::<u64>().unwrap() * 1_000,
            upward_rank_ms: 0,
            reason: String::new(),
        }
    };
    text.lines().map(shard).collect()
}

/// Peaks of one run by target, in steps of a minute.
fn peaks(text: &str, now_s: i64, settled: &[u32], running: &[(u32, i64)]) -> String {
    let shards = plan(text);
    let settled: BTreeSet<ShardId> = settled.iter().map(|n| ShardId(*n)).collect();
    let running: BTreeMap<ShardId, i64> = running
        .iter()
        .map(|(n, since)| (ShardId(*n), *since))
        .collect();
    let run = InFlight {
        run: "r-a",
        start_s: 1_000,
        shards: &shards,
        settled: &settled,
        running: &running,
    };
    let demand = in_flight(&[run], now_s, 60, 4);
    let line = |(target, d): (&String, &super::super::Demand)| format!("{target} {:?}", d.peak);
    demand.iter().map(line).collect::<Vec<_>>().join("; ")
}

const TWO_THEN_ONE: &str = "a@x 0+60\nb@x 0+60\nc@y 60+90 <a <b";

#[test]
fn a_run_asks_for_what_its_plan_says() {
    assert_eq!(
        peaks(TWO_THEN_ONE, 1_000, &[], &[]),
        "x [2.0, 0.0, 0.0, 0.0]; y [0.0, 1.0, 1.0, 0.0]"
    );
    // A minute later, a and b done.
    assert_eq!(
        peaks(TWO_THEN_ONE, 1_060, &[0, 1], &[]),
        "y [1.0, 1.0, 0.0, 0.0]"
    );
}

#[test]
fn what_is_late_delays_what_follows() {
    // Two minutes in, a has run for 30 s, and c has to wait for it.
    assert_eq!(
        peaks(TWO_THEN_ONE, 1_120, &[1], &[(0, 1_090)]),
        "x [1.0, 0.0, 0.0, 0.0]; y [1.0, 1.0, 0.0, 0.0]"
    );
    // Nothing has begun: everything moves.
    assert_eq!(
        peaks(TWO_THEN_ONE, 1_120, &[], &[]),
        "x [2.0, 0.0, 0.0, 0.0]; y [0.0, 1.0, 1.0, 0.0]"
    );
    // It runs longer than planned: it ends any moment, and c begins.
    assert_eq!(
        peaks(TWO_THEN_ONE, 1_300, &[1], &[(0, 1_000)]),
        "y [1.0, 1.0, 0.0, 0.0]"
    );
}

#[test]
fn the_mean_is_of_the_time_that_is_used() {
    let shards = plan("a@x 0+90\nb@x 30+30");
    let (settled, running) = (BTreeSet::new(), BTreeMap::new());
    let run = InFlight {
        run: "r-a",
        start_s: 0,
        shards: &shards,
        settled: &settled,
        running: &running,
    };
    let demand = in_flight(&[run.clone(), run], 0, 60, 3);
    assert_eq!(demand["x"].mean, [3.0, 1.0, 0.0]);
    assert_eq!(demand["x"].peak, [4.0, 2.0, 0.0]);
}

#[test]
fn schedules_and_runs_come_on_top_of_recurring_load() {
    let recurring = ahead(&series(60, &[5.0; 200]), 4);
    let start_s = recurring.start_s;
    let wave = Load {
        name: "nightly".to_owned(),
        place: "x".to_owned(),
        from_s: start_s + 60,
        until_s: start_s + 121,
        lanes: 40.0,
    };
    let elsewhere = Load {
        place: "y".to_owned(),
        ..wave.clone()
    };
    let flying = super::super::Demand {
        mean: vec![1.0; 4],
        peak: vec![2.0; 4],
    };
    let sum = added(&recurring, "x", &[wave, elsewhere], Some(&flying));
    let rounded: Vec<f64> = sum.quantiles["0.5"].iter().map(|v| v.round()).collect();
    assert_eq!(rounded, [7.0, 47.0, 47.0, 7.0]);
    assert!(told(&sum, "`nightly` is added") && told(&sum, "runs in flight are added"));
}
