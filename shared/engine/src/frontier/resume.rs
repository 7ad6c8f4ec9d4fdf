//! Decides what resuming a run does to each shard: what failed is ready again, what was skipped waits again.

use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::ShardId;
use foreshard_model::message::Cause;
use foreshard_model::plan::ShardKind;
use foreshard_model::topology::ShardNode;
use foreshard_model::units::TimeMs;

use super::{is_complete, touched};

/// Whether no resume can repeat this shard: it may have run something that must not run twice.
#[must_use]
pub fn is_beyond_resume(item: &ShardItem) -> bool {
    item.state == ShardState::Failed
        && (item.started_once
            || item
                .cause
                .as_ref()
                .is_some_and(|c| c.cause == Cause::OutcomeUnknown))
}

/// Decides what one shard of an ended run becomes; `None`: it stays. `is_done` tells whether a shard is done.
///
/// - failed: ready, its failures forgotten; tier and checkpoint stay, so finished tasks are not repeated;
/// - skipped: only what is done has arrived; waiting, or ready when that is everybody;
/// - running: the lane is gone, so ready, unless the attempt has started a `once` task: that is left to its deadline;
/// - END done: released again, so that the run completes;
/// - failed beyond resume: stays failed, but is released again, so that the run fails again and says why.
///
/// A repeat changes nothing further. Write the shards first, the run last.
#[must_use]
pub fn resume(
    item: &ShardItem,
    node: &ShardNode,
    is_done: impl Fn(ShardId) -> bool,
    now: TimeMs,
) -> Option<ShardItem> {
    match item.state {
        ShardState::Failed if is_beyond_resume(item) => item.released.then(|| ShardItem {
            released: false,
            ..touched(item)
        }),
        ShardState::Failed => Some(ShardItem {
            state: ShardState::Ready,
            failures: std::collections::BTreeMap::new(),
            cause: None,
            released: false,
            not_before: None,
            ..touched(item)
        }),
        ShardState::Skipped => {
            let mut next = touched(item);
            next.arrived.retain(|id| is_done(*id));
            next.cause = None;
            next.released = false;
            next.state = match (is_complete(&next, node), next.kind) {
                (false, _) => ShardState::Waiting,
                (true, ShardKind::Work) => ShardState::Ready,
                (true, ShardKind::Relay | ShardKind::End) => ShardState::Done,
            };
            Some(next)
        }
        ShardState::Done if item.kind == ShardKind::End => item.released.then(|| ShardItem {
            released: false,
            ..touched(item)
        }),
        ShardState::Running if !item.started_once => Some(super::failure::ended(item, now)),
        ShardState::Waiting
        | ShardState::Ready
        | ShardState::Running
        | ShardState::Done
        | ShardState::Superseded => None,
    }
}
