//! Items that the checks write; every check has a run of its own, so that they share one store.

use foreshard_model::claim::Claim;
use foreshard_model::frontier::{Expect, ShardItem, ShardState, Write};
use foreshard_model::ids::{Attempt, LaneId, RunId, Sha256Hex, ShardId};
use foreshard_model::limits::CREATION_BATCH;
use foreshard_model::run::{Context, RunItem};
use foreshard_model::units::{Mib, TimeMs};
use foreshard_stages::ports::RunKey;

use crate::adapters::Adapters;

/// Partition keys of every run here.
pub const PARTITIONS: u32 = 3;

/// The run of a check.
pub fn key(check: &str) -> RunKey {
    RunKey {
        run: RunId::derive(&"contract".into(), check),
        partitions: PARTITIONS,
    }
}

/// A new run of a tenant.
pub fn run(tenant: &str, name: &str, accepted_at: u64) -> RunItem {
    let tenant = tenant.into();
    RunItem {
        run: RunId::derive(&tenant, name),
        version: 1,
        workflow: "w@1".to_owned(),
        context: Context {
            tenant,
            principal: "arn:aws:iam::111122223333:user/ann".to_owned(),
            trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
            ..Context::default()
        },
        accepted_at: TimeMs(accepted_at),
        updated_at: TimeMs(accepted_at),
        ..RunItem::default()
    }
}

/// A new shard, waiting.
pub fn shard(of: &RunKey, id: u32) -> ShardItem {
    ShardItem {
        run: of.run.clone(),
        id: ShardId(id),
        version: 1,
        rank: id,
        tier: Mib(512),
        ..ShardItem::default()
    }
}

/// A new shard that may be claimed.
pub fn ready(of: &RunKey, id: u32, rank: u32) -> ShardItem {
    ShardItem {
        state: ShardState::Ready,
        rank,
        ..shard(of, id)
    }
}

/// The item as a lane claims it.
pub fn claimed(item: &ShardItem, lane: u32, deadline: u64) -> ShardItem {
    ShardItem {
        version: item.version + 1,
        state: ShardState::Running,
        attempt: Attempt(item.attempt.0 + 1),
        lane: Some(LaneId(lane)),
        target: Some("foreshard-execute-512:live".into()),
        deadline: Some(TimeMs(deadline)),
        ..item.clone()
    }
}

/// A pointer to some content.
pub fn claim(name: &str) -> Claim {
    Claim {
        key: format!("runs/r/{name}"),
        sha256: Sha256Hex::of(name.as_bytes()),
        bytes: name.len() as u64,
    }
}

/// A write of a new shard.
pub fn new(item: &ShardItem) -> Write {
    Write::Shard(Box::new(item.clone()), Expect::Absent)
}

/// A write of a shard over the version before it.
pub fn over(item: &ShardItem) -> Write {
    Write::Shard(Box::new(item.clone()), Expect::Version(item.version - 1))
}

/// The ids of some shards.
pub fn ids(items: &[ShardItem]) -> Vec<u32> {
    items.iter().map(|item| item.id.0).collect()
}

/// Creates shards as plan does: a batch after the other, and again what the store did not take.
pub async fn create(on: &Adapters, of: &RunKey, items: &[ShardItem]) {
    for batch in items.chunks(CREATION_BATCH) {
        let mut open = batch.to_vec();
        while !open.is_empty() {
            let left = on.writes.create_shards(of, &open).await.unwrap();
            open.retain(|item| left.contains(&item.id));
        }
    }
}
