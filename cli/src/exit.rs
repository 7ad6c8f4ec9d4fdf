//! Exit codes, and the failures that lead to them. Documented in docs/cli.md.

use foreshard_local_emulator::EmulatorError;
use foreshard_model::api::ProblemDocument;
use foreshard_model::problem::Problem;
use thiserror::Error;

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked.
    Success,
    /// The run failed, or was cancelled.
    RunFailed,
    /// The arguments or the document are wrong.
    BadInput,
    /// The deployment refused.
    Refused,
    /// The deployment could not be reached.
    Unreachable,
    /// The machine lacks a tool, or the emulator did not come up.
    Machine,
    /// Interrupted: what was submitted goes on.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::RunFailed => 1,
            Self::BadInput => 2,
            Self::Refused => 3,
            Self::Unreachable => 4,
            Self::Machine => 5,
            Self::Interrupted => 130,
        }
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug, Error)]
pub enum CliError {
    /// The document has problems.
    #[error("`{name}` has {} problems", .problems.len())]
    Document {
        /// Name of the file.
        name: String,
        /// Its text, when it is text.
        text: String,
        /// All of its problems.
        problems: Vec<Problem>,
    },
    /// A file cannot be read or written.
    #[error("cannot {doing} `{path}`: {source}")]
    File {
        /// `read` or `write`.
        doing: &'static str,
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// An argument cannot be used.
    #[error("{0}")]
    Argument(String),
    /// No deployment is known.
    #[error("no deployment: run `foreshard up`, or give `--api URL` (or FORESHARD_API_URL)")]
    NoDeployment,
    /// The deployment refused.
    #[error("{} ({}): {}", .0.title, .0.code, .0.detail)]
    Refused(Box<ProblemDocument>),
    /// The deployment could not be reached.
    #[error("the deployment does not answer: {0}")]
    Unreachable(String),
    /// The emulator or the machine.
    #[error(transparent)]
    Emulator(#[from] EmulatorError),
    /// The command was interrupted.
    #[error("{0}")]
    Interrupted(String),
}

impl CliError {
    /// The exit code that goes with it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Document { .. } | Self::File { .. } | Self::Argument(_) => Exit::BadInput,
            Self::Refused(_) => Exit::Refused,
            Self::NoDeployment | Self::Unreachable(_) => Exit::Unreachable,
            Self::Emulator(_) => Exit::Machine,
            Self::Interrupted(_) => Exit::Interrupted,
        }
    }
}
