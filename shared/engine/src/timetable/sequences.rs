//! A timetable as the order of tasks on each target, with the longest way to and from each task kept up to date.

use super::{Instance, Timetable};

/// No task.
pub const NONE: u32 = u32::MAX;

/// Neighbours with the seconds that data takes to them, as slices of one array.
#[derive(Debug, Clone, Default)]
pub struct Links {
    start: Vec<u32>,
    ends: Vec<(u32, f64)>,
}

impl Links {
    /// The neighbours of a task.
    pub fn of(&self, task: u32) -> &[(u32, f64)] {
        let task = task as usize;
        &self.ends[self.start[task] as usize..self.start[task + 1] as usize]
    }

    fn before(instance: &Instance<'_>) -> Self {
        let mut links = Self::default();
        for task in 0..instance.work_s.len() as u32 {
            links.start.push(links.ends.len() as u32);
            let incoming = instance.graph.incoming_bytes(task);
            links
                .ends
                .extend(incoming.map(|(from, bytes)| (from, instance.moving(bytes))));
        }
        links.start.push(links.ends.len() as u32);
        links
    }

    fn reversed(&self) -> Self {
        let tasks = self.start.len() - 1;
        let mut start = vec![0_u32; tasks + 1];
        for &(from, _) in &self.ends {
            start[from as usize + 1] += 1;
        }
        for task in 0..tasks {
            start[task + 1] += start[task];
        }
        let mut next = start.clone();
        let mut ends = vec![(0, 0.0); self.ends.len()];
        for task in 0..tasks as u32 {
            for &(from, moving) in self.of(task) {
                let at = &mut next[from as usize];
                ends[*at as usize] = (task, moving);
                *at += 1;
            }
        }
        Self { start, ends }
    }
}

/// What does not change during a search.
#[derive(Debug, Clone)]
pub struct Fixed {
    /// What each task waits for.
    pub before: Links,
    /// What waits for each task.
    pub after: Links,
    /// Work of each task.
    pub work_s: Vec<f64>,
    /// Seconds for a second of work, by target.
    pub pace: Vec<f64>,
}

impl Fixed {
    /// The instance in arrays that are quick to go through.
    pub fn new(instance: &Instance<'_>) -> Self {
        let before = Links::before(instance);
        Self {
            after: before.reversed(),
            before,
            work_s: instance.work_s.to_vec(),
            pace: instance.network.speeds.iter().map(|s| 1.0 / s).collect(),
        }
    }
}

/// A task's new place: before the task that is at `at` in the sequence of `target` once the task itself is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The target.
    pub target: u32,
    /// The position.
    pub at: u32,
}

/// The tasks in sequence on each target: the disjunctive graph of B. Roy, B. Sussmann (1964).
#[derive(Debug, Clone, Default)]
pub struct Sequences {
    /// Tasks of each target, in order.
    pub on: Vec<Vec<u32>>,
    /// Target of each task.
    pub target: Vec<u32>,
    /// Position of each task on its target.
    pub at: Vec<u32>,
    /// Seconds that each task takes where it is.
    pub takes: Vec<f64>,
    /// Longest way from the start of the run to the end of each task.
    pub finish: Vec<f64>,
    /// Longest way from the end of each task to the end of the run.
    pub tail: Vec<f64>,
    /// End of the last task.
    pub makespan: f64,
    /// Tasks, each after all that it waits for in the graph and on its target.
    order: Vec<u32>,
    /// Position of each task in that order.
    place: Vec<u32>,
    late: Vec<bool>,
    spare: Vec<u32>,
}

impl Sequences {
    /// The sequences of a timetable.
    pub fn of(fixed: &Fixed, table: &Timetable) -> Self {
        let tasks = fixed.work_s.len();
        let mut order: Vec<u32> = (0..tasks as u32).collect();
        order.sort_unstable_by(|&a, &b| {
            let start = |task: u32| table.start_s[task as usize];
            let end = |task: u32| table.finish_s[task as usize];
            start(a)
                .total_cmp(&start(b))
                .then(end(a).total_cmp(&end(b)))
                .then(a.cmp(&b))
        });
        let mut on = vec![Vec::new(); fixed.pace.len()];
        let mut at = vec![0; tasks];
        let mut place = vec![0; tasks];
        for (position, &task) in order.iter().enumerate() {
            let sequence: &mut Vec<u32> = &mut on[table.target[task as usize] as usize];
            at[task as usize] = sequence.len() as u32;
            sequence.push(task);
            place[task as usize] = position as u32;
        }
        let takes = (0..tasks)
            .map(|task| fixed.work_s[task] * fixed.pace[table.target[task] as usize])
            .collect();
        let mut sequences = Self {
            on,
            target: table.target.clone(),
            at,
            takes,
            finish: vec![0.0; tasks],
            tail: vec![0.0; tasks],
            makespan: 0.0,
            order,
            place,
            late: vec![false; tasks],
            spare: Vec::new(),
        };
        sequences.forward(fixed, 0);
        sequences.backward(fixed, tasks);
        sequences
    }

    /// The timetable: each task as early as its sequence lets it.
    pub fn timetable(&self) -> Timetable {
        let start = |(finish, takes): (&f64, &f64)| (finish - takes).max(0.0);
        Timetable {
            target: self.target.clone(),
            start_s: self.finish.iter().zip(&self.takes).map(start).collect(),
            finish_s: self.finish.clone(),
            makespan_s: self.makespan,
        }
    }

    /// The task before this one on its target.
    pub fn previous(&self, task: u32) -> u32 {
        match self.at[task as usize] {
            0 => NONE,
            at => self.on[self.target[task as usize] as usize][at as usize - 1],
        }
    }

    fn following(&self, task: u32) -> u32 {
        let sequence = &self.on[self.target[task as usize] as usize];
        let next = self.at[task as usize] as usize + 1;
        sequence.get(next).copied().unwrap_or(NONE)
    }

    /// When the task can start where it is.
    fn ready(&self, fixed: &Fixed, task: u32) -> f64 {
        let target = self.target[task as usize];
        let mut ready = match self.previous(task) {
            NONE => 0.0,
            previous => self.finish[previous as usize],
        };
        for &(from, moving) in fixed.before.of(task) {
            let away = self.target[from as usize] != target;
            ready = ready.max(self.finish[from as usize] + if away { moving } else { 0.0 });
        }
        ready
    }

    fn forward(&mut self, fixed: &Fixed, from: usize) {
        for position in from..self.order.len() {
            let task = self.order[position];
            let ready = self.ready(fixed, task);
            self.finish[task as usize] = ready + self.takes[task as usize];
        }
        let last = |sequence: &Vec<u32>| sequence.last().map_or(0.0, |&t| self.finish[t as usize]);
        self.makespan = self.on.iter().map(last).fold(0.0, f64::max);
    }

    fn backward(&mut self, fixed: &Fixed, to: usize) {
        for position in (0..to).rev() {
            let task = self.order[position];
            let target = self.target[task as usize];
            let mut tail = match self.following(task) {
                NONE => 0.0,
                next => self.takes[next as usize] + self.tail[next as usize],
            };
            for &(next, moving) in fixed.after.of(task) {
                let away = self.target[next as usize] != target;
                let behind = self.takes[next as usize] + self.tail[next as usize];
                tail = tail.max(behind + if away { moving } else { 0.0 });
            }
            self.tail[task as usize] = tail;
        }
    }

    /// Moves a task; answers the steps taken, or nothing, and changes nothing, when that would close a circle.
    ///
    /// # Complexity
    ///
    /// O(tasks + edges) behind the earlier of its two places, and before the later.
    pub fn relocate(&mut self, fixed: &Fixed, task: u32, to: Place) -> Option<u64> {
        let old = Place {
            target: self.target[task as usize],
            at: self.at[task as usize],
        };
        self.take_out(task);
        self.put(fixed, task, to);
        let was = self.place[task as usize] as usize;
        let Some((from, to)) = self.reorder(fixed, task) else {
            self.take_out(task);
            self.put(fixed, task, old);
            return None;
        };
        let (from, to) = (from.min(was), to.max(was + 1));
        self.forward(fixed, from);
        self.backward(fixed, to);
        Some((self.order.len() - from + to) as u64)
    }

    fn take_out(&mut self, task: u32) {
        let at = self.at[task as usize] as usize;
        let sequence = &mut self.on[self.target[task as usize] as usize];
        sequence.remove(at);
        for (position, &later) in sequence.iter().enumerate().skip(at) {
            self.at[later as usize] = position as u32;
        }
    }

    fn put(&mut self, fixed: &Fixed, task: u32, place: Place) {
        let sequence = &mut self.on[place.target as usize];
        sequence.insert(place.at as usize, task);
        for (position, &later) in sequence.iter().enumerate().skip(place.at as usize) {
            self.at[later as usize] = position as u32;
        }
        self.target[task as usize] = place.target;
        self.takes[task as usize] = fixed.work_s[task as usize] * fixed.pace[place.target as usize];
    }

    /// Mends the order around a task that has moved; answers the range of positions that changed.
    ///
    /// What the task waits for must come before it, what waits for it after it. Where these overlap, whatever follows the
    /// latter is moved behind. D. J. Pearce, P. H. J. Kelly, "A dynamic topological sort algorithm", ACM JEA 11 (2007).
    fn reorder(&mut self, fixed: &Fixed, task: u32) -> Option<(usize, usize)> {
        let was = self.place[task as usize] as usize;
        let place = |task: u32| self.place[task as usize] as usize;
        let before = fixed.before.of(task).iter().map(|&(from, _)| from);
        let previous = Some(self.previous(task)).filter(|&p| p != NONE);
        let last_before = before.chain(previous).map(place).max();
        let after = fixed.after.of(task).iter().map(|&(next, _)| next);
        let following = Some(self.following(task)).filter(|&n| n != NONE);
        let first_after = after.chain(following).map(place).min();
        let from = first_after.unwrap_or(self.order.len()).min(was);
        let to = last_before.map_or(0, |last| last + 1).max(was + 1);
        if first_after.is_none_or(|first| first > was) && last_before.is_none_or(|last| last < was)
        {
            return Some((was, was + 1));
        }
        self.spare.clear();
        let mut early = Vec::with_capacity(to - from);
        for position in from..to {
            let other = self.order[position];
            if other == task {
                continue;
            }
            if self.waits(fixed, other, task) {
                self.late[other as usize] = true;
                self.spare.push(other);
            } else {
                early.push(other);
            }
        }
        let closes = fixed
            .before
            .of(task)
            .iter()
            .map(|&(before, _)| before)
            .chain(Some(self.previous(task)).filter(|&p| p != NONE))
            .any(|before| self.late[before as usize]);
        for &other in &self.spare {
            self.late[other as usize] = false;
        }
        if closes {
            return None;
        }
        let mended = early.iter().chain([&task]).chain(&self.spare);
        for (position, &other) in (from..to).zip(mended) {
            self.order[position] = other;
            self.place[other as usize] = position as u32;
        }
        Some((from, to))
    }

    /// Whether `other` comes after `task`, directly or behind one that is known to be late.
    fn waits(&self, fixed: &Fixed, other: u32, task: u32) -> bool {
        let late = |before: u32| before == task || self.late[before as usize];
        let previous = self.previous(other);
        (previous != NONE && late(previous))
            || fixed.before.of(other).iter().any(|&(from, _)| late(from))
    }
}
