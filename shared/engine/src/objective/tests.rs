//! Objectives: bounds, choice and front on plans made up for it.

use foreshard_model::objective::{Objective, Weights};
use foreshard_model::target::Architecture;
use proptest::prelude::*;

use super::*;

fn plan(time_s: f64, usd: f64) -> Measures {
    Measures {
        time_s,
        usd,
        energy_kwh: 1.0,
        moved_bytes: 0,
    }
}

fn within(deadline_s: Option<f64>, budget_usd: Option<f64>) -> Objective {
    Objective {
        deadline_s,
        budget_usd,
        ..Objective::default()
    }
}

fn kept(tried: &[Measures], objective: &Objective) -> Kept {
    keep(tried, objective, |left| left[0])
}

#[test]
fn a_deadline_alone_takes_the_cheapest_and_a_budget_the_quickest() {
    let tried = [
        plan(10.0, 3.0),
        plan(20.0, 2.0),
        plan(20.5, 1.9),
        plan(40.0, 1.0),
    ];
    let at = |deadline, budget| kept(&tried, &within(deadline, budget)).at;
    assert_eq!(at(Some(50.0), None), 3);
    assert_eq!(at(Some(20.2), None), 1);
    assert_eq!(at(Some(10.0), None), 0);
    // 2 % slower counts as equally quick, and is cheaper.
    assert_eq!(at(None, Some(2.5)), 2);
    assert_eq!(at(None, Some(9.0)), 0);
    assert_eq!(at(Some(50.0), Some(9.0)), 0);
}

#[test]
fn what_cannot_be_kept_is_named_and_the_budget_comes_first() {
    let tried = [plan(10.0, 3.0), plan(40.0, 1.0)];
    let none = kept(&tried, &within(Some(5.0), None));
    assert_eq!(
        (none.at, none.missed[0].cap, none.missed[0].best),
        (0, Cap::Deadline, 0)
    );
    // Within the budget there is only the slow one: the deadline is missed, though another plan would keep it.
    let torn = kept(&tried, &within(Some(20.0), Some(2.0)));
    assert_eq!(
        (torn.at, torn.missed[0].cap, torn.missed[0].best),
        (1, Cap::Deadline, 0)
    );
    let both = kept(&tried, &within(Some(5.0), Some(0.5)));
    let caps: Vec<Cap> = both.missed.iter().map(|missed| missed.cap).collect();
    assert_eq!((both.at, caps), (1, vec![Cap::Budget, Cap::Deadline]));
}

#[test]
fn weights_are_exponents() {
    // 20 % cheaper for 30 % longer: cost squared says yes, cost alone no.
    let tried = [plan(10.0, 1.0), plan(13.0, 0.8)];
    let weighted = |time: f64, cost: f64| {
        let weights = Some(Weights {
            time,
            cost,
            ..Weights::default()
        });
        let objective = Objective {
            weights,
            ..Objective::default()
        };
        kept(&tried, &objective).at
    };
    assert_eq!(weighted(1.0, 1.0), 0);
    assert_eq!(weighted(1.0, 2.0), 1);
    assert_eq!(weighted(2.0, 4.0), 1);
}

#[test]
fn everything_wrong_is_said_at_once() {
    let bad = Objective {
        weights: Some(Weights {
            time: -1.0,
            cost: f64::NAN,
            ..Weights::default()
        }),
        deadline_s: Some(0.0),
        budget_usd: Some(f64::INFINITY),
        ..Objective::default()
    };
    let seen: Vec<String> = problems(&bad, "options.objective")
        .iter()
        .map(|p| format!("{} {}: {}", p.code, p.path, p.message))
        .collect();
    assert_eq!(
        seen,
        [
            "FS2020 options.objective.deadline_s: `0` is outside 0.001 to 31536000",
            "FS2020 options.objective.budget_usd: `inf` is outside 0 to 1000000000",
            "FS2020 options.objective.weights.time: `-1` is outside 0 to 1000",
            "FS2020 options.objective.weights.cost: `NaN` is outside 0 to 1000",
        ]
    );
    let weightless = Objective {
        weights: Some(Weights::default()),
        ..Objective::default()
    };
    assert_eq!(problems(&weightless, "o")[0].path, "o.weights");
    assert!(problems(&Objective::default(), "o").is_empty());
}

#[test]
fn a_busy_vcpu_hour_on_graviton_takes_two_watt_hours() {
    let hour = Used {
        held_s: 3_600.0,
        busy_s: 3_600.0,
    };
    let arm = kwh(hour, Architecture::Arm64);
    assert!((arm - 0.001_692_962 * 1.15).abs() < 1e-12);
    let idle = Used {
        busy_s: 0.0,
        ..hour
    };
    assert!(kwh(idle, Architecture::Arm64) < arm / 3.0);
    assert!(kwh(hour, Architecture::X86_64) > arm);
}

fn plans() -> impl Strategy<Value = Vec<Measures>> {
    let one =
        (1_u32..20, 1_u32..20, 1_u32..20, 0_u64..5).prop_map(|(t, c, e, moved_bytes)| Measures {
            time_s: f64::from(t),
            usd: f64::from(c) / 8.0,
            energy_kwh: f64::from(e) / 64.0,
            moved_bytes: moved_bytes * 1_000_000,
        });
    prop::collection::vec(one, 1..40)
}

fn weights() -> impl Strategy<Value = Option<Weights>> {
    prop::option::of(
        (0_u8..4, 0_u8..4).prop_filter_map("a weight", |(time, cost)| {
            (time + cost > 0).then(|| Weights {
                time: f64::from(time),
                cost: f64::from(cost),
                ..Weights::default()
            })
        }),
    )
}

proptest! {
    #[test]
    fn tightening_a_deadline_or_raising_a_budget_is_never_slower(
        tried in plans(),
        weights in weights(),
        deadlines in (0_u32..22, 0_u32..22),
        budgets in (0_u32..22, 0_u32..22),
        fixed in prop::option::of(0_u32..22),
    ) {
        let objective = |deadline: Option<u32>, budget: Option<u32>| Objective {
            weights,
            ..within(deadline.map(f64::from), budget.map(|b| f64::from(b) / 8.0))
        };
        let time = |objective: &Objective| tried[kept(&tried, objective).at].time_s;
        let (tight, loose) = (deadlines.0.min(deadlines.1), deadlines.0.max(deadlines.1));
        prop_assert!(time(&objective(Some(tight), fixed)) <= time(&objective(Some(loose), fixed)));
        let (small, large) = (budgets.0.min(budgets.1), budgets.0.max(budgets.1));
        prop_assert!(time(&objective(fixed, Some(large))) <= time(&objective(fixed, Some(small))));
    }

    #[test]
    fn the_front_is_what_nothing_dominates_and_its_options_give_it(tried in plans()) {
        let worse = |a: &Measures, b: &Measures| {
            a != b
                && a.time_s >= b.time_s
                && a.usd >= b.usd
                && a.energy_kwh >= b.energy_kwh
                && a.moved_bytes >= b.moved_bytes
        };
        let front = front(&tried);
        for (at, mine) in tried.iter().enumerate() {
            let dominated = tried.iter().any(|other| worse(mine, other));
            let shown = front.iter().any(|&f| tried[f] == *mine);
            prop_assert_eq!(shown, !dominated, "plan {}", at);
        }
        for &at in &front {
            let objective = options_for(&tried[at], |o| kept(&tried, o).at == at);
            prop_assert_eq!(kept(&tried, &objective).at, at, "{:?}", objective);
        }
    }

    #[test]
    fn what_is_left_out_of_a_front_is_near_to_what_is_left(tried in plans(), wanted in 0_usize..30) {
        let plans: Vec<Measures> = front(&tried).into_iter().map(|at| tried[at]).collect();
        let left = thinned(&plans, |at| at == wanted);
        prop_assert!(wanted >= plans.len() || left.contains(&wanted));
        let near = |mine: f64, theirs: f64| theirs <= mine * (1.0 + MARGIN);
        for mine in &plans {
            let shown = left.iter().map(|&at| &plans[at]).any(|theirs| {
                near(mine.time_s, theirs.time_s)
                    && near(mine.usd, theirs.usd)
                    && near(mine.energy_kwh, theirs.energy_kwh)
                    && near(mine.moved_bytes as f64, theirs.moved_bytes as f64)
            });
            prop_assert!(shown, "{:?} of {:?}", mine, plans);
        }
    }

    #[test]
    fn weighing_cost_alone_is_never_dearer_than_weighing_anything_else(
        tried in plans(),
        weights in weights(),
    ) {
        let cost = Objective {
            weights: Some(Weights { cost: 1.0, ..Weights::default() }),
            ..Objective::default()
        };
        let other = Objective { weights, ..Objective::default() };
        prop_assert!(tried[kept(&tried, &cost).at].usd <= tried[kept(&tried, &other).at].usd);
    }
}

/// The limit that is printed for a plan, of these times and at the same cost otherwise.
fn limit(times: &[f64], at: usize) -> Option<f64> {
    let plan = |time_s: &f64| Measures {
        time_s: *time_s,
        usd: 1.0 / (time_s * time_s),
        energy_kwh: 1.0 / time_s,
        moved_bytes: 1_000_000 - (time_s * 1_000.0) as u64,
    };
    let tried: Vec<Measures> = times.iter().map(plan).collect();
    options_for(&tried[at], |o| kept(&tried, o).at == at).deadline_s
}

#[test]
fn limits_have_as_few_digits_as_give_the_plan() {
    let times = [10.0, 31.415_926_535, 31.415_99, 44.0, 60.0];
    assert_eq!(limit(&times, 1), Some(31.415_93));
    assert_eq!(limit(&times, 2), Some(32.0));
    assert_eq!(limit(&times, 3), Some(44.0));
}
