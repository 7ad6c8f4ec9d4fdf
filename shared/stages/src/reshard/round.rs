//! Starts the round of a run whose execution has ended early, or never began.

use foreshard_engine::lifecycle::Progress;
use foreshard_engine::reshard::{Healed, heal, is_quiet};
use foreshard_model::message::ReshardAnswer;
use foreshard_model::run::RunItem;

use super::Ports;
use crate::error::StageError;
use crate::ports::{PortError, RunKey};

/// Looks at the execution of a run that was left alone for a while, and mends it.
pub(super) async fn sweep(
    ports: &Ports,
    run: &RunItem,
    answer: &mut ReshardAnswer,
) -> Result<(), StageError> {
    let now = ports.dispatch.clock.now();
    if !is_quiet(run, now) {
        return Ok(());
    }
    let open = ports.execution_reads.is_open(&run.run, run.round).await?;
    let progress = match open {
        Some(false) => progress(ports, run).await?,
        _ => Progress::default(),
    };
    match heal(run, open, &progress, now) {
        Healed::Leave => Ok(()),
        Healed::Start(round) => {
            tracing::warn!(
                run = run.run.as_str(),
                round = round.0,
                "the round has no execution yet: started"
            );
            ports.executions.start(&run.run, round).await?;
            answer.rounds += 1;
            Ok(())
        }
        Healed::Next(item) => {
            if write(ports, &item).await? {
                tracing::warn!(
                    run = run.run.as_str(),
                    round = item.round.0,
                    "the execution ended early: next round"
                );
                ports.executions.start(&item.run, item.round).await?;
                answer.rounds += 1;
            }
            Ok(())
        }
        Healed::Close(item) => {
            if write(ports, &item).await? {
                tracing::error!(
                    run = run.run.as_str(),
                    state = item.state.as_str(),
                    "ended by the sweep, without figures"
                );
            }
            Ok(())
        }
    }
}

/// False: somebody else wrote first, and so takes care of the run.
async fn write(ports: &Ports, item: &RunItem) -> Result<bool, StageError> {
    match ports.run_writes.update_run(item).await {
        Ok(()) => Ok(true),
        Err(PortError::Conflict(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// How far the run is: read over all shards, which is dear, but rare.
async fn progress(ports: &Ports, run: &RunItem) -> Result<Progress, StageError> {
    let mut progress = Progress::default();
    let Some(plan) = &run.plan else {
        return Ok(progress);
    };
    let key = RunKey {
        run: run.run.clone(),
        partitions: plan.partitions.max(1),
    };
    for partition in 0..key.partitions {
        let mut after: Option<String> = None;
        loop {
            let shards = &ports.dispatch.frontier;
            let page = shards.shards_of(&key, partition, after.as_deref()).await?;
            page.items.iter().for_each(|shard| progress.add(shard));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(progress)
}
