//! What the ledger says of a transition; derived from the item, so that a repeat says the same at the same place.

use std::collections::BTreeMap;

use foreshard_model::frontier::ShardItem;
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::message::ShardUsage;
use foreshard_model::topology::ShardNode;
use foreshard_model::units::TimeMs;

/// One entry about a shard's last attempt.
pub(super) fn of_shard(item: &ShardItem, kind: EventKind, at: TimeMs, because: &str) -> Event {
    Event {
        run: item.run.clone(),
        at,
        kind,
        shard: Some(item.id),
        attempt: Some(item.attempt),
        lane: item.lane,
        target: item.target.as_ref().map(ToString::to_string),
        because: because.to_owned(),
        numbers: BTreeMap::new(),
    }
}

/// A lane has claimed the shard: at the moment that the item says.
#[must_use]
pub fn claimed_event(item: &ShardItem, node: &ShardNode, because: &str) -> Event {
    let numbers = BTreeMap::from([
        ("tasks".to_owned(), f64::from(node.tasks)),
        ("estimate_ms".to_owned(), number(node.estimate_ms)),
    ]);
    Event {
        numbers,
        ..of_shard(item, EventKind::Claimed, item.claimed_at, because)
    }
}

/// What an attempt used, as figures.
pub(super) fn usage(used: &ShardUsage) -> BTreeMap<String, f64> {
    BTreeMap::from([
        ("tasks".to_owned(), f64::from(used.tasks)),
        ("duration_ms".to_owned(), number(used.duration_ms)),
        ("cpu_ms".to_owned(), number(used.cpu_ms)),
        ("peak_kib".to_owned(), number(used.peak_kib)),
        ("cold".to_owned(), f64::from(u8::from(used.cold))),
    ])
}

/// Exact below 2^53, which no duration or size here reaches.
#[expect(
    clippy::cast_precision_loss,
    reason = "figures for people: milliseconds and KiB stay below 2^53"
)]
fn number(value: u64) -> f64 {
    value as f64
}
