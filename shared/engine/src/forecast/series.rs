//! What was measured, as equal steps: samples in any order become cells, what is missing stays missing.

use std::collections::{BTreeMap, VecDeque};

use foreshard_model::plan::Reason;

/// Most cells that are kept, whatever is asked: 60 days of minutes, 0.7 MiB.
pub const HISTORY_MAX: usize = 86_400;
/// Largest value that is believed: a petabyte in bytes, thirty years in microseconds. Squares and sums of what is below stay
/// finite, so that no error of a forecast can overflow.
pub const VALUE_MAX: f64 = 1e15;
/// Samples that must agree on a new time before a jump of the clock is believed: one metric's wrong date is one sample, a
/// service that was silent for long comes back with many.
const JUMP_CONFIRMED_BY: usize = 3;

/// How samples of the same step become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// Counts: added.
    Sum,
    /// Levels: the mean.
    Mean,
    /// Peaks: the largest.
    Max,
}

/// Equal steps, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Start of the first step: seconds since 1970.
    pub start_s: i64,
    /// Length of a step in seconds.
    pub step_s: u32,
    /// A value for each step; `NaN` is missing, which is not zero.
    pub values: Vec<f64>,
    /// What was noticed while reading.
    pub notes: Vec<Reason>,
}

/// What reading met, as counts.
#[derive(Debug, Default)]
struct Met {
    unsorted: usize,
    joined: usize,
    too_old: usize,
    no_numbers: usize,
    negative: usize,
    beyond: usize,
    jumps: usize,
}

/// One step while it is being filled.
#[derive(Debug, Default, Clone, Copy)]
struct Cell {
    sum: f64,
    largest: f64,
    count: u32,
}

impl Series {
    /// Rows that are already equal steps.
    #[must_use]
    pub fn of_rows(start_s: i64, step_s: u32, rows: &[Option<f64>]) -> Self {
        let from = rows.len().saturating_sub(HISTORY_MAX);
        let step = i64::from(step_s.max(1));
        let mut met = Met::default();
        let values = rows[from..].iter().map(|row| met.clean(*row)).collect();
        Self {
            start_s: start_s.saturating_add(step.saturating_mul(from as i64)),
            step_s: step_s.max(1),
            values,
            notes: met.notes(),
        }
    }

    /// Samples as they come, each a time in seconds and a value: unsorted, twice, with gaps. At most `history` steps are
    /// kept, the newest; the memory needed does not grow with the number of samples.
    #[must_use]
    pub fn of_samples(
        step_s: u32,
        history: usize,
        join: Join,
        samples: impl IntoIterator<Item = (i64, Option<f64>)>,
    ) -> Self {
        let step = i64::from(step_s.max(1));
        let history = history.clamp(1, HISTORY_MAX);
        let mut window = Window {
            cells: VecDeque::new(),
            first: 0,
            history,
            newest: i64::MIN,
            aside: Vec::new(),
            met: Met::default(),
        };
        for (at_s, value) in samples {
            let value = window.met.clean(value);
            window.take(at_s.div_euclid(step), value);
        }
        let value = |cell: &Cell| match (cell.count, join) {
            (0, _) => f64::NAN,
            (_, Join::Sum) => cell.sum,
            (count, Join::Mean) => cell.sum / f64::from(count),
            (_, Join::Max) => cell.largest,
        };
        if !window.aside.is_empty() {
            window.met.jumps += 1;
        }
        Self {
            start_s: window.first.saturating_mul(step),
            step_s: step_s.max(1),
            values: window.cells.iter().map(value).collect(),
            notes: window.met.notes(),
        }
    }

    /// End of the last step, where a forecast begins: seconds since 1970.
    #[must_use]
    pub fn end_s(&self) -> i64 {
        let span = i64::from(self.step_s).saturating_mul(self.values.len() as i64);
        self.start_s.saturating_add(span)
    }

    /// Goes on to a moment with missing steps: metrics come late, and what has not come yet is not zero. At most a history's
    /// length of them.
    pub fn extend_to(&mut self, until_s: i64) {
        let more = until_s.saturating_sub(self.end_s()) / i64::from(self.step_s.max(1));
        let more = usize::try_from(more).unwrap_or(0).min(HISTORY_MAX);
        self.values.extend(std::iter::repeat_n(f64::NAN, more));
    }

    /// Sums of `count` rows each; a sum with a missing row is scaled up from the others, and missing where fewer than half
    /// are there. Rows before the first whole sum, counted from the end, are left out.
    #[must_use]
    pub fn summed(&self, count: usize) -> Self {
        let count = count.max(1);
        let skipped = self.values.len() % count;
        let sum = |rows: &[f64]| {
            let there: Vec<f64> = rows.iter().copied().filter(|v| !v.is_nan()).collect();
            if there.len() * 2 < count {
                return f64::NAN;
            }
            there.iter().sum::<f64>() * count as f64 / there.len() as f64
        };
        Self {
            start_s: self.start_s + i64::from(self.step_s) * skipped as i64,
            step_s: self.step_s.saturating_mul(count as u32),
            values: self.values[skipped..]
                .chunks_exact(count)
                .map(sum)
                .collect(),
            notes: self.notes.clone(),
        }
    }
}

/// The newest cells while samples come in.
struct Window {
    cells: VecDeque<Cell>,
    /// Step of the first cell.
    first: i64,
    history: usize,
    newest: i64,
    /// Samples from beyond a jump that nothing has confirmed yet.
    aside: Vec<(i64, f64)>,
    met: Met,
}

impl Window {
    fn take(&mut self, step: i64, value: f64) {
        let jumps = |from: i64, to: i64| to.saturating_sub(from) > self.history as i64;
        if !self.cells.is_empty() && jumps(self.newest, step) {
            let near = |other: i64| other.abs_diff(step) <= self.history as u64;
            if self.aside.iter().any(|(other, _)| !near(*other)) {
                self.met.jumps += 1;
                self.aside.clear();
            }
            self.aside.push((step, value));
            if self.aside.len() >= JUMP_CONFIRMED_BY {
                self.met.jumps += 1;
                self.cells.clear();
                for (step, value) in std::mem::take(&mut self.aside) {
                    self.put(step, value);
                }
            }
            return;
        }
        self.put(step, value);
    }

    fn put(&mut self, step: i64, value: f64) {
        if self.cells.is_empty() {
            self.first = step;
            self.newest = step;
            self.cells.push_back(Cell::default());
        }
        if step < self.newest {
            self.met.unsorted += 1;
        }
        while step < self.first && self.cells.len() < self.history {
            self.cells.push_front(Cell::default());
            self.first -= 1;
        }
        if step < self.first {
            self.met.too_old += 1;
            return;
        }
        while self.newest < step {
            self.cells.push_back(Cell::default());
            self.newest += 1;
            if self.cells.len() > self.history {
                self.cells.pop_front();
                self.first += 1;
            }
        }
        let at = usize::try_from(step.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let (Some(cell), false) = (self.cells.get_mut(at), value.is_nan()) else {
            return;
        };
        if cell.count > 0 {
            self.met.joined += 1;
        }
        cell.largest = if cell.count == 0 {
            value
        } else {
            cell.largest.max(value)
        };
        cell.sum += value;
        cell.count += 1;
    }
}

impl Met {
    fn clean(&mut self, value: Option<f64>) -> f64 {
        match value {
            Some(v) if !v.is_finite() => self.no_numbers += 1,
            Some(v) if v < 0.0 => self.negative += 1,
            Some(v) if v > VALUE_MAX => self.beyond += 1,
            Some(v) => return v,
            None => {}
        }
        f64::NAN
    }

    fn notes(&self) -> Vec<Reason> {
        let all = [
            (
                self.unsorted,
                "samples came out of order and were sorted in",
            ),
            (
                self.joined,
                "samples of a step that had one were joined with it",
            ),
            (
                self.too_old,
                "samples are older than the history and were left out",
            ),
            (
                self.no_numbers,
                "values are no finite numbers and count as missing",
            ),
            (self.negative, "values are negative and count as missing"),
            (self.beyond, "values are above 1e15 and count as missing"),
            (
                self.jumps,
                "jumps of the clock: lone samples from far ahead were left out, several together begin the history anew",
            ),
        ];
        let met = all.iter().filter(|(count, _)| *count > 0);
        met.map(|(count, what)| Reason {
            subject: "data".to_owned(),
            because: (*what).to_owned(),
            numbers: BTreeMap::from([("count".to_owned(), *count as f64)]),
        })
        .collect()
    }
}
