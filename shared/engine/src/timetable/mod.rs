//! Timetables: tasks on unequal targets over time, where data costs time to move from one target to another.
//!
//! A list schedule is made first, by several priorities and two rules of choice ([`list`]); a tabu search over the
//! sequences of the targets improves the best ([`search`]) for as long as its [`Budget`] lasts.

mod bound;
mod clusters;
mod gaps;
mod list;
mod optimistic;
mod priority;
mod search;
mod sequences;
mod step;

use crate::graph::Csr;

pub use bound::lower_bound_s;
pub use clusters::{Clustered, DEFAULT_LOOKS, MOST_LOOKS, clusters};
pub use list::{Choice, list};
pub use priority::Priority;
pub use search::{best_list, search};

#[cfg(test)]
mod tests;

/// Targets of unequal speed, every one connected with every other at the same bandwidth.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// Seconds of work that each target does in a second.
    pub speeds: Vec<f64>,
    /// Bytes a second between two different targets; within one, data is there at once.
    pub bytes_per_s: f64,
}

/// What is to be timetabled: a graph without a cycle, and the work of its tasks.
#[derive(Debug, Clone, Copy)]
pub struct Instance<'a> {
    /// Who follows whom, with the bytes that move.
    pub graph: &'a Csr,
    /// A topological order of it.
    pub order: &'a [u32],
    /// Work of each task, in seconds on a target of speed 1; above 0.
    pub work_s: &'a [f64],
    /// Where it runs.
    pub network: &'a Network,
}

impl Instance<'_> {
    /// Seconds that a task takes on a target.
    #[must_use]
    pub fn on(&self, task: u32, target: usize) -> f64 {
        self.work_s[task as usize] / self.network.speeds[target]
    }

    /// Seconds that bytes take from one target to another.
    #[must_use]
    pub fn moving(&self, bytes: u64) -> f64 {
        bytes as f64 / self.network.bytes_per_s
    }
}

/// Where and when each task runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timetable {
    /// Target of each task.
    pub target: Vec<u32>,
    /// Start of each task, in seconds from the start of the run.
    pub start_s: Vec<f64>,
    /// End of each task.
    pub finish_s: Vec<f64>,
    /// End of the last.
    pub makespan_s: f64,
}

/// How long a search may go on: the caller counts, by a clock or otherwise; the engine has none.
pub trait Budget {
    /// Whether so many further steps may be taken; a step is a look at one node or edge.
    fn allows(&mut self, steps: u64) -> bool;
}

/// A budget counted in steps: the same input gives the same plan on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps(pub u64);

impl Budget for Steps {
    fn allows(&mut self, steps: u64) -> bool {
        self.0 = self.0.saturating_sub(steps);
        self.0 > 0
    }
}

/// Steps of the budget that a plan has when nobody asks for another: about 2 ms of a core of 2024.
pub const DEFAULT_STEPS: u64 = 250_000;
