//! Creating the shards of a plan: in transactions of a hundred, several at once; what exists already is left as it is.

use std::time::Duration;

use aws_sdk_dynamodb::types::CancellationReason;
use foreshard_model::frontier::{Expect, ShardItem};
use foreshard_model::limits::TRANSACTION_WRITES;
use foreshard_stages::ports::{PortError, PortResult, RunKey};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::DynamoTable;
use super::batch::PARALLEL;
use super::writes::CONDITION_FAILED;
use crate::table::item;

/// How often a transaction is repeated without those items that exist: each repeat is for somebody who creates the same at
/// this moment.
const REPEATS: u32 = 8;
/// Wait before the second repeat; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(25);

impl DynamoTable {
    /// Creates what does not exist. A put without a condition would cost half, but would undo what lanes have done since,
    /// when a plan is repeated.
    pub(super) async fn create_all(&self, run: &RunKey, items: &[ShardItem]) -> PortResult<()> {
        let parts: Vec<_> = items
            .chunks(TRANSACTION_WRITES)
            .map(|chunk| self.create_some(run, chunk))
            .collect();
        stream::iter(parts)
            .buffer_unordered(PARALLEL)
            .try_collect()
            .await
    }

    async fn create_some(&self, run: &RunKey, items: &[ShardItem]) -> PortResult<()> {
        let what = format!("new shards of {}", run.run);
        let mut open: Vec<&ShardItem> = items.iter().collect();
        for repeat in 0..REPEATS {
            if open.is_empty() {
                return Ok(());
            }
            if repeat > 1 {
                tokio::time::sleep(FIRST_WAIT * 2u32.pow(repeat - 2)).await;
            }
            let actions = open
                .iter()
                .map(|item| self.put(item::of_shard(run, item)?, Some(Expect::Absent)))
                .collect::<PortResult<_>>()?;
            match self.try_transact(&what, actions).await? {
                Ok(()) => return Ok(()),
                Err(reasons) => open = still_open(&open, &reasons),
            }
        }
        Err(PortError::Unavailable(format!("{what}: still in conflict")))
    }
}

/// The items that a cancelled transaction leaves to be created: all but those that exist.
fn still_open<'a>(open: &[&'a ShardItem], reasons: &[CancellationReason]) -> Vec<&'a ShardItem> {
    open.iter()
        .enumerate()
        .filter(|(index, _)| {
            reasons.get(*index).and_then(CancellationReason::code) != Some(CONDITION_FAILED)
        })
        .map(|(_, item)| *item)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use foreshard_model::ids::ShardId;

    #[test]
    fn only_what_exists_is_dropped() {
        let items: Vec<ShardItem> = (0..3)
            .map(|id| ShardItem {
                id: ShardId(id),
                ..ShardItem::default()
            })
            .collect();
        let open: Vec<&ShardItem> = items.iter().collect();
        let reason = |code| CancellationReason::builder().code(code).build();
        let reasons = [
            reason("None"),
            reason(CONDITION_FAILED),
            reason("TransactionConflict"),
        ];
        let left: Vec<u32> = still_open(&open, &reasons).iter().map(|i| i.id.0).collect();
        assert_eq!(left, [0, 2]);
    }
}
