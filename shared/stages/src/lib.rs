//! The stages: read, decide, apply. One file for each; the decisions are in `foreshard-engine`, the services behind `ports`.

pub mod aggregate;
pub mod dispatch;
pub mod error;
pub mod forecast;
pub mod plan;
pub mod ports;
pub mod prewarm;
pub mod reshard;
pub mod submit;

mod input;
mod keys;
mod library;
mod log;
mod quota;
mod read;
mod shards;

pub use error::StageError;
