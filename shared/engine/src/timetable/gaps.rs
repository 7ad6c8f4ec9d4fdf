//! The idle time of one target: gaps between tasks, and the time after the last.

/// Gaps that a target remembers; the oldest are forgotten, so that a look costs the same however long the timetable is.
///
/// Priorities fall along the list, so ready times rise: what no task wanted so far, hardly any later one will.
const REMEMBERED: usize = 128;

/// Idle time of one target.
///
/// ```text
///   │ task │ gap │ task │ gap │ task │ last ─────►
/// ```
#[derive(Debug, Clone, Default)]
pub struct Gaps {
    /// Start and end of each gap, ascending.
    gaps: Vec<(f64, f64)>,
    /// End of the last task.
    last: f64,
}

/// Where a task would go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slot {
    /// Its start.
    pub start: f64,
    gap: usize,
}

impl Gaps {
    /// The earliest slot for a task that is ready and takes so long.
    ///
    /// # Complexity
    ///
    /// O(log gaps) to the first gap that ends late enough, then one look for each that is too short; at most 128.
    pub fn earliest(&self, ready: f64, takes: f64) -> Slot {
        let first = match self.gaps.last() {
            Some(&(_, end)) if end >= ready + takes => {
                self.gaps.partition_point(|&(_, end)| end < ready + takes)
            }
            _ => self.gaps.len(),
        };
        for (at, &(from, to)) in self.gaps.iter().enumerate().skip(first) {
            let start = from.max(ready);
            if start + takes <= to {
                return Slot { start, gap: at };
            }
        }
        Slot {
            start: self.last.max(ready),
            gap: self.gaps.len(),
        }
    }

    /// Takes the slot; gaps shorter than `shortest` are of no use to anybody and are not kept.
    pub fn take(&mut self, slot: Slot, takes: f64, shortest: f64) {
        let end = slot.start + takes;
        if slot.gap == self.gaps.len() {
            if slot.start - self.last >= shortest {
                self.gaps.push((self.last, slot.start));
                if self.gaps.len() > REMEMBERED {
                    self.gaps.drain(..REMEMBERED / 4);
                }
            }
            self.last = end;
            return;
        }
        let (from, to) = self.gaps[slot.gap];
        let before = slot.start - from >= shortest;
        let after = to - end >= shortest;
        match (before, after) {
            (true, true) => {
                self.gaps[slot.gap].1 = slot.start;
                self.gaps.insert(slot.gap + 1, (end, to));
            }
            (true, false) => self.gaps[slot.gap].1 = slot.start,
            (false, true) => self.gaps[slot.gap].0 = end,
            (false, false) => {
                self.gaps.remove(slot.gap);
            }
        }
    }
}
