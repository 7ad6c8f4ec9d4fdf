//! How models do on rows held back, and what their quantiles must be moved by to be right there.

use super::ground::Ground;
use super::model::{Model, Quantiles};
use super::numbers::pinball;

/// Most origins that a model is judged at.
const ORIGINS_MAX: usize = 96;
/// Rows held back where there is no season.
const ROWS_SEASONLESS: usize = 100;
/// Most horizons that are held back one after another: two weeks of days.
const APART_MAX: usize = 14;
/// The same where a model learns from what lies before all of them.
const APART_LEARNT: usize = 7;
/// Fewest: fewer tell nothing of how they differ.
const APART_MIN: usize = 3;
/// Main periods that must lie before them, to learn from.
const CYCLES_BEFORE: usize = 3;

/// Origins inside the history, and the rows after them that models have not learnt from.
#[derive(Debug, Clone)]
pub struct Held {
    /// Ascending; each has a whole horizon of rows after it.
    pub origins: Vec<usize>,
    /// Steps of the horizon.
    pub horizon: usize,
    /// Whether the horizons lie apart, at the phase of the forecast itself: each is then one error, whatever its number of rows.
    pub apart: bool,
}

/// What one model did there.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Its name.
    pub name: String,
    /// Where it was judged.
    pub held: Held,
    /// What it answered, by origin.
    pub answers: Vec<Quantiles>,
    /// What to add to each quantile so that its share of the held-back rows lies below it.
    pub shifts: Vec<f64>,
    /// Mean quantile loss, each half of the origins moved by what the other half asks.
    pub loss: f64,
}

impl Held {
    /// Chooses origins over the last main period; where the horizon is long, the last whole ones that lie apart. None where the
    /// history is too short to hold anything back.
    pub fn new(ground: &Ground, horizon: usize) -> Option<Self> {
        let apart = ground
            .is_long(horizon)
            .then(|| Self::apart(ground, horizon));
        apart.flatten().or_else(|| Self::within(ground, horizon))
    }

    /// Horizons at the phase of the forecast, whole main periods before it, none of which overlaps another.
    fn apart(ground: &Ground, horizon: usize) -> Option<Self> {
        let (rows, main) = (ground.rows(), ground.main);
        let stride = horizon.div_ceil(main) * main;
        let spare = rows.checked_sub(CYCLES_BEFORE * main)?;
        let most = if ground.is_only_cycles() {
            APART_MAX
        } else {
            APART_LEARNT
        };
        let count = (spare / stride).min(most);
        let origins = (1..=count).rev().map(|number| rows - number * stride);
        Self::of(ground, horizon, origins, true).filter(|held| held.origins.len() >= APART_MIN)
    }

    /// Origins at every phase of what is held back.
    fn within(ground: &Ground, horizon: usize) -> Option<Self> {
        let rows = ground.rows();
        let wanted = match ground.main {
            0 => ROWS_SEASONLESS.max(4 * horizon),
            main if ground.is_long(horizon) => 2 * main + horizon,
            main => main + horizon,
        };
        let length = wanted.min(rows / 3);
        let last = rows.checked_sub(horizon)?;
        let first = rows - length;
        if length < horizon + 8 || horizon == 0 {
            return None;
        }
        let wanted = ((last - first) / horizon.clamp(1, 15)).clamp(8, ORIGINS_MAX);
        let mut stride = ((last - first) / wanted).max(1);
        // A stride of whole fives would meet the same minute of every hour.
        if stride > 4 && stride.is_multiple_of(5) {
            stride -= 1;
        }
        let origins = (0..).map(|i| first + i * stride).take_while(|o| *o <= last);
        Self::of(ground, horizon, origins, false).filter(|held| held.origins.len() >= 4)
    }

    /// Of origins those after which anything came.
    fn of(
        ground: &Ground,
        horizon: usize,
        origins: impl Iterator<Item = usize>,
        apart: bool,
    ) -> Option<Self> {
        let there = |o: &usize| ground.values[*o..o + horizon].iter().any(|v| !v.is_nan());
        let origins: Vec<usize> = origins.filter(there).collect();
        (!origins.is_empty()).then_some(Self {
            origins,
            horizon,
            apart,
        })
    }

    /// The first row that a judged model may not learn from.
    pub fn begin(&self) -> usize {
        self.origins.first().copied().unwrap_or(0)
    }

    /// Fewer origins, evenly: for models that learn anew at each.
    pub fn thinned(&self, count: usize) -> Self {
        let every = self.origins.len().div_ceil(count.max(1)).max(1);
        Self {
            origins: self.origins.iter().copied().step_by(every).collect(),
            horizon: self.horizon,
            apart: self.apart,
        }
    }

    /// Judges a model.
    pub fn judge(&self, ground: &Ground, model: &dyn Model, quantiles: &[f64]) -> Verdict {
        let answers = model.over(ground, &self.origins, self.horizon, quantiles);
        self.verdict(ground, model.name(), answers, quantiles)
    }

    /// Judges two models' mean.
    pub fn both(&self, ground: &Ground, a: &Verdict, b: &Verdict, quantiles: &[f64]) -> Verdict {
        let answers = a
            .moved()
            .iter()
            .zip(b.moved())
            .map(|(a, b)| between(a, &b))
            .collect();
        self.verdict(
            ground,
            format!("{} + {}", a.name, b.name),
            answers,
            quantiles,
        )
    }

    fn verdict(
        &self,
        ground: &Ground,
        name: String,
        answers: Vec<Quantiles>,
        quantiles: &[f64],
    ) -> Verdict {
        let mut shifts = Vec::with_capacity(quantiles.len());
        let (mut loss, mut count) = (0.0, 0_usize);
        for (at, &q) in quantiles.iter().enumerate() {
            let mut halves = [Vec::new(), Vec::new()];
            for (number, (answer, &origin)) in answers.iter().zip(&self.origins).enumerate() {
                let actual = &ground.values[origin..origin + self.horizon];
                let off = actual.iter().zip(&answer[at]).map(|(a, f)| a - f);
                halves[number % 2].extend(off.filter(|o| !o.is_nan()));
            }
            let mut all = halves.concat();
            let other = [
                conformal(&mut halves[1].clone(), q),
                conformal(&mut halves[0].clone(), q),
            ];
            for (half, shift) in halves.iter().zip(other) {
                loss += half.iter().map(|off| pinball(q, shift, *off)).sum::<f64>();
                count += half.len();
            }
            shifts.push(conformal(&mut all, q));
        }
        let loss = if count == 0 {
            f64::INFINITY
        } else {
            loss / count as f64
        };
        Verdict {
            name,
            held: self.clone(),
            answers,
            shifts,
            loss,
        }
    }
}

impl Verdict {
    /// Its answers, each quantile moved.
    fn moved(&self) -> Vec<Quantiles> {
        let all = self.answers.iter();
        all.map(|answer| shifted(answer, &self.shifts)).collect()
    }
}

/// Each quantile moved by its own.
pub fn shifted(answer: &Quantiles, shifts: &[f64]) -> Quantiles {
    let moved = answer.iter().zip(shifts);
    moved
        .map(|(values, by)| values.iter().map(|v| v + by).collect())
        .collect()
}

/// The mean of two answers, or the one that there is.
pub fn between(a: &Quantiles, b: &Quantiles) -> Quantiles {
    let step = |(a, b): (&f64, &f64)| match (a.is_nan(), b.is_nan()) {
        (true, _) => *b,
        (_, true) => *a,
        _ => (a + b) / 2.0,
    };
    let both = a.iter().zip(b);
    both.map(|(a, b)| a.iter().zip(b).map(step).collect())
        .collect()
}

/// The quantile of errors that promises coverage for the next one (V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a
/// Random World", 2005): of n errors the one with rank q × (n + 1), away from the middle.
fn conformal(errors: &mut [f64], q: f64) -> f64 {
    let count = errors.len();
    if count == 0 {
        return 0.0;
    }
    errors.sort_by(f64::total_cmp);
    let rank = q * (count as f64 + 1.0);
    let rank = if q > 0.5 { rank.ceil() } else { rank.floor() };
    errors[(rank as usize).clamp(1, count) - 1]
}
