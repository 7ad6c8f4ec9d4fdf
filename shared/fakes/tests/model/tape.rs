//! The ports of a process in the model: what was answered before is answered again, and the first new request stops it.

use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use async_trait::async_trait;
use foreshard_model::frontier::{Arrival, Checkpoint, LaneItem, Live, ShardItem, Write};
use foreshard_model::ids::{LaneId, Round, RunId, ShardId, Tenant};
use foreshard_model::run::RunItem;
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{
    AttemptWrites, Clock, ExecutionReads, Executions, FrontierReads, FrontierWrites, LaneTokens,
    Listed, Opening, Page, PortError, PortResult, RunKey, RunReads, RunWrites, Span,
};

/// What a process asks of what it shares with others: one atomic step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    Run,
    Shard(ShardId),
    Shards(Vec<ShardId>),
    ShardsOf(u32, Option<String>),
    Lane(LaneId),
    Opening(LaneId, Option<ShardId>),
    Ready(u32, usize),
    Live(u32, Live, usize),
    Parked(u32, usize),
    Commit(Vec<Write>),
    Arrive(Arrival),
    UpdateRun(Box<RunItem>),
    Checkpoint(Checkpoint),
    IsOpen(Round),
    Start(Round),
    Answer(String),
}

/// What it is told.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "each is made once, and then is behind a pointer"
)]
pub(crate) enum Reply {
    Run(PortResult<Option<RunItem>>),
    Shard(PortResult<Option<ShardItem>>),
    Shards(PortResult<Vec<ShardItem>>),
    Page(PortResult<Page<ShardItem>>),
    Lane(PortResult<Option<LaneItem>>),
    Lanes(PortResult<Vec<LaneItem>>),
    Opening(PortResult<Opening>),
    Arrived(PortResult<ShardItem>),
    Done(PortResult<()>),
    Whether(PortResult<bool>),
    Open(PortResult<Option<bool>>),
}

/// The ports of one process. Requests that are under way at once may be answered in any order.
pub(crate) struct Tape {
    talk: Mutex<Talk>,
}

#[derive(Default)]
struct Talk {
    answered: Vec<(Op, Reply)>,
    pending: Vec<Op>,
}

impl Tape {
    /// Ports that have answered this so far: of equal requests the first answer comes first.
    pub(crate) fn new(answered: Vec<(Op, Reply)>) -> Self {
        let talk = Talk {
            answered,
            pending: Vec::new(),
        };
        Self {
            talk: Mutex::new(talk),
        }
    }

    /// The requests that are not answered yet.
    pub(crate) fn pending(&self) -> Vec<Op> {
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut talk.pending)
    }

    async fn ask(&self, op: Op) -> Reply {
        std::future::poll_fn(|_| {
            let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
            match talk.answered.iter().position(|(asked, _)| *asked == op) {
                Some(place) => Poll::Ready(talk.answered.remove(place).1),
                None => {
                    if !talk.pending.contains(&op) {
                        talk.pending.push(op.clone());
                    }
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// Asks, and takes the kind of reply that such a request has.
macro_rules! ask {
    ($tape:expr, $op:expr, $kind:ident) => {
        match $tape.ask($op).await {
            Reply::$kind(reply) => reply,
            other => unreachable!("a reply of another kind: {other:?}"),
        }
    };
}

fn unused<T>() -> PortResult<T> {
    Err(PortError::Refused("not in the model".to_owned()))
}

#[async_trait]
impl RunReads for Tape {
    async fn run(&self, _: &RunId) -> PortResult<Option<RunItem>> {
        ask!(self, Op::Run, Run)
    }

    async fn runs_of(
        &self,
        _: &Tenant,
        _: &Span,
        _: Option<&Listed>,
        _: usize,
    ) -> PortResult<Vec<Listed>> {
        unused()
    }

    async fn active_runs(&self, _: Option<&str>) -> PortResult<Page<RunId>> {
        unused()
    }
}

#[async_trait]
impl RunWrites for Tape {
    async fn create_run(&self, _: &RunItem) -> PortResult<()> {
        unused()
    }

    async fn update_run(&self, item: &RunItem) -> PortResult<()> {
        ask!(self, Op::UpdateRun(Box::new(item.clone())), Done)
    }
}

#[async_trait]
impl FrontierReads for Tape {
    async fn shard(&self, _: &RunKey, id: ShardId) -> PortResult<Option<ShardItem>> {
        ask!(self, Op::Shard(id), Shard)
    }

    async fn shards(&self, _: &RunKey, ids: &[ShardId]) -> PortResult<Vec<ShardItem>> {
        ask!(self, Op::Shards(ids.to_vec()), Shards)
    }

    async fn shards_of(
        &self,
        _: &RunKey,
        partition: u32,
        after: Option<&str>,
    ) -> PortResult<Page<ShardItem>> {
        let after = after.map(str::to_owned);
        ask!(self, Op::ShardsOf(partition, after), Page)
    }

    async fn lane(&self, _: &RunKey, lane: LaneId) -> PortResult<Option<LaneItem>> {
        ask!(self, Op::Lane(lane), Lane)
    }

    async fn opening(
        &self,
        _: &RunKey,
        lane: LaneId,
        finished: Option<ShardId>,
    ) -> PortResult<Opening> {
        ask!(self, Op::Opening(lane, finished), Opening)
    }

    async fn ready(&self, _: &RunKey, partition: u32, limit: usize) -> PortResult<Vec<ShardItem>> {
        ask!(self, Op::Ready(partition, limit), Shards)
    }

    async fn live(
        &self,
        _: &RunKey,
        partition: u32,
        what: Live,
        limit: usize,
    ) -> PortResult<Vec<ShardItem>> {
        ask!(self, Op::Live(partition, what, limit), Shards)
    }

    async fn parked(&self, _: &RunKey, partition: u32, limit: usize) -> PortResult<Vec<LaneItem>> {
        ask!(self, Op::Parked(partition, limit), Lanes)
    }
}

#[async_trait]
impl FrontierWrites for Tape {
    async fn commit(&self, _: &RunKey, writes: &[Write]) -> PortResult<()> {
        ask!(self, Op::Commit(writes.to_vec()), Done)
    }

    async fn arrive(&self, _: &RunKey, arrival: &Arrival) -> PortResult<ShardItem> {
        ask!(self, Op::Arrive(arrival.clone()), Arrived)
    }

    async fn create_shards(&self, _: &RunKey, _: &[ShardItem]) -> PortResult<Vec<ShardId>> {
        unused()
    }
}

#[async_trait]
impl AttemptWrites for Tape {
    async fn checkpoint(&self, _: &RunKey, checkpoint: &Checkpoint) -> PortResult<bool> {
        ask!(self, Op::Checkpoint(checkpoint.clone()), Whether)
    }
}

#[async_trait]
impl Executions for Tape {
    async fn start(&self, _: &RunId, round: Round) -> PortResult<()> {
        ask!(self, Op::Start(round), Done)
    }
}

#[async_trait]
impl ExecutionReads for Tape {
    async fn is_open(&self, _: &RunId, round: Round) -> PortResult<Option<bool>> {
        ask!(self, Op::IsOpen(round), Open)
    }
}

#[async_trait]
impl LaneTokens for Tape {
    async fn answer(&self, token: &str) -> PortResult<bool> {
        ask!(self, Op::Answer(token.to_owned()), Whether)
    }
}

/// A process' clock: it stands still while the process lives.
pub(crate) struct At(pub(crate) TimeMs);

#[async_trait]
impl Clock for At {
    fn now(&self) -> TimeMs {
        self.0
    }

    async fn pause(&self, _: u64) {}
}
