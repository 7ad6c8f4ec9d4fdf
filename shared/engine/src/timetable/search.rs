//! The search: the best of several list schedules, improved by tabu steps from the best found, disturbed again and again.

use crate::dice::Dice;

use super::list::{Choice, list};
use super::priority::Priority;
use super::sequences::{Fixed, Place, Sequences};
use super::step::{Forbidden, best_move, critical};
use super::{Budget, Instance, Timetable};

/// The list schedules that are tried, best first over many graphs; the first is HEFT.
const LISTS: [(Priority, Choice); 8] = [
    (Priority::Upward(1.0), Choice::EarliestFinish),
    (Priority::Upward(0.0), Choice::EarliestFinish),
    (Priority::Through, Choice::EarliestFinish),
    (Priority::Upward(1.0), Choice::LookAhead),
    (Priority::Upward(2.0), Choice::EarliestFinish),
    (Priority::Level, Choice::EarliestFinish),
    (Priority::Upward(0.0), Choice::LookAhead),
    (Priority::Through, Choice::LookAhead),
];

/// Steps without improvement after which the search goes back and is disturbed, beside one for every task.
const PATIENCE: u64 = 400;
/// Steps for which a task may not return: at least this many, and up to as many more by chance.
const TENURE: u64 = 10;
/// Moves by chance that disturb, at least and up to twice as many more: a few keep what is good, many leave a valley whose
/// walls are several equally long paths. Which of the two a graph needs is not known beforehand, so they take turns.
const DISTURBED: [usize; 2] = [4, 20];
/// Steps for each node and edge before the first move: sequences, ways to and from each task, several copies of them.
const SETTING_OUT: u64 = 20;
/// The seed: any number does.
const SEED: u64 = 0x5eed;

/// The best of the list schedules that the budget allows; always at least HEFT.
pub fn best_list(instance: &Instance<'_>, budget: &mut dyn Budget) -> Timetable {
    let targets = instance.network.speeds.len();
    let each = (instance.work_s.len() * (targets + 8) + instance.graph.edge_count() * 4) as u64;
    let mut best = list(instance, LISTS[0].0, LISTS[0].1);
    for &(priority, choice) in &LISTS[1..] {
        if !budget.allows(each) {
            break;
        }
        let table = list(instance, priority, choice);
        if table.makespan_s < best.makespan_s {
            best = table;
        }
    }
    best
}

/// Improves a timetable while the budget lasts, or until it is as short as `bound_s`.
///
/// # Complexity
///
/// A step looks at no more than 24 tasks of a critical path on every target, and recomputes O(tasks + edges).
/// F. Glover, "Tabu search", ORSA J. Computing 1 (1989), 190; M. Mastrolilli, L. M. Gambardella, J. Scheduling 3 (2000), 3.
pub fn search(
    instance: &Instance<'_>,
    first: &Timetable,
    bound_s: f64,
    budget: &mut dyn Budget,
) -> Timetable {
    let size = (instance.work_s.len() + instance.graph.edge_count()) as u64;
    if !budget.allows(size * SETTING_OUT) {
        return first.clone();
    }
    let fixed = Fixed::new(instance);
    let mut walk = Walk::new(&fixed, Sequences::of(&fixed, first));
    while walk.best.makespan > bound_s * (1.0 + 1e-12) {
        let steps = walk.step();
        if !budget.allows(steps) {
            break;
        }
    }
    let found = walk.best.timetable();
    if found.makespan_s < first.makespan_s {
        found
    } else {
        first.clone()
    }
}

struct Walk<'a> {
    fixed: &'a Fixed,
    now: Sequences,
    best: Sequences,
    forbidden: Forbidden,
    dice: Dice,
    path: Vec<u32>,
    step: u64,
    improved: u64,
    /// The best makespan since the last disturbance.
    local: f64,
    /// Rounds so far.
    rounds: usize,
}

impl<'a> Walk<'a> {
    fn new(fixed: &'a Fixed, now: Sequences) -> Self {
        let tasks = fixed.work_s.len();
        Self {
            fixed,
            best: now.clone(),
            local: now.makespan,
            now,
            rounds: 0,
            forbidden: Forbidden::new(tasks, fixed.pace.len()),
            dice: Dice::new(SEED),
            path: Vec::new(),
            step: 1,
            improved: 0,
        }
    }

    fn step(&mut self) -> u64 {
        self.step += 1;
        let patience = PATIENCE + self.fixed.work_s.len() as u64;
        if self.step - self.improved > patience {
            return self.disturb();
        }
        critical(self.fixed, &self.now, &mut self.dice, &mut self.path);
        let (step, best, forbidden) = (self.step, self.best.makespan, &self.forbidden);
        let (found, mut steps) = best_move(
            self.fixed,
            &self.now,
            &self.path,
            &mut self.dice,
            |task, target, longest| longest < best || !forbidden.forbids(task, target, step),
        );
        let Some(found) = found else {
            return steps + self.disturb();
        };
        let from = self.now.target[found.task as usize];
        let tenure = TENURE + self.dice.below(TENURE as usize + self.path.len()) as u64;
        self.forbidden.forbid(found.task, from, self.step + tenure);
        if let Some(taken) = self.now.relocate(self.fixed, found.task, found.place) {
            steps += taken * 2;
        } else {
            let target = found.place.target;
            self.forbidden
                .forbid(found.task, target, self.step + tenure);
        }
        self.note();
        steps + self.path.len() as u64
    }

    fn note(&mut self) {
        if self.now.makespan < self.local * (1.0 - 1e-9) {
            self.local = self.now.makespan;
            self.improved = self.step;
        }
        if self.now.makespan < self.best.makespan {
            self.best.clone_from(&self.now);
        }
    }

    /// Begins another round: some tasks of the best timetable are moved by chance.
    fn disturb(&mut self) -> u64 {
        self.now.clone_from(&self.best);
        let tasks = self.fixed.work_s.len();
        let least = DISTURBED[self.rounds % DISTURBED.len()];
        self.rounds += 1;
        let mut steps = tasks as u64;
        for _ in 0..least + self.dice.below(least * 2) {
            steps += self.move_by_chance();
        }
        self.local = self.now.makespan;
        self.improved = self.step;
        self.note();
        steps
    }

    fn move_by_chance(&mut self) -> u64 {
        let task = self.dice.below(self.fixed.work_s.len()) as u32;
        let target = self.dice.below(self.fixed.pace.len());
        let others = &self.now.on[target];
        let here = self.now.target[task as usize] as usize == target;
        let start = self.now.finish[task as usize] - self.now.takes[task as usize];
        let near = others.partition_point(|&t| self.now.finish[t as usize] <= start);
        let place = Place {
            target: target as u32,
            at: near.min(others.len() - usize::from(here)) as u32,
        };
        self.now.relocate(self.fixed, task, place).unwrap_or(1) * 2
    }
}
