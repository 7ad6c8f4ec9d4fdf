//! Objectives: which of several plans serves a run's wishes best, which of them nobody need consider, and what is no wish.

mod bounds;
mod choice;
mod energy;
mod front;

pub use bounds::problems;
pub use choice::{Cap, Kept, Measures, Missed, keep, met};
pub use energy::{Used, kwh};
pub use front::{MARGIN, front, options_for, thinned};

#[cfg(test)]
mod tests;
