//! Finds what is unlike anything of the last days in a series of use, errors or durations, row by row, without looking ahead.
//!
//! A row is strange when something about it sets a record: the step to it, the roughness of the last hour, the level of the
//! last half hour or hour, up or down, over all of the last day and of the last three. Records need no model of what is usual: a
//! peak of each night is no record after the first, a new level stops being one within a day, and how often chance sets
//! one does not depend on the distribution. Each record counts by its margin in units of (record - median), so that a hair's breadth is
//! nothing, and the mean over the five aspects and two spans is the score.

mod feature;
mod history;

use serde::{Deserialize, Serialize};

use feature::Feature;

pub use feature::Aspect;

#[cfg(test)]
mod tests;

/// Score from which a row is flagged: the same for every series. Between 0.03 and 0.08 nothing much changes, see docs/anomalies.md.
pub const THRESHOLD: f64 = 0.06;

/// Rows of a day at most: finer series are to be summed to minutes first, or a day here is shorter than a day.
pub const ROWS_PER_DAY_MAX: usize = 1_440;

/// Rows of a day at least: with fewer, an hour is no window.
const ROWS_PER_DAY_MIN: usize = 16;

/// Values beyond are cut off: their sums would be no numbers.
const VALUE_MAX: f64 = 1e150;

/// What is thought of one row.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// 0: nothing new. 1: everything about it is a record by far.
    pub score: f64,
    /// Whether somebody should look: the score is at the threshold, and nothing was flagged in the quarter of a day before.
    pub flagged: bool,
    /// What sets the record by most, when something does.
    pub aspect: Option<Aspect>,
    /// By how much, from 0 to 1: the larger of its two margins.
    pub margin: f64,
}

impl Verdict {
    /// Why, in one sentence.
    #[must_use]
    pub fn reason(&self) -> String {
        match self.aspect {
            Some(aspect) => format!(
                "{} is a record by {:.0} % of the way from median to record; score {:.3} of {THRESHOLD}",
                aspect.text(),
                self.margin * 100.0,
                self.score
            ),
            None => "nothing about it is a record".to_owned(),
        }
    }
}

/// Looks at a series row by row.
///
/// # Complexity
///
/// O(log rows of three days) comparisons and as many moves as those rows for each row; memory for those rows.
#[derive(Debug, Clone)]
pub struct Detector {
    day: usize,
    features: Vec<Feature>,
    last: Option<f64>,
    seen: usize,
    quiet: usize,
}

impl Detector {
    /// For a series of which a day has so many rows: 288 at five minutes. Taken as at least 16 and at most
    /// [`ROWS_PER_DAY_MAX`].
    #[must_use]
    pub fn new(rows_per_day: usize) -> Self {
        let day = rows_per_day.clamp(ROWS_PER_DAY_MIN, ROWS_PER_DAY_MAX);
        Self {
            day,
            features: Aspect::ALL.map(|aspect| Feature::new(aspect, day)).to_vec(),
            last: None,
            seen: 0,
            quiet: usize::MAX,
        }
    }

    /// The verdict on the next row; `None`, or what is no number, is a gap: no verdict, and nothing is learnt from it.
    ///
    /// Nothing is strange in the first quarter of a day.
    pub fn push(&mut self, value: Option<f64>) -> Verdict {
        self.quiet = self.quiet.saturating_add(1);
        let Some(value) = value.filter(|value| value.is_finite()) else {
            return Verdict::default();
        };
        let value = value.clamp(-VALUE_MAX, VALUE_MAX);
        let step = (value - self.last.unwrap_or(value)).abs();
        self.last = Some(value);
        let mut verdict = Verdict::default();
        let mut sum = 0.0;
        for feature in &mut self.features {
            let margins = feature.push(value, step);
            sum += margins[0] + margins[1];
            let margin = margins[0].max(margins[1]);
            if margin > verdict.margin {
                verdict.margin = margin;
                verdict.aspect = Some(feature.aspect);
            }
        }
        self.seen += 1;
        if self.seen <= self.day / 4 {
            return Verdict::default();
        }
        verdict.score = sum / (2 * self.features.len()) as f64;
        verdict.flagged = verdict.score >= THRESHOLD && self.quiet >= self.day / 4;
        if verdict.flagged {
            self.quiet = 0;
        }
        verdict
    }
}

/// The verdicts on a whole series: that on a row depends on it and the rows before it alone.
#[must_use]
pub fn detect(values: &[Option<f64>], rows_per_day: usize) -> Vec<Verdict> {
    let mut detector = Detector::new(rows_per_day);
    values.iter().map(|&value| detector.push(value)).collect()
}
