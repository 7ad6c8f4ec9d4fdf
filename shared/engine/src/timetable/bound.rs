//! What no timetable can be shorter than.

use super::Instance;

/// Thresholds of head and of tail that are tried, each.
const THRESHOLDS: usize = 48;
/// Tasks up to which the work of all ancestors is counted for each task: it needs a bit for every pair.
const CLOSED: usize = 4_096;

/// A lower bound of every timetable's makespan, in seconds: no data moves, and tasks may be cut at will.
///
/// Of the tasks that cannot start before `h` and have `t` left behind them, none starts before `h`, all targets together do
/// their work at the sum of their speeds, and `t` follows: h + work / speeds + t, for many pairs of thresholds. With h and t
/// 0 that is the work bound; with a single task, the critical path on the fastest target. The same, for the ancestors of one
/// task, says when it can start; for its descendants, what is left behind it.
///
/// # Complexity
///
/// O(edges + tasks · thresholds), and O(tasks²) up to 4,096 tasks. E. G. Fernandez, B. Bussell, "Bounds on the number of
/// processors and time for multiprocessor optimal schedules", IEEE Trans. Computers 22 (1973), 745, for unequal speeds.
#[must_use]
pub fn lower_bound_s(instance: &Instance<'_>) -> f64 {
    let tasks = instance.work_s.len();
    let speeds = &instance.network.speeds;
    let fastest = speeds.iter().copied().fold(0.0, f64::max);
    let together: f64 = speeds.iter().sum();
    let backwards: Vec<u32> = instance.order.iter().rev().copied().collect();
    let graph = instance.graph;
    let ways = Ways {
        work_s: instance.work_s,
        fastest,
        together,
    };
    let head = ways.lengths(instance.order, |task| graph.predecessors(task));
    let tail = ways.lengths(&backwards, |task| graph.successors(task));
    let path = (0..tasks)
        .map(|task| head[task] + instance.work_s[task] / fastest + tail[task])
        .fold(0.0, f64::max);
    let heads = thresholds(&head);
    let tails = thresholds(&tail);
    let mut bound = path;
    for &from in &heads {
        let mut work = vec![0.0_f64; tails.len()];
        for task in (0..tasks).filter(|&task| head[task] >= from) {
            let below = tails.partition_point(|&t| t <= tail[task]);
            if below > 0 {
                work[below - 1] += instance.work_s[task];
            }
        }
        let mut behind = 0.0;
        for (at, &left) in tails.iter().enumerate().rev() {
            behind += work[at];
            if behind > 0.0 {
                bound = bound.max(from + behind / together + left);
            }
        }
    }
    bound
}

/// What the ways to a task are made of.
struct Ways<'a> {
    work_s: &'a [f64],
    fastest: f64,
    together: f64,
}

impl<'a> Ways<'a> {
    /// How long it takes at least until each task can start, the tasks that it waits for being `before` it.
    fn lengths(&self, order: &[u32], before: impl Fn(u32) -> &'a [u32]) -> Vec<f64> {
        let tasks = order.len();
        let mut length = vec![0.0_f64; tasks];
        let mut known = Known::new(if tasks <= CLOSED { tasks } else { 0 });
        for &task in order {
            let along = |&b: &u32| length[b as usize] + self.work_s[b as usize] / self.fastest;
            let path = before(task).iter().map(along).fold(0.0, f64::max);
            let area = known.ancestors(task, before(task), |b| self.work_s[b as usize]);
            length[task as usize] = path.max(area / self.together);
            known.add(task, length[task as usize] * self.together);
        }
        length
    }
}

/// The tasks seen so far by the length of the way to them, and which of them are ancestors of which.
struct Known {
    ancestors: Vec<u64>,
    words: usize,
    /// Length as work of all targets together, and task; descending.
    by_length: Vec<(f64, u32)>,
}

impl Known {
    fn new(tasks: usize) -> Self {
        let words = tasks.div_ceil(64);
        Self {
            ancestors: vec![0; words * tasks],
            words,
            by_length: Vec::new(),
        }
    }

    /// Notes a task's ancestors, and answers how much work all targets could do before it can start, at least.
    fn ancestors(&mut self, task: u32, before: &[u32], work: impl Fn(u32) -> f64) -> f64 {
        if self.words == 0 {
            return 0.0;
        }
        let mine = task as usize * self.words;
        for &other in before {
            for word in 0..self.words {
                self.ancestors[mine + word] |= self.ancestors[other as usize * self.words + word];
            }
            self.ancestors[mine + other as usize / 64] |= 1 << (other % 64);
        }
        let mut sum = 0.0;
        let mut most = 0.0_f64;
        for &(length, other) in &self.by_length {
            if self.ancestors[mine + other as usize / 64] >> (other % 64) & 1 == 1 {
                sum += work(other);
                most = most.max(length + sum);
            }
        }
        most
    }

    fn add(&mut self, task: u32, length: f64) {
        if self.words > 0 {
            let at = self.by_length.partition_point(|&(l, _)| l > length);
            self.by_length.insert(at, (length, task));
        }
    }
}

/// Some of the values, ascending, the least among them.
fn thresholds(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let step = sorted.len().div_ceil(THRESHOLDS).max(1);
    sorted.into_iter().step_by(step).collect()
}
