//! A straight line through logarithms, learnt one sample at a time: need by bytes and declared features.

use foreshard_model::profile::{FEATURES_MAX, Sample, Sums};

/// Pulls the slopes towards nothing where little was seen: as much as this weight of samples at distance 1.
const RIDGE: f64 = 0.5;

/// Samples of a new one's weight from which a line pulls outliers in.
const CLIP_FROM: f64 = 10.0;

/// Standard deviations from the line at which a sample is taken to lie at most (Huber's proposal, 1964, with a wide bound:
/// a new version of a program must still be learnt).
const CLIP_AT: f64 = 3.0;

/// Least standard deviation for that: durations are seldom nearer to a line.
const CLIP_SPREAD_MIN: f64 = 0.1;

/// What is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Wall time, in milliseconds.
    Duration,
    /// Peak memory, in KiB.
    Peak,
}

/// x = (1, ln bytes, ln features…): sizes matter by factors.
fn row(sums: &Sums, sample: &Sample) -> Vec<f64> {
    let mut x = vec![1.0, ln(sample.input_bytes as f64)];
    for name in &sums.features {
        x.push(sample.features.get(name).map_or(0.0, |&value| ln(value)));
    }
    x
}

fn ln(value: f64) -> f64 {
    if value.is_finite() {
        value.max(0.0).ln_1p()
    } else {
        0.0
    }
}

/// Takes in a finished sample.
pub(super) fn add(sums: &mut Sums, sample: &Sample, weight: f64) {
    for (name, value) in &sample.features {
        let new = !sums.features.contains(name) && value.is_finite();
        if new && sums.features.len() < FEATURES_MAX {
            sums.features.push(name.clone());
            widen(sums);
        }
    }
    let x = row(sums, sample);
    fit_length(sums, x.len());
    let near = |quantity, value: f64| {
        let line = Line::through(sums, quantity).filter(|_| sums.xx[0] >= CLIP_FROM * weight);
        line.map_or(value, |line| line.clipped(&x, value))
    };
    let duration = near(Quantity::Duration, ln(sample.duration_ms as f64));
    let peak = near(Quantity::Peak, ln(sample.peak_kib as f64));
    let pairs = x
        .iter()
        .enumerate()
        .flat_map(|(i, a)| x[i..].iter().map(move |b| a * b));
    for (sum, product) in sums.xx.iter_mut().zip(pairs) {
        *sum += weight * product;
    }
    for (sum, x) in sums.x_duration.iter_mut().zip(&x) {
        *sum += weight * x * duration;
    }
    for (sum, x) in sums.x_peak.iter_mut().zip(&x) {
        *sum += weight * x * peak;
    }
    sums.duration_2 += weight * duration * duration;
    sums.peak_2 += weight * peak * peak;
}

fn fit_length(sums: &mut Sums, width: usize) {
    sums.xx.resize(width * (width + 1) / 2, 0.0);
    sums.x_duration.resize(width, 0.0);
    sums.x_peak.resize(width, 0.0);
}

/// One more feature: of the samples so far it was 0, and so are its sums.
fn widen(sums: &mut Sums) {
    let width = sums.x_duration.len();
    if width == 0 {
        return;
    }
    let mut xx = Vec::with_capacity((width + 1) * (width + 2) / 2);
    let mut at = 0;
    for i in 0..width {
        xx.extend_from_slice(&sums.xx[at..at + width - i]);
        xx.push(0.0);
        at += width - i;
    }
    xx.push(0.0);
    sums.xx = xx;
    sums.x_duration.push(0.0);
    sums.x_peak.push(0.0);
}

/// Multiplies all sums.
pub(super) fn scale(sums: &mut Sums, factor: f64) {
    let all = sums.xx.iter_mut().chain(&mut sums.x_duration);
    for sum in all.chain(&mut sums.x_peak) {
        *sum *= factor;
    }
    sums.duration_2 *= factor;
    sums.peak_2 *= factor;
}

/// Adds the sums of another profile, times `factor`. Features that this one does not know are left out.
pub fn merge(sums: &mut Sums, other: &Sums, factor: f64) {
    if other.x_duration.is_empty() {
        return;
    }
    for name in &other.features {
        if !sums.features.contains(name) && sums.features.len() < FEATURES_MAX {
            sums.features.push(name.clone());
            widen(sums);
        }
    }
    let width = 2 + sums.features.len();
    fit_length(sums, width);
    let column = |name: &String| sums.features.iter().position(|known| known == name);
    let to: Vec<Option<usize>> = [Some(0), Some(1)]
        .into_iter()
        .chain(
            other
                .features
                .iter()
                .map(|name| column(name).map(|at| at + 2)),
        )
        .collect();
    let pairs = to
        .iter()
        .enumerate()
        .flat_map(|(i, &a)| to[i..].iter().map(move |&b| (a, b)));
    for (pair, sum) in pairs.zip(&other.xx) {
        if let (Some(a), Some(b)) = pair {
            sums.xx[triangle(a.min(b), a.max(b), width)] += sum * factor;
        }
    }
    for ((at, duration), peak) in to.iter().zip(&other.x_duration).zip(&other.x_peak) {
        if let Some(at) = *at {
            sums.x_duration[at] += duration * factor;
            sums.x_peak[at] += peak * factor;
        }
    }
    sums.duration_2 += other.duration_2 * factor;
    sums.peak_2 += other.peak_2 * factor;
}

fn triangle(i: usize, j: usize, width: usize) -> usize {
    i * width - i * i.saturating_sub(1) / 2 + (j - i)
}

/// A line: what it predicts, and how far it is off.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    features: Vec<String>,
    means: Vec<f64>,
    mean: f64,
    slopes: Vec<f64>,
    /// Standard deviation of ln(actual / predicted) in the samples that it was made from.
    pub spread: f64,
    /// Share of the variance of the logarithm that it explains, from 0 to 1.
    pub explains: f64,
}

impl Line {
    /// The line through the samples of some sums; `None` below a weight of three samples.
    #[must_use]
    pub fn through(sums: &Sums, quantity: Quantity) -> Option<Self> {
        let width = sums.x_duration.len();
        let weight = *sums.xx.first()?;
        if width < 2 || !(weight.is_finite() && weight > 0.0) {
            return None;
        }
        let (xy, yy) = match quantity {
            Quantity::Duration => (&sums.x_duration, sums.duration_2),
            Quantity::Peak => (&sums.x_peak, sums.peak_2),
        };
        let mean = xy[0] / weight;
        let means: Vec<f64> = (1..width)
            .map(|j| sums.xx[triangle(0, j, width)] / weight)
            .collect();
        let row = |(i, &mean_i): (usize, &f64)| {
            let cell = |(j, &mean_j): (usize, &f64)| {
                let both = sums.xx[triangle(i.min(j) + 1, i.max(j) + 1, width)] / weight;
                let ridge = if i == j { RIDGE / weight.max(1.0) } else { 0.0 };
                both - mean_i * mean_j + ridge
            };
            let mut cells: Vec<f64> = means.iter().enumerate().map(cell).collect();
            cells.push(xy[i + 1] / weight - mean_i * mean);
            cells
        };
        let centred: Vec<Vec<f64>> = means.iter().enumerate().map(row).collect();
        let right: Vec<f64> = centred.iter().map(|row| row[width - 1]).collect();
        let slopes = solve(centred)?;
        let explained: f64 = slopes.iter().zip(&right).map(|(s, r)| s * r).sum();
        let variance = (yy / weight - mean * mean).max(f64::MIN_POSITIVE);
        let spread = (variance - explained).max(0.0).sqrt();
        let line = Self {
            features: sums.features.clone(),
            means,
            mean,
            slopes,
            spread,
            explains: (explained / variance).clamp(0.0, 1.0),
        };
        (line.mean.is_finite() && line.spread.is_finite()).then_some(line)
    }

    /// The share of the variance that it would explain of samples that it was not made from, `known` being those that it was.
    #[must_use]
    pub fn explains_of_others(&self, known: f64) -> f64 {
        let left = known - self.slopes.len() as f64 - 1.0;
        if left > 0.0 {
            1.0 - (1.0 - self.explains) * (known - 1.0) / left
        } else {
            0.0
        }
    }

    /// The logarithm, pulled in when it is far from the line.
    fn clipped(&self, x: &[f64], ln: f64) -> f64 {
        let away = x[1..].iter().zip(&self.means).zip(&self.slopes);
        let at = self.mean
            + away
                .map(|((x, mean), slope)| slope * (x - mean))
                .sum::<f64>();
        let most = CLIP_AT * self.spread.max(CLIP_SPREAD_MIN);
        ln.clamp(at - most, at + most)
    }

    /// What is expected for an input.
    #[must_use]
    pub fn at(&self, bytes: u64, features: &std::collections::BTreeMap<String, f64>) -> f64 {
        let named = self.features.iter();
        let named = named.map(|name| features.get(name).copied());
        let x = std::iter::once(Some(bytes as f64)).chain(named);
        let parts = x.zip(&self.means).zip(&self.slopes);
        let away = parts.map(|((x, mean), slope)| match x {
            Some(x) => slope * (ln(x) - mean),
            None => 0.0,
        });
        (self.mean + away.sum::<f64>())
            .clamp(-50.0, 50.0)
            .exp_m1()
            .max(0.0)
    }
}

/// Gauss, with pivots; `None` where the matrix is singular.
fn solve(mut rows: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let count = rows.len();
    for at in 0..count {
        let pivot = (at..count).max_by(|&a, &b| rows[a][at].abs().total_cmp(&rows[b][at].abs()))?;
        rows.swap(at, pivot);
        let head = rows[at][at];
        if !(head.is_finite() && head.abs() > 1e-12) {
            return None;
        }
        let top = rows[at].clone();
        for row in rows.iter_mut().skip(at + 1) {
            let factor = row[at] / head;
            for (value, above) in row.iter_mut().zip(&top) {
                *value -= factor * above;
            }
        }
    }
    let mut found = vec![0.0; count];
    for at in (0..count).rev() {
        let known: f64 = (at + 1..count).map(|j| rows[at][j] * found[j]).sum();
        found[at] = (rows[at][count] - known) / rows[at][at];
    }
    Some(found)
}
