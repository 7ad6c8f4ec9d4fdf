//! Why a task did not give an output, and which kind of cause that is: dispatch repeats by cause.

use foreshard_model::ids::TaskId;
use foreshard_model::message::{Cause, Failure};
use foreshard_stages::ports::PortError;
use thiserror::Error;

/// Longest message of a failure, in characters: it travels with the lane.
const MESSAGE_CHARS: usize = 1_024;

/// Why a task failed. Messages name what is at fault and never hold a payload: what the task itself said is in its log.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    /// The program says so.
    #[error("exit status {status}; its standard error is in the task's log")]
    Exited {
        /// Exit status.
        status: i32,
    },
    /// Killed, and not by the worker.
    #[error("killed by signal {signal}; its standard error is in the task's log")]
    Signalled {
        /// Signal number.
        signal: i32,
    },
    /// Killed with SIGKILL, and not by the worker: that is what the kernel does when memory ends.
    #[error("its process was killed with SIGKILL: more memory than the target has")]
    OutOfMemory,
    /// Took longer than it may.
    #[error("did not end within its timeout of {timeout_ms} ms")]
    TimedOut {
        /// The limit.
        timeout_ms: u64,
    },
    /// A `once` task whose end nobody saw.
    #[error(
        "a task that must not run twice was started and it is not known how it ended: {because}"
    )]
    OutcomeUnknown {
        /// What happened instead of an end.
        because: String,
    },
    /// An input could not be had.
    #[error("input `{name}`: {because}")]
    Input {
        /// Member or file.
        name: String,
        /// Why.
        because: String,
    },
    /// The output is not JSON, or not all there.
    #[error("{0}")]
    Output(String),
    /// The program could not be started, the function does not exist, the address is refused.
    #[error("{0}")]
    Refused(String),
    /// The called function or server says that it failed.
    #[error("{0}; what it said is in the task's log")]
    Answered(String),
    /// Something that a repeat may cure.
    #[error("{0}")]
    Unavailable(String),
    /// The attempt was fenced off while the task was about to start.
    #[error("a later attempt has taken over")]
    Fenced,
}

impl Fault {
    /// The fault of a port that was asked for input `name`.
    pub(crate) fn of_input(name: &str, error: PortError) -> Self {
        match error {
            PortError::NotFound(because) | PortError::Corrupt(because) => Self::Input {
                name: name.to_owned(),
                because,
            },
            other => Self::from(other),
        }
    }

    /// The kind of cause.
    pub(crate) fn cause(&self) -> Cause {
        match self {
            Self::Exited { .. } | Self::Signalled { .. } | Self::Refused(_) | Self::Answered(_) => {
                Cause::TaskFailed
            }
            Self::OutOfMemory => Cause::OutOfMemory,
            Self::TimedOut { .. } => Cause::Timeout,
            Self::OutcomeUnknown { .. } => Cause::OutcomeUnknown,
            Self::Input { .. } => Cause::InputMissing,
            Self::Output(_) => Cause::BadOutput,
            Self::Unavailable(_) => Cause::Unavailable,
            Self::Fenced => Cause::WorkerLost,
        }
    }

    /// The same fault of a task that must not run twice: where its end is not known, or another attempt would follow
    /// on its own, it is not to be repeated.
    pub(crate) fn of_once(self) -> Self {
        match self {
            Self::OutOfMemory
            | Self::TimedOut { .. }
            | Self::Unavailable(_)
            | Self::Signalled { .. } => Self::OutcomeUnknown {
                because: self.to_string(),
            },
            other => other,
        }
    }

    /// As dispatch and users see it.
    pub(crate) fn failure(&self, task: &TaskId) -> Failure {
        let message = format!("task `{task}`: {self}");
        Failure {
            cause: self.cause(),
            task: Some(task.clone()),
            message: message.chars().take(MESSAGE_CHARS).collect(),
        }
    }
}

impl From<PortError> for Fault {
    fn from(error: PortError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Unavailable(format!("the worker's disk or process table: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_once_task_is_never_repeated_when_its_end_is_unknown() {
        let table = [
            (Fault::OutOfMemory, Cause::OutcomeUnknown),
            (Fault::TimedOut { timeout_ms: 5 }, Cause::OutcomeUnknown),
            (Fault::Unavailable("reset".into()), Cause::OutcomeUnknown),
            (Fault::Exited { status: 3 }, Cause::TaskFailed),
            (Fault::Fenced, Cause::WorkerLost),
        ];
        for (fault, expected) in table {
            assert_eq!(fault.of_once().cause(), expected);
        }
    }

    #[test]
    fn messages_are_bounded_and_name_the_task() {
        let failure = Fault::Refused("x".repeat(5_000)).failure(&"a/b".into());
        assert_eq!(failure.message.chars().count(), MESSAGE_CHARS);
        assert!(failure.message.starts_with("task `a/b`: xxx"));
    }
}
