//! What the beginning of a round means: plan first, open lanes, or nothing.

use foreshard_model::ids::Round;
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::units::TimeMs;

use super::touched;

/// What a round begins with.
#[derive(Debug, Clone, PartialEq)]
pub enum Begins {
    /// The run is to be planned.
    Plan,
    /// Its lanes are opened.
    Lanes,
    /// Write this item first: whoever started the round has not.
    Write(Box<RunItem>),
    /// No lane is opened; the text says why.
    Nothing(&'static str),
}

/// Decides what a round begins with.
#[must_use]
pub fn begins(run: &RunItem, round: Round, now: TimeMs) -> Begins {
    if round < run.round {
        return Begins::Nothing("a later round is in charge");
    }
    match run.state {
        RunState::Accepted | RunState::Running if round > run.round => {
            Begins::Write(Box::new(RunItem {
                round,
                closing_round: None,
                ..touched(run, now)
            }))
        }
        RunState::Accepted if run.plan.is_none() => Begins::Plan,
        RunState::Accepted | RunState::Running => Begins::Lanes,
        RunState::Completing => Begins::Nothing("every task has finished"),
        RunState::Failing | RunState::Cancelling | RunState::Pausing => {
            Begins::Nothing("the run is ending")
        }
        RunState::Paused | RunState::Succeeded | RunState::Failed | RunState::Cancelled => {
            Begins::Nothing("the run has ended")
        }
    }
}
