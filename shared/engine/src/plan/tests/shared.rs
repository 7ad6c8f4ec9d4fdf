//! Plans whose shards share larger tiers, and what local search makes of them.

use foreshard_model::plan::Plan;
use foreshard_model::target::Pool;
use foreshard_model::units::Mib;
use foreshard_model::workflow::Workflow;

use crate::dice::Dice;

use super::check::check;
use super::*;

/// So many tasks between a fork and a join, each a little longer than the one before.
fn fan(tasks: u32, ms: u64) -> Workflow {
    let last = tasks + 1;
    let edges: Vec<(u32, u32)> = (1..last).flat_map(|t| [(0, t), (t, last)]).collect();
    let mut workflow = from_edges(last as usize + 1, &edges, |at| format!("t{at}"));
    for (at, task) in workflow.tasks.iter_mut().enumerate() {
        task.estimate_ms = Some(ms + at as u64);
    }
    workflow
}

fn wide() -> Pool {
    Pool {
        lanes_max: 400,
        ..pool()
    }
}

fn plan_on(workflow: &Workflow, pool: &Pool) -> Plan {
    let options = RunOptions::default();
    let planned = planned(workflow, pool, &options).unwrap();
    check(&planned, workflow, pool, &options);
    planned.plan
}

#[test]
fn independent_tasks_share_a_larger_tier_and_the_run_is_shorter_for_the_same_money() {
    let workflow = fan(120, 20_000);
    let all = plan_on(&workflow, &wide());
    let mut single = wide();
    single.targets.retain(|target| target.memory <= Mib(1_769));
    let single = plan_on(&workflow, &single);
    let largest = all.targets.iter().map(|target| target.memory).max();
    assert!(largest > Some(Mib(1_769)), "{:?}", all.targets);
    assert!(
        all.price.makespan_s.mid < single.price.makespan_s.mid * 0.75,
        "{:?} beside {:?}",
        all.price.makespan_s,
        single.price.makespan_s
    );
    assert!(all.price.total_usd.mid <= all.price.plain_usd.0 * 1.021);
}

#[test]
fn shards_of_a_larger_tier_take_what_their_order_gives_and_no_bound() {
    // Six equal tasks on six threads take as long as one, but for the processor share of six on 10,240 MiB.
    let mut workflow = fan(6, 60_000);
    workflow
        .tasks
        .iter_mut()
        .for_each(|task| task.estimate_ms = Some(60_000));
    let plan = plan_on(&workflow, &wide());
    let most = plan.shards.iter().map(|shard| shard.duration_ms).max();
    assert!(
        plan.price.makespan_s.mid < 3.0 * 63.0,
        "{most:?} {:?}",
        plan.price
    );
}

/// A tree of long tasks: each but the first follows one of those before it.
fn tree(tasks: u32, seed: u64) -> Workflow {
    let mut dice = Dice::new(seed);
    let edges: Vec<(u32, u32)> = (1..tasks)
        .map(|t| (dice.below(t as usize) as u32, t))
        .collect();
    let mut workflow = from_edges(tasks as usize, &edges, |at| format!("t{at}"));
    for task in &mut workflow.tasks {
        task.estimate_ms = Some(12_000 + dice.below(120_000) as u64);
    }
    workflow
}

#[test]
fn what_was_changed_step_by_step_says_so_and_comes_again() {
    let changed = |seed: u64| {
        let workflow = tree(50, seed);
        let plan = plan_on(&workflow, &wide());
        assert_eq!(plan, plan_on(&workflow, &wide()));
        let mut kept = plan.reasons.iter().filter(|r| r.subject == "shard");
        kept.next()
            .is_some_and(|reason| reason.because.contains("changed step by step"))
    };
    assert!((0..6).any(changed));
}
