//! The stages: read, decide, apply. One file for each; the decisions are in `foreshard-engine`, the services behind `ports`.

pub mod error;
pub mod ports;

pub use error::StageError;
