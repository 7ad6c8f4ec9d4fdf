//! Properties of every plan, over shapes, annotations, options and pools.

use foreshard_model::policy::RunOptions;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::check::{Given, check};
use super::shapes::{Dice, SHAPES, shape};
use super::{plan_in, pool, task, workflow};

/// Tasks of a shape with random durations, sizes and annotations.
fn tasks(shape_name: &str, size: usize, seed: u64) -> Vec<Value> {
    let mut dice = Dice::new(seed);
    let needs = shape(shape_name, size, &mut dice);
    let many = needs.len();
    let annotated = dice.below(3);
    needs
        .into_iter()
        .enumerate()
        .map(|(at, needs)| {
            let needs: Vec<String> = needs.iter().map(|need| format!("t{need}")).collect();
            let longest = [1, 60, 400_000][dice.below(3) as usize];
            let cpu_s = (1 + dice.below(longest)) as f64 / 1000.0;
            let mut task = task(&format!("t{at}"), &needs, cpu_s, 1 + dice.below(700) as u32);
            if annotated > 0 {
                annotate(&mut task, at, many, &mut dice);
            }
            task
        })
        .collect()
}

fn annotate(task: &mut Value, at: usize, tasks: usize, dice: &mut Dice) {
    match dice.below(20) {
        0 => task["effect"] = json!("once"),
        1 => task["cut"] = json!({"after": true}),
        2 => task["affinity"] = json!({"apart": format!("x{}", at % 3)}),
        3 => task["affinity"] = json!({"together": format!("y{}", at % 4)}),
        4 => task["affinity"] = json!({"require": {"zone": "a"}}),
        5 => task["affinity"] = json!({"prefer": {"zone": "a"}}),
        6 => task["priority"] = json!(at as i64 % 7 - 3),
        7 => task["vcpus"] = json!(3),
        8 => task["memory_mib"] = json!(1 + dice.below(9_000)),
        9 => task["disk_mib"] = json!(1 + dice.below(9_000)),
        10 => {
            task["writes"] =
                json!([{"name": "f", "bytes": dice.below(2_000_000_000 / tasks as u64)}])
        }
        11 => {
            let (id, needs) = (task["id"].clone(), task["needs"].clone());
            *task = json!({"id": id, "needs": needs, "kind": "lambda", "function": "f"});
        }
        _ => {}
    }
}

fn options() -> impl Strategy<Value = RunOptions> {
    let lanes = prop::option::of(1_u32..80);
    let budget = prop::option::of(1_u32..15_000);
    let most = prop::option::of(1_u32..6);
    let scale = prop_oneof![Just(1.0), 0.001_f64..1.0];
    (scale, lanes, budget, most).prop_map(|(scale, lanes_max, history_budget, shard_tasks_max)| {
        RunOptions {
            scale,
            lanes_max,
            history_budget,
            shard_tasks_max,
            ..RunOptions::default()
        }
    })
}

fn region() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("us-east-1"), Just("eu-central-1"), Just("nowhere-1")]
}

const TIERS: [&[u32]; 3] = [
    &[128, 256, 512, 1_024, 1_769, 3_538, 5_307, 7_076, 10_240],
    &[1_769, 10_240],
    &[10_240],
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn every_plan_may_run_and_comes_again(
        named in 0..SHAPES.len(),
        size in 2_usize..90,
        seed in any::<u64>(),
        options in options(),
        region in region(),
        tiers in 0..TIERS.len(),
        lanes in prop_oneof![1_u32..6, 30_u32..60, Just(20_000)],
        concurrency in prop_oneof![1_u32..50, Just(1_000), Just(50_000)],
    ) {
        let workflow = workflow(&tasks(SHAPES[named], size, seed));
        let pool = pool(TIERS[tiers], lanes, concurrency);
        let planned = match plan_in(region, &workflow, &pool, &options) {
            Ok(planned) => planned,
            Err(problems) => {
                // What does not fit is said; with these sizes only a task too long for its tier.
                prop_assert!(problems.iter().all(|p| p.code == "FS2008"), "{problems:?}");
                return Ok(());
            }
        };
        check(&planned, &Given { workflow: &workflow, pool: &pool, options: &options, region });
        let again = plan_in(region, &workflow, &pool, &options);
        prop_assert!(again == Ok(planned), "the same input gave another plan");
    }

    #[test]
    fn the_order_in_the_document_changes_nothing_that_depends_on_the_tasks_alone(
        named in 0..SHAPES.len(),
        size in 2_usize..60,
        seed in any::<u64>(),
    ) {
        let tasks = tasks(SHAPES[named], size, seed);
        let mut shuffled = tasks.clone();
        let mut dice = Dice::new(!seed);
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, dice.below(at as u64 + 1) as usize);
        }
        let pool = pool(TIERS[0], 1_000, 1_000);
        let options = RunOptions::default();
        let (one, other) = (workflow(&tasks), workflow(&shuffled));
        let (one, other_plan) = (plan_in("us-east-1", &one, &pool, &options), plan_in("us-east-1", &other, &pool, &options));
        match (one, other_plan) {
            (Ok(one), Ok(plan)) => {
                check(&plan, &Given { workflow: &other, pool: &pool, options: &options, region: "us-east-1" });
                prop_assert_eq!(one.plan.critical_path_ms, plan.plan.critical_path_ms);
                // Sums of floating-point numbers in another order.
                prop_assert!(one.plan.work_ms.abs_diff(plan.plan.work_ms) <= 1);
                let (one, other) = (&one.plan.price, &plan.plan.price);
                prop_assert!((one.plain_usd.0 / other.plain_usd.0 - 1.0).abs() < 1e-9);
                prop_assert!((one.plain_makespan_s.mid / other.plain_makespan_s.mid - 1.0).abs() < 1e-9);
            }
            (Err(one), Err(other)) => {
                let paths = |problems: &[foreshard_model::problem::Problem]| {
                    let mut paths: Vec<String> = problems.iter().map(|p| p.path.clone()).collect();
                    paths.sort();
                    paths
                };
                prop_assert_eq!(paths(&one), paths(&other));
            }
            (one, other) => prop_assert!(false, "{} {}", one.is_ok(), other.is_ok()),
        }
    }
}
