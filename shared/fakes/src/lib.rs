//! The ports in memory: one [`World`] with exact conditional semantics, a manual clock, fault switches and builders.
//!
//! Nothing here sleeps, opens a socket or draws a random number, so a test that uses it repeats to the byte.

mod allowances;
mod blobs;
pub mod build;
pub mod chunks;
mod executions;
pub mod executor;
pub mod faults;
mod frontier;
mod index;
mod learnt;
mod ledger;
pub mod machine;
pub mod random;
mod runs;
mod schedules;
pub mod seeded;
mod services;
mod throughput;
mod warm;
pub mod wire;
mod world;

pub use faults::{Fault, Faults};
pub use seeded::Seeded;
pub use services::{Assumed, Invoked};
pub use throughput::Throughput;
pub use warm::WarmCall;
pub use world::{Change, World, block_on};
