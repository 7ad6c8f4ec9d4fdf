//! Sweeps the frontier of one run by its live index: unreleased, expired, and parked while there is something to do.

use foreshard_engine::frontier::{self, claimable, put_shard};
use foreshard_model::frontier::Live;
use foreshard_model::message::{Cause, ReshardAnswer};

use super::{Ports, recut};
use crate::dispatch::{Budget, Scene, answer_and_forget, release};
use crate::error::StageError;

/// Shards of each kind that one sweep reads from a partition. More are left for the next one.
const LIVE_READ: usize = 500;

/// Lanes that one sweep wakes in a run; each wakes two more.
const WOKEN_MAX: usize = 32;

/// Releases, puts back, cuts again, wakes.
pub(super) async fn sweep(
    ports: &Ports,
    scene: &mut Scene<'_>,
    answer: &mut ReshardAnswer,
) -> Result<(), StageError> {
    let mut budget = Budget::of_a_sweep();
    for partition in 0..scene.key.partitions {
        let reads = &scene.ports.frontier;
        let unreleased = reads
            .live(&scene.key, partition, Live::Unreleased, LIVE_READ)
            .await?;
        for item in unreleased {
            let id = item.id;
            release(scene, item, &mut budget).await?;
            answer.released += u32::from(scene.shard(id).await?.released);
        }
        answer.expired += expire(scene, partition, &mut budget).await?;
    }
    // New shards may be ready: before lanes are woken.
    match recut::recut(ports, scene).await {
        Ok(done) => answer.recuts += u32::from(done),
        // What heals a run must not wait for what only makes it faster.
        Err(error) => tracing::warn!(%error, "the run could not be cut again"),
    }
    answer.woken += wake(scene).await?;
    Ok(())
}

async fn expire(
    scene: &mut Scene<'_>,
    partition: u32,
    budget: &mut Budget,
) -> Result<u32, StageError> {
    let reads = &scene.ports.frontier;
    let running = reads
        .live(&scene.key, partition, Live::Running, LIVE_READ)
        .await?;
    let mut expired = 0;
    for item in running {
        scene.catch_up(&item).await?;
        let node = scene.node(item.id)?;
        let targets = &scene.topology.targets;
        let Some(settled) = frontier::expire(&item, node, targets, scene.now()) else {
            // The index is in order of deadlines: nobody after this one is late.
            break;
        };
        let Some(next) = settled.item else { continue };
        if !scene.commit(&[put_shard(next.clone())]).await? {
            continue;
        }
        expired += 1;
        tracing::warn!(
            shard = item.id.0,
            attempt = item.attempt.0,
            cause = frontier::failed_by(&item, &next).map(Cause::as_str),
            because = settled.because,
            "an attempt is lost"
        );
        scene.note(settled.events);
        if settled.release {
            release(scene, next, budget).await?;
        }
    }
    Ok(expired)
}

/// Wakes parked lanes while something can be claimed, or when there is an end that they should reach.
async fn wake(scene: &Scene<'_>) -> Result<u32, StageError> {
    let open = frontier::is_open(&scene.run, scene.run.round);
    let mut wanted = WOKEN_MAX;
    if open {
        let mut free = 0;
        for partition in 0..scene.key.partitions {
            let reads = &scene.ports.frontier;
            let ready = reads
                .live(&scene.key, partition, Live::Ready, WOKEN_MAX)
                .await?;
            free += claimable(&ready, scene.now()).len();
        }
        wanted = wanted.min(free);
    }
    let mut woken = 0;
    for partition in 0..scene.key.partitions {
        if wanted == 0 {
            break;
        }
        let reads = &scene.ports.frontier;
        for lane in reads.parked(&scene.key, partition, WOKEN_MAX).await? {
            if wanted == 0 {
                break;
            }
            if answer_and_forget(scene, &lane).await {
                wanted -= 1;
                woken += 1;
            }
        }
    }
    Ok(woken)
}
