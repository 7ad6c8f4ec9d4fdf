//! What some numbers say of the next one like them: order statistics, and an exponential tail beyond the outermost.

use super::numbers::{mean, quantile};

/// How far beyond the outermost number a quantile lies at most, in mean excesses of the outer half: fewer than five numbers tell nothing
/// of what is further out.
const BEYOND_MAX: f64 = 5.0;

/// What the next number is expected to lie below with chance `q`: of n ascending ones the one with rank q × (n + 1), by straight lines
/// between them; none of none.
///
/// Beyond the outermost their outer half is taken for the beginning of an exponential tail, whose scale so few tell only roughly: its
/// predictive distribution is a Pareto's (J. F. Lawless, "Statistical Models and Methods for Lifetime Data", 2003, chapter 4).
pub fn next(ascending: &[f64], q: f64) -> Option<f64> {
    let (first, last) = (ascending.first()?, ascending.last()?);
    let count = ascending.len();
    let rank = q * (count as f64 + 1.0);
    if rank > count as f64 {
        return Some(last + beyond(ascending, 1.0 - q));
    }
    if rank < 1.0 {
        let mirrored: Vec<f64> = ascending.iter().rev().map(|v| -v).collect();
        return Some(first - beyond(&mirrored, q));
    }
    quantile(ascending, (rank - 1.0) / (count as f64 - 1.0).max(1.0))
}

/// How far above the last number the next one lies with no more than this chance.
fn beyond(ascending: &[f64], chance: f64) -> f64 {
    let count = ascending.len();
    let outer = count.div_ceil(2);
    let Some(threshold) = count.checked_sub(outer + 1).map(|at| ascending[at]) else {
        return 0.0;
    };
    let excess = mean(ascending[count - outer..].iter().map(|v| v - threshold)).unwrap_or(0.0);
    let rarer = 1.0 / ((count as f64 + 1.0) * chance);
    let far = outer as f64 * (rarer.powf(1.0 / outer as f64) - 1.0);
    excess * far.min(BEYOND_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_one_more() {
        let nine: Vec<f64> = (1..10).map(f64::from).collect();
        assert_eq!(next(&nine, 0.5), Some(5.0));
        assert_eq!(next(&nine, 0.9), Some(9.0));
        assert_eq!(next(&nine, 0.1), Some(1.0));
        assert_eq!(next(&nine, 0.85), Some(8.5));
        assert_eq!(next(&[], 0.5), None);
        assert_eq!(next(&[7.0], 0.99), Some(7.0));
        assert_eq!(next(&[7.0], 0.5), Some(7.0));
    }

    #[test]
    fn beyond_the_outermost_it_is_further_the_fewer_there_are() {
        // The outer five of nine lie 3 above the fourth in the mean: 5 × (10^(1/5) − 1) of that.
        let nine: Vec<f64> = (1..10).map(f64::from).collect();
        let far = 3.0 * 5.0 * (10.0_f64.powf(0.2) - 1.0);
        assert!((next(&nine, 0.99).unwrap() - 9.0 - far).abs() < 1e-9);
        assert!((next(&nine, 0.01).unwrap() - 1.0 + far).abs() < 1e-9);
        assert_eq!(next(&[1.0, 2.0], 0.99), Some(2.0 + BEYOND_MAX));
        assert_eq!(next(&[1.0, 2.0], 1.0), Some(2.0 + BEYOND_MAX));
        assert_eq!(next(&[3.0; 20], 0.99), Some(3.0));
    }
}
