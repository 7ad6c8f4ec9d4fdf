//! Decides what follows a failed attempt: another one, on which tier and when, or the end of the shard.

use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::TaskId;
use foreshard_model::message::{Cause, Failure};
use foreshard_model::target::Target;
use foreshard_model::topology::ShardNode;
use foreshard_model::units::TimeMs;

use super::target::tier_above;
use super::{seed, touched};
use crate::lifecycle;

/// First back-off, in milliseconds; it doubles with each failure of the same cause.
const BACK_OFF_MS: u64 = 1_000;

/// Longest back-off, in milliseconds: Lambda's concurrency refills within 10 s, and a minute is the sweep's interval.
const BACK_OFF_MAX_MS: u64 = 60_000;

/// Workers that may be lost with one shard: more than a bad minute loses, fewer than a shard that kills its worker.
const WORKERS_LOST_MAX: u32 = 3;

/// Attempts that may pass their time: the first may have met a slow moment, not three in a row.
const TIMEOUTS_MAX: u32 = 2;

/// Attempts that a service may refuse: with the back-off about four minutes of outage.
const UNAVAILABLE_MAX: u32 = 8;

/// Attempts that may miss an input: S3 reads are consistent, so a second time is no accident.
const INPUTS_MISSING_MAX: u32 = 1;

/// A failed attempt as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The kind of cause.
    pub cause: Cause,
    /// The task at fault, where one is known.
    pub task: Option<TaskId>,
    /// What was said.
    pub message: String,
    /// The worker itself said so; otherwise nobody knows how far it came.
    pub answered: bool,
    /// It may have been memory.
    pub maybe_memory: bool,
}

impl From<&Failure> for Seen {
    fn from(failure: &Failure) -> Self {
        Self {
            cause: failure.cause,
            task: failure.task.clone(),
            message: failure.message.clone(),
            answered: true,
            maybe_memory: false,
        }
    }
}

/// How many failures of a cause a shard may have before it fails finally; `None`: as many as come.
///
/// A throttled attempt never began: it is put back as often as it takes. Out of memory ends at the largest tier.
#[must_use]
pub fn allowed_failures(cause: Cause, node: &ShardNode) -> Option<u32> {
    match cause {
        Cause::Throttled | Cause::OutOfMemory => None,
        Cause::TaskFailed | Cause::BadOutput => Some(node.retries),
        Cause::WorkerLost => Some(WORKERS_LOST_MAX),
        Cause::Timeout => Some(TIMEOUTS_MAX),
        Cause::Unavailable => Some(UNAVAILABLE_MAX),
        Cause::InputMissing => Some(INPUTS_MISSING_MAX),
        Cause::OutcomeUnknown
        | Cause::Rejected
        | Cause::PlanFailed
        | Cause::NoProgress
        | Cause::NoTarget => Some(0),
    }
}

/// The cause for which an attempt has failed between two states of its shard.
#[must_use]
pub fn failed_by(before: &ShardItem, after: &ShardItem) -> Option<Cause> {
    let counted = |cause| before.failures.get(cause).copied().unwrap_or_default();
    let mut causes = after.failures.iter();
    causes
        .find(|(cause, count)| counted(cause) < **count)
        .map(|(cause, _)| *cause)
}

/// Decides what follows: the item to write and why. Finished tasks are kept by the checkpoint in either case.
///
/// A shard whose attempt has started a `once` task is never ready again: when the worker did not say how it ended, it
/// fails as [`Cause::OutcomeUnknown`].
#[must_use]
pub fn after_failure(
    item: &ShardItem,
    node: &ShardNode,
    targets: &[Target],
    seen: &Seen,
    now: TimeMs,
) -> (ShardItem, String) {
    if item.started_once {
        return with_marker(item, seen, now);
    }
    let (cause, doubt) = cause_of(item, node, targets, seen);
    let mut next = ended(item, now);
    let count = next.failures.entry(cause).or_default();
    *count += 1;
    let count = *count;
    let what = format!("{}{doubt}: {}", cause.as_str(), seen.message);
    if cause == Cause::OutOfMemory {
        return match tier_above(item, node, targets) {
            Some(tier) => {
                next.tier = tier;
                let because = format!("{what}; next attempt with {tier} instead of {}", item.tier);
                (next, because)
            }
            None => fail(
                next,
                cause,
                seen,
                format!("{what}; there is no larger tier"),
            ),
        };
    }
    match allowed_failures(cause, node) {
        Some(allowed) if count > allowed => {
            let because = format!("{what}; {} allowed", times(allowed));
            fail(next, cause, seen, because)
        }
        allowed => {
            let wait_ms = back_off_ms(item, cause, count);
            next.not_before = (wait_ms > 0).then(|| now.plus(wait_ms));
            let of = allowed.map_or_else(String::new, |most| format!(" of {most} allowed"));
            let because = format!("{what}; number {count}{of}, next attempt after {wait_ms} ms");
            (next, because)
        }
    }
}

fn times(count: u32) -> String {
    match count {
        0 => "none is".to_owned(),
        1 => "1 is".to_owned(),
        many => format!("{many} are"),
    }
}

/// The attempt is over, and the shard ready for the next one.
pub(super) fn ended(item: &ShardItem, now: TimeMs) -> ShardItem {
    ShardItem {
        state: ShardState::Ready,
        lane: None,
        target: None,
        deadline: None,
        not_before: None,
        started_once: false,
        settled_at: now,
        ..touched(item)
    }
}

fn fail(next: ShardItem, cause: Cause, seen: &Seen, because: String) -> (ShardItem, String) {
    let failed = ShardItem {
        state: ShardState::Failed,
        not_before: None,
        released: false,
        cause: Some(Failure {
            task: seen.task.clone(),
            ..lifecycle::failure(cause, &because)
        }),
        ..next
    };
    (failed, because)
}

fn with_marker(item: &ShardItem, seen: &Seen, now: TimeMs) -> (ShardItem, String) {
    let mut next = ended(item, now);
    let cause = if seen.answered {
        seen.cause
    } else {
        Cause::OutcomeUnknown
    };
    *next.failures.entry(cause).or_default() += 1;
    next.started_once = true;
    let because = format!(
        "{}: {}; a task that must not run twice was started",
        cause.as_str(),
        seen.message
    );
    fail(next, cause, seen, because)
}

/// A death that may have been memory counts as memory while there is a larger tier, and as a lost worker on the largest.
///
/// Lambda says `signal: killed` of an environment that outgrew its memory, and of hardly anything else. A task that needs
/// four times its tier meets it twice, so it is not only the first that counts; the tiers bound how often it happens.
fn cause_of(
    item: &ShardItem,
    node: &ShardNode,
    targets: &[Target],
    seen: &Seen,
) -> (Cause, &'static str) {
    if !seen.maybe_memory {
        return (seen.cause, "");
    }
    if tier_above(item, node, targets).is_some() {
        (
            Cause::OutOfMemory,
            " (killed without a reason, taken for it)",
        )
    } else {
        (Cause::WorkerLost, " (killed without a reason)")
    }
}

/// Exponential with equal jitter: half is certain, half drawn by run, shard and attempt.
///
/// Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015), "equal jitter". Losing a worker is no reason
/// to wait.
fn back_off_ms(item: &ShardItem, cause: Cause, count: u32) -> u64 {
    if matches!(cause, Cause::WorkerLost) {
        return 0;
    }
    let doubled = BACK_OFF_MS << count.saturating_sub(1).min(16);
    let half = doubled.min(BACK_OFF_MAX_MS) / 2;
    let draw = seed::mix(&[
        seed::of_run(&item.run),
        u64::from(item.id.0),
        u64::from(item.attempt.0),
    ]);
    half + draw % (half + 1)
}
