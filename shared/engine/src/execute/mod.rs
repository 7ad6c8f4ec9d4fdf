//! How an attempt goes through its shard: which tasks start now, whether the next one still fits, what is kept for its end.

mod order;
mod pace;

pub use order::{Capacity, Demand, TaskState, startable};
pub use pace::{CHECKPOINT_MS, Pace, margin_ms};
