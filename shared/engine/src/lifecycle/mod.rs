//! Decides how a run goes from one state to the next: by its owner's wish, by its plan, and when a round ends.
//!
//! ```text
//! accepted ─► running ─► completing ─► succeeded
//!    │           ├─────► failing ────► failed ─────┐
//!    ├───────────┼─────► cancelling ─► cancelled ──┤ resume: the next round of accepted or running
//!    └───────────┴─────► pausing ────► paused ─────┘
//! ```
//! Every function takes the run's item as read and gives the item as it is to be written: version raised by one, so
//! that a store refuses it when somebody else wrote in between.

mod begin;
mod round;
mod wish;

pub use begin::{Begins, begins};
pub use round::{
    FUTILE_ROUNDS_MAX, Progress, RoundEnd, closed, failed, next_round, round_ended, starts_at_once,
};
pub use wish::{Resume, Wished, cancel, pause, resume, resumed};

use foreshard_model::message::{Cause, Failure};
use foreshard_model::run::{PlanPointer, RunItem, RunState};
use foreshard_model::units::TimeMs;

/// Characters that a failure's message may have.
pub const MESSAGE_CHARS: usize = 1_024;

/// The item with its version raised and its time set: what every write begins with.
fn touched(run: &RunItem, now: TimeMs) -> RunItem {
    RunItem {
        version: run.version + 1,
        updated_at: now,
        ..run.clone()
    }
}

/// A failure whose message is cut to what an item may hold.
#[must_use]
pub fn failure(cause: Cause, message: &str) -> Failure {
    Failure {
        cause,
        task: None,
        message: message.chars().take(MESSAGE_CHARS).collect(),
    }
}

/// The plan is committed: the run is running. `None` when it is no longer waiting for a plan.
#[must_use]
pub fn planned(
    run: &RunItem,
    workflow: &str,
    pointer: PlanPointer,
    now: TimeMs,
) -> Option<RunItem> {
    (run.state == RunState::Accepted && run.plan.is_none()).then(|| RunItem {
        state: RunState::Running,
        workflow: workflow.to_owned(),
        plan: Some(pointer),
        planned_at: Some(now),
        futile_rounds: 0,
        ..touched(run, now)
    })
}

/// The run cannot go on: it is failing, and aggregate ends it. `None` when it is ending already.
#[must_use]
pub fn failing(run: &RunItem, cause: Failure, now: TimeMs) -> Option<RunItem> {
    matches!(run.state, RunState::Accepted | RunState::Running).then(|| RunItem {
        state: RunState::Failing,
        cause: Some(cause),
        ..touched(run, now)
    })
}

#[cfg(test)]
mod tests;
