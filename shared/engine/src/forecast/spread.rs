//! How far the next horizon may lie from its forecast, by a few horizons that came: the errors of one go together.

use super::ground::Ground;
use super::judge::Verdict;
use super::numbers::{mean, quantile};

/// Fewest horizons that say how horizons differ.
const HORIZONS_MIN: usize = 3;
/// Most degrees of freedom of the distribution that a horizon's error is drawn from. As many as horizons less one would suit errors that are
/// normal; but levels shift from day to day, and a shift is now and then far larger than those before.
const FREEDOM_MAX: usize = 3;
/// Errors within horizons are read at so many quantiles: more change no digit that counts.
const WITHIN: usize = 200;
/// Halvings of the interval that a quantile is looked for in: to a millionth of it.
const HALVINGS: usize = 20;

/// What to add to each quantile of a model, so that its share of the next horizon's rows is expected below it.
///
/// A row's error is that of its horizon, and what is its own. The first is drawn around zero, with a variance that so few
/// horizons tell only roughly, and with a heavy tail: by Student's distribution. The second is as it was. None where there are too few horizons.
pub fn shifts(ground: &Ground, verdict: &Verdict, quantiles: &[f64]) -> Option<Vec<f64>> {
    let held = &verdict.held;
    let far = |q: &f64| (q - 0.5).abs();
    let middle = quantiles
        .iter()
        .enumerate()
        .min_by(|a, b| far(a.1).total_cmp(&far(b.1)))?
        .0;
    let errors = |at: usize, number: usize| {
        let origin = held.origins[number];
        let came = &ground.values[origin..origin + held.horizon];
        let said = &verdict.answers[number][at];
        came.iter()
            .zip(said)
            .map(|(came, said)| came - said)
            .filter(|error| !error.is_nan())
    };
    let of_horizon = |number: usize| Some((number, mean(errors(middle, number))?));
    let own: Vec<(usize, f64)> = (0..held.origins.len()).filter_map(of_horizon).collect();
    if own.len() < HORIZONS_MIN {
        return None;
    }
    let count = own.len() as f64;
    let variance = own.iter().map(|(_, error)| error * error).sum::<f64>() / count;
    let scale = (variance * (1.0 + 1.0 / count)).sqrt();
    let freedom = (own.len() - 1).min(FREEDOM_MAX);
    let shift = |(at, q): (usize, &f64)| {
        let within = own
            .iter()
            .flat_map(|&(number, horizon)| errors(at, number).map(move |error| error - horizon));
        let mut within: Vec<f64> = within.collect();
        within.sort_by(f64::total_cmp);
        joined(&within, scale, freedom, *q)
    };
    Some(quantiles.iter().enumerate().map(shift).collect())
}

/// A quantile of the sum of what is distributed as `ascending` and of Student's distribution times `scale`.
fn joined(ascending: &[f64], scale: f64, freedom: usize, q: f64) -> f64 {
    let points = ascending.len().min(WITHIN);
    let part = |at: usize| quantile(ascending, (at as f64 + 0.5) / points as f64).unwrap_or(0.0);
    let within: Vec<f64> = (0..points).map(part).collect();
    let (Some(least), Some(most)) = (within.first(), within.last()) else {
        return 0.0;
    };
    if scale <= 0.0 {
        return quantile(ascending, q).unwrap_or(0.0);
    }
    let below = |x: f64| {
        let each = within.iter().map(|w| student((x - w) / scale, freedom));
        each.sum::<f64>() / points as f64
    };
    let tail = scale * furthest(freedom, q);
    let (mut low, mut high) = (least - tail, most + tail);
    for _ in 0..HALVINGS {
        let half = (low + high) / 2.0;
        if below(half) < q {
            low = half;
        } else {
            high = half;
        }
    }
    (low + high) / 2.0
}

/// A bound of the quantile and of its mirror image.
fn furthest(freedom: usize, q: f64) -> f64 {
    let outer = q.max(1.0 - q);
    let mut bound = 1.0;
    while student(bound, freedom) < outer && bound < 1e6 {
        bound *= 2.0;
    }
    bound
}

/// Student's distribution function for whole degrees of freedom (M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions",
/// 26.7.3 and 26.7.4).
fn student(t: f64, freedom: usize) -> f64 {
    let root = (freedom as f64).sqrt();
    let (sine, cosine) = (t / t.hypot(root), root / t.hypot(root));
    let mut sum = 0.0;
    let odd = freedom % 2 == 1;
    let (mut term, mut above) = if odd { (cosine, 2.0) } else { (1.0, 1.0) };
    for _ in 0..freedom / 2 {
        sum += term;
        term *= cosine * cosine * above / (above + 1.0);
        above += 2.0;
    }
    let within = if odd {
        (t.atan2(root) + sine * sum) * std::f64::consts::FRAC_2_PI
    } else {
        sine * sum
    };
    0.5 + within / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_distribution_is_that_of_the_tables() {
        // Upper 0.95 and 0.99 points by degrees of freedom: 1, 2, 3, 6, 7.
        let tables = [
            (1, 6.3138, 31.8205),
            (2, 2.9200, 6.9646),
            (3, 2.3534, 4.5407),
            (6, 1.9432, 3.1427),
            (7, 1.8946, 2.9980),
        ];
        for (freedom, at_95, at_99) in tables {
            assert!((student(at_95, freedom) - 0.95).abs() < 1e-5, "{freedom}");
            assert!((student(at_99, freedom) - 0.99).abs() < 1e-5, "{freedom}");
            assert!((student(-at_99, freedom) - 0.01).abs() < 1e-5, "{freedom}");
            assert!((student(0.0, freedom) - 0.5).abs() < 1e-12);
        }
    }

    #[test]
    fn a_sum_has_the_quantiles_of_its_parts_where_there_is_one() {
        let ascending: Vec<f64> = (0..1_001).map(|n| f64::from(n) / 1000.0).collect();
        assert!((joined(&ascending, 0.0, 6, 0.9) - 0.9).abs() < 1e-9);
        assert!((joined(&[0.0; 50], 2.0, 6, 0.95) - 2.0 * 1.9432).abs() < 1e-2);
        assert!((joined(&[0.0; 50], 2.0, 6, 0.05) + 2.0 * 1.9432).abs() < 1e-2);
        // Both: wider than either.
        assert!(joined(&ascending, 0.5, 6, 0.99) > 0.5 + 0.5 * 1.9432);
        assert!(joined(&[], 1.0, 6, 0.9).abs() < 1e-12);
    }
}
