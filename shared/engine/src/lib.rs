//! The decisions: input in, decision with reasons out. No clock, no randomness, no I/O, no environment, no async.

pub mod frontier;
pub mod lifecycle;
pub mod mapping;
pub mod plan;
pub mod price;
pub mod report;
pub mod reshard;
