//! Puts the shards of an ended run back, so that its next round repeats what failed and nothing that finished.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_engine::frontier;
use foreshard_engine::lifecycle::Progress;
use foreshard_model::frontier::{ShardItem, ShardState, Write};
use foreshard_model::ids::ShardId;
use foreshard_model::limits::TRANSACTION_WRITES;
use foreshard_model::run::RunItem;
use foreshard_model::topology::Topology;
use foreshard_model::units::TimeMs;

use crate::ports::{BlobReads, FrontierReads, FrontierWrites, PortError, PortResult, RunKey};
use crate::read::claimed_json;
use crate::shards::{all_shards, run_key};

/// How often a transaction is decided anew when a shard of it was written in between.
const TRIES: u32 = 5;

/// Writes what resuming makes of each shard; gives how many shards are settled after it.
///
/// # Errors
/// A port did not answer, or others write the shards again and again. A repeat goes on where this ended.
pub(crate) async fn put_back(
    reads: &dyn FrontierReads,
    writes: &dyn FrontierWrites,
    blobs: &dyn BlobReads,
    run: &RunItem,
    now: TimeMs,
) -> PortResult<u32> {
    let Some(plan) = &run.plan else {
        return Ok(0);
    };
    let topology: Topology = claimed_json(blobs, &plan.topology).await?;
    let key = run_key(run);
    let shards = all_shards(reads, &key).await?;
    let done: BTreeSet<ShardId> = shards
        .iter()
        .filter(|s| s.state == ShardState::Done)
        .map(|s| s.id)
        .collect();
    let decide = |item: &ShardItem| {
        let node = topology.node(item.id)?;
        frontier::resume(item, node, |id| done.contains(&id), now)
    };
    let mut progress = Progress::default();
    let mut changed: Vec<ShardItem> = Vec::new();
    for item in &shards {
        let next = decide(item);
        progress.add(next.as_ref().unwrap_or(item));
        changed.extend(next);
    }
    for group in changed.chunks(TRANSACTION_WRITES) {
        commit(reads, writes, &key, group, &decide).await?;
    }
    Ok(progress.settled)
}

/// Commits one group; when a shard of it was written in between, reads the group again and decides again.
async fn commit(
    reads: &dyn FrontierReads,
    writes: &dyn FrontierWrites,
    key: &RunKey,
    group: &[ShardItem],
    decide: &(dyn Fn(&ShardItem) -> Option<ShardItem> + Sync),
) -> PortResult<()> {
    let ids: Vec<ShardId> = group.iter().map(|s| s.id).collect();
    let mut next: Vec<ShardItem> = group.to_vec();
    let mut tries = 0;
    loop {
        let changes: Vec<Write> = next.drain(..).map(frontier::put_shard).collect();
        if changes.is_empty() {
            return Ok(());
        }
        match writes.commit(key, &changes).await {
            Err(PortError::Conflict(_)) if tries < TRIES => tries += 1,
            other => return other,
        }
        let found: BTreeMap<ShardId, ShardItem> = reads
            .shards(key, &ids)
            .await?
            .into_iter()
            .map(|s| (s.id, s))
            .collect();
        next.extend(found.values().filter_map(decide));
    }
}
