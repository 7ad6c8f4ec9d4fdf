//! What can stop the emulator from coming up, each with what to do about it.

use std::path::PathBuf;

use thiserror::Error;

use crate::tools::Missing;

/// Why the emulator did not do what it was asked.
#[derive(Debug, Error)]
pub enum EmulatorError {
    /// Tools that the machine does not have, all at once.
    #[error("missing on this machine:\n{}", .0.iter().map(|m| format!("  {m}")).collect::<Vec<_>>().join("\n"))]
    ToolsMissing(Vec<Missing>),
    /// No checkout of Foreshard around the working folder.
    #[error("no Foreshard checkout around `{0}`: run from inside it, or set FORESHARD_HOME")]
    NoHome(PathBuf),
    /// The functions are not built.
    #[error("`{0}` is missing: run `make functions` first")]
    FunctionsMissing(PathBuf),
    /// Somebody else is bringing the emulator up.
    #[error("another `foreshard up` is at work (lock `{0}`)")]
    Busy(PathBuf),
    /// A step's program failed.
    #[error("{step} failed ({status}); the end of its output:\n{tail}")]
    StepFailed {
        /// What was being done.
        step: &'static str,
        /// Exit status.
        status: String,
        /// The last lines that it printed.
        tail: String,
    },
    /// The emulator did not answer in time.
    #[error(
        "the emulator did not answer on port {port} within {waited_s} s; the end of its log:\n{tail}"
    )]
    Unhealthy {
        /// Port that it was to listen on.
        port: u16,
        /// How long it was waited for.
        waited_s: u64,
        /// The last lines of its log.
        tail: String,
    },
    /// The file system.
    #[error("{doing} `{path}`")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

impl EmulatorError {
    /// Wraps an I/O error with what was being done.
    pub(crate) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}
