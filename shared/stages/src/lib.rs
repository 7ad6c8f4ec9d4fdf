//! The stages: read, decide, apply. One file for each; the decisions are in `foreshard-engine`, the services behind `ports`.

pub mod dispatch;
pub mod error;
pub mod ports;
pub mod reshard;
mod read;

pub use error::StageError;
