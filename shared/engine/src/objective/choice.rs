//! The choice among plans that were tried: limits first, then the weights.

use foreshard_model::objective::{Objective, Weights};

/// What a plan is compared by. Time and dollars are the pessimistic ends of their intervals: nine of ten runs stay below.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Measures {
    /// Duration of the run, in seconds.
    pub time_s: f64,
    /// Dollars.
    pub usd: f64,
    /// Energy, in kilowatt-hours.
    pub energy_kwh: f64,
    /// Bytes that move between shards.
    pub moved_bytes: u64,
}

/// A limit that an objective can have, in the order in which limits are served when not all can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cap {
    /// Dollars.
    Budget,
    /// Duration.
    Deadline,
    /// Energy.
    Energy,
    /// Bytes moved.
    Moved,
}

/// The order of [`Cap`].
const CAPS: [Cap; 4] = [Cap::Budget, Cap::Deadline, Cap::Energy, Cap::Moved];

impl Cap {
    /// The limit, where the objective has it.
    #[must_use]
    pub fn limit(self, objective: &Objective) -> Option<f64> {
        match self {
            Self::Budget => objective.budget_usd,
            Self::Deadline => objective.deadline_s,
            Self::Energy => objective.energy_kwh_max,
            Self::Moved => objective.moved_bytes_max.map(|bytes| bytes as f64),
        }
    }

    /// What it limits.
    #[must_use]
    pub fn of(self, measures: &Measures) -> f64 {
        match self {
            Self::Budget => measures.usd,
            Self::Deadline => measures.time_s,
            Self::Energy => measures.energy_kwh,
            Self::Moved => measures.moved_bytes as f64,
        }
    }
}

/// A limit that the kept plan does not keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Missed {
    /// Which.
    pub cap: Cap,
    /// The limit.
    pub limit: f64,
    /// The best of all plans, whatever else they would break: a position.
    pub best: usize,
}

/// Which plan is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// A position.
    pub at: usize,
    /// The limits that it does not keep.
    pub missed: Vec<Missed>,
}

/// A plan within this share of the quickest, and [`ABOUT_S`], counts as equally quick: nobody spends a budget on less.
const ABOUT: f64 = 1.05;
/// See [`ABOUT`].
const ABOUT_S: f64 = 0.05;

/// Below a MiB nobody counts bytes; and a weight needs something to weigh.
const MOVED_LEAST: f64 = 1_048_576.0;

/// Keeps one of the plans, of which there is at least one.
///
/// Limits are served in the order budget, deadline, energy, bytes. Where none of the plans left keeps a limit, those that come
/// nearest are left. Among what remains the weights decide; without weights a budget keeps the cheapest of those about as
/// quick as the quickest, a deadline alone the cheapest, and anything else what `usual` takes.
///
/// Tightening a deadline never takes a slower plan, and raising a budget neither: the plans tried are the same, only more of
/// them are left, and a plan that the smaller limit left out is quicker (deadline) or dearer (budget) than those it left in.
#[must_use]
pub fn keep(
    tried: &[Measures],
    objective: &Objective,
    usual: impl FnOnce(&[usize]) -> usize,
) -> Kept {
    let mut left: Vec<usize> = (0..tried.len()).collect();
    let mut missed = Vec::new();
    for cap in CAPS {
        let Some(limit) = cap.limit(objective) else {
            continue;
        };
        let of = |at: &usize| cap.of(&tried[*at]);
        let kept: Vec<usize> = left.iter().copied().filter(|at| of(at) <= limit).collect();
        if kept.is_empty() {
            let least = left.iter().map(of).fold(f64::INFINITY, f64::min);
            left.retain(|at| of(at) <= least);
            missed.push(Missed {
                cap,
                limit,
                best: first_by(0..tried.len(), |at| [cap.of(&tried[at]), tried[at].time_s]),
            });
        } else {
            left = kept;
        }
    }
    let tie = |at: usize| [tried[at].usd, tried[at].time_s, tried[at].energy_kwh];
    let at = if let Some(weights) = objective.weights {
        first_by(left.iter().copied(), |at| {
            let [usd, time_s, kwh] = tie(at);
            [score(&tried[at], &weights), usd, time_s, kwh]
        })
    } else if objective.budget_usd.is_some() {
        let quickest = left.iter().map(|&at| tried[at].time_s);
        let about = quickest.fold(f64::INFINITY, f64::min) * ABOUT + ABOUT_S;
        let quick = left.iter().copied().filter(|&at| tried[at].time_s <= about);
        first_by(quick, tie)
    } else if objective.deadline_s.is_some() {
        first_by(left.iter().copied(), tie)
    } else {
        usual(&left)
    };
    Kept { at, missed }
}

/// Whether a plan keeps every limit.
#[must_use]
pub fn met(measures: &Measures, objective: &Objective) -> bool {
    CAPS.iter().all(|cap| {
        cap.limit(objective)
            .is_none_or(|limit| cap.of(measures) <= limit)
    })
}

/// Logarithm of the weighted product.
fn score(measures: &Measures, weights: &Weights) -> f64 {
    let terms = [
        (weights.time, measures.time_s),
        (weights.cost, measures.usd),
        (weights.energy, measures.energy_kwh),
        (weights.locality, measures.moved_bytes as f64 + MOVED_LEAST),
    ];
    terms
        .into_iter()
        .filter(|(weight, _)| *weight > 0.0)
        .map(|(weight, value)| weight * value.max(f64::MIN_POSITIVE).ln())
        .sum()
}

/// The first of the positions with the least key; 0 when there is none.
fn first_by<const N: usize>(
    positions: impl IntoIterator<Item = usize>,
    key: impl Fn(usize) -> [f64; N],
) -> usize {
    positions
        .into_iter()
        .min_by(|&a, &b| {
            let (a_key, b_key) = (key(a), key(b));
            let pairs = a_key.iter().zip(&b_key);
            pairs
                .map(|(x, y)| x.total_cmp(y))
                .fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
                .then(a.cmp(&b))
        })
        .unwrap_or(0)
}
