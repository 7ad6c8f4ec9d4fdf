//! Placement: which target a shard fits on, and when the lanes will run it.

mod ladder;
mod load;
mod schedule;

pub use ladder::{Ladder, Rung, WORKER_MIB};
pub use load::{
    Load, Profile, SHARD_MS, TASK_MS, TOP_TASKS, TRANSFER_BYTES_PER_MS, UNKNOWN_TASK_MS,
};
pub use schedule::{Schedule, list_schedule};

#[cfg(test)]
mod tests;
