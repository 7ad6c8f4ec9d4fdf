//! Decides about attempts whose deadline has passed: the sweep puts them back.

use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ledger::EventKind;
use foreshard_model::message::Cause;
use foreshard_model::target::Target;
use foreshard_model::topology::ShardNode;
use foreshard_model::units::TimeMs;

use super::{Seen, Settled, after_failure, events};

/// A running shard past its deadline lost its worker or its lane: another attempt, or the end. `None` while it has time.
#[must_use]
pub fn expire(
    item: &ShardItem,
    node: &ShardNode,
    targets: &[Target],
    now: TimeMs,
) -> Option<Settled> {
    let late = item.state == ShardState::Running && item.deadline.is_none_or(|at| at < now);
    if !late {
        return None;
    }
    let seen = Seen {
        cause: Cause::WorkerLost,
        task: None,
        message: "nothing was heard of the attempt until its deadline".to_owned(),
        answered: false,
        maybe_memory: false,
    };
    let (next, because) = after_failure(item, node, targets, &seen, now);
    let finally = next.state == ShardState::Failed;
    let kind = if finally {
        EventKind::Failed
    } else {
        EventKind::Retried
    };
    Some(Settled {
        events: vec![events::of_shard(item, kind, now, &because)],
        put_back: next.not_before.is_some(),
        item: Some(next),
        release: finally,
        because,
    })
}
