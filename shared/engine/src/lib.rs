//! The decisions: input in, decision with reasons out. No clock, no randomness, no I/O, no environment, no async.

pub mod draw;
pub mod frontier;
pub mod lifecycle;
pub mod mapping;
pub mod graph;
pub mod parse;
pub mod place;
pub mod shard;
pub mod limits;
pub mod plan;
pub mod price;
pub mod report;
pub mod reshard;
