//! The last rows of one quantity: its largest value and its median, kept up as rows come and go.

use std::collections::VecDeque;

/// A window over the past, sorted and in order of time.
#[derive(Debug, Clone)]
pub(super) struct History {
    length: usize,
    rows: VecDeque<f64>,
    sorted: Vec<f64>,
}

impl History {
    pub(super) fn new(length: usize) -> Self {
        Self {
            length: length.max(1),
            rows: VecDeque::new(),
            sorted: Vec::new(),
        }
    }

    /// By how much `value` is above everything in the window, in units of how far its largest value is above its median:
    /// from 0 to [`MARGIN_MAX`]; 0 when nothing is in it.
    ///
    /// Where all of the window is one value there is no such unit, and whatever is above it has the largest margin.
    pub(super) fn margin(&self, value: f64) -> f64 {
        let (Some(&most), Some(median)) = (self.sorted.last(), self.median()) else {
            return 0.0;
        };
        let unit = (most - median)
            .max(FINEST * most.abs())
            .max(f64::MIN_POSITIVE);
        ((value - most) / unit).clamp(0.0, MARGIN_MAX)
    }

    /// Rows that are kept.
    #[cfg(test)]
    pub(super) fn length(&self) -> usize {
        self.rows.len()
    }

    fn median(&self) -> Option<f64> {
        let middle = self.sorted.len() / 2;
        let upper = *self.sorted.get(middle)?;
        if self.sorted.len() % 2 == 1 {
            return Some(upper);
        }
        Some(f64::midpoint(self.sorted[middle - 1], upper))
    }

    /// Takes in a row; the oldest leaves when the window is full.
    pub(super) fn push(&mut self, value: f64) {
        if self.rows.len() == self.length
            && let Some(oldest) = self.rows.pop_front()
        {
            let at = self.sorted.partition_point(|kept| *kept < oldest);
            self.sorted.remove(at);
        }
        let at = self.sorted.partition_point(|kept| *kept < value);
        self.sorted.insert(at, value);
        self.rows.push_back(value);
    }
}

/// A record by more than the whole way from median to record is no stranger than one by that way.
const MARGIN_MAX: f64 = 1.0;

/// Differences below this share of a value are its last digits.
const FINEST: f64 = 1e-9;
