//! A workflow at each limit and one beyond it: the planner finds another way, or refuses with a code.

use foreshard_model::plan::{LaneMode, Plan, ShardKind};
use foreshard_model::policy::RunOptions;
use serde_json::{Value, json};

use super::{plan_in, planned, pool, task, workflow};

const TIERS: [u32; 9] = [128, 256, 512, 1_024, 1_769, 3_538, 5_307, 7_076, 10_240];

fn single() -> RunOptions {
    RunOptions {
        shard_tasks_max: Some(1),
        ..RunOptions::default()
    }
}

/// So many tasks of so many seconds that do not wait for each other.
fn beside(tasks: usize, cpu_s: f64) -> Vec<Value> {
    (0..tasks)
        .map(|at| task(&format!("t{at}"), &[], cpu_s, 100))
        .collect()
}

/// So many tasks one after the other.
fn chain(tasks: usize, cpu_s: f64) -> Vec<Value> {
    let before = |at: usize| at.checked_sub(1).map(|at| format!("t{at}"));
    (0..tasks)
        .map(|at| {
            let needs: Vec<String> = before(at).into_iter().collect();
            task(&format!("t{at}"), &needs, cpu_s, 100)
        })
        .collect()
}

/// The plan, with all of its limits held; or the codes of its problems.
fn outcome(tasks: &[Value], lanes: u32, concurrency: u32) -> Result<Plan, Vec<String>> {
    let made = planned(
        &workflow(tasks),
        &pool(&TIERS, lanes, concurrency),
        &single(),
    );
    made.map(|planned| {
        assert!(planned.plan.limits.iter().all(|proof| proof.holds));
        planned.plan
    })
    .map_err(|problems| problems.into_iter().map(|p| p.code).collect())
}

fn with(field: &str, value: u32) -> Vec<Value> {
    let mut task = task("t", &[], 1.0, 100);
    task[field] = json!(value);
    vec![task]
}

fn worst(plan: &Plan, limit: &str) -> f64 {
    let mut proofs = plan.limits.iter();
    proofs.find(|proof| proof.limit == limit).unwrap().worst
}

fn number(plan: &Plan, subject: &str, name: &str) -> f64 {
    let mut reasons = plan
        .reasons
        .iter()
        .filter(|reason| reason.subject == subject);
    reasons
        .find_map(|reason| reason.numbers.get(name).copied())
        .unwrap()
}

#[test]
fn one_task_beyond_a_function_is_refused() {
    let estimate = |cpu_s: f64| vec![task("t", &[], cpu_s, 100)];
    let table = [
        (
            "FS2003",
            with("memory_mib", 10_192),
            with("memory_mib", 10_193),
        ),
        ("FS2005", with("disk_mib", 10_240), with("disk_mib", 10_241)),
        ("FS2008", estimate(899.99), estimate(900.0)),
    ];
    for (code, at, beyond) in table {
        assert!(outcome(&at, 4, 1_000).is_ok(), "{code} at its limit");
        assert_eq!(outcome(&beyond, 4, 1_000), Err(vec![code.to_owned()]));
    }
}

#[test]
fn a_run_of_more_than_a_year_is_refused() {
    // 890 s a task, 30 % more if it goes badly: 1,157 s of 31,536,000.
    let year = outcome(&chain(27_200, 890.0), 1, 1_000).unwrap();
    assert!((31e6..=31_536_000.0).contains(&worst(&year, "execution time")));
    let longer = outcome(&chain(27_300, 890.0), 1, 1_000);
    assert_eq!(longer, Err(vec!["FS2012".to_owned()]));
}

#[test]
fn work_beyond_one_invocation_goes_into_more_shards() {
    let shards = |cpu_s: f64| {
        let options = RunOptions::default();
        let workflow = workflow(&chain(2, cpu_s));
        let made = planned(&workflow, &pool(&TIERS, 4, 1_000), &options).unwrap();
        let works = made
            .plan
            .shards
            .iter()
            .filter(|s| s.kind == ShardKind::Work);
        works.count()
    };
    // Half as long again must fit 900 s.
    assert_eq!((shards(299.0), shards(301.0)), (1, 2));
}

#[test]
fn lanes_beyond_an_inline_map_become_children() {
    let mode = |lanes| {
        let plan = outcome(&beside(41, 60.0), lanes, 1_000).unwrap();
        (
            plan.mode,
            worst(&plan, "inline branches"),
            worst(&plan, "open map runs"),
        )
    };
    assert_eq!(mode(40), (LaneMode::Inline, 40.0, 0.0));
    assert_eq!(mode(41), (LaneMode::Distributed, 0.0, 1.0));
}

#[test]
fn events_beyond_a_history_get_more_of_them() {
    // A round's 20, a lane's 14, a shard's 12: 14,998 and 15,010 of 15,000.
    let events = |tasks| {
        let plan = outcome(&chain(tasks, 0.001), 1, 1_000).unwrap();
        (
            plan.mode,
            number(&plan, "rounds", "events"),
            number(&plan, "rounds", "rounds"),
        )
    };
    assert_eq!(events(1_247), (LaneMode::Inline, 14_998.0, 1.0));
    assert_eq!(events(1_248), (LaneMode::Distributed, 15_010.0, 2.0));
}

#[test]
fn shards_beyond_a_fan_go_through_relays() {
    let relays = |tasks| {
        let plan = outcome(&beside(tasks, 1.0), 40, 1_000).unwrap();
        let relays = plan
            .shards
            .iter()
            .filter(|s| s.kind == ShardKind::Relay)
            .count();
        (relays, worst(&plan, "fan-in and fan-out"))
    };
    assert_eq!(relays(256), (0, 256.0));
    assert_eq!(relays(257), (2, 129.0));
}

#[test]
fn shards_beyond_a_partition_key_get_another() {
    let keys = |tasks| outcome(&beside(tasks, 10.0), 10, 1_000).unwrap().partitions;
    assert_eq!((keys(2_000), keys(2_001)), (1, 2));
}

#[test]
fn lanes_stay_within_the_account_and_what_lambda_opens() {
    let lanes = |tasks, concurrency| {
        let plan = outcome(&beside(tasks, 800.0), u32::MAX, concurrency).unwrap();
        (plan.lanes, worst(&plan, "account concurrency"))
    };
    assert_eq!(lanes(50, 50), (50, 50.0));
    assert_eq!(lanes(51, 50), (50, 50.0));
    assert_eq!(lanes(9_001, 20_000), (9_000, 9_000.0));
}

#[test]
fn short_shards_get_no_more_lanes_than_the_rates_allow() {
    let lanes = |region, binding: &str, limit| {
        let pool = pool(&TIERS, 5_000, 10_000);
        let made = plan_in(region, &workflow(&beside(2_000, 0.001)), &pool, &single()).unwrap();
        let plan = made.plan;
        assert!(plan.limits.iter().all(|proof| proof.holds));
        let mut bound = plan
            .reasons
            .iter()
            .filter(|reason| reason.subject == "lanes");
        let bound = bound.next().unwrap();
        assert!(bound.because.ends_with(binding), "{bound:?}");
        (plan.lanes, plan.partitions, worst(&plan, limit))
    };
    // One metric request and 3 transitions in 0.156 s: 6.4 and 19 a second and lane.
    let metrics = (
        "the metric requests a second that CloudWatch takes",
        "metric requests",
    );
    let (large, keys, used) = lanes("us-east-1", metrics.0, metrics.1);
    assert!(
        (76..=78).contains(&large) && keys == 12 && used > 490.0,
        "{large} {keys} {used}"
    );
    let transitions = (
        "the transitions a second of the region",
        "state transitions",
    );
    let (small, _, used) = lanes("eu-central-1", transitions.0, transitions.1);
    assert!((40..=42).contains(&small) && used > 760.0, "{small} {used}");
}
