//! Decides what a finished run says of itself: its result, its figures, what it cost and what it waited for.
//!
//! All of it is computed from what was written on the way: the shards' items, their manifests, and the task graph that
//! planning left behind.

mod cost;
mod critical;
mod forecasts;
mod graph;
mod result;
mod summary;

pub use cost::{Spent, Used, spent};
pub use critical::{CriticalPath, PathStep, critical_path};
pub use forecasts::{Against, Forecasts, Outline, ShardErrors, forecasts};
pub use graph::{Measured, Measurements, TaskGraph};
pub use result::{Collector, Fetch, INLINE_RESULT_BYTES, INLINE_TOTAL_BYTES, Oversized, RunResult};
pub use summary::{Facts, Report, ShardReport, report};

#[cfg(test)]
mod tests;
