//! Random workflows, options and annotations: every plan is sound, the same input gives the same plan.

use foreshard_model::plan::ShardKind;
use foreshard_model::policy::RunOptions;
use foreshard_model::target::Pool;
use foreshard_model::units::Mib;
use foreshard_model::workflow::{Effect, Workflow};
use proptest::prelude::*;

use crate::shard::shaped;

use super::check::check;
use super::{extras, from_edges, planned, pool};

/// A task's random settings: kind of annotation, estimate, memory.
type Mark = (u8, Option<u64>, u32);

fn marks() -> impl Strategy<Value = Vec<Mark>> {
    let estimate = prop::option::of(prop_oneof![0_u64..50, 0_u64..5_000, 0_u64..800_000]);
    prop::collection::vec((0_u8..24, estimate, 1_u32..10_000), 1..50)
}

fn options() -> impl Strategy<Value = RunOptions> {
    let most = prop::option::of(0_u32..6);
    let lanes = prop::option::of(0_u32..80);
    let budget = prop::option::of(0_u32..20_000);
    (0.0_f64..1.0, 0.0_f64..1.0, most, lanes, budget).prop_map(
        |(scale, memory_scale, most, lanes, budget)| RunOptions {
            scale,
            memory_scale,
            shard_tasks_max: most,
            lanes_max: lanes,
            history_budget: budget,
            ..RunOptions::default()
        },
    )
}

fn marked(shape: u8, size: u32, seed: u64, marks: &[Mark]) -> Workflow {
    let edges: Vec<(u32, u32)> = shaped(shape, size, seed)
        .into_iter()
        .filter(|(a, b)| a != b)
        .collect();
    let mut workflow = from_edges(size as usize, &edges, |at| format!("t{at}"));
    for (at, task) in workflow.tasks.iter_mut().enumerate() {
        let (kind, estimate, memory) = marks[at % marks.len()];
        task.estimate_ms = estimate;
        task.resources.memory = Mib(if kind % 4 == 0 { memory } else { memory % 600 });
        match kind {
            1 => task.effect = Effect::Once,
            2 => extras(task).cut.after = true,
            3 => extras(task).affinity.apart = Some(format!("v{}", at % 3)),
            4 => extras(task).affinity.together = Some(format!("g{}", at % 4)),
            5 => drop(
                extras(task)
                    .affinity
                    .require
                    .insert("zone".to_owned(), "a".to_owned()),
            ),
            6 => extras(task).priority = at as i32 % 7 - 3,
            7 => task.resources.vcpus = 3.0,
            _ => {}
        }
    }
    workflow
}

fn zoned(lanes: u32, memory: Option<u32>) -> Pool {
    let mut pool = pool();
    let zone = ("zone".to_owned(), "a".to_owned());
    for target in &mut pool.targets {
        let mut same = target.clone();
        same.id.0.push_str("-a");
        same.labels.extend([zone.clone()]);
        if same.memory >= Mib(1_769) {
            *target = same;
        }
    }
    pool.lanes_max = lanes;
    pool.lane_memory = memory.map(Mib);
    pool
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_plan_is_sound(
        shape in 0_u8..7,
        size in 1_u32..120,
        seed in any::<u64>(),
        marks in marks(),
        options in options(),
        lanes in prop_oneof![1_u32..6, 30_u32..60, Just(1_000)],
        memory in prop::option::of(100_u32..40_000),
    ) {
        let workflow = marked(shape, size, seed, &marks);
        let pool = zoned(lanes, memory);
        match planned(&workflow, &pool, &options) {
            Ok(planned_once) => {
                check(&planned_once, &scaled(&workflow, &options), &pool, &options);
                let again = planned(&workflow, &pool, &options).unwrap();
                prop_assert!(planned_once == again, "the same input gave another plan");
            }
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                prop_assert!(problems.iter().all(|p| p.code == "FS2003" || p.code == "FS2008"), "{problems:?}");
            }
        }
    }
}

/// Memory as the run's scale makes it.
fn scaled(workflow: &Workflow, options: &RunOptions) -> Workflow {
    let mut workflow = workflow.clone();
    for task in &mut workflow.tasks {
        let memory = f64::from(task.resources.memory.0) * options.memory_scale;
        task.resources.memory = Mib((memory.round() as u32).max(1));
    }
    workflow
}

#[test]
fn a_fan_of_a_thousand_goes_through_relays() {
    let edges: Vec<(u32, u32)> = (1..1_001).flat_map(|t| [(0, t), (t, 1_001)]).collect();
    let workflow = from_edges(1_002, &edges, |at| format!("t{at}"));
    let mut pool = pool();
    pool.lanes_max = 1_000;
    let options = RunOptions {
        shard_tasks_max: Some(1),
        ..RunOptions::default()
    };
    let plan = planned(&workflow, &pool, &options).unwrap();
    check(&plan, &workflow, &pool, &options);
    let relays = plan
        .plan
        .shards
        .iter()
        .filter(|s| s.kind == ShardKind::Relay)
        .count();
    assert_eq!(relays, 8);
}

#[test]
fn a_hundred_thousand_tasks_are_planned() {
    let size = 100_000_u32;
    let edges: Vec<(u32, u32)> = (1_000..size)
        .flat_map(|t| {
            let above = t / 1_000 * 1_000 - 1_000;
            [(above + t * 7 % 1_000, t), (above + t * 13 % 1_000, t)]
        })
        .collect();
    let workflow = from_edges(size as usize, &edges, |at| format!("t{at}"));
    let mut pool = pool();
    pool.lanes_max = 1_000;
    let options = RunOptions::default();
    let plan = planned(&workflow, &pool, &options).unwrap();
    let tasks: usize = plan.plan.shards.iter().map(|s| s.tasks.len()).sum();
    assert_eq!(tasks, size as usize);
    assert!(
        plan.plan.limits.iter().all(|proof| proof.holds),
        "{:?}",
        plan.plan.limits
    );
    let shards = plan
        .plan
        .shards
        .iter()
        .filter(|s| s.kind == ShardKind::Work)
        .count();
    assert!(shards <= size as usize / 4, "{shards} shards");
}
