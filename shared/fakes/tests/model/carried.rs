//! Requests, carried out by the ports in memory; and what of the replies a process looks at.

use std::collections::BTreeSet;

use foreshard_fakes::{World, build};
use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::LaneId;
use foreshard_model::run::{RunItem, RunState};
use foreshard_stages::ports::{
    AttemptWrites as _, FrontierReads as _, FrontierWrites as _, PortError, RunKey, RunReads as _,
    RunWrites as _,
};

use crate::dags;
use crate::tape::{Op, Reply};

/// What the world replies, and does.
pub(crate) async fn carried_out(world: &World, op: &Op) -> Reply {
    let key = &RunKey {
        run: build::run_id(),
        partitions: 1,
    };
    match op {
        Op::Run => Reply::Run(world.run(&key.run).await),
        Op::Shard(id) => Reply::Shard(world.shard(key, *id).await),
        Op::Shards(ids) => Reply::Shards(world.shards(key, ids).await),
        Op::ShardsOf(partition, after) => {
            Reply::Page(world.shards_of(key, *partition, after.as_deref()).await)
        }
        Op::Lane(lane) => Reply::Lane(world.lane(key, *lane).await),
        Op::Opening(lane, finished) => Reply::Opening(world.opening(key, *lane, *finished).await),
        Op::Ready(partition, limit) => Reply::Shards(world.ready(key, *partition, *limit).await),
        Op::Live(partition, what, limit) => {
            Reply::Shards(world.live(key, *partition, *what, *limit).await)
        }
        Op::Parked(partition, limit) => Reply::Lanes(world.parked(key, *partition, *limit).await),
        Op::Commit(writes) => Reply::Done(told(world.commit(key, writes).await)),
        Op::Arrive(arrival) => Reply::Arrived(told(world.arrive(key, arrival).await)),
        Op::UpdateRun(item) => Reply::Done(told(world.update_run(item).await)),
        Op::Checkpoint(checkpoint) => Reply::Whether(world.checkpoint(key, checkpoint).await),
        Op::IsOpen(_) | Op::Start(_) | Op::Answer(_) => unreachable!("not of the store: {op:?}"),
    }
}

/// No stage decides by the text of a refusal, so that states need not differ by it.
fn told<T>(result: Result<T, PortError>) -> Result<T, PortError> {
    result.map_err(|error| match error {
        PortError::Conflict(_) => PortError::Conflict(String::new()),
        other => other,
    })
}

/// What a process does with the reply to a request, when it does not look at all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Heard {
    /// It may look at anything.
    All,
    /// It takes one of the shards, which it draws: this one of them; or the lanes in this order of all.
    One(u32),
    /// It takes one shard after the other, in this order of all.
    InOrder(u32),
    /// It asks whether there is any.
    Any,
    /// This lane asks who runs what, and stays where fewer than two others do.
    Who(LaneId),
    /// It parks, and goes by its lane.
    Lane,
    /// It finds that an arrival leads to nothing.
    Nothing,
}

/// Among how many of the first shards is drawn, or of the orders of lanes.
pub(crate) fn drawn(reply: &Reply, most: u32) -> u32 {
    match reply {
        Reply::Shards(Ok(items)) => (items.len() as u32).min(most).max(1),
        Reply::Lanes(Ok(items)) => (1..=items.len() as u32).product(),
        _ => 1,
    }
}

/// In how many orders shards can be taken.
pub(crate) fn orders(reply: &Reply, _: u32) -> u32 {
    match reply {
        Reply::Shards(Ok(items)) => (1..=items.len() as u32).product(),
        _ => 1,
    }
}

/// The reply without what the process does not look at. Version 0 is one that nobody goes by.
pub(crate) fn heard(reply: &Reply, how: Heard, lanes: u32) -> Reply {
    match (how, reply) {
        (Heard::One(by), Reply::Shards(Ok(items))) => {
            Reply::Shards(Ok(one_of(items, by as usize, lanes as usize)))
        }
        (Heard::One(by), Reply::Lanes(Ok(items))) => Reply::Lanes(Ok(in_order(items, by))),
        (Heard::InOrder(by), Reply::Shards(Ok(items))) => Reply::Shards(Ok(in_order(items, by))),
        (Heard::Any, Reply::Shards(Ok(items))) => {
            let any = items.first().map(|item| ShardItem {
                run: item.run.clone(),
                state: item.state,
                ..ShardItem::default()
            });
            Reply::Shards(Ok(any.into_iter().collect()))
        }
        (Heard::Who(lane), Reply::Shards(Ok(items))) => {
            let others = others(items, lane);
            let some = items
                .iter()
                .filter(|item| item.state != ShardState::Running || others >= OTHERS_MIN);
            Reply::Shards(Ok(some.map(who).collect()))
        }
        (Heard::Lane, Reply::Opening(Ok(opening))) => {
            let mut opening = opening.clone();
            opening.run = opening.run.map(|run| RunItem {
                state: RunState::Running,
                version: 0,
                cause: None,
                ..run
            });
            Reply::Opening(Ok(opening))
        }
        (Heard::Nothing, Reply::Arrived(Ok(item))) => Reply::Arrived(Ok(ShardItem {
            run: item.run.clone(),
            id: item.id,
            kind: item.kind,
            generation: item.generation,
            ..ShardItem::default()
        })),
        (_, other) => other.clone(),
    }
}

/// The rank of a shard of which a lane is not told it: none has so high a one.
const UNTOLD: u32 = 1_000;

/// Other lanes that must run for one to be spared ([`foreshard_engine::frontier::spare`]).
const OTHERS_MIN: usize = 2;

/// How many other lanes run something.
fn others(items: &[ShardItem], lane: LaneId) -> usize {
    let lanes: BTreeSet<LaneId> = items.iter().filter_map(|item| item.lane).collect();
    lanes.iter().filter(|other| **other != lane).count()
}

/// A shard, and which lane runs it.
fn who(item: &ShardItem) -> ShardItem {
    ShardItem {
        run: item.run.clone(),
        id: item.id,
        kind: item.kind,
        state: item.state,
        generation: item.generation,
        lane: item.lane,
        ..ShardItem::default()
    }
}

fn in_order<T: Clone>(items: &[T], by: u32) -> Vec<T> {
    let order = dags::orders(items.len()).swap_remove(by as usize);
    order
        .into_iter()
        .map(|place| items[place].clone())
        .collect()
}

/// As many ready shards as there are, of which the one is drawn, whatever is drawn: the others are in its likeness, unless they
/// are of another generation, since that is looked at. Then they are turned.
fn one_of(items: &[ShardItem], by: usize, lanes: usize) -> Vec<ShardItem> {
    let Some(one) = items.get(by) else {
        return Vec::new();
    };
    if items.iter().all(|item| item.generation == one.generation) {
        let one = ShardItem {
            rank: UNTOLD,
            ..one.clone()
        };
        return vec![one; items.len()];
    }
    let mut items = items.to_vec();
    let over = items.len().min(lanes);
    items[..over].rotate_left(by);
    // Whoever asks puts them in the order of their ranks, of which no two shards have the same.
    let ranked = items[..over].iter_mut().enumerate();
    ranked.for_each(|(rank, item)| item.rank = rank as u32);
    items
}
