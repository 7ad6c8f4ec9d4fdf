//! Draws from distributions that are given by quantiles, without functions whose last digit differs between machines.

use foreshard_fakes::Seeded;

/// Quantiles: probability and value, ascending, from 0 to 1; straight lines between them.
pub(crate) type Quantiles = &'static [(f64, f64)];

/// A value of the distribution.
pub(crate) fn draw(draws: &mut Seeded, of: Quantiles) -> f64 {
    /// 2^53: the whole numbers that a `f64` holds exactly.
    const STEPS: u64 = 1 << 53;
    at(of, draws.below(STEPS) as f64 / STEPS as f64)
}

/// The value at a probability.
pub(crate) fn at(of: Quantiles, probability: f64) -> f64 {
    let mut before = of.first().copied().unwrap_or_default();
    for &(p, value) in of {
        if probability <= p {
            let share = (probability - before.0) / (p - before.0).max(f64::EPSILON);
            return before.1 + share * (value - before.1);
        }
        before = (p, value);
    }
    before.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_met() {
        let of: Quantiles = &[(0.0, 1.0), (0.5, 2.0), (1.0, 10.0)];
        assert_eq!(
            [0.0, 0.25, 0.5, 0.75, 1.0].map(|p| at(of, p)),
            [1.0, 1.5, 2.0, 6.0, 10.0]
        );
        let mut draws = Seeded::new(7, "quantiles");
        let below = (0..10_000).filter(|_| draw(&mut draws, of) < 2.0).count();
        assert!((4_800..5_200).contains(&below), "{below}");
    }
}
