//! The decisions: input in, decision with reasons out. No clock, no randomness, no I/O, no environment, no async.

pub mod admit;
pub mod anomaly;
pub mod asl;
mod codes;
mod dice;
pub mod draw;
pub mod expression;
pub mod frontier;
pub mod graph;
pub mod lifecycle;
pub mod limits;
pub mod mapping;
pub mod objective;
pub mod parse;
pub mod partition;
pub mod place;
pub mod plan;
pub mod prewarm;
pub mod price;
pub mod profile;
pub mod report;
pub mod reshard;
pub mod rightsize;
pub mod schedule;
pub mod sculpt;
pub mod shard;
pub mod timetable;
