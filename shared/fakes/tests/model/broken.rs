//! Protocols that were broken on purpose: what the checker must find in each.

use std::rc::Rc;

use foreshard_fakes::World;
use foreshard_model::frontier::{Arrival, Live, ShardItem, ShardState, Write};
use foreshard_model::ids::{LaneId, ShardId};
use foreshard_stages::ports::PortResult;

use crate::process::Input;
use crate::tape::{Op, Reply};

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Arrivals are counted: one that is repeated counts twice.
    Counter,
    /// A lane that parks does not look for work once its token is stored: the same as looking before.
    NoSecondLook,
    /// The end of an attempt counts whatever attempt is under way.
    NoAttemptFence,
    /// An arrival counts whatever generation its sender knew.
    NoGenerationFence,
    /// A shard is noted as released by the write that settles it.
    ReleasedTooSoon,
    /// A lane that may end looks neither for work nor for what is not released, once it has seen who runs what.
    NoLastLook,
    /// A lane that may end takes what waits for running, each on a lane of its own.
    WaitingCounts,
    /// Whoever moves the run on does so whatever it has become meanwhile.
    NoRunFence,
}

/// What a process is about to be told.
pub(crate) struct Exchange<'a> {
    pub(crate) input: &'a Input,
    pub(crate) op: &'a Op,
    /// What it was told about before.
    pub(crate) so_far: &'a [Rc<Op>],
    /// Shards with tasks that wait.
    pub(crate) waiting: &'a [ShardItem],
}

impl Broken {
    /// What is asked of the store instead.
    pub(crate) fn asked(self, shards: &[ShardItem], op: &Op) -> Op {
        match (self, op) {
            (Self::NoGenerationFence, Op::Arrive(arrival)) => {
                let mut known = shards.iter().filter(|item| item.id == arrival.successor);
                let generation = known.next().map_or(arrival.generation, |i| i.generation);
                Op::Arrive(Arrival {
                    generation,
                    ..arrival.clone()
                })
            }
            (Self::ReleasedTooSoon, Op::Commit(writes)) => {
                let mut writes = writes.clone();
                for write in &mut writes {
                    if let Write::Shard(item, _) = write
                        && item.state == ShardState::Done
                    {
                        item.released = true;
                    }
                }
                Op::Commit(writes)
            }
            _ => op.clone(),
        }
    }

    /// What the store does beside what was asked, and the reply to that where it is another one.
    pub(crate) fn carried_out(self, world: &World, before: &[ShardItem], op: &Op) -> Option<Reply> {
        if let (Self::NoRunFence, Op::UpdateRun(item)) = (self, op) {
            world.put_run((**item).clone());
            return Some(Reply::Done(Ok(())));
        }
        let (Self::Counter, Op::Arrive(arrival)) = (self, op) else {
            return None;
        };
        let known = |item: &ShardItem| {
            item.id == arrival.successor && item.arrived.contains(&arrival.predecessor)
        };
        let mut items = world.shard_items(&arrival.run).into_iter();
        let mut item = items.find(|item| item.id == arrival.successor)?;
        if !before.iter().any(known) {
            return None;
        }
        // Nobody has this number: it only counts.
        let number = 1_000 + item.arrived.len() as u32;
        item.arrived.insert(ShardId(number));
        world.put_shard(item.clone());
        Some(Reply::Arrived(Ok(item)))
    }

    /// What the process is told instead.
    pub(crate) fn told(self, exchange: &Exchange<'_>, reply: Reply) -> Reply {
        let Input::Dispatch(request) = exchange.input else {
            return reply;
        };
        let mut so_far = exchange.so_far.iter();
        let looked = so_far.any(|op| matches!(**op, Op::Live(..)));
        match (self, reply) {
            (Self::NoLastLook, Reply::Shards(Ok(mut items))) if looked => {
                items.retain(|item| item.state == ShardState::Running);
                Reply::Shards(Ok(items))
            }
            (Self::WaitingCounts, Reply::Shards(Ok(mut items)))
                if matches!(exchange.op, Op::Live(_, Live::Running, _)) =>
            {
                items.extend(exchange.waiting.iter().map(as_if_running));
                Reply::Shards(Ok(items))
            }
            (Self::NoSecondLook, Reply::Shards(_)) if request.park => Reply::Shards(Ok(Vec::new())),
            // Park goes by the run that it has read in the beginning.
            (Self::NoSecondLook, Reply::Run(_)) if request.park => Reply::Run(Ok(None)),
            (Self::NoAttemptFence, Reply::Shard(item)) => {
                Reply::Shard(item.map(|item| item.map(|item| as_if(request.executed(), item))))
            }
            (Self::NoAttemptFence, Reply::Opening(opening)) => {
                let opening: PortResult<_> = opening.map(|mut opening| {
                    let finished = opening.finished.take();
                    opening.finished = finished.map(|item| as_if(request.executed(), item));
                    opening
                });
                Reply::Opening(opening)
            }
            (_, reply) => reply,
        }
    }
}

/// The item as if a lane that there is not ran it.
fn as_if_running(item: &ShardItem) -> ShardItem {
    ShardItem {
        state: ShardState::Running,
        lane: Some(LaneId(1_000 + item.id.0)),
        ..item.clone()
    }
}

/// The item with the attempt that is asked about.
fn as_if(
    executed: Option<&foreshard_model::message::ExecuteRequest>,
    mut item: ShardItem,
) -> ShardItem {
    if let Some(executed) = executed.filter(|executed| executed.shard == item.id) {
        item.attempt = executed.attempt;
    }
    item
}
