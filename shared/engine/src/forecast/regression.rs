//! Quantile regression: the line that a given share of the points lies below.

use super::numbers::quantile;

/// Steps of reweighting from nothing, the first of them plain least squares; the coefficients move in the third digit after ten.
const STEPS_COLD: usize = 11;
/// Steps from the coefficients of a neighbouring fit.
const STEPS_WARM: usize = 7;
/// Distances below this count as this: the first step's, lowered by a third each step.
const NEAR_FIRST: f64 = 0.05;
/// The last step's.
const NEAR_LAST: f64 = 0.002;

/// Rows of equal length, one after another, and what they should give.
#[derive(Debug, Default, Clone)]
pub struct Points {
    /// Row by row.
    pub rows: Vec<f64>,
    /// Length of a row.
    pub width: usize,
    /// One for each row.
    pub targets: Vec<f64>,
    /// One for each row: how much it counts.
    pub weights: Vec<f64>,
}

/// Coefficients such that a share `q` of the targets lies below row × coefficients, as nearly as the ridge allows, which draws them
/// to zero. The last column is a constant. `start`: coefficients to begin with.
///
/// Iteratively reweighted least squares on the check function (K. Lange, D. Hunter, "Quantile regression via an MM algorithm",
/// JCGS 2000).
///
/// # Complexity
/// Steps × rows × width² / 2.
pub fn fit(points: &Points, q: f64, ridge: f64, start: Option<&[f64]>) -> Vec<f64> {
    let width = points.width;
    let mut found = start.map_or_else(|| vec![0.0; width], <[f64]>::to_vec);
    let steps = if start.is_some() {
        STEPS_WARM
    } else {
        STEPS_COLD
    };
    let mut near = NEAR_FIRST;
    let mut system = System::new(width);
    for step in 0..steps {
        system.clear();
        for ((row, &target), &weight) in points
            .rows
            .chunks_exact(width)
            .zip(&points.targets)
            .zip(&points.weights)
        {
            // The first step from nothing is plain least squares.
            let pull = if step == 0 && start.is_none() {
                weight
            } else {
                let off = target - dot(row, &found);
                let side = if off > 0.0 { q } else { 1.0 - q };
                weight * side / off.abs().max(near)
            };
            system.add(row, target, pull);
        }
        let Some(next) = system.solve(ridge * points.targets.len() as f64) else {
            break;
        };
        found = next;
        near = (near * 0.67).max(NEAR_LAST);
    }
    level(points, q, &mut found);
    found
}

/// Moves the constant, the last column, so that exactly a share `q` of the targets lies below: steps end before that is so far out.
fn level(points: &Points, q: f64, found: &mut [f64]) {
    let rows = points.rows.chunks_exact(points.width);
    let mut off: Vec<f64> = rows
        .zip(&points.targets)
        .map(|(row, target)| target - dot(row, found))
        .collect();
    off.sort_by(f64::total_cmp);
    let constant = points.rows.get(points.width - 1).copied().unwrap_or(0.0);
    if let (Some(by), true) = (quantile(&off, q), constant != 0.0) {
        found[points.width - 1] += by / constant;
    }
}

/// Sum of products.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Normal equations, lower triangle.
struct System {
    width: usize,
    matrix: Vec<f64>,
    right: Vec<f64>,
}

impl System {
    fn new(width: usize) -> Self {
        Self {
            width,
            matrix: vec![0.0; width * width],
            right: vec![0.0; width],
        }
    }

    fn clear(&mut self) {
        self.matrix.fill(0.0);
        self.right.fill(0.0);
    }

    fn add(&mut self, row: &[f64], target: f64, weight: f64) {
        for (at, &value) in row.iter().enumerate() {
            let pulled = value * weight;
            if pulled == 0.0 {
                continue;
            }
            self.right[at] += pulled * target;
            let into = &mut self.matrix[at * self.width..at * self.width + at + 1];
            for (cell, other) in into.iter_mut().zip(row) {
                *cell += pulled * other;
            }
        }
    }

    /// By Cholesky; none where the numbers are not finite.
    fn solve(&mut self, ridge: f64) -> Option<Vec<f64>> {
        let n = self.width;
        for at in 0..n {
            self.matrix[at * n + at] += ridge.max(1e-9);
        }
        for row in 0..n {
            for column in 0..=row {
                let (above, below) = self.matrix.split_at_mut(row * n);
                let known = if column == row {
                    let own = &below[..column];
                    dot(own, own)
                } else {
                    dot(&below[..column], &above[column * n..column * n + column])
                };
                let value = below[column] - known;
                below[column] = if column == row {
                    if value.is_nan() || value <= 0.0 {
                        return None;
                    }
                    value.sqrt()
                } else {
                    value / above[column * n + column]
                };
            }
        }
        let mut found = self.right.clone();
        for row in 0..n {
            let known = dot(&found[..row], &self.matrix[row * n..row * n + row]);
            found[row] = (found[row] - known) / self.matrix[row * n + row];
        }
        for row in (0..n).rev() {
            let known: f64 = (row + 1..n)
                .map(|r| found[r] * self.matrix[r * n + row])
                .sum();
            found[row] = (found[row] - known) / self.matrix[row * n + row];
        }
        found.iter().all(|v| v.is_finite()).then_some(found)
    }
}
