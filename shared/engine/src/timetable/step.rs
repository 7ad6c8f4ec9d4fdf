//! One step of the search: which task of a critical path moves where, estimated without recomputing the timetable.

use crate::dice::Dice;

use super::sequences::{Fixed, NONE, Place, Sequences};

/// Tasks of one critical path that are looked at in a step.
const LOOKED_AT: usize = 24;
/// Positions of one target that are estimated.
const POSITIONS: usize = 12;
/// Two moments closer than this share of the makespan are the same.
const SAME: f64 = 1e-9;

/// A move and the longest path through the moved task after it, estimated.
#[derive(Debug, Clone, Copy)]
pub struct Move {
    /// The task.
    pub task: u32,
    /// Its new place.
    pub place: Place,
    /// The estimate.
    pub longest: f64,
}

/// Tasks on a longest path, from its end; of several ways back one is taken by chance.
pub fn critical(fixed: &Fixed, now: &Sequences, dice: &mut Dice, path: &mut Vec<u32>) {
    path.clear();
    let same = now.makespan * SAME;
    let ends: Vec<u32> = now
        .on
        .iter()
        .filter_map(|sequence| sequence.last().copied())
        .filter(|&task| now.finish[task as usize] >= now.makespan - same)
        .collect();
    let Some(&last) = ends.get(dice.below(ends.len())) else {
        return;
    };
    let mut task = last;
    loop {
        path.push(task);
        let start = now.finish[task as usize] - now.takes[task as usize];
        if start <= same {
            return;
        }
        let mut chosen = NONE;
        let mut ways = 0;
        let previous = now.previous(task);
        if previous != NONE && now.finish[previous as usize] >= start - same {
            (chosen, ways) = (previous, 1);
        }
        let target = now.target[task as usize];
        for &(from, moving) in fixed.before.of(task) {
            let away = now.target[from as usize] != target;
            let arrives = now.finish[from as usize] + if away { moving } else { 0.0 };
            if arrives >= start - same && from != previous {
                ways += 1;
                if dice.below(ways) == 0 {
                    chosen = from;
                }
            }
        }
        if chosen == NONE {
            return;
        }
        task = chosen;
    }
}

/// What is forbidden for a while.
#[derive(Debug, Clone)]
pub struct Forbidden {
    until: Vec<u64>,
    targets: usize,
}

impl Forbidden {
    /// Nothing is.
    pub fn new(tasks: usize, targets: usize) -> Self {
        Self {
            until: vec![0; tasks * targets],
            targets,
        }
    }

    /// Whether the task may not go to the target in step `now`.
    pub fn forbids(&self, task: u32, target: u32, now: u64) -> bool {
        self.until[task as usize * self.targets + target as usize] > now
    }

    /// Forbids it.
    pub fn forbid(&mut self, task: u32, target: u32, until: u64) {
        self.until[task as usize * self.targets + target as usize] = until;
    }
}

/// The best move of a task on the path that is not forbidden, or that beats everything so far; and the steps it took.
pub fn best_move(
    fixed: &Fixed,
    now: &Sequences,
    path: &[u32],
    dice: &mut Dice,
    allowed: impl Fn(u32, u32, f64) -> bool,
) -> (Option<Move>, u64) {
    let mut best: Option<Move> = None;
    let mut ties = 0;
    let mut steps = 0;
    let from = dice.below(path.len());
    for &task in path
        .iter()
        .cycle()
        .skip(from)
        .take(path.len().min(LOOKED_AT))
    {
        for target in 0..now.on.len() as u32 {
            let Some((place, longest)) = best_place(fixed, now, task, target, &mut steps) else {
                continue;
            };
            if !allowed(task, target, longest) {
                continue;
            }
            let found = Move {
                task,
                place,
                longest,
            };
            match best {
                Some(leading) if longest > leading.longest => {}
                Some(leading) if longest == leading.longest => {
                    ties += 1;
                    if dice.below(ties + 1) == 0 {
                        best = Some(found);
                    }
                }
                _ => {
                    (best, ties) = (Some(found), 0);
                }
            }
        }
    }
    (best, steps)
}

/// What a task waits for and what waits for it, if it were on a target.
struct Window {
    /// End of the last predecessor, data not counted: whatever ends later cannot be an ancestor.
    ended: f64,
    /// Longest way from the start of a successor, data not counted.
    behind: f64,
    /// When its inputs are there.
    ready: f64,
    /// Longest way from its end to the end of the run.
    tail: f64,
}

impl Window {
    fn of(fixed: &Fixed, now: &Sequences, task: u32, target: u32) -> Self {
        let mut window = Self {
            ended: 0.0,
            behind: 0.0,
            ready: 0.0,
            tail: 0.0,
        };
        for &(from, moving) in fixed.before.of(task) {
            let end = now.finish[from as usize];
            let away = now.target[from as usize] != target;
            window.ended = window.ended.max(end);
            window.ready = window.ready.max(end + if away { moving } else { 0.0 });
        }
        for &(next, moving) in fixed.after.of(task) {
            let way = now.takes[next as usize] + now.tail[next as usize];
            let away = now.target[next as usize] != target;
            window.behind = window.behind.max(way);
            window.tail = window.tail.max(way + if away { moving } else { 0.0 });
        }
        window
    }
}

/// Where on the target the longest path through the task would be shortest.
///
/// Positions are those between the tasks that may be its ancestors and those that may be its descendants: M. Mastrolilli,
/// L. M. Gambardella, "Effective neighbourhood functions for the flexible job shop problem", J. Scheduling 3 (2000), 3.
fn best_place(
    fixed: &Fixed,
    now: &Sequences,
    task: u32,
    target: u32,
    steps: &mut u64,
) -> Option<(Place, f64)> {
    let sequence = &now.on[target as usize];
    let window = Window::of(fixed, now, task, target);
    let takes = fixed.work_s[task as usize] * fixed.pace[target as usize];
    let way = |other: u32| now.takes[other as usize] + now.tail[other as usize];
    let first_late = sequence.partition_point(|&t| now.finish[t as usize] <= window.ended);
    let first_free = sequence.partition_point(|&t| way(t) > window.behind);
    let (from, to) = (first_late.min(first_free), first_late.max(first_free));
    // Between these two, a later position only makes the way to the task longer, or the way from it.
    let ready = sequence.partition_point(|&t| now.finish[t as usize] <= window.ready);
    let free = sequence.partition_point(|&t| way(t) > window.tail);
    let (low, high) = (
        ready.min(free).clamp(from, to),
        ready.max(free).clamp(from, to),
    );
    let here = now.target[task as usize] == target;
    let own = now.at[task as usize] as usize;
    let stride = (high - low) / POSITIONS + 1;
    let mut best: Option<(usize, f64)> = None;
    let mut position = low;
    while position <= high {
        *steps += 1;
        if !(here && (position == own || position == own + 1)) {
            let longest = through(now, sequence, &window, takes, (task, position, here));
            if best.is_none_or(|(_, least)| longest < least) {
                best = Some((position, longest));
            }
        }
        position += stride;
    }
    *steps += (fixed.before.of(task).len() + fixed.after.of(task).len()) as u64 / 2 + 4;
    let (position, longest) = best?;
    let at = position - usize::from(here && position > own);
    Some((
        Place {
            target,
            at: at as u32,
        },
        longest,
    ))
}

/// The longest path through the task at a position.
fn through(
    now: &Sequences,
    sequence: &[u32],
    window: &Window,
    takes: f64,
    (task, position, here): (u32, usize, bool),
) -> f64 {
    let own = now.at[task as usize] as usize;
    let mut start = window.ready;
    if let Some(&previous) = position.checked_sub(1).and_then(|at| sequence.get(at)) {
        // On its own target the task's leaving lets what was behind it start earlier.
        let earlier = if here && position > own { takes } else { 0.0 };
        start = start.max(now.finish[previous as usize] - earlier);
    }
    let mut tail = window.tail;
    if let Some(&next) = sequence.get(position) {
        let sooner = if here && position < own { takes } else { 0.0 };
        let way = now.takes[next as usize] + now.tail[next as usize];
        tail = tail.max(way - sooner);
    }
    start + takes + tail
}
