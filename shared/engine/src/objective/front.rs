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
/// The last one tried limits everything to what the plan takes and weighs the cost: whatever keeps all four limits and is not
/// the plan itself would dominate it.
#[must_use]
pub fn options_for(measures: &Measures, gives: impl Fn(&Objective) -> bool) -> Objective {
    let only = |time: f64, cost: f64, energy: f64, locality: f64| Objective {
        weights: Some(Weights {
            time,
            cost,
            energy,
            locality,
        }),
        ..Objective::default()
    };
    let within_time = |deadline_s| Objective {
        deadline_s: Some(deadline_s),
        ..Objective::default()
    };
    let within_money = |budget_usd| Objective {
        budget_usd: Some(budget_usd),
        ..Objective::default()
    };
    let everything = Objective {
        deadline_s: Some(measures.time_s),
        budget_usd: Some(measures.usd),
        energy_kwh_max: Some(measures.energy_kwh),
        moved_bytes_max: Some(measures.moved_bytes),
        ..only(0.0, 1.0, 0.0, 0.0)
    };
    let simple = [
        Objective::default(),
        only(1.0, 0.0, 0.0, 0.0),
        only(0.0, 1.0, 0.0, 0.0),
        only(0.0, 0.0, 1.0, 0.0),
        only(0.0, 0.0, 0.0, 1.0),
        only(1.0, 1.0, 0.0, 0.0),
        within_time(rounded_up(measures.time_s)),
        within_time(measures.time_s),
        within_money(rounded_up(measures.usd)),
        within_money(measures.usd),
        Objective {
            energy_kwh_max: Some(measures.energy_kwh),
            ..within_time(measures.time_s)
        },
        Objective {
            moved_bytes_max: Some(measures.moved_bytes),
            ..within_time(measures.time_s)
        },
    ];
    simple
        .into_iter()
        .find(|objective| gives(objective))
        .unwrap_or(everything)
}

/// The next number of three digits.
fn rounded_up(value: f64) -> f64 {
    if value <= 0.0 {
        return value;
    }
    let unit = 10_f64.powf(value.log10().floor() - 2.0);
    let text = format!("{:.2e}", (value / unit).ceil() * unit);
    text.parse().unwrap_or(value)
}
