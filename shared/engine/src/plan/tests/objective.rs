//! Plans with an objective: limits kept or said to be impossible, trade-offs that really are some, nothing dominated.

use foreshard_model::objective::{Objective, Tradeoff, Unmet, Weights};
use foreshard_model::plan::Plan;
use foreshard_model::policy::RunOptions;
use foreshard_model::target::Pool;
use foreshard_model::units::Mib;
use foreshard_model::workflow::Workflow;
use proptest::prelude::*;

use crate::shard::shaped;

use super::check::check;
use super::*;

fn with(objective: Objective) -> RunOptions {
    RunOptions {
        objective,
        ..RunOptions::default()
    }
}

fn deadline(seconds: f64) -> Objective {
    Objective {
        deadline_s: Some(seconds),
        ..Objective::default()
    }
}

fn budget(usd: f64) -> Objective {
    Objective {
        budget_usd: Some(usd),
        unmet: Some(Unmet::Warn),
        ..Objective::default()
    }
}

fn weighing(time: f64, cost: f64) -> Objective {
    Objective {
        weights: Some(Weights {
            time,
            cost,
            ..Weights::default()
        }),
        ..Objective::default()
    }
}

/// Sixty tasks of four seconds between a fork and a join.
fn fan() -> Workflow {
    let edges: Vec<(u32, u32)> = (1..61).flat_map(|t| [(0, t), (t, 61)]).collect();
    let mut workflow = from_edges(62, &edges, |at| format!("t{at}"));
    for task in &mut workflow.tasks {
        task.estimate_ms = Some(4_000);
    }
    workflow
}

fn wide() -> Pool {
    Pool {
        lanes_max: 40,
        ..pool()
    }
}

fn plan_with(workflow: &Workflow, pool: &Pool, objective: Objective) -> Plan {
    let options = with(objective);
    let planned = planned(workflow, pool, &options).unwrap();
    check(&planned, workflow, pool, &options);
    planned.plan
}

fn said(plan: &Plan, subject: &str) -> String {
    let of = plan.reasons.iter().filter(|r| r.subject == subject);
    of.map(|r| r.because.clone()).collect()
}

fn pareto_of(workflow: &Workflow, pool: &Pool, options: &RunOptions) -> Vec<Tradeoff> {
    crate::plan::pareto(&PlanInput {
        run: &RunId::from("r-aaaaaaaaaaaaaaaaaaaa"),
        generation: Generation(0),
        workflow,
        pool,
        options,
        bundles: &BTreeMap::new(),
        region: "us-east-1",
        outlook: &foreshard_model::outlook::Outlook::default(),
        promised: &foreshard_model::outlook::Promised::default(),
    })
    .unwrap()
}

#[test]
fn a_deadline_is_kept_by_the_pessimistic_end_of_the_interval() {
    let (workflow, pool) = (fan(), wide());
    let slow = plan_with(&workflow, &pool, deadline(400.0));
    assert!(slow.price.makespan_s.high <= 400.0);
    let quick = plan_with(&workflow, &pool, deadline(40.0));
    assert!(quick.price.makespan_s.high <= 40.0);
    assert!(quick.price.total_usd.high > slow.price.total_usd.high);
    assert!(quick.warnings.is_empty());
    assert!(
        said(&quick, "deadline").starts_with("kept: "),
        "{:?}",
        quick.reasons
    );
}

#[test]
fn an_impossible_deadline_is_said_to_be_so_with_the_best_that_can_be_had() {
    let plan = plan_with(&fan(), &wide(), deadline(10.0));
    let because = said(&plan, "deadline");
    assert!(
        because.starts_with("10.00 s cannot be kept by any plan whatever"),
        "{because}"
    );
    assert!(because.contains("the quickest takes"), "{because}");
    assert_eq!(plan.warnings.len(), 1);
    assert_eq!(plan.warnings[0].code, "FS2021");
    let refused = with(Objective {
        unmet: Some(Unmet::Refuse),
        ..deadline(10.0)
    });
    let codes = codes(&fan(), &wide(), &refused);
    assert!(
        codes.len() == 1 && codes[0].starts_with("FS2021 `objective.deadline_s`"),
        "{codes:?}"
    );
}

#[test]
fn a_budget_refuses_and_warns_where_it_is_told_to() {
    let strict = with(Objective {
        budget_usd: Some(1e-6),
        ..Objective::default()
    });
    let codes = codes(&fan(), &wide(), &strict);
    assert!(
        codes.len() == 1 && codes[0].starts_with("FS2022 `objective.budget_usd`"),
        "{codes:?}"
    );
    assert!(
        codes[0].contains("cannot be kept by any plan whatever"),
        "{codes:?}"
    );
    let plan = plan_with(&fan(), &wide(), budget(1e-6));
    assert_eq!(plan.warnings[0].code, "FS2022");
    let cheapest = plan_with(&fan(), &wide(), weighing(0.0, 1.0));
    assert_eq!(plan.price, cheapest.price);
}

#[test]
fn every_bad_value_is_reported_at_once() {
    let options = with(Objective {
        deadline_s: Some(-3.0),
        budget_usd: Some(f64::NAN),
        weights: Some(Weights::default()),
        ..Objective::default()
    });
    let codes = codes(&fan(), &wide(), &options);
    assert_eq!(codes.len(), 3, "{codes:?}");
    assert!(
        codes
            .iter()
            .all(|code| code.starts_with("FS2020 `options.objective."))
    );
}

#[test]
fn larger_tiers_buy_time_where_lanes_do_not() {
    let pool = Pool {
        lanes_max: 1,
        ..pool()
    };
    let cheap = plan_with(&fan(), &pool, weighing(0.0, 1.0));
    let quick = plan_with(&fan(), &pool, weighing(1.0, 0.0));
    let largest = |plan: &Plan| plan.targets.iter().map(|t| t.memory).max();
    assert!(largest(&quick) > Some(Mib(1_769)), "{:?}", quick.targets);
    assert!(quick.price.makespan_s.mid < cheap.price.makespan_s.mid / 3.0);
    assert!(cheap.price.total_usd.high <= quick.price.total_usd.high);
}

#[test]
fn the_runs_word_goes_over_the_documents() {
    let mut workflow = fan();
    workflow.objective = deadline(10.0);
    let plan = plan_with(&workflow, &wide(), Objective::default());
    assert_eq!(plan.objective, deadline(10.0));
    assert_eq!(plan.warnings.len(), 1);
    let plan = plan_with(&workflow, &wide(), deadline(500.0));
    assert_eq!(plan.objective, deadline(500.0));
    assert!(plan.warnings.is_empty());
}

#[test]
fn the_front_trades_time_for_money() {
    let front = pareto_of(&fan(), &wide(), &RunOptions::default());
    assert!(front.len() >= 3, "{front:#?}");
    let (first, last) = (&front[0], front.last().unwrap());
    assert!(first.makespan_s.mid < last.makespan_s.mid / 2.0);
    let cheapest = front
        .iter()
        .map(|p| p.total_usd.high)
        .fold(f64::INFINITY, f64::min);
    assert!(first.total_usd.high > cheapest);
}

fn random(shape: u8, size: u32, seed: u64, estimates: &[u64], bytes: u64) -> Workflow {
    let edges: Vec<(u32, u32)> = shaped(shape, size, seed)
        .into_iter()
        .filter(|(a, b)| a != b)
        .collect();
    let mut workflow = from_edges(size as usize, &edges, |at| format!("t{at}"));
    for (at, task) in workflow.tasks.iter_mut().enumerate() {
        let estimate = estimates[at % estimates.len()];
        task.estimate_ms = (estimate > 0).then_some(estimate);
        for need in &mut task.needs {
            need.bytes = bytes;
        }
    }
    workflow
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_printed_plan_is_dominated_and_its_options_give_it(
        shape in 0_u8..7,
        size in 1_u32..60,
        seed in any::<u64>(),
        estimates in prop::collection::vec(0_u64..60_000, 1..9),
        bytes in prop_oneof![Just(0_u64), Just(1_000), 1_000_000_u64..900_000_000],
        lanes in 1_u32..50,
        memory in prop::option::of(4_000_u32..40_000),
    ) {
        let workflow = random(shape, size, seed, &estimates, bytes);
        let pool = Pool { lanes_max: lanes, lane_memory: memory.map(Mib), ..pool() };
        let front = pareto_of(&workflow, &pool, &RunOptions::default());
        prop_assert!(!front.is_empty());
        let vector = |p: &Tradeoff| {
            [p.makespan_s.high, p.total_usd.high, p.energy_kwh, p.moved_bytes as f64]
        };
        for one in &front {
            for other in &front {
                let (a, b) = (vector(one), vector(other));
                prop_assert!(a == b || a.iter().zip(&b).any(|(a, b)| a < b), "{:?} {:?}", one, other);
            }
            let plan = planned(&workflow, &pool, &with(one.objective.clone()));
            let Ok(plan) = plan else {
                return Err(TestCaseError::fail(format!("{one:?}: {plan:?}")));
            };
            prop_assert_eq!(plan.plan.price.makespan_s, one.makespan_s);
            prop_assert_eq!(plan.plan.price.total_usd, one.total_usd, "{:?}", one.objective);
            check(&plan, &workflow, &pool, &with(one.objective.clone()));
        }
        prop_assert_eq!(&front, &pareto_of(&workflow, &pool, &RunOptions::default()));
    }

    #[test]
    fn tightening_and_paying_more_never_slow_a_plan(
        shape in 0_u8..7,
        size in 1_u32..60,
        seed in any::<u64>(),
        estimates in prop::collection::vec(0_u64..60_000, 1..9),
        lanes in 1_u32..50,
        deadlines in (0.5_f64..200.0, 0.5_f64..200.0),
        budgets in (1e-4_f64..2e-2, 1e-4_f64..2e-2),
    ) {
        let workflow = random(shape, size, seed, &estimates, 1_000);
        let pool = Pool { lanes_max: lanes, ..pool() };
        let price = |objective: Objective| {
            planned(&workflow, &pool, &with(objective)).unwrap().plan.price
        };
        let slow = |objective: Objective| price(objective).makespan_s.mid;
        let (tight, loose) = (deadlines.0.min(deadlines.1), deadlines.0.max(deadlines.1));
        prop_assert!(slow(deadline(tight)) <= slow(deadline(loose)));
        let (small, large) = (budgets.0.min(budgets.1), budgets.0.max(budgets.1));
        prop_assert!(slow(budget(large)) <= slow(budget(small)));
        let cheapest = price(weighing(0.0, 1.0)).total_usd.high;
        for other in [weighing(1.0, 0.0), weighing(1.0, 1.0), weighing(1.0, 3.0)] {
            prop_assert!(cheapest <= price(other).total_usd.high);
        }
        let kept = price(deadline(loose)).makespan_s.high <= loose;
        let plan = planned(&workflow, &pool, &with(deadline(loose))).unwrap().plan;
        prop_assert_eq!(plan.warnings.is_empty(), kept);
    }
}

#[test]
fn relays_are_in_the_price_that_is_compared() {
    let edges: Vec<(u32, u32)> = (1..601).flat_map(|t| [(0, t), (t, 601)]).collect();
    let workflow = from_edges(602, &edges, |at| format!("t{at}"));
    let single = RunOptions {
        shard_tasks_max: Some(1),
        ..RunOptions::default()
    };
    for one in pareto_of(&workflow, &wide(), &single) {
        let options = RunOptions {
            objective: one.objective,
            ..single.clone()
        };
        let plan = planned(&workflow, &wide(), &options).unwrap().plan;
        assert!(plan.shards.len() > 603, "no relays");
        assert_eq!(plan.price.total_usd, one.total_usd);
    }
}

#[test]
fn over_several_regions_the_front_gives_what_it_prints() {
    let mut pool = wide();
    for target in pool.targets.clone() {
        let mut other = target.clone();
        other.id.0.push_str("-eu");
        other.region = "eu-west-1".to_owned();
        other.architecture = Architecture::X86_64;
        pool.targets.push(other);
    }
    let front = pareto_of(&fan(), &pool, &RunOptions::default());
    assert!(front.len() >= 3, "{front:#?}");
    for one in front {
        let plan = planned(&fan(), &pool, &with(one.objective.clone())).unwrap();
        assert_eq!(
            plan.plan.price.makespan_s, one.makespan_s,
            "{:?}",
            one.objective
        );
        assert_eq!(
            plan.plan.price.total_usd, one.total_usd,
            "{:?}",
            one.objective
        );
    }
}
