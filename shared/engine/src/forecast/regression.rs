//! Quantile regression: the line that a given share of the points lies below.

use super::numbers::quantile;

/// Steps of reweighting after plain least squares; the coefficients move in the third digit after ten.
const STEPS_COLD: usize = 10;
/// Steps from the coefficients of a neighbouring fit.
const STEPS_WARM: usize = 7;
/// Distances below this count as this: the first step's, lowered by a third each step.
const NEAR_FIRST: f64 = 0.05;
/// By what it is lowered.
const NEARER: f64 = 0.67;
/// The last step's.
const NEAR_LAST: f64 = 0.002;

/// Rows that are taken at once: each cell of the sums is then read and written once for all of them.
const BLOCK: usize = 4;

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

impl Points {
    fn row(&self, number: usize) -> &[f64] {
        &self.rows[number * self.width..][..self.width]
    }
}

/// Where a fit begins.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// At the coefficients of [`least_squares`].
    LeastSquares(&'a [f64]),
    /// At those of the same quantile, fitted to rows that are mostly the same.
    Near(&'a [f64]),
}

/// Coefficients that minimise the squares: one set for all quantiles to begin with. None where the numbers are not finite.
pub fn least_squares(points: &Points, ridge: f64) -> Option<Vec<f64>> {
    let mut system = System::new(points.width);
    system.add(points, |number, _| points.weights[number], None);
    system.solve(ridge * points.targets.len() as f64)
}

/// Coefficients such that a share `q` of the targets lies below row × coefficients, as nearly as the ridge allows, which draws them
/// to zero. The last column is a constant.
///
/// Iteratively reweighted least squares on the check function (K. Lange, D. Hunter, "Quantile regression via an MM algorithm",
/// JCGS 2000).
///
/// # Complexity
/// Steps × rows × width² / 2.
pub fn fit(points: &Points, q: f64, ridge: f64, start: Start<'_>) -> Vec<f64> {
    let (start, steps, mut near) = match start {
        Start::LeastSquares(start) => (start, STEPS_COLD, NEAR_FIRST * NEARER),
        Start::Near(start) => (start, STEPS_WARM, NEAR_FIRST),
    };
    let mut found = start.to_vec();
    let mut system = System::new(points.width);
    for _ in 0..steps {
        system.clear();
        let pull = |number: usize, off: f64| {
            let side = if off > 0.0 { q } else { 1.0 - q };
            points.weights[number] * side / off.abs().max(near)
        };
        system.add(points, pull, Some(&found));
        let Some(next) = system.solve(ridge * points.targets.len() as f64) else {
            break;
        };
        found = next;
        near = (near * NEARER).max(NEAR_LAST);
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

/// Sums of products of several rows with one: side by side, since each alone waits for its last addition.
fn dots(rows: [&[f64]; BLOCK], line: &[f64]) -> [f64; BLOCK] {
    let mut sums = [0.0; BLOCK];
    let [a, b, c, d] = rows;
    for ((((x, a), b), c), d) in line.iter().zip(a).zip(b).zip(c).zip(d) {
        sums[0] += a * x;
        sums[1] += b * x;
        sums[2] += c * x;
        sums[3] += d * x;
    }
    sums
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

    /// Adds every point with the weight that `pull` gives it, by its number and its distance from row × `line`.
    fn add(&mut self, points: &Points, pull: impl Fn(usize, f64) -> f64, line: Option<&[f64]>) {
        let count = points.targets.len();
        for first in (0..count).step_by(BLOCK) {
            // Past the end the last row comes again, and counts nothing.
            let numbers = std::array::from_fn(|at| (first + at).min(count - 1));
            let rows = numbers.map(|number| points.row(number));
            let targets = numbers.map(|number| points.targets[number]);
            let said = line.map_or([0.0; BLOCK], |line| dots(rows, line));
            let pulls = std::array::from_fn(|at| {
                if first + at < count {
                    pull(numbers[at], targets[at] - said[at])
                } else {
                    0.0
                }
            });
            self.add_block(rows, targets, pulls);
        }
    }

    fn add_block(&mut self, rows: [&[f64]; BLOCK], targets: [f64; BLOCK], pulls: [f64; BLOCK]) {
        for at in 0..self.width {
            let pulled: [f64; BLOCK] = std::array::from_fn(|n| rows[n][at] * pulls[n]);
            if pulled == [0.0; BLOCK] {
                continue;
            }
            self.right[at] += dot(&pulled, &targets);
            let into = &mut self.matrix[at * self.width..=at * self.width + at];
            let [a, b, c, d] = rows.map(|row| &row[..=at]);
            let others = a.iter().zip(b).zip(c.iter().zip(d));
            for (cell, ((a, b), (c, d))) in into.iter_mut().zip(others) {
                *cell += (pulled[0] * a + pulled[1] * b) + (pulled[2] * c + pulled[3] * d);
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
