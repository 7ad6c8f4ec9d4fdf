//! Room: how many lanes are free over time, and the earliest time for one more shard.

/// Steps that one search looks at before it takes the time after the last full one: what no shard wanted so far, hardly
/// any later one will, because priorities fall and so ready times rise.
const LOOKS: usize = 256;

/// Steps that are remembered beside two for each lane; the oldest are forgotten, as if they were full.
const REMEMBERED: usize = 4_096;

/// Free lanes over time, a step function that never ends full.
///
/// ```text
///   3 ──┐     ┌──────────      from 0: 3, from 10: 1, from 20: 3
///   1   └─────┘
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Where each step begins, ascending, in microseconds.
    from_us: Vec<u64>,
    /// Free lanes in each.
    free: Vec<u32>,
    /// The end of the last full step.
    full_until_us: u64,
    most: u32,
}

impl Room {
    /// From steps by ascending time; before the first of them it is as in the first, and after the last at least one lane is
    /// free for ever.
    #[must_use]
    pub fn new(steps: impl IntoIterator<Item = (u64, u32)>) -> Self {
        let mut room = Self {
            from_us: vec![0],
            free: Vec::new(),
            full_until_us: 0,
            most: 0,
        };
        for (from_us, free) in steps {
            match room.free.last() {
                None => room.free.push(free),
                Some(&before) if before != free => {
                    room.from_us.push(from_us);
                    room.free.push(free);
                }
                Some(_) => {}
            }
        }
        match room.free.last_mut() {
            Some(last) => *last = (*last).max(1),
            None => room.free.push(1),
        }
        room.most = room.free.iter().copied().max().unwrap_or(1);
        room.note_full(0, room.free.len());
        room
    }

    /// Most lanes that were free at any time, before anything was taken.
    #[must_use]
    pub fn most(&self) -> u32 {
        self.most
    }

    /// From when on a lane is free for ever, in microseconds.
    #[must_use]
    pub fn full_until(&self) -> u64 {
        self.full_until_us
    }

    /// Fewest lanes that are free at any time.
    #[must_use]
    pub fn least(&self) -> u32 {
        self.free.iter().copied().min().unwrap_or(0)
    }

    /// The steps: from when, in microseconds, how many.
    pub fn steps(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        self.from_us.iter().copied().zip(self.free.iter().copied())
    }

    /// Lanes that are free at a time.
    #[must_use]
    pub fn free_at(&self, at_us: u64) -> u32 {
        let step = self.from_us.partition_point(|&from| from <= at_us);
        step.checked_sub(1).map_or(0, |step| self.free[step])
    }

    /// The earliest time, not before `ready_us`, from which on a lane is free for so long.
    ///
    /// # Complexity
    ///
    /// O(log steps + steps looked at), of which there are at most [`LOOKS`] and those that the shard lasts.
    #[must_use]
    pub fn earliest(&self, ready_us: u64, takes_us: u64) -> u64 {
        let mut start = ready_us.max(self.from_us[0]);
        let mut step = self.from_us.partition_point(|&from| from <= start) - 1;
        let first = step;
        while step - first <= LOOKS {
            if self.free[step] == 0 {
                step += 1;
                start = self.from_us[step];
                continue;
            }
            let end = start.saturating_add(takes_us.max(1));
            let mut next = step + 1;
            while next < self.from_us.len() && self.from_us[next] < end && self.free[next] > 0 {
                next += 1;
            }
            if next == self.from_us.len() || self.from_us[next] >= end {
                return start;
            }
            step = next;
        }
        ready_us.max(self.full_until_us)
    }

    /// Takes a lane for a time that [`Room::earliest`] has found.
    ///
    /// # Complexity
    ///
    /// O(log steps + steps behind the start), moved in one go.
    pub fn take(&mut self, start_us: u64, takes_us: u64) {
        let first = self.split(start_us);
        let last = self.split(start_us.saturating_add(takes_us.max(1)));
        for free in &mut self.free[first..last] {
            *free = free.saturating_sub(1);
        }
        self.note_full(first, last);
        self.join(last);
        self.join(first);
        let most = REMEMBERED + 2 * self.most as usize;
        if self.from_us.len() > most {
            let forgotten = most / 4;
            self.from_us.drain(..forgotten);
            self.free.drain(..forgotten);
        }
    }

    fn note_full(&mut self, first: usize, last: usize) {
        let full = (first..last).rev().find(|&step| self.free[step] == 0);
        if let Some(next) = full.and_then(|step| self.from_us.get(step + 1)) {
            self.full_until_us = self.full_until_us.max(*next);
        }
    }

    /// The step that begins at this time, made if there is none.
    fn split(&mut self, at_us: u64) -> usize {
        let step = self.from_us.partition_point(|&from| from < at_us);
        if self.from_us.get(step) != Some(&at_us) && step > 0 {
            self.from_us.insert(step, at_us);
            self.free.insert(step, self.free[step - 1]);
        }
        step
    }

    /// Two steps that have become alike are one.
    fn join(&mut self, step: usize) {
        if step > 0 && step < self.free.len() && self.free[step] == self.free[step - 1] {
            self.from_us.remove(step);
            self.free.remove(step);
        }
    }
}
