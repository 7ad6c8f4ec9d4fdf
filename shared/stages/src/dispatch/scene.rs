//! What dispatch and the sweep look at while they work on one run: its item, its topology, and where its shards are.

use std::sync::Arc;

use foreshard_engine::frontier::{claimable, is_behind, look_ahead, put_shard};
use foreshard_model::frontier::{LaneItem, ShardItem, Write};
use foreshard_model::ids::{LaneId, ShardId};
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::message::DispatchRequest;
use foreshard_model::run::RunItem;
use foreshard_model::topology::{ShardNode, Topology};
use foreshard_model::units::TimeMs;

use super::Ports;
use crate::error::StageError;
use crate::log::about;
use crate::ports::{Opening, PortError, RunKey};

/// Ready shards read beyond those that a lane chooses among: enough to see whether there is work for others too.
const READY_BEYOND: usize = 4;

/// Ready shards read when all of the first back off. At 600 bytes each it costs ten read units, and is rare.
const READY_DEEP: usize = 64;

/// Partitions that one call looks at for others' sake; what is elsewhere is found by another lane, or by the sweep.
pub(crate) const PARTITIONS_READ: usize = 4;

/// One run under work.
pub(crate) struct Scene<'a> {
    pub(crate) ports: &'a Ports,
    pub(crate) run: RunItem,
    pub(crate) key: RunKey,
    pub(crate) topology: Arc<Topology>,
    /// The shard that the lane has finished, as it was when the question was opened; whoever takes it looks at the latest.
    pub(crate) finished: Option<ShardItem>,
    /// What the ledger is to be told, once ([`Scene::tell_ledger`]).
    notes: Vec<Event>,
}

impl<'a> Scene<'a> {
    /// Reads what a lane's question is about: run, topology, lane and finished shard; `None` when there is no plan yet.
    ///
    /// One call, where this process knows over how many partitions the run spreads; one more where it does not.
    pub(crate) async fn open(
        ports: &'a Ports,
        request: &DispatchRequest,
    ) -> Result<Option<(Scene<'a>, Option<LaneItem>)>, StageError> {
        let id = &request.run;
        let finished = request.executed().map(|executed| executed.shard);
        let mut known = ports.topologies.partitions(id);
        loop {
            let opened = match known {
                Some(partitions) => {
                    let run = id.clone();
                    let key = RunKey { run, partitions };
                    let reads = &ports.frontier;
                    reads.opening(&key, request.lane, finished).await?
                }
                None => Opening {
                    run: ports.runs.run(id).await?,
                    ..Opening::default()
                },
            };
            let Some(run) = opened.run else {
                return Err(StageError::Rejected(format!("run `{id}` is unknown")));
            };
            let Some(scene) = Self::of(ports, run).await? else {
                return Ok(None);
            };
            if known == Some(scene.key.partitions) {
                let finished = opened.finished;
                return Ok(Some((Self { finished, ..scene }, opened.lane)));
            }
            known = Some(scene.key.partitions);
        }
    }

    /// The run of an item that was read just now, with its topology; `None` when it has no plan yet.
    pub(crate) async fn of(
        ports: &'a Ports,
        run: RunItem,
    ) -> Result<Option<Scene<'a>>, StageError> {
        about(&run);
        let Some(plan) = &run.plan else {
            return Ok(None);
        };
        let key = RunKey {
            run: run.run.clone(),
            partitions: plan.partitions.max(1),
        };
        let topology = ports.topologies.get(&*ports.blobs, &plan.topology).await?;
        Ok(Some(Self {
            ports,
            run,
            key,
            topology,
            finished: None,
            notes: Vec::new(),
        }))
    }

    pub(crate) fn now(&self) -> TimeMs {
        self.ports.clock.now()
    }

    pub(crate) fn node(&self, id: ShardId) -> Result<&ShardNode, StageError> {
        self.topology.node(id).ok_or_else(|| {
            let run = &self.key.run;
            StageError::Rejected(format!("shard {id} is not in the plan of `{run}`"))
        })
    }

    pub(crate) async fn shard(&self, id: ShardId) -> Result<ShardItem, StageError> {
        let found = self.ports.frontier.shard(&self.key, id).await?;
        found.ok_or_else(|| {
            let run = &self.key.run;
            StageError::Rejected(format!("shard {id} of `{run}` has no item"))
        })
    }

    /// Reads the run's item again, and its plan where that is another one: somebody has changed it.
    pub(crate) async fn reload(&mut self) -> Result<(), StageError> {
        let Some(run) = self.ports.runs.run(&self.key.run).await? else {
            return Ok(());
        };
        if let Some(plan) = &run.plan {
            let ports = self.ports;
            self.topology = ports.topologies.get(&*ports.blobs, &plan.topology).await?;
        }
        self.run = run;
        Ok(())
    }

    /// Reads the run and its plan again where the plan is older than the item; whether that was so.
    pub(crate) async fn catch_up(&mut self, item: &ShardItem) -> Result<bool, StageError> {
        let behind = is_behind(&self.topology, item);
        if behind {
            self.reload().await?;
        }
        Ok(behind)
    }

    /// Writes one shard; false: others wrote first, read again.
    pub(crate) async fn put(&self, item: ShardItem) -> Result<bool, StageError> {
        self.write(&[put_shard(item)]).await
    }

    async fn write(&self, writes: &[Write]) -> Result<bool, StageError> {
        match self.ports.writes.commit(&self.key, writes).await {
            Ok(()) => Ok(true),
            Err(PortError::Conflict(text)) => {
                tracing::debug!(because = text, "others wrote first");
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes in one transaction; false: others wrote first, read again. The run's item is taken over.
    pub(crate) async fn commit(&mut self, writes: &[Write]) -> Result<bool, StageError> {
        if !self.write(writes).await? {
            return Ok(false);
        }
        for write in writes {
            if let Write::Run(item, _) = write {
                self.took(item);
            }
        }
        Ok(true)
    }

    fn took(&mut self, item: &RunItem) {
        let entered = item.state != self.run.state;
        self.run = item.clone();
        if !entered {
            return;
        }
        tracing::info!(state = item.state.as_str(), "the run enters a state");
        let because = match &item.cause {
            Some(cause) => format!("{}: {}", item.state.as_str(), cause.message),
            None => item.state.as_str().to_owned(),
        };
        let event = Event {
            run: item.run.clone(),
            at: item.updated_at,
            kind: EventKind::State,
            shard: None,
            attempt: None,
            lane: None,
            target: None,
            because,
            numbers: std::collections::BTreeMap::new(),
        };
        self.note([event]);
    }

    /// Keeps what happened for the ledger. Everything is derived from items, so a repeat of the question notes it again.
    pub(crate) fn note(&mut self, events: impl IntoIterator<Item = Event>) {
        self.notes.extend(events);
    }

    /// Writes what was noted into the ledger, in as few calls as that takes.
    pub(crate) async fn tell_ledger(&mut self) -> Result<(), StageError> {
        if !self.notes.is_empty() {
            self.ports.ledger.record(&self.notes).await?;
            self.notes.clear();
        }
        Ok(())
    }

    /// Partitions in the order in which a lane looks at them: its own first.
    pub(crate) fn partitions_from(&self, lane: LaneId) -> impl Iterator<Item = u32> + use<> {
        let count = self.key.partitions;
        let own = lane.0 % count;
        (0..count).map(move |i| (own + i) % count)
    }

    /// Ready shards, from the lane's own partition on until one can be claimed; those that back off are among them.
    pub(crate) async fn ready(&self, lane: LaneId) -> Result<Vec<ShardItem>, StageError> {
        let mut seen = Vec::new();
        for partition in self.partitions_from(lane) {
            let mut here = self.ready_of(partition).await?;
            let found = !claimable(&here, self.now()).is_empty();
            seen.append(&mut here);
            if found {
                break;
            }
        }
        Ok(seen)
    }

    /// The first ready shards of a partition, and more of them when the first all back off.
    async fn ready_of(&self, partition: u32) -> Result<Vec<ShardItem>, StageError> {
        let reads = &self.ports.frontier;
        let few = look_ahead(&self.topology) + READY_BEYOND;
        let here = reads.ready(&self.key, partition, few).await?;
        if here.len() < few || !claimable(&here, self.now()).is_empty() {
            return Ok(here);
        }
        Ok(reads.ready(&self.key, partition, READY_DEEP).await?)
    }

    /// Shards that can be claimed in a few partitions beside the lane's own: enough to know whether to wake somebody.
    pub(crate) async fn ready_elsewhere(&self, lane: LaneId) -> Result<usize, StageError> {
        for partition in self.partitions_from(lane).skip(1).take(PARTITIONS_READ) {
            let here = self.ready_of(partition).await?;
            let free = claimable(&here, self.now()).len();
            if free > 0 {
                return Ok(free);
            }
        }
        Ok(0)
    }
}
