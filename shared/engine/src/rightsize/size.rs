//! Chooses among sizes by a curve: the cheapest, the quickest, or the cheapest that is nearly as quick; explores where that pays.

use foreshard_model::units::Mib;

use super::curve::Curve;

/// For so much more money the faster size is taken: where duration is in proportion to memory, all sizes cost the same.
const CHEAP_ENOUGH: f64 = 0.01;

/// "Nearly as quick" is within this factor of the quickest.
pub const BALANCED_WITHIN: f64 = 1.2;

/// A size that is quicker by less than this share is not worth more money.
const QUICK_ENOUGH: f64 = 0.1;

/// What a size is chosen for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// The least money.
    Cost,
    /// The least time.
    Speed,
    /// The least money within [`BALANCED_WITHIN`] of the least time.
    #[default]
    Balanced,
}

/// The size for an aim, among `sizes`; `None` where there are none.
///
/// Cost is memory × duration: the price of an invocation is the same for all. The cheapest is the one that is expected to be least
/// dearer than whatever turns out to be the cheapest, over all curves that fit.
#[must_use]
pub fn choose(curve: &Curve, sizes: &[Mib], aim: Aim) -> Option<Mib> {
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable();
    sizes.dedup();
    let quickest = sizes.iter().map(|&size| curve.expected_ms(size));
    let quickest = quickest.fold(f64::INFINITY, f64::min);
    match aim {
        Aim::Cost => {
            let dearer = dearer(curve, &sizes);
            let least = dearer.iter().copied().fold(f64::INFINITY, f64::min);
            let enough = |at: &usize| dearer[*at] <= least * (1.0 + CHEAP_ENOUGH);
            (0..sizes.len()).rev().find(enough).map(|at| sizes[at])
        }
        Aim::Speed => cheapest_within(curve, &sizes, quickest * (1.0 + QUICK_ENOUGH)),
        Aim::Balanced => cheapest_within(curve, &sizes, quickest * BALANCED_WITHIN),
    }
}

/// For each size: how many times as dear as the cheapest it is expected to be.
fn dearer(curve: &Curve, sizes: &[Mib]) -> Vec<f64> {
    let cost = |ms: &[f64], at: usize| ms[at] * f64::from(sizes[at].0);
    let of = |at: usize| {
        curve.mean(sizes, |ms| {
            let least = (0..ms.len()).map(|at| cost(ms, at));
            cost(ms, at) / least.fold(f64::INFINITY, f64::min)
        })
    };
    (0..sizes.len()).map(of).collect()
}

fn cheapest_within(curve: &Curve, sizes: &[Mib], most_ms: f64) -> Option<Mib> {
    let cost = |size: &Mib| curve.expected_ms(*size) * f64::from(size.0);
    let quick = sizes
        .iter()
        .filter(|&&size| curve.expected_ms(size) <= most_ms);
    quick.min_by(|a, b| cost(a).total_cmp(&cost(b))).copied()
}

/// What trying a neighbouring size would bring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// The size to try once.
    pub size: Mib,
    /// Expected gain over the runs to come, as a share of what one run costs today.
    pub gain: f64,
    /// Expected loss of the one try, likewise.
    pub loss: f64,
}

/// The neighbour of `chosen` that is worth one try in `runs` runs to come, if any; `seen` are sizes that were tried already.
///
/// What is compared is money, or time where the aim is speed. A try tells which of the curves holds, so the gain is that of
/// staying where that is better and of going back where it is not: E[max(0, today - tried)] for each run after it.
#[must_use]
pub fn explore(
    curve: &Curve,
    sizes: &[Mib],
    chosen: Mib,
    seen: &[Mib],
    aim: Aim,
    runs: f64,
) -> Option<Trial> {
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable();
    sizes.dedup();
    let at = sizes.iter().position(|&size| size == chosen)?;
    let neighbours = [at.checked_sub(1), Some(at + 1)];
    let untried = neighbours
        .into_iter()
        .flatten()
        .filter_map(|at| sizes.get(at))
        .filter(|size| !seen.contains(size));
    let trial = |&size: &Mib| {
        let pair = [chosen, size];
        let better = |ms: &[f64]| match aim {
            Aim::Speed => 1.0 - ms[1] / ms[0],
            Aim::Cost | Aim::Balanced => {
                1.0 - ms[1] * f64::from(size.0) / (ms[0] * f64::from(chosen.0))
            }
        };
        Trial {
            size,
            gain: curve.mean(&pair, |ms| better(ms).max(0.0)) * (runs - 1.0).max(0.0),
            loss: curve.mean(&pair, |ms| (-better(ms)).max(0.0)),
        }
    };
    let best = untried
        .map(trial)
        .filter(|trial| trial.gain > trial.loss && trial.gain.is_finite());
    best.max_by(|a, b| (a.gain - a.loss).total_cmp(&(b.gain - b.loss)))
}
