//! The laptop's cloud: brings up an embedded emulator, deploys the CDK template to it, and tears it down.
//!
//! Everything listens on 127.0.0.1 only. Every step can be interrupted: the next `up` finds what is there and goes on.

pub mod deploy;
pub mod doctor;
pub mod emulator;
pub mod error;
pub mod home;
pub mod host;
pub mod machine;
pub mod process;
pub mod progress;
pub mod record;
pub mod tools;
pub mod up;
pub mod venv;

pub use emulator::Emulator;
pub use error::EmulatorError;
pub use home::Home;
pub use progress::Progress;
pub use record::Record;
pub use up::{UpOptions, down, up};
