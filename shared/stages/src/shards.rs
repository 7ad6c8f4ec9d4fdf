//! Reads all shards of a run, partition by partition.

use foreshard_model::frontier::ShardItem;
use foreshard_model::run::RunItem;

use crate::ports::{FrontierReads, PortResult, RunKey};

/// Where the shards of a planned run are.
pub(crate) fn run_key(run: &RunItem) -> RunKey {
    RunKey {
        run: run.run.clone(),
        partitions: run.plan.as_ref().map_or(1, |p| p.partitions.max(1)),
    }
}

/// All shards, by partition and then by id.
pub(crate) async fn all_shards(
    reads: &dyn FrontierReads,
    key: &RunKey,
) -> PortResult<Vec<ShardItem>> {
    let mut shards = Vec::new();
    for partition in 0..key.partitions {
        let mut after: Option<String> = None;
        loop {
            let page = reads.shards_of(key, partition, after.as_deref()).await?;
            shards.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(shards)
}
