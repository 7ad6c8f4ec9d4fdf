//! The planner's benchmarks over recorded workflows, each result checked by code that shares nothing with the engine.

#![expect(clippy::print_stderr, reason = "a test says loudly what it left out")]

#[path = "planner/check.rs"]
mod check;
#[path = "planner/figures.rs"]
mod figures;
#[path = "planner/recorded.rs"]
mod recorded;
