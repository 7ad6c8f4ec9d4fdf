//! What is looked at: a step, an hour's roughness, and the level over half an hour and an hour, upwards and downwards.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::history::History;

/// What about the last rows is unlike those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// The difference between two rows.
    Step,
    /// The mean difference between rows over an hour.
    Roughness,
    /// The mean over half an hour, upwards.
    High,
    /// The mean over an hour, upwards.
    LastingHigh,
    /// The mean over an hour, downwards.
    LastingLow,
}

impl Aspect {
    /// All of them.
    pub(super) const ALL: [Self; 5] = [
        Self::Step,
        Self::Roughness,
        Self::High,
        Self::LastingHigh,
        Self::LastingLow,
    ];

    /// As people read it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Step => "a step from one row to the next",
            Self::Roughness => "an hour's steps together",
            Self::High => "the level over half an hour",
            Self::LastingHigh => "the level over an hour",
            Self::LastingLow => "the level over an hour, downwards,",
        }
    }

    /// Rows that its mean is over.
    fn rows(self, day: usize) -> usize {
        match self {
            Self::Step => 1,
            Self::High => (day / 48).max(2),
            Self::Roughness | Self::LastingHigh | Self::LastingLow => (day / 24).max(2),
        }
    }
}

/// One aspect over time, with what it was over a day and over three.
#[derive(Debug, Clone)]
pub(super) struct Feature {
    pub(super) aspect: Aspect,
    length: usize,
    recent: VecDeque<f64>,
    pub(super) day: History,
    pub(super) days: History,
}

impl Feature {
    pub(super) fn new(aspect: Aspect, day: usize) -> Self {
        Self {
            aspect,
            length: aspect.rows(day),
            recent: VecDeque::new(),
            day: History::new(day),
            days: History::new(3 * day),
        }
    }

    /// Its value with one more row, and the margins over a day and over three before that row.
    pub(super) fn push(&mut self, value: f64, step: f64) -> [f64; 2] {
        if self.recent.len() == self.length {
            self.recent.pop_front();
        }
        self.recent.push_back(match self.aspect {
            Aspect::Step | Aspect::Roughness => step,
            Aspect::High | Aspect::LastingHigh => value,
            Aspect::LastingLow => -value,
        });
        let mean = self.recent.iter().sum::<f64>() / self.recent.len() as f64;
        let margins = [self.day.margin(mean), self.days.margin(mean)];
        self.day.push(mean);
        self.days.push(mean);
        margins
    }
}
