//! Placement: which target each shard runs on, and when.
//!
//! Where one family of targets has room for all lanes, that is a list schedule ([`list_schedule`]). Otherwise each shard goes
//! where it ends first, on top of all that is placed already ([`place`]).

mod assign;
mod document;
mod ladder;
mod load;
mod needs;
mod promised;
mod remaining;
mod room;
mod schedule;
mod sites;

pub use assign::{Lying, Placement, Rule, Shards, place};
pub use document::{read_outlook, read_pool};
pub use ladder::{Ladder, Rung, WORKER_MIB};
pub use load::{
    DISK_SHARE, Load, Profile, SHARD_MS, TASK_MS, TIME_MARGIN, TOP_TASKS, TRANSFER_BYTES_PER_MS,
    UNKNOWN_TASK_MS, charged_gb,
};
pub use needs::{Lack, Needs, chip};
pub use promised::{lanes_by_region, promised};
pub use remaining::remaining_ms;
pub use room::Room;
pub use schedule::{Schedule, list_schedule};
pub use sites::{EXPECTED, Sites, Yard};

#[cfg(test)]
mod tests;
