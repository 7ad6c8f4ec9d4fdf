//! Decides what the end of an attempt does to its shard; a stale attempt changes nothing.

use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::Attempt;
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::message::{Cause, Finished, Outcome, OutcomeStatus, ShardUsage};
use foreshard_model::plan::ShardKind;
use foreshard_model::target::Target;
use foreshard_model::topology::ShardNode;
use foreshard_model::units::TimeMs;

use super::failure::ended;
use super::{Seen, after_failure, classify, events, touched};

/// Why a shard is done.
const FINISHED: &str = "all its tasks have finished";

/// What the end of an attempt leads to.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The item to write; `None` when nothing changes.
    pub item: Option<ShardItem>,
    /// For the ledger, once the item is written; a repeat gives the same entries.
    pub events: Vec<Event>,
    /// Whether the successors are to be told, once the item is written.
    pub release: bool,
    /// Whether the shard is ready again, but not at once: this lane should wait for it.
    pub put_back: bool,
    /// Why.
    pub because: String,
}

/// Decides what follows from the end of `attempt`.
///
/// The attempt counts only while the shard is running it. When it was settled before, by a repeat of this question, the
/// decision is to write nothing, and to tell the ledger and the successors again.
#[must_use]
pub fn settle(
    item: &ShardItem,
    attempt: Attempt,
    node: &ShardNode,
    targets: &[Target],
    finished: &Finished,
    now: TimeMs,
) -> Settled {
    let outcome = match finished {
        Finished::Answered { outcome } => Some(outcome),
        Finished::Caught { .. } => None,
    };
    if let Some(other) = outcome.filter(|o| o.shard != item.id || o.attempt != attempt) {
        let because = format!(
            "the outcome is of shard {} attempt {}, not of attempt {attempt}: ignored",
            other.shard, other.attempt
        );
        return nothing(because);
    }
    if item.attempt != attempt {
        return nothing(format!(
            "attempt {attempt} is stale: attempt {} has taken over",
            item.attempt
        ));
    }
    if item.state != ShardState::Running {
        return again(item, outcome);
    }
    let used = outcome.map(|o| o.usage).unwrap_or_default();
    let with_usage = ShardItem {
        usage: add(&item.usage, &used),
        ..item.clone()
    };
    match finished {
        Finished::Caught { error, cause } => {
            let seen = classify(error, cause);
            failed(&with_usage, node, targets, &seen, &used, now)
        }
        Finished::Answered { outcome } => match (outcome.status, &outcome.output) {
            (OutcomeStatus::Done, Some(output)) => {
                let done = ShardItem {
                    state: ShardState::Done,
                    output: Some(output.clone()),
                    progress: None,
                    deadline: None,
                    started_once: false,
                    released: false,
                    settled_at: now,
                    ..touched(&with_usage)
                };
                let mut event = events::of_shard(&done, EventKind::Settled, now, FINISHED);
                event.numbers = events::usage(&used);
                Settled {
                    because: format!("attempt {attempt} is done"),
                    item: Some(done),
                    events: vec![event],
                    release: true,
                    put_back: false,
                }
            }
            (OutcomeStatus::Yielded, _) if outcome.usage.tasks > 0 => {
                yielded(&with_usage, outcome, now)
            }
            (OutcomeStatus::Fenced, _) => nothing(
                "the worker was fenced off, but its attempt is the last: left to its deadline"
                    .to_owned(),
            ),
            _ => failed(
                &with_progress(&with_usage, outcome),
                node,
                targets,
                &seen(outcome),
                &used,
                now,
            ),
        },
    }
}

/// The attempt gives its place to the next one, which starts at the checkpoint; no failure is counted.
fn yielded(item: &ShardItem, outcome: &Outcome, now: TimeMs) -> Settled {
    let because = format!("{} tasks finished, the rest goes on", outcome.usage.tasks);
    let mut event = events::of_shard(item, EventKind::Yielded, now, &because);
    event.numbers = events::usage(&outcome.usage);
    Settled {
        item: Some(ended(&with_progress(item, outcome), now)),
        events: vec![event],
        release: false,
        put_back: false,
        because,
    }
}

fn failed(
    item: &ShardItem,
    node: &ShardNode,
    targets: &[Target],
    seen: &Seen,
    used: &ShardUsage,
    now: TimeMs,
) -> Settled {
    let (next, because) = after_failure(item, node, targets, seen, now);
    let finally = next.state == ShardState::Failed;
    let kind = if finally {
        EventKind::Failed
    } else {
        EventKind::Retried
    };
    let mut event = events::of_shard(item, kind, now, &because);
    event.numbers = events::usage(used);
    Settled {
        put_back: next.not_before.is_some(),
        item: Some(next),
        events: vec![event],
        release: finally,
        because,
    }
}

/// The question is a repeat, or the sweep was quicker: what was decided stands, and is told again.
fn again(item: &ShardItem, outcome: Option<&Outcome>) -> Settled {
    if item.kind != ShardKind::Work {
        return nothing("the shard was cut again: its parts do what was left of it".to_owned());
    }
    let mut decided = nothing(format!("the shard is {:?} already", item.state).to_lowercase());
    decided.release = matches!(item.state, ShardState::Done | ShardState::Failed) && !item.released;
    let yielded = outcome.is_some_and(|o| o.status == OutcomeStatus::Yielded);
    let (kind, because) = match item.state {
        ShardState::Done if outcome.is_some_and(|o| o.output == item.output) => {
            (EventKind::Settled, FINISHED)
        }
        ShardState::Failed => {
            let cause = item.cause.as_ref().map_or("", |c| c.message.as_str());
            (EventKind::Failed, cause)
        }
        ShardState::Ready if !yielded => (EventKind::Retried, "the attempt failed"),
        ShardState::Ready if outcome.is_some_and(|o| o.progress == item.progress) => {
            (EventKind::Yielded, "the rest goes on")
        }
        _ => return decided,
    };
    let mut event = events::of_shard(item, kind, item.settled_at, because);
    event.numbers = events::usage(&outcome.map(|o| o.usage).unwrap_or_default());
    decided.events.push(event);
    decided
}

/// What a worker says that did not finish.
fn seen(outcome: &Outcome) -> Seen {
    let said = |cause, message: &str| Seen {
        cause,
        task: None,
        message: message.to_owned(),
        answered: true,
        maybe_memory: false,
    };
    match (outcome.status, &outcome.failure) {
        (OutcomeStatus::Failed, Some(failure)) => Seen::from(failure),
        (OutcomeStatus::Yielded, _) => said(
            Cause::Timeout,
            "the attempt yielded without finishing a task",
        ),
        (OutcomeStatus::Done, _) => said(Cause::BadOutput, "the worker gave no manifest"),
        _ => said(Cause::WorkerLost, "the worker failed without a reason"),
    }
}

fn with_progress(item: &ShardItem, outcome: &Outcome) -> ShardItem {
    ShardItem {
        progress: outcome.progress.clone().or_else(|| item.progress.clone()),
        ..item.clone()
    }
}

fn add(sum: &ShardUsage, used: &ShardUsage) -> ShardUsage {
    ShardUsage {
        duration_ms: sum.duration_ms + used.duration_ms,
        cpu_ms: sum.cpu_ms + used.cpu_ms,
        peak_kib: sum.peak_kib.max(used.peak_kib),
        tasks: sum.tasks + used.tasks,
        cold: sum.cold || used.cold,
    }
}

fn nothing(because: String) -> Settled {
    Settled {
        item: None,
        events: Vec::new(),
        release: false,
        put_back: false,
        because,
    }
}
