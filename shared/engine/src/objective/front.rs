//! The Pareto front: the plans that no other is better than in everything, each with the options that give it.

use foreshard_model::objective::{Objective, Weights};

use super::choice::Measures;

/// Positions of the plans that no other dominates, quickest first; of equal ones the first.
///
/// A plan dominates another that is no better in any measure, and worse in one. H. T. Kung, F. Luccio, F. P. Preparata, "On
/// finding the maxima of a set of vectors", J. ACM 22 (1975), 469, for how this would be done with many.
///
/// # Complexity
///
/// O(plans²): about a hundred are tried.
#[must_use]
pub fn front(tried: &[Measures]) -> Vec<usize> {
    let mut front: Vec<usize> = (0..tried.len())
        .filter(|&at| {
            let mine = tried[at].vector();
            !tried.iter().enumerate().any(|(other, theirs)| {
                let theirs = theirs.vector();
                let none_worse = theirs.iter().zip(&mine).all(|(t, m)| t <= m);
                none_worse && (theirs != mine || other < at)
            })
        })
        .collect();
    front.sort_by(|&a, &b| {
        let (a_time, b_time) = (tried[a].time_s, tried[b].time_s);
        a_time.total_cmp(&b_time).then(a.cmp(&b))
    });
    front
}

impl Measures {
    fn vector(&self) -> [f64; 4] {
        [
            self.time_s,
            self.usd,
            self.energy_kwh,
            self.moved_bytes as f64,
        ]
    }
}

/// The simplest objective that `gives` the plan of the front with these measures.
///
/// Limits have as few digits as give the plan. The last one tried limits everything to what the plan takes and weighs the cost:
/// whatever keeps all four limits and is not the plan itself would dominate it.
#[must_use]
pub fn options_for(measures: &Measures, gives: impl Fn(&Objective) -> bool) -> Objective {
    let simple = [
        Objective::default(),
        weighing(1.0, 0.0, 0.0, 0.0),
        weighing(0.0, 1.0, 0.0, 0.0),
        weighing(0.0, 0.0, 1.0, 0.0),
        weighing(0.0, 0.0, 0.0, 1.0),
        weighing(1.0, 1.0, 0.0, 0.0),
    ];
    let limited = (0..LIMITS).flat_map(|kind| {
        let digits = DIGITS.0..=DIGITS.1;
        digits.map(move |digits| limits(measures, digits)[kind].clone())
    });
    simple
        .into_iter()
        .chain(limited)
        .find(|objective| gives(objective))
        .unwrap_or_else(|| limits(measures, DIGITS.1)[LIMITS - 1].clone())
}

fn weighing(time: f64, cost: f64, energy: f64, locality: f64) -> Objective {
    Objective {
        weights: Some(Weights {
            time,
            cost,
            energy,
            locality,
        }),
        ..Objective::default()
    }
}

/// Ways to limit a plan to what it takes.
const LIMITS: usize = 5;

/// The plan's limits with so many digits, the simplest first; the last limits everything.
fn limits(measures: &Measures, digits: i32) -> [Objective; LIMITS] {
    let up = |value| rounded_up(value, digits);
    let moved = measures.moved_bytes;
    let moved = Some(moved.max(up(moved as f64) as u64));
    let within_time = Objective {
        deadline_s: Some(up(measures.time_s)),
        ..Objective::default()
    };
    let within_money = Objective {
        budget_usd: Some(up(measures.usd)),
        ..Objective::default()
    };
    let energy = Some(up(measures.energy_kwh));
    [
        within_time.clone(),
        within_money.clone(),
        Objective {
            energy_kwh_max: energy,
            ..within_time.clone()
        },
        Objective {
            moved_bytes_max: moved,
            ..within_time.clone()
        },
        Objective {
            deadline_s: within_time.deadline_s,
            budget_usd: within_money.budget_usd,
            energy_kwh_max: energy,
            moved_bytes_max: moved,
            ..weighing(0.0, 1.0, 0.0, 0.0)
        },
    ]
}

/// Digits that a limit is printed with: as few as give the plan, at most what tells any two numbers apart.
const DIGITS: (i32, i32) = (2, 17);

/// The nearest number of so many digits that is not smaller.
fn rounded_up(value: f64, digits: i32) -> f64 {
    if value <= 0.0 || digits >= DIGITS.1 {
        return value;
    }
    let behind = (digits - 1) as usize;
    let near = |value: f64| format!("{value:.behind$e}").parse().unwrap_or(value);
    let rounded: f64 = near(value);
    if rounded >= value {
        return rounded;
    }
    let unit = 10_f64.powi(value.log10().floor() as i32 - (digits - 1));
    near(rounded + unit).max(value)
}

/// Plans closer than this share in everything count as the same to a reader.
pub const MARGIN: f64 = 0.05;

/// Of some plans those that differ: no plan left out is better by more than [`MARGIN`] in anything than one that is left. The
/// best in each measure stay, and so do those `wanted`.
///
/// M. Laumanns, L. Thiele, K. Deb, E. Zitzler, "Combining convergence and diversity in evolutionary multiobjective
/// optimization", Evolutionary Computation 10 (2002), 263: epsilon-dominance.
#[must_use]
pub fn thinned(plans: &[Measures], wanted: impl Fn(usize) -> bool) -> Vec<usize> {
    let vectors: Vec<[f64; 4]> = plans.iter().map(Measures::vector).collect();
    let mut kept: Vec<usize> = (0..plans.len()).filter(|&at| wanted(at)).collect();
    let least = |measure: usize| {
        (0..plans.len()).min_by(|&a, &b| vectors[a][measure].total_cmp(&vectors[b][measure]))
    };
    kept.extend((0..4).filter_map(least));
    for (at, mine) in vectors.iter().enumerate() {
        let near = |theirs: &[f64; 4]| {
            theirs
                .iter()
                .zip(mine)
                .all(|(t, m)| *t <= m * (1.0 + MARGIN))
        };
        if !kept.iter().any(|&other| near(&vectors[other])) {
            kept.push(at);
        }
    }
    kept.sort_unstable();
    kept.dedup();
    kept
}
