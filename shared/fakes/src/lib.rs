//! The ports in memory: one [`World`] with exact conditional semantics, a manual clock, fault switches and builders.
//!
//! Nothing here sleeps, opens a socket or draws a random number, so a test that uses it repeats to the byte.

mod blobs;
pub mod build;
mod executions;
pub mod faults;
mod frontier;
mod ledger;
mod runs;
mod services;
mod world;

pub use faults::{Fault, Faults};
pub use services::{Assumed, Invoked};
pub use world::{World, block_on};
