//! What the end of a round means: the run has ended, or the next round goes on.

use foreshard_model::claim::Claim;
use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::Round;
use foreshard_model::message::{CaughtError, Cause, Failure};
use foreshard_model::plan::ShardKind;
use foreshard_model::run::{RunItem, RunState, RunSummary};
use foreshard_model::units::TimeMs;

use super::{failure, touched};

/// Rounds in a row without any progress after which a run fails.
///
/// One may be lost to a service that is down for minutes, two to a deployment in between; a third is a fault that stays.
/// Between them lies a minute or two: see [`starts_at_once`].
pub const FUTILE_ROUNDS_MAX: u32 = 3;

/// How far the shards of a run are; folded over all of them, in any order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Shards that are done, failed or skipped: tells a futile round.
    pub settled: u32,
    /// Attempts of all shards.
    pub attempts: u32,
    /// Where the shard that ends the run stands; `None` until it was seen.
    pub end: Option<ShardState>,
    /// The first shard that has finally failed, by time and then by id.
    failed: Option<(TimeMs, u32, Failure)>,
}

impl Progress {
    /// Takes one shard into account.
    pub fn add(&mut self, shard: &ShardItem) {
        self.attempts = self.attempts.saturating_add(shard.attempt.0);
        if shard.kind == ShardKind::End {
            self.end = Some(shard.state);
        }
        if matches!(
            shard.state,
            ShardState::Done | ShardState::Failed | ShardState::Skipped
        ) {
            self.settled += 1;
        }
        let ShardState::Failed = shard.state else {
            return;
        };
        let cause = shard.cause.clone().unwrap_or_default();
        let seen = (shard.settled_at, shard.id.0, cause);
        if self
            .failed
            .as_ref()
            .is_none_or(|first| (first.0, first.1) > (seen.0, seen.1))
        {
            self.failed = Some(seen);
        }
    }

    /// Why the first failed shard failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failed.as_ref().map(|(_, _, cause)| cause)
    }
}

/// What follows a round.
#[derive(Debug, Clone, PartialEq)]
pub enum RoundEnd {
    /// Every shard is done: collect the result, then [`closed`] as succeeded.
    Collect,
    /// The run ends in this state, with the figures so far; a failure is stated by [`failed`].
    Close(RunState),
    /// It cannot go on: the cause, then [`failed`].
    Fail(Failure),
    /// Write this item, then start its round if it [starts at once](starts_at_once).
    Next(Box<RunItem>),
    /// It had ended before.
    Ended,
}

/// Decides what follows the round that ends now. `error`: what an earlier state of the execution could not do.
#[must_use]
pub fn round_ended(
    run: &RunItem,
    progress: &Progress,
    error: Option<&CaughtError>,
    now: TimeMs,
) -> RoundEnd {
    let all_done = progress.end == Some(ShardState::Done);
    match run.state {
        RunState::Succeeded | RunState::Failed | RunState::Cancelled | RunState::Paused => {
            RoundEnd::Ended
        }
        RunState::Completing => RoundEnd::Collect,
        RunState::Running | RunState::Pausing if all_done => RoundEnd::Collect,
        RunState::Failing => RoundEnd::Close(RunState::Failed),
        RunState::Cancelling => RoundEnd::Close(RunState::Cancelled),
        RunState::Pausing => RoundEnd::Close(RunState::Paused),
        RunState::Running
            if matches!(progress.end, Some(ShardState::Failed | ShardState::Skipped)) =>
        {
            RoundEnd::Fail(progress.failure().cloned().unwrap_or_default())
        }
        RunState::Accepted | RunState::Running => go_on(run, progress, error, now),
    }
}

/// The next round, unless too many in a row have brought nothing.
fn go_on(run: &RunItem, progress: &Progress, error: Option<&CaughtError>, now: TimeMs) -> RoundEnd {
    let futile = progress.settled <= run.settled_before_round;
    let futile_rounds = if futile { run.futile_rounds + 1 } else { 0 };
    if futile_rounds < FUTILE_ROUNDS_MAX {
        return RoundEnd::Next(Box::new(RunItem {
            futile_rounds,
            ..next_round(run, progress.settled, now)
        }));
    }
    let (cause, what) = if run.plan.is_none() {
        (Cause::PlanFailed, "planning failed in")
    } else {
        (Cause::NoProgress, "no shard was settled in")
    };
    let last = error.map_or_else(String::new, |e| {
        format!(
            "; the last round ended with `{}`: {}",
            e.error,
            brief(&e.cause)
        )
    });
    RoundEnd::Fail(failure(
        cause,
        &format!("{what} {futile_rounds} rounds in a row{last}"),
    ))
}

/// The text of an error as a Lambda function gives it: its `errorMessage`, without the envelope.
fn brief(cause: &str) -> String {
    serde_json::from_str::<serde_json::Value>(cause)
        .ok()
        .and_then(|v| v.get("errorMessage")?.as_str().map(str::to_owned))
        .unwrap_or_else(|| cause.to_owned())
}

/// Whether the round that the run is in starts as soon as it is written. After a futile one it does not: what refused
/// every lane a moment ago refuses them again. The sweep starts it, once the run was left alone for
/// [`QUIET_MS`](crate::reshard::QUIET_MS).
#[must_use]
pub fn starts_at_once(run: &RunItem) -> bool {
    run.futile_rounds == 0
}

/// The run in its next round. Write it first, then start the execution of that name: a repeat is harmless.
#[must_use]
pub fn next_round(run: &RunItem, settled: u32, now: TimeMs) -> RunItem {
    RunItem {
        round: Round(run.round.0 + 1),
        closing_round: None,
        settled_before_round: settled,
        ..touched(run, now)
    }
}

/// The run has ended in `state`, with its figures, and with its result if it has one.
#[must_use]
pub fn closed(
    run: &RunItem,
    state: RunState,
    summary: Option<RunSummary>,
    result: Option<Claim>,
    now: TimeMs,
) -> RunItem {
    RunItem {
        state,
        ended_at: Some(now),
        summary,
        result,
        ..touched(run, now)
    }
}

/// The run has ended in failure; a cause that it has already stays.
#[must_use]
pub fn failed(
    run: &RunItem,
    cause: Option<Failure>,
    summary: Option<RunSummary>,
    now: TimeMs,
) -> RunItem {
    RunItem {
        cause: run.cause.clone().or(cause),
        ..closed(run, RunState::Failed, summary, None, now)
    }
}
