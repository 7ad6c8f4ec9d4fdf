//! Fits of whole tasks and of parts, by type and size of input.

use foreshard_model::profile::{Ended, Sample};

use super::*;
use crate::parse::Library;
use crate::profile::tests::{done, learnt};

/// Tasks of one kind that say of themselves: 64 MiB, one vCPU, a second.
fn workflow(kind: &str, tasks: usize) -> Workflow {
    let task = |at: usize| {
        format!("  - {{id: sort-{at}, kind: {kind}, memory_mib: 64, estimate_s: 1, type: sort}}")
    };
    let tasks: Vec<String> = (0..tasks).map(task).collect();
    let text = format!(
        "foreshard: 1\nname: w\nversion: \"1\"\ntasks:\n{}\n",
        tasks.join("\n")
    );
    let parsed = crate::parse::document(text.as_bytes(), &Library::default());
    parsed.expect("a workflow").workflow
}

fn fitted(mut workflow: Workflow, profiles: Vec<Profile>) -> (Vec<Task>, Vec<Reason>) {
    let pool = Pool::default_on_aws("eu-west-1");
    let profiles = BTreeMap::from([("sort".to_owned(), profiles)]);
    let by = Fitting {
        pool: &pool,
        objective: &Objective::default(),
        profiles: &profiles,
    };
    let reasons = fit(&mut workflow, &by);
    (workflow.tasks, reasons)
}

const COMMAND: &str = "command, run: [sort]";

#[test]
fn parts_are_given_what_parts_used_and_their_share_before_that() {
    let kind = "command, run: [sort], split: {array: $.rows, max_parts: 8, merge: arrays}, inputs: {rows: {run: $.rows}}";
    let given = |used: Vec<Profile>| {
        let mut workflow = workflow(kind, 1);
        assert_eq!(learnt_types(&workflow), ["sort", "sort/part"]);
        let pool = Pool::default_on_aws("eu-west-1");
        let by = Fitting {
            pool: &pool,
            objective: &Objective::default(),
            profiles: &BTreeMap::from([("sort/part".to_owned(), used)]),
        };
        let reasons = fit(&mut workflow, &by);
        let split = workflow.tasks[0].extras().split.expect("it may be cut");
        (workflow.tasks[0].resources.memory, split.measured, reasons)
    };
    let small = Sample {
        peak_kib: 10 * 1024,
        ..done(4_000)
    };
    let (whole, part, reasons) = given(vec![learnt(512, &vec![small.clone(); 30])]);
    assert_eq!(whole, Mib(64), "nothing was seen of it");
    assert_eq!(part.map(|part| part.memory), Some(Mib(11)), "{reasons:#?}");
    let killed = Sample {
        ended: Ended::OutOfMemory,
        ..small
    };
    let (_, part, reasons) = given(vec![
        learnt(512, &[done(1_000), killed]),
        learnt(1_024, &[done(900)]),
    ]);
    let share = f64::from(part.expect("it was seen").vcpus) * f64::from(MIB_PER_VCPU);
    assert!(share > 1_000.0, "{share} {reasons:#?}");
    assert_eq!(given(Vec::new()).1, None);
}

#[test]
fn what_was_measured_often_counts_more_than_what_is_declared() {
    let (once, _) = fitted(workflow(COMMAND, 1), vec![learnt(512, &[done(4_000)])]);
    assert!(once[0].resources.memory >= Mib(64), "declared is a floor");
    let small = Sample {
        peak_kib: 10 * 1024,
        ..done(4_000)
    };
    let (often, reasons) = fitted(workflow(COMMAND, 2), vec![learnt(512, &vec![small; 30])]);
    // The first may be a trial.
    let usual = &often[1];
    assert_eq!(usual.resources.memory, Mib(11), "{reasons:#?}");
    let ms = usual.estimate_ms.expect("it is known");
    assert!((3_600..4_400).contains(&ms), "{ms}");
    let share = f64::from(usual.resources.vcpus) * f64::from(MIB_PER_VCPU);
    assert!((500.0..=512.0).contains(&share), "it stays on 512: {share}");
}

#[test]
fn a_trial_is_given_to_one_task() {
    let (tasks, reasons) = fitted(
        workflow(COMMAND, 400),
        vec![learnt(512, &vec![done(500); 30])],
    );
    let mut vcpus: Vec<f32> = tasks.iter().map(|task| task.resources.vcpus).collect();
    vcpus.sort_by(f32::total_cmp);
    let usual = vcpus[200];
    let others = vcpus.iter().filter(|v| **v != usual).count();
    assert_eq!(others, 1, "{reasons:#?}");
}

#[test]
fn what_kills_inputs_of_usual_size_is_left_also_where_nobody_tells_the_size() {
    let killed = Sample {
        ended: Ended::OutOfMemory,
        ..done(1_000)
    };
    let profiles = vec![
        learnt(512, &[done(1_000), killed]),
        learnt(1_024, &[done(900)]),
    ];
    let (tasks, reasons) = fitted(workflow(COMMAND, 1), profiles);
    let share = f64::from(tasks[0].resources.vcpus) * f64::from(MIB_PER_VCPU);
    assert!(share > 1_000.0, "{share} {reasons:#?}");
    assert!(reasons[0].because.contains("too small"), "{reasons:#?}");
}

#[test]
fn synthetic_tasks_stay_as_declared_and_waiting_ones_are_only_timed() {
    let profiles = || vec![learnt(512, &vec![done(4_000); 30])];
    let plain = workflow("synthetic, cpu_s: 1", 1);
    assert_eq!(fitted(plain.clone(), profiles()).0, plain.tasks);
    let waits = workflow("lambda, function: f", 1);
    let (timed, _) = fitted(waits.clone(), profiles());
    assert_eq!(timed[0].resources, waits.tasks[0].resources);
    assert!(
        timed[0].estimate_ms > Some(3_000),
        "{:?}",
        timed[0].estimate_ms
    );
}
