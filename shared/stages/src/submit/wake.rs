//! Wakes parked lanes when a run's owner has wished something: they see it and end.

use foreshard_engine::frontier;
use foreshard_model::run::RunItem;

use crate::ports::{FrontierReads, FrontierWrites, LaneTokens, PortError, PortResult, RunKey};

/// Lanes that are woken here, over all partitions. Each wakes two more, so a thousand are awake after six steps.
const WOKEN_MAX: usize = 16;

/// Answers the tokens of some parked lanes and forgets them; gives how many.
///
/// # Errors
/// A port did not answer. What is done is done; the sweep does the rest.
pub(crate) async fn wake_some(
    reads: &dyn FrontierReads,
    writes: &dyn FrontierWrites,
    tokens: &dyn LaneTokens,
    run: &RunItem,
) -> PortResult<u32> {
    let Some(plan) = &run.plan else {
        return Ok(0);
    };
    let key = RunKey {
        run: run.run.clone(),
        partitions: plan.partitions.max(1),
    };
    let mut woken = 0;
    for partition in 0..key.partitions {
        let left = WOKEN_MAX.saturating_sub(woken as usize);
        if left == 0 {
            break;
        }
        for lane in reads.parked(&key, partition, left).await? {
            let Some(token) = &lane.token else {
                continue;
            };
            tokens.answer(token).await?;
            match writes.commit(&key, &[frontier::forget(&lane)]).await {
                // Somebody else wrote the lane: it was woken by them, or has parked anew with another token.
                Ok(()) | Err(PortError::Conflict(_)) => woken += 1,
                Err(error) => return Err(error),
            }
        }
    }
    Ok(woken)
}
