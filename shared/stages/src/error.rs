//! The three ways in which a stage can fail. They are exactly the Lambda `errorType`s that the state machine retries and catches.

use thiserror::Error;

/// The words, in the order of [`StageError`]. The state machine's retries and catches name the same; a test keeps both equal.
pub const WORDS: [&str; 3] = ["Rejected", "Unavailable", "Conflict"];

/// Why a stage did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StageError {
    /// The request can never succeed: do not repeat it.
    #[error("rejected: {0}")]
    Rejected(String),
    /// A service did not answer, or not in time: repeat later.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Somebody else wrote first, again and again: repeat.
    #[error("conflict: {0}")]
    Conflict(String),
}

impl StageError {
    /// The word that Step Functions sees.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Rejected(_) => WORDS[0],
            Self::Unavailable(_) => WORDS[1],
            Self::Conflict(_) => WORDS[2],
        }
    }
}
