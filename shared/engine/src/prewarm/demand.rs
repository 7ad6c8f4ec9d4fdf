//! Demand over the time that a decision looks at: the forecast's quantiles, raised by the plans in flight.

use foreshard_model::prewarm::{DemandStep, PrewarmAlias};
use foreshard_model::units::TimeMs;

/// Length of a step that has no successor, in milliseconds: that of a decision.
const STEP_MS: u64 = 300_000;

/// Demand that a quantile may state at most: ten times the largest quota of concurrency that AWS is known to grant.
const ENVIRONMENTS_MAX: f64 = 1_000_000.0;

/// A time during which the distribution of demand stays the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// When it begins.
    pub from: TimeMs,
    /// How long it lasts, in seconds.
    pub seconds: f64,
    /// Share of its step that it is.
    pub share: f64,
    /// Whether a wave begins with it: each of its environments is then a start.
    pub begins: bool,
    /// Share of its demand that the forecast is of; the rest are waves, whose environments stay in use once they are.
    pub recurring: f64,
    /// Quantiles of demand: (quantile, environments), both ascending, the first at 0, the last at 1; never empty.
    line: Vec<(f64, f64)>,
}

impl Segment {
    /// Environments at a quantile.
    #[must_use]
    pub fn at(&self, q: f64) -> f64 {
        let above = self.line.partition_point(|point| point.0 < q);
        let last = self.line[self.line.len() - 1].1;
        let Some(&(q1, high)) = self.line.get(above) else {
            return last;
        };
        let Some(&(q0, low)) = above.checked_sub(1).and_then(|at| self.line.get(at)) else {
            return high;
        };
        if q1 > q0 {
            low + (high - low) * (q - q0) / (q1 - q0)
        } else {
            high
        }
    }

    /// Expected number of environments above `n`: the integral of max(0, demand - n) over its distribution.
    #[must_use]
    pub fn above(&self, n: f64) -> f64 {
        let over = |pair: &[(f64, f64)]| {
            let (low, high) = (pair[0].1 - n, pair[1].1 - n);
            let width = pair[1].0 - pair[0].0;
            if low >= 0.0 {
                width * (low + high) / 2.0
            } else if high > 0.0 {
                width * high / (high - low) * high / 2.0
            } else {
                0.0
            }
        };
        self.line.windows(2).map(over).sum()
    }

    /// How likely the `k`-th environment is in use, from 1.
    #[must_use]
    pub fn use_of(&self, k: u32) -> f64 {
        let k = f64::from(k);
        self.above(k - 1.0) - self.above(k)
    }

    /// When it ends.
    #[must_use]
    pub fn until(&self) -> TimeMs {
        self.from.plus((self.seconds * 1000.0).round() as u64)
    }

    /// Most that is thought possible.
    #[must_use]
    pub fn most(&self) -> f64 {
        self.line[self.line.len() - 1].1
    }

    /// How likely demand is at most `n`.
    #[must_use]
    pub fn covered(&self, n: f64) -> f64 {
        let above = self.line.partition_point(|point| point.1 <= n);
        let Some(&(q1, high)) = self.line.get(above) else {
            return 1.0;
        };
        match above.checked_sub(1).and_then(|at| self.line.get(at)) {
            Some(&(q0, low)) => q0 + (q1 - q0) * (n - low) / (high - low),
            None => 0.0,
        }
    }
}

/// Demand over a time, and what had to be mended in the input.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Window {
    /// In order of time; what nothing is known of is left out.
    pub segments: Vec<Segment>,
    /// What was wrong with the forecast.
    pub mended: Vec<&'static str>,
}

/// Demand of an alias from the first to the last of `cuts`; a segment ends at each of them.
#[must_use]
pub fn window(alias: &PrewarmAlias, cuts: &[TimeMs]) -> Window {
    let from = cuts.iter().copied().min().unwrap_or_default();
    let until = cuts.iter().copied().max().unwrap_or_default();
    let mut steps: Vec<&DemandStep> = alias.forecast.iter().collect();
    let mut mended = Vec::new();
    if !steps.is_sorted_by_key(|step| step.from) {
        mended.push("the forecast's steps were not in order of time");
        steps.sort_by_key(|step| step.from);
    }
    let lines: Vec<Line> = steps.iter().map(|step| line(step, &mut mended)).collect();
    mended.sort_unstable();
    mended.dedup();
    let ends = |at: usize| match (steps.get(at + 1), at.checked_sub(1)) {
        (Some(next), _) => next.from,
        (None, Some(before)) => steps[at]
            .from
            .plus(steps[at].from.since(steps[before].from).max(1)),
        (None, None) => steps[at].from.plus(STEP_MS),
    };
    let mut bounds: Vec<TimeMs> = cuts.to_vec();
    bounds.extend(steps.iter().map(|step| step.from));
    bounds.extend(steps.len().checked_sub(1).map(ends));
    bounds.extend(alias.waves.iter().flat_map(|wave| [wave.from, wave.until]));
    bounds.retain(|bound| (from..=until).contains(bound));
    bounds.sort_unstable();
    bounds.dedup();
    let segments = bounds.windows(2).filter_map(|pair| {
        let (begin, end) = (pair[0], pair[1]);
        let at = steps.partition_point(|step| step.from <= begin);
        let step = at.checked_sub(1).filter(|&at| begin < ends(at));
        let running = |from: TimeMs, until: TimeMs| from <= begin && begin < until;
        let waves = alias.waves.iter();
        let waves: f64 = waves
            .filter(|wave| running(wave.from, wave.until))
            .map(|wave| f64::from(wave.environments))
            .sum();
        if step.is_none() && waves == 0.0 {
            return None;
        }
        let base = step.map_or_else(|| vec![(0.0, 0.0), (1.0, 0.0)], |at| lines[at].clone());
        let length = end.since(begin) as f64;
        let mean = f64::midpoint(base[0].1, base[base.len() - 1].1);
        let of = step.map_or(STEP_MS, |at| ends(at).since(steps[at].from).max(1));
        Some(Segment {
            from: begin,
            seconds: length / 1000.0,
            share: (length / of as f64).min(1.0),
            // What is let go in the middle of a wave is started again on demand: to whoever decides, a wave that runs begins now.
            begins: alias
                .waves
                .iter()
                .any(|wave| wave.from.max(from) == begin && begin < wave.until),
            recurring: if waves > 0.0 {
                mean / (mean + waves)
            } else {
                1.0
            },
            line: base.into_iter().map(|(q, n)| (q, n + waves)).collect(),
        })
    });
    Window {
        segments: segments.collect(),
        mended,
    }
}

type Line = Vec<(f64, f64)>;

/// The step's quantiles as a line from 0 to 1 that never falls.
fn line(step: &DemandStep, mended: &mut Vec<&'static str>) -> Line {
    let mut points: Line = Vec::with_capacity(step.quantiles.len() + 2);
    for &(q, n) in &step.quantiles {
        if !(q.is_finite() && n.is_finite() && (0.0..=1.0).contains(&q)) {
            mended.push("what was no number, or no quantile, is left out");
            continue;
        }
        if n < 0.0 {
            mended.push("demand below nothing counts as nothing");
        }
        points.push((q, n.clamp(0.0, ENVIRONMENTS_MAX)));
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut most: f64 = 0.0;
    for point in &mut points {
        if point.1 < most {
            mended.push("a higher quantile was below a lower one, and is raised to it");
        }
        most = most.max(point.1);
        point.1 = most;
    }
    let first = points.first().map_or(0.0, |point| point.1);
    if points.first().is_none_or(|point| point.0 > 0.0) {
        points.insert(0, (0.0, first));
    }
    if points.last().is_none_or(|point| point.0 < 1.0) {
        points.push((1.0, most));
    }
    points
}
