//! What dispatch and the sweep look at while they work on one run: its item, its topology, and where its shards are.

use std::sync::Arc;

use foreshard_engine::frontier::{claimable, look_ahead};
use foreshard_model::frontier::{ShardItem, Write};
use foreshard_model::ids::{LaneId, RunId, ShardId};
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::run::RunItem;
use foreshard_model::topology::{ShardNode, Topology};
use foreshard_model::units::TimeMs;

use super::Ports;
use crate::error::StageError;
use crate::log::about;
use crate::ports::{PortError, RunKey};

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
}

impl<'a> Scene<'a> {
    /// Reads the run and its topology; `None` when it has no plan yet.
    pub(crate) async fn open(
        ports: &'a Ports,
        id: &RunId,
    ) -> Result<Option<Scene<'a>>, StageError> {
        let Some(run) = ports.runs.run(id).await? else {
            return Err(StageError::Rejected(format!("run `{id}` is unknown")));
        };
        Self::of(ports, run).await
    }

    /// As [`Scene::open`], for an item that was read just now.
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

    /// Reads the run's item again: somebody has changed it.
    pub(crate) async fn reload(&mut self) -> Result<(), StageError> {
        if let Some(run) = self.ports.runs.run(&self.key.run).await? {
            self.run = run;
        }
        Ok(())
    }

    /// Writes in one transaction; false: others wrote first, read again. The run's item is taken over.
    pub(crate) async fn commit(&mut self, writes: &[Write]) -> Result<bool, StageError> {
        match self.ports.writes.commit(&self.key, writes).await {
            Ok(()) => {}
            Err(PortError::Conflict(text)) => {
                tracing::debug!(because = text, "others wrote first");
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        }
        for write in writes {
            if let Write::Run(item, _) = write {
                self.took(item).await?;
            }
        }
        Ok(true)
    }

    async fn took(&mut self, item: &RunItem) -> Result<(), StageError> {
        let entered = item.state != self.run.state;
        self.run = item.clone();
        if !entered {
            return Ok(());
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
        self.record(&[event]).await
    }

    pub(crate) async fn record(&self, events: &[Event]) -> Result<(), StageError> {
        if events.is_empty() {
            return Ok(());
        }
        Ok(self.ports.ledger.record(events).await?)
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
