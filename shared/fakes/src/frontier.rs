//! The frontier in memory: conditional commits, arrivals, checkpoints, and the two indexes.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use foreshard_model::frontier::{
    Arrival, Checkpoint, Expect, LaneItem, Live, ShardItem, ShardState, Write,
};
use foreshard_model::ids::{LaneId, ShardId};
use foreshard_model::limits::{CREATION_BATCH, TRANSACTION_WRITES};
use foreshard_model::plan::ShardKind;
use foreshard_stages::ports::{
    AttemptWrites, FrontierReads, FrontierWrites, Opening, OutputPointers, Page, Pointer,
    PortError, PortResult, RunKey,
};

use crate::world::{Change, State, World, conflict};

/// Shards in one page: small, so that tests meet the second page.
const SHARD_PAGE: usize = 50;

/// What a commit writes, for the counts of the fault switch: `shard running + lane`. Shards of different states are what a
/// re-cut, a resumed run or a skip makes of many at once: `shards`.
fn name_of(writes: &[Write]) -> String {
    let parts: BTreeSet<String> = writes
        .iter()
        .map(|write| match write {
            Write::Run(item, _) => format!("run {}", item.state.as_str()),
            Write::Shard(item, _) => format!(
                "shard {:?}{}",
                item.state,
                if item.released { " released" } else { "" }
            )
            .to_lowercase(),
            Write::Lane(item, _) if item.token.is_some() => "lane parked".to_owned(),
            Write::Lane(..) => "lane".to_owned(),
        })
        .collect();
    let mut parts: Vec<String> = parts.into_iter().collect();
    if parts
        .iter()
        .filter(|part| part.starts_with("shard"))
        .count()
        > 1
    {
        parts.retain(|part| !part.starts_with("shard"));
        parts.push("shards".to_owned());
    }
    format!("commit {}", parts.join(" + "))
}

/// Version found, version expected, version to be written, and what is written.
fn check_one(state: &State, run: &RunKey, write: &Write) -> PortResult<()> {
    let (found, expect, next, what) = match write {
        Write::Run(item, expect) => (
            state.runs.get(&item.run).map(|i| i.version),
            expect,
            item.version,
            format!("run `{}`", item.run),
        ),
        Write::Shard(item, expect) => (
            state.shards.get(&item.run, item.id).map(|i| i.version),
            expect,
            item.version,
            format!("shard {} of `{}`", item.id, item.run),
        ),
        Write::Lane(item, expect) => (
            state.lanes.get(&item.run, item.lane).map(|i| i.version),
            expect,
            item.version,
            format!("lane {} of `{}`", item.lane, item.run),
        ),
    };
    let owner = match write {
        Write::Run(item, _) => &item.run,
        Write::Shard(item, _) => &item.run,
        Write::Lane(item, _) => &item.run,
    };
    if *owner != run.run {
        return Err(PortError::Refused(format!("{what} is of another run")));
    }
    let right = match expect {
        Expect::Absent => 1,
        Expect::Version(version) => version + 1,
    };
    if next != right {
        return Err(PortError::Refused(format!(
            "{what} is to be written as version {next}, expected {right}"
        )));
    }
    match (expect, found) {
        (Expect::Absent, None) => Ok(()),
        (Expect::Version(version), Some(found)) if *version == found => Ok(()),
        _ => Err(conflict(format!(
            "{what} has version {found:?}, not {expect:?}"
        ))),
    }
}

fn apply(state: &mut State, run: &RunKey, writes: &[Write]) -> PortResult<()> {
    if writes.is_empty() || writes.len() > TRANSACTION_WRITES {
        let text = format!("{} writes in a transaction", writes.len());
        return Err(PortError::Refused(text));
    }
    let mut keys = BTreeSet::new();
    for write in writes {
        let key = match write {
            Write::Run(..) => (0, 0),
            Write::Shard(item, _) => (1, item.id.0),
            Write::Lane(item, _) => (2, item.lane.0),
        };
        if !keys.insert(key) {
            let text = format!("two writes of one item in a transaction: {key:?}");
            return Err(PortError::Refused(text));
        }
    }
    for write in writes {
        check_one(state, run, write)?;
    }
    for write in writes {
        match write {
            Write::Run(item, _) => {
                state.runs.insert(item.run.clone(), (**item).clone());
            }
            Write::Shard(item, _) => {
                let from = state.shards.insert((**item).clone());
                let from = from.map_or(ShardState::Waiting, |old| old.state);
                if state.witnessed && from != item.state {
                    state.changes.push(Change {
                        run: item.run.clone(),
                        shard: item.id,
                        attempt: item.attempt,
                        from,
                        to: item.state,
                    });
                }
            }
            Write::Lane(item, _) => {
                state.lanes.insert((**item).clone());
            }
        }
    }
    Ok(())
}

#[async_trait]
impl FrontierReads for World {
    async fn shard(&self, run: &RunKey, id: ShardId) -> PortResult<Option<ShardItem>> {
        self.read(|state| Ok(state.shards.get(&run.run, id).cloned()))
            .await
    }

    async fn shards(&self, run: &RunKey, ids: &[ShardId]) -> PortResult<Vec<ShardItem>> {
        self.read(|state| {
            let ids: BTreeSet<&ShardId> = ids.iter().collect();
            let found = ids
                .into_iter()
                .filter_map(|id| state.shards.get(&run.run, *id));
            Ok(found.cloned().collect())
        })
        .await
    }

    async fn shards_of(
        &self,
        run: &RunKey,
        partition: u32,
        after: Option<&str>,
    ) -> PortResult<Page<ShardItem>> {
        let after: Option<u32> = after.and_then(|text| text.parse().ok());
        self.read(|state| {
            let first = after.map_or(0, |after| after.saturating_add(1));
            let rest = state.shards.from(&run.run, ShardId(first));
            let rest = rest.filter(|item| item.id.0 % run.partitions.max(1) == partition);
            let mut items: Vec<ShardItem> = rest.take(SHARD_PAGE + 1).cloned().collect();
            let more = items.len() > SHARD_PAGE;
            items.truncate(SHARD_PAGE);
            let next = items.last().filter(|_| more).map(|i| i.id.0.to_string());
            Ok(Page { items, next })
        })
        .await
    }

    async fn lane(&self, run: &RunKey, lane: LaneId) -> PortResult<Option<LaneItem>> {
        self.read(|state| Ok(state.lanes.get(&run.run, lane).cloned()))
            .await
    }

    async fn opening(
        &self,
        run: &RunKey,
        lane: LaneId,
        finished: Option<ShardId>,
    ) -> PortResult<Opening> {
        self.read(|state| {
            let shard = finished.and_then(|id| state.shards.get(&run.run, id));
            Ok(Opening {
                run: state.runs.get(&run.run).cloned(),
                lane: state.lanes.get(&run.run, lane).cloned(),
                finished: shard.cloned(),
            })
        })
        .await
    }

    async fn ready(
        &self,
        run: &RunKey,
        partition: u32,
        limit: usize,
    ) -> PortResult<Vec<ShardItem>> {
        self.lock().shards.spread(run);
        self.read(|state| {
            let ready = state.shards.ready(run, partition);
            Ok(ready.take(limit).cloned().collect())
        })
        .await
    }

    async fn live(
        &self,
        run: &RunKey,
        partition: u32,
        what: Live,
        limit: usize,
    ) -> PortResult<Vec<ShardItem>> {
        self.lock().shards.spread(run);
        self.read(|state| {
            let live = state.shards.live(run, partition, what.prefix());
            Ok(live.take(limit).cloned().collect())
        })
        .await
    }

    async fn parked(
        &self,
        run: &RunKey,
        partition: u32,
        limit: usize,
    ) -> PortResult<Vec<LaneItem>> {
        self.read(|state| {
            let parked = state.lanes.parked(&run.run);
            let here = parked.filter(|item| item.lane.0 % run.partitions.max(1) == partition);
            Ok(here.take(limit).cloned().collect())
        })
        .await
    }
}

#[async_trait]
impl FrontierWrites for World {
    async fn commit(&self, run: &RunKey, writes: &[Write]) -> PortResult<()> {
        self.write(&name_of(writes), |state| apply(state, run, writes))
            .await
    }

    async fn arrive(&self, run: &RunKey, arrival: &Arrival) -> PortResult<ShardItem> {
        self.write("arrive", |state| {
            let Some(item) = state.shards.get(&run.run, arrival.successor) else {
                let text = format!("shard {} of `{}`", arrival.successor, run.run);
                return Err(PortError::NotFound(text));
            };
            if item.generation != arrival.generation {
                let (id, generation) = (item.id, item.generation);
                return Err(conflict(format!(
                    "shard {id} is of generation {generation}"
                )));
            }
            let mut item = item.clone();
            item.arrived.insert(arrival.predecessor);
            item.version += 1;
            state.shards.insert(item.clone());
            Ok(item)
        })
        .await
    }

    async fn create_shards(&self, run: &RunKey, items: &[ShardItem]) -> PortResult<Vec<ShardId>> {
        if items.len() > CREATION_BATCH {
            let text = format!("{} shards at once, at most {CREATION_BATCH}", items.len());
            return Err(PortError::Refused(text));
        }
        self.write("create_shards", |state| {
            let now = state.now;
            let throughput = state.throughput.as_mut();
            let left = throughput.map_or_else(Vec::new, |has| has.left(run, items, now));
            for item in items.iter().filter(|item| !left.contains(&item.id)) {
                if state.shards.get(&run.run, item.id).is_none() {
                    state.shards.insert(item.clone());
                }
            }
            Ok(left)
        })
        .await
    }
}

#[async_trait]
impl AttemptWrites for World {
    async fn checkpoint(&self, run: &RunKey, checkpoint: &Checkpoint) -> PortResult<bool> {
        self.write("checkpoint", |state| {
            let Some(item) = state.shards.get(&run.run, checkpoint.shard) else {
                return Ok(false);
            };
            if item.state != ShardState::Running || item.attempt != checkpoint.attempt {
                return Ok(false);
            }
            let mut item = item.clone();
            if let Some(progress) = &checkpoint.progress {
                item.progress = Some(progress.clone());
            }
            item.started_once = checkpoint.started_once;
            item.version += 1;
            state.shards.insert(item);
            Ok(true)
        })
        .await
    }
}

#[async_trait]
impl OutputPointers for World {
    async fn pointers(
        &self,
        run: &RunKey,
        ids: &[ShardId],
    ) -> PortResult<BTreeMap<ShardId, Pointer>> {
        self.read(|state| {
            let found = ids.iter().filter_map(|id| {
                let item = state.shards.get(&run.run, *id)?;
                let pointer = match item.kind {
                    ShardKind::Work => Pointer {
                        output: item.output.clone(),
                        behind: BTreeSet::new(),
                    },
                    ShardKind::Relay | ShardKind::End => Pointer {
                        output: item.output.clone(),
                        behind: item.arrived.clone(),
                    },
                };
                (pointer != Pointer::default()).then_some((*id, pointer))
            });
            Ok(found.collect())
        })
        .await
    }
}
