//! The run protocol's items: consistent reads by key and by index, conditional writes, transactions, the ledger.

use std::collections::BTreeMap;

use async_trait::async_trait;
use foreshard_engine::frontier::creation_units;
use foreshard_model::frontier::{Arrival, Checkpoint, LaneItem, Live, ShardItem, Write};
use foreshard_model::ids::{LaneId, RunId, ShardId};
use foreshard_model::ledger::Event;
use foreshard_stages::ports::{
    AttemptWrites, FrontierReads, FrontierWrites, LedgerReads, LedgerWrites, Opening,
    OutputPointers, Page, Pointer, PortResult, RunKey,
};

use super::Request;
use crate::cloud::{Cloud, Service};
use crate::parameters::WRITE_MS;
use crate::table::{Partition, bytes, lane_units, partition, read_units, shard_units, write_units};

/// What a transaction costs beside the write itself. Source: DynamoDB, "Transactions", capacity.
const TRANSACTION_FACTOR: f64 = 2.0;

/// Units of reading these items by key: each is rounded up by itself.
fn by_key<T: serde::Serialize>(run: &RunKey, items: &[(u32, &T)]) -> Vec<(Partition, f64)> {
    let of = |(number, item): &(u32, &T)| (Partition::of(run, *number), read_units(bytes(item)));
    items.iter().map(of).collect()
}

impl Cloud {
    /// Units of one write over what is there.
    async fn units_of(&self, run: &RunKey, write: &Write) -> PortResult<f64> {
        Ok(match write {
            Write::Run(item, _) => write_units(bytes(item)),
            Write::Shard(item, _) => {
                let before = self.world.shard(run, item.id).await?;
                shard_units(before.as_ref(), item)
            }
            Write::Lane(item, _) => {
                let before = self.world.lane(run, item.lane).await?;
                lane_units(before.as_ref(), item)
            }
        })
    }

    /// A query's units: what it found, added up.
    async fn queried<T: serde::Serialize>(
        &self,
        run: &RunKey,
        part: u32,
        found: &[T],
    ) -> PortResult<()> {
        let units = read_units(found.iter().map(bytes).sum());
        self.read(Partition::of(run, part), units).await
    }
}

#[async_trait]
impl FrontierReads for Cloud {
    async fn shard(&self, run: &RunKey, id: ShardId) -> PortResult<Option<ShardItem>> {
        self.read(Partition::of(run, id.0), 1.0).await?;
        self.world.shard(run, id).await
    }

    async fn shards(&self, run: &RunKey, ids: &[ShardId]) -> PortResult<Vec<ShardItem>> {
        let units: Vec<_> = ids
            .iter()
            .map(|id| (Partition::of(run, id.0), 1.0))
            .collect();
        self.asks(Request::Read, &units).await?;
        self.world.shards(run, ids).await
    }

    async fn shards_of(
        &self,
        run: &RunKey,
        partition: u32,
        after: Option<&str>,
    ) -> PortResult<Page<ShardItem>> {
        let page = self.world.shards_of(run, partition, after).await?;
        self.queried(run, partition, &page.items).await?;
        self.world.shards_of(run, partition, after).await
    }

    async fn lane(&self, run: &RunKey, lane: LaneId) -> PortResult<Option<LaneItem>> {
        self.read(Partition::of(run, lane.0), 1.0).await?;
        self.world.lane(run, lane).await
    }

    async fn opening(
        &self,
        run: &RunKey,
        lane: LaneId,
        finished: Option<ShardId>,
    ) -> PortResult<Opening> {
        let run_item = self.world.run_item(&run.run);
        let mut units = vec![
            (
                Partition::Run(run.run.clone()),
                read_units(run_item.as_ref().map_or(0, bytes)),
            ),
            (Partition::of(run, lane.0), 1.0),
        ];
        units.extend(finished.map(|id| (Partition::of(run, id.0), 1.0)));
        self.asks(Request::Read, &units).await?;
        self.world.opening(run, lane, finished).await
    }

    async fn ready(
        &self,
        run: &RunKey,
        partition: u32,
        limit: usize,
    ) -> PortResult<Vec<ShardItem>> {
        let found = self.world.ready(run, partition, limit).await?;
        self.queried(run, partition, &found).await?;
        self.world.ready(run, partition, limit).await
    }

    async fn live(
        &self,
        run: &RunKey,
        partition: u32,
        what: Live,
        limit: usize,
    ) -> PortResult<Vec<ShardItem>> {
        let found = self.world.live(run, partition, what, limit).await?;
        self.queried(run, partition, &found).await?;
        self.world.live(run, partition, what, limit).await
    }

    async fn parked(
        &self,
        run: &RunKey,
        partition: u32,
        limit: usize,
    ) -> PortResult<Vec<LaneItem>> {
        let found = self.world.parked(run, partition, limit).await?;
        self.queried(run, partition, &found).await?;
        self.world.parked(run, partition, limit).await
    }
}

#[async_trait]
impl FrontierWrites for Cloud {
    async fn commit(&self, run: &RunKey, writes: &[Write]) -> PortResult<()> {
        let (request, factor) = match writes {
            [_] => (Request::Write, 1.0),
            _ => (Request::Transaction, TRANSACTION_FACTOR),
        };
        let mut units = Vec::with_capacity(writes.len());
        for write in writes {
            let of = factor * self.units_of(run, write).await?;
            units.push((partition(run, write), of));
        }
        self.asks(request, &units).await?;
        self.world.commit(run, writes).await
    }

    async fn arrive(&self, run: &RunKey, arrival: &Arrival) -> PortResult<ShardItem> {
        let of = Partition::of(run, arrival.successor.0);
        let before = self.world.shard(run, arrival.successor).await?;
        let units = before.map_or(1.0, |item| shard_units(Some(&item), &item));
        self.asks(Request::Write, &[(of, units)]).await?;
        self.world.arrive(run, arrival).await
    }

    async fn create_shards(&self, run: &RunKey, items: &[ShardItem]) -> PortResult<Vec<ShardId>> {
        self.takes(Service::Table, WRITE_MS).await;
        let first = items.first().map_or(0, |item| item.id.0);
        let units: u32 = items.iter().map(creation_units).sum();
        let units = [(Partition::of(run, first), f64::from(units))];
        if !self.takes_units(Request::Transaction, &units) {
            return Ok(items.iter().map(|item| item.id).collect());
        }
        self.world.create_shards(run, items).await
    }
}

#[async_trait]
impl AttemptWrites for Cloud {
    async fn checkpoint(&self, run: &RunKey, checkpoint: &Checkpoint) -> PortResult<bool> {
        let of = Partition::of(run, checkpoint.shard.0);
        let before = self.world.shard(run, checkpoint.shard).await?;
        let units = before.map_or(1.0, |item| shard_units(Some(&item), &item));
        self.asks(Request::Write, &[(of, units)]).await?;
        self.world.checkpoint(run, checkpoint).await
    }
}

#[async_trait]
impl OutputPointers for Cloud {
    async fn pointers(
        &self,
        run: &RunKey,
        ids: &[ShardId],
    ) -> PortResult<BTreeMap<ShardId, Pointer>> {
        let items = self.world.shards(run, ids).await?;
        let items: Vec<_> = items.iter().map(|item| (item.id.0, item)).collect();
        self.asks(Request::Read, &by_key(run, &items)).await?;
        self.world.pointers(run, ids).await
    }
}

#[async_trait]
impl LedgerWrites for Cloud {
    async fn record(&self, events: &[Event]) -> PortResult<()> {
        let Some(first) = events.first() else {
            return Ok(());
        };
        let units = events.iter().map(|event| write_units(bytes(event))).sum();
        let of = Partition::Ledger(first.run.clone());
        self.asks(Request::Write, &[(of, units)]).await?;
        self.world.record(events).await
    }
}

#[async_trait]
impl LedgerReads for Cloud {
    async fn events(&self, run: &RunId, after: &str, limit: usize) -> PortResult<Vec<Event>> {
        let found = self.world.events(run, after, limit).await?;
        let units = read_units(found.iter().map(bytes).sum());
        self.read(Partition::Ledger(run.clone()), units).await?;
        self.world.events(run, after, limit).await
    }
}
