//! What an owner may wish of a run: cancel, pause, resume; each is harmless when repeated.

use foreshard_model::message::Cause;
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::units::TimeMs;

use super::touched;

/// What becomes of a wish.
#[derive(Debug, Clone, PartialEq)]
pub enum Wished {
    /// Write this item.
    Write(Box<RunItem>),
    /// It is so already, or about to be.
    Already,
    /// It cannot be; the text says why.
    Refused(&'static str),
}

/// Cancels: lanes end as soon as what they are running has ended. A paused run has no lanes and ends at once.
#[must_use]
pub fn cancel(run: &RunItem, now: TimeMs) -> Wished {
    let state = match run.state {
        RunState::Accepted | RunState::Running | RunState::Pausing => RunState::Cancelling,
        RunState::Paused => RunState::Cancelled,
        RunState::Cancelling | RunState::Cancelled | RunState::Failing => return Wished::Already,
        RunState::Completing => return Wished::Refused("every task has finished"),
        RunState::Succeeded => return Wished::Refused("it has succeeded"),
        RunState::Failed => return Wished::Refused("it has failed"),
    };
    Wished::Write(Box::new(RunItem {
        state,
        ..touched(run, now)
    }))
}

/// Pauses: as cancel, but the run is meant to be resumed.
#[must_use]
pub fn pause(run: &RunItem, now: TimeMs) -> Wished {
    match run.state {
        RunState::Accepted | RunState::Running => Wished::Write(Box::new(RunItem {
            state: RunState::Pausing,
            ..touched(run, now)
        })),
        RunState::Pausing | RunState::Paused => Wished::Already,
        RunState::Completing => Wished::Refused("every task has finished"),
        RunState::Failing => Wished::Refused("it is failing"),
        RunState::Cancelling => Wished::Refused("it is being cancelled"),
        RunState::Succeeded => Wished::Refused("it has succeeded"),
        RunState::Failed => Wished::Refused("it has failed: resume it"),
        RunState::Cancelled => Wished::Refused("it was cancelled: resume it"),
    }
}

/// What resuming a run takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// It was never planned: the next round plans it.
    Plan,
    /// Shards that failed, were skipped or interrupted are put back first, then the next round runs them.
    Shards,
    /// It is under way already: make sure that its execution was started.
    Already,
    /// It cannot be; the text says why.
    Refused(&'static str),
}

/// Whether the run can be resumed, and what has to be done before [`resumed`] is written.
#[must_use]
pub fn resume(run: &RunItem) -> Resume {
    match run.state {
        RunState::Accepted | RunState::Running | RunState::Completing => Resume::Already,
        RunState::Failing | RunState::Cancelling | RunState::Pausing => {
            Resume::Refused("it is still ending: repeat in a moment")
        }
        RunState::Succeeded => Resume::Refused("it has succeeded"),
        RunState::Failed if is_rejected(run) => {
            Resume::Refused("its document was refused: mend it and submit it again")
        }
        RunState::Paused | RunState::Failed | RunState::Cancelled if run.plan.is_none() => {
            Resume::Plan
        }
        RunState::Paused | RunState::Failed | RunState::Cancelled => Resume::Shards,
    }
}

fn is_rejected(run: &RunItem) -> bool {
    run.cause
        .as_ref()
        .is_some_and(|c| c.cause == Cause::Rejected)
}

/// The run goes on in its next round: the last write of a resume. `settled`: shards that are settled now.
#[must_use]
pub fn resumed(run: &RunItem, settled: u32, now: TimeMs) -> RunItem {
    RunItem {
        state: if run.plan.is_some() {
            RunState::Running
        } else {
            RunState::Accepted
        },
        futile_rounds: 0,
        ended_at: None,
        cause: None,
        result: None,
        summary: None,
        ..super::next_round(run, settled, now)
    }
}
