//! Creating shards of a plan: a few in one transaction; what exists already is left as it is, what is throttled is left over.

use aws_sdk_dynamodb::types::CancellationReason;
use foreshard_model::frontier::{Expect, ShardItem};
use foreshard_model::ids::ShardId;
use foreshard_model::limits::CREATION_BATCH;
use foreshard_stages::ports::{PortError, PortResult, RunKey};

use super::DynamoTable;
use super::writes::CONDITION_FAILED;
use crate::table::item;

/// How often a transaction is repeated at once without those items that exist: each repeat is for somebody who creates the
/// same at this moment.
const REPEATS: u32 = 3;

impl DynamoTable {
    /// Creates what does not exist; gives what the table did not take. A put without a condition would cost half, and go in
    /// batches, but would undo what lanes have done since, when a plan is repeated.
    pub(super) async fn create_some(
        &self,
        run: &RunKey,
        items: &[ShardItem],
    ) -> PortResult<Vec<ShardId>> {
        if items.len() > CREATION_BATCH {
            let (asked, most) = (items.len(), CREATION_BATCH);
            return Err(PortError::Refused(format!(
                "{asked} new shards of {} at once, at most {most}",
                run.run
            )));
        }
        let what = format!("new shards of {}", run.run);
        let mut open: Vec<&ShardItem> = items.iter().collect();
        for _ in 0..REPEATS {
            if open.is_empty() {
                break;
            }
            let actions = open
                .iter()
                .map(|item| self.put(item::of_shard(run, item)?, Some(Expect::Absent)))
                .collect::<PortResult<_>>()?;
            match self.try_transact(&what, actions).await {
                Ok(Ok(())) => return Ok(Vec::new()),
                Ok(Err(reasons)) => {
                    let absent = still_open(&open, &reasons);
                    // Nothing of it exists: throttled, or in conflict with somebody who creates the same.
                    if absent.len() == open.len() {
                        break;
                    }
                    open = absent;
                }
                Err(PortError::Unavailable(why)) => {
                    tracing::debug!(why, "shards are left over");
                    break;
                }
                Err(other) => return Err(other),
            }
        }
        Ok(open.iter().map(|item| item.id).collect())
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
