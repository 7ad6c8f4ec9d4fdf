//! The layout of the one table: keys, indexes, and how items are written in it.

pub mod item;
pub mod key;
#[cfg(test)]
mod tests;

/// Version of the items' layout; every item carries it as `format`.
pub const FORMAT: u32 = 1;

/// Partition key.
pub const PK: &str = "pk";
/// Sort key.
pub const SK: &str = "sk";
/// Sparse local secondary index of ready shards by priority; its sort key has the same name.
pub const READY_RANK: &str = "ready_rank";
/// Sparse local secondary index of what somebody must look after; its sort key has the same name.
pub const LIVE: &str = "live";
