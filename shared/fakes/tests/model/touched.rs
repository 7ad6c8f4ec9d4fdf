//! Which items a process knows the versions of.

use foreshard_model::frontier::{LaneItem, ShardItem, Write};
use foreshard_model::run::RunItem;

use crate::tape::{Op, Reply};

pub(crate) fn shard_bit(id: u32) -> u64 {
    1 << (1 + id)
}

pub(crate) fn lane_bit(lane: u32) -> u64 {
    1 << (56 + lane)
}

fn bit_of(write: &Write) -> u64 {
    match write {
        Write::Run(..) => 1,
        Write::Shard(item, _) => shard_bit(item.id.0),
        Write::Lane(item, _) => lane_bit(item.lane.0),
    }
}

fn bit_of_run(run: Option<&RunItem>) -> u64 {
    // Version 0 is one that nobody goes by.
    u64::from(run.is_some_and(|run| run.version > 0))
}

fn bits_of<'a>(shards: impl IntoIterator<Item = &'a ShardItem>) -> u64 {
    shards
        .into_iter()
        .filter(|item| item.version > 0)
        .fold(0, |bits, item| bits | shard_bit(item.id.0))
}

fn bits_of_lanes<'a>(lanes: impl IntoIterator<Item = &'a LaneItem>) -> u64 {
    lanes
        .into_iter()
        .fold(0, |bits, item| bits | lane_bit(item.lane.0))
}

/// The items whose versions a process knows that asks this.
pub(crate) fn touched_by(op: &Op) -> u64 {
    match op {
        Op::Commit(writes) => writes.iter().fold(0, |bits, write| bits | bit_of(write)),
        Op::UpdateRun(_) => 1,
        _ => 0,
    }
}

/// The items whose versions a process knows from this exchange.
pub(crate) fn touched(op: &Op, reply: &Reply) -> u64 {
    let wrote = touched_by(op);
    let read = match reply {
        Reply::Run(Ok(run)) => bit_of_run(run.as_ref()),
        Reply::Shard(Ok(item)) => bits_of(item),
        Reply::Shards(Ok(items)) => bits_of(items),
        Reply::Page(Ok(page)) => bits_of(&page.items),
        Reply::Lane(Ok(item)) => bits_of_lanes(item),
        Reply::Lanes(Ok(items)) => bits_of_lanes(items),
        Reply::Arrived(Ok(item)) => bits_of([item]),
        Reply::Opening(Ok(opening)) => {
            let run = bit_of_run(opening.run.as_ref());
            run | bits_of_lanes(&opening.lane) | bits_of(&opening.finished)
        }
        _ => 0,
    };
    wrote | read
}
