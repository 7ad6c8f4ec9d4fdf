//! Decides what the sweep does for a run whose execution has ended, or was never started: the next round, or the end.

use foreshard_model::ids::Round;
use foreshard_model::message::Cause;
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::units::TimeMs;

use crate::lifecycle::{self, Progress, RoundEnd};

/// How long a run's item must have been left alone before the sweep looks at its execution, in milliseconds: whoever
/// wrote it last, submit or aggregate, is about to start the execution itself.
pub const QUIET_MS: u64 = 60_000;

/// Rounds in a row that the sweep starts for a run that only has to be ended, before it ends it without figures.
///
/// Ten are ten minutes: an outage of that length is rare, and a result that cannot be collected for longer never will.
pub const ENDINGS_MAX: u32 = 10;

/// What the sweep does about a run's execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Healed {
    /// Nothing: it is under way, or has ended, or was written just now.
    Leave,
    /// Start the execution of this round: whoever wrote the item did not come to it.
    Start(Round),
    /// Write this item, then start its round.
    Next(Box<RunItem>),
    /// Write this item: the run has ended.
    Close(Box<RunItem>),
}

/// Whether the sweep has to ask for the run's execution.
#[must_use]
pub fn is_quiet(run: &RunItem, now: TimeMs) -> bool {
    !run.state.is_terminal() && now.since(run.updated_at) >= QUIET_MS
}

/// Decides about a run's execution: `open` as its state is told, `None` when there is none of that name; `progress` over
/// all shards.
#[must_use]
pub fn heal(run: &RunItem, open: Option<bool>, progress: &Progress, now: TimeMs) -> Healed {
    if !is_quiet(run, now) {
        return Healed::Leave;
    }
    match open {
        Some(true) => return Healed::Leave,
        None => return Healed::Start(run.round),
        Some(false) => {}
    }
    match lifecycle::round_ended(run, progress, None, now) {
        RoundEnd::Ended => Healed::Leave,
        RoundEnd::Next(item) => Healed::Next(item),
        RoundEnd::Fail(cause) => match lifecycle::failing(run, cause, now) {
            Some(failing) => Healed::Next(Box::new(RunItem {
                round: Round(run.round.0 + 1),
                closing_round: None,
                ..failing
            })),
            None => Healed::Leave,
        },
        RoundEnd::Collect | RoundEnd::Close(_) if run.futile_rounds < ENDINGS_MAX => {
            Healed::Next(Box::new(RunItem {
                futile_rounds: run.futile_rounds + 1,
                ..lifecycle::next_round(run, progress.settled, now)
            }))
        }
        RoundEnd::Collect => {
            let cause = lifecycle::failure(Cause::NoProgress, "its result could not be collected");
            Healed::Close(Box::new(lifecycle::failed(run, Some(cause), None, now)))
        }
        RoundEnd::Close(RunState::Failed) => {
            Healed::Close(Box::new(lifecycle::failed(run, None, None, now)))
        }
        RoundEnd::Close(state) => {
            Healed::Close(Box::new(lifecycle::closed(run, state, None, None, now)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: TimeMs = TimeMs(1_000_000);

    fn told(
        state: RunState,
        open: Option<bool>,
        futile_rounds: u32,
        updated_ms_ago: u64,
    ) -> String {
        let run = RunItem {
            state,
            futile_rounds,
            version: 3,
            round: Round(4),
            updated_at: TimeMs(NOW.0 - updated_ms_ago),
            ..RunItem::default()
        };
        match heal(&run, open, &Progress::default(), NOW) {
            Healed::Leave => "leave".to_owned(),
            Healed::Start(round) => format!("start {round}"),
            Healed::Next(item) | Healed::Close(item) => {
                assert_eq!(item.version, 4);
                let cause = item.cause.map_or("-", |c| c.cause.as_str());
                format!("{} round {} {cause}", item.state.as_str(), item.round)
            }
        }
    }

    #[test]
    fn a_run_whose_execution_is_gone_goes_on_or_ends() {
        let mut lines = Vec::new();
        for state in [
            RunState::Accepted,
            RunState::Running,
            RunState::Completing,
            RunState::Failing,
            RunState::Cancelling,
            RunState::Pausing,
            RunState::Succeeded,
        ] {
            for (open, futile) in [
                (Some(true), 0),
                (None, 0),
                (Some(false), 0),
                (Some(false), 10),
            ] {
                let what = told(state, open, futile, QUIET_MS);
                lines.push(format!("{} {open:?} {futile}: {what}", state.as_str()));
            }
        }
        insta::assert_snapshot!(lines.join("\n"), @r"
        accepted Some(true) 0: leave
        accepted None 0: start 4
        accepted Some(false) 0: accepted round 5 -
        accepted Some(false) 10: failing round 5 plan_failed
        running Some(true) 0: leave
        running None 0: start 4
        running Some(false) 0: running round 5 -
        running Some(false) 10: failing round 5 plan_failed
        completing Some(true) 0: leave
        completing None 0: start 4
        completing Some(false) 0: completing round 5 -
        completing Some(false) 10: failed round 4 no_progress
        failing Some(true) 0: leave
        failing None 0: start 4
        failing Some(false) 0: failing round 5 -
        failing Some(false) 10: failed round 4 -
        cancelling Some(true) 0: leave
        cancelling None 0: start 4
        cancelling Some(false) 0: cancelling round 5 -
        cancelling Some(false) 10: cancelled round 4 -
        pausing Some(true) 0: leave
        pausing None 0: start 4
        pausing Some(false) 0: pausing round 5 -
        pausing Some(false) 10: paused round 4 -
        succeeded Some(true) 0: leave
        succeeded None 0: leave
        succeeded Some(false) 0: leave
        succeeded Some(false) 10: leave
        ");
        assert_eq!(told(RunState::Running, None, 0, QUIET_MS - 1), "leave");
    }
}
