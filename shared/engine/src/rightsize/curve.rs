//! Duration by memory from few observations: a physical curve with three parameters, weighed over all that fit.
//!
//! Lambda gives CPU in proportion to memory, one vCPU at 1,769 MiB. A task takes a part of its time that no CPU shortens, and
//! the rest in proportion to the CPU that it can use:
//!
//! `t(m) = c · (f + (1 - f) · (1769 - o) / min(m - o, (1769 - o) · p))`
//!
//! with `f` the fixed share of its time on one vCPU, `p` the vCPUs that it can use, and `o` the memory whose CPU the environment
//! itself uses up. `c` follows from the observations; `f`, `p` and `o` are a grid, each point weighed by how well it fits
//! and by how usual it is: fixed shares are small, and most tasks have one thread.

use foreshard_model::limits::MIB_PER_VCPU;
use foreshard_model::units::Mib;

/// Standard deviation of the logarithm of an observed median about the curve: two runs of one function on different days differ
/// by about so much.
const NOISE: f64 = 0.05;

/// Points of the grid of fixed shares, from 0 to 0.98.
const FIXED: usize = 50;

/// How fast fixed shares become rare: a density of e^(-4 f), of which three quarters are below a third.
const FIXED_RARITY: f64 = 4.0;

/// vCPUs that a task can use, and how usual that is: hardly any but with one thread and its runtime's.
const USABLE: [(f64, f64); 4] = [(1.0, 0.88), (1.35, 0.05), (1.7, 0.05), (3.0, 0.02)];

/// MiB whose CPU the environment uses up.
const OVERHEAD_MIB: [f64; 4] = [0.0, 8.0, 16.0, 24.0];

/// Standard deviation of an observed parallelism about what the task can use, in vCPUs.
const PARALLELISM_NOISE: f64 = 0.3;

/// What was seen at one size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    /// Memory.
    pub memory: Mib,
    /// Median duration, in milliseconds.
    pub ms: f64,
    /// Standard error of its logarithm beside [`NOISE`]: 0 when many runs were seen.
    pub error: f64,
}

/// One point of the grid.
#[derive(Debug, Clone, PartialEq)]
struct Shape {
    fixed: f64,
    usable: f64,
    overhead: f64,
    /// ln c.
    scale: f64,
    weight: f64,
}

impl Shape {
    /// ln of duration by `c`.
    fn ln(&self, memory: f64) -> f64 {
        let one = f64::from(MIB_PER_VCPU) - self.overhead;
        let cpu = (memory - self.overhead).clamp(1.0, one * self.usable);
        (self.fixed + (1.0 - self.fixed) * one / cpu).ln()
    }
}

/// A duration as an interval: one in ten is below, one in ten above.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Duration {
    /// 0.1 quantile, in milliseconds.
    pub low: f64,
    /// Expected.
    pub mid: f64,
    /// 0.9 quantile.
    pub high: f64,
}

/// Duration by memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    shapes: Vec<Shape>,
}

impl Curve {
    /// The curve through observations; `None` without a usable one.
    ///
    /// `parallelism` is the CPU time by wall time seen where there was more than one vCPU; `None` where there never was.
    ///
    /// # Complexity
    ///
    /// O(observations) for each of 800 points of the grid.
    #[must_use]
    pub fn through(observed: &[Observed], parallelism: Option<f64>) -> Option<Self> {
        let usable = |o: &&Observed| o.memory.0 > 0 && o.ms.is_finite() && o.ms > 0.0;
        let observed: Vec<(f64, f64, f64)> = observed
            .iter()
            .filter(usable)
            .map(|o| {
                let error = if o.error.is_finite() { o.error } else { 1.0 };
                (
                    f64::from(o.memory.0),
                    o.ms.ln(),
                    NOISE.hypot(error).powi(-2),
                )
            })
            .collect();
        if observed.is_empty() {
            return None;
        }
        let mut shapes = Vec::with_capacity(USABLE.len() * OVERHEAD_MIB.len() * FIXED);
        for (usable, usual) in USABLE {
            let seen = parallelism.filter(|seen| seen.is_finite());
            let away = seen.map_or(0.0, |seen| (seen - usable) / PARALLELISM_NOISE);
            for overhead in OVERHEAD_MIB {
                for step in 0..FIXED {
                    let fixed = 0.98 * step as f64 / (FIXED - 1) as f64;
                    let prior = usual.ln() - FIXED_RARITY * fixed - (away * away / 2.0).min(8.0);
                    shapes.push(fit(fixed, usable, overhead, prior, &observed));
                }
            }
        }
        let best = shapes.iter().map(|s| s.weight).fold(f64::MIN, f64::max);
        for shape in &mut shapes {
            shape.weight = (shape.weight - best).exp();
        }
        let all: f64 = shapes.iter().map(|s| s.weight).sum();
        shapes.retain_mut(|shape| {
            shape.weight /= all;
            shape.weight > 1e-9
        });
        Some(Self { shapes })
    }

    /// The expected duration: the mean of its logarithm, in milliseconds.
    #[must_use]
    pub fn expected_ms(&self, memory: Mib) -> f64 {
        let ln = |shape: &Shape| shape.weight * (shape.scale + shape.ln(f64::from(memory.0)));
        self.shapes.iter().map(ln).sum::<f64>().exp()
    }

    /// The duration as an interval, the noise of observations included.
    #[must_use]
    pub fn duration(&self, memory: Mib) -> Duration {
        let mid = self.expected_ms(memory);
        let away = |shape: &Shape| shape.scale + shape.ln(f64::from(memory.0)) - mid.ln();
        let spread: f64 = self.shapes.iter().map(|s| s.weight * away(s).powi(2)).sum();
        let tenth = 1.2816 * (spread + NOISE * NOISE).sqrt();
        Duration {
            low: mid * (-tenth).exp(),
            mid,
            high: mid * tenth.exp(),
        }
    }

    /// Sums `value` over the curves that fit, each by its weight; it is given the durations of the sizes, in milliseconds.
    pub(super) fn mean(&self, sizes: &[Mib], mut value: impl FnMut(&[f64]) -> f64) -> f64 {
        let mut ms = vec![0.0; sizes.len()];
        let mut sum = 0.0;
        for shape in &self.shapes {
            for (ms, size) in ms.iter_mut().zip(sizes) {
                *ms = (shape.scale + shape.ln(f64::from(size.0))).exp();
            }
            sum += shape.weight * value(&ms);
        }
        sum
    }

    /// vCPUs that the task is thought to use.
    #[must_use]
    pub fn usable_vcpus(&self) -> f64 {
        self.shapes.iter().map(|s| s.weight * s.usable).sum()
    }

    /// Share of its time on one vCPU that no CPU shortens.
    #[must_use]
    pub fn fixed_share(&self) -> f64 {
        self.shapes.iter().map(|s| s.weight * s.fixed).sum()
    }
}

/// A shape with the scale that fits best, weighed by the logarithm of its likelihood and prior.
fn fit(fixed: f64, usable: f64, overhead: f64, prior: f64, observed: &[(f64, f64, f64)]) -> Shape {
    let mut shape = Shape {
        fixed,
        usable,
        overhead,
        scale: 0.0,
        weight: 0.0,
    };
    let all: f64 = observed.iter().map(|o| o.2).sum();
    let mean = observed
        .iter()
        .map(|&(memory, ln_ms, precision)| precision * (ln_ms - shape.ln(memory)))
        .sum::<f64>();
    shape.scale = mean / all;
    let off: f64 = observed
        .iter()
        .map(|&(memory, ln_ms, precision)| {
            precision * (ln_ms - shape.ln(memory) - shape.scale).powi(2)
        })
        .sum();
    shape.weight = prior - off / 2.0;
    shape
}
