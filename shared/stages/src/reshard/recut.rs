//! Cuts what is unfinished of a run again: reads what its tasks took, decides, stores the plan's next generation, and moves
//! the run over to it in one transaction.
//!
//! Objects are named by their content, so a sweep that dies, or loses against another one, leaves behind what nobody points
//! to and nothing else. The ledger is told by every sweep for a while: whoever has written the transaction may have died.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foreshard_engine::foresee::strange;
use foreshard_engine::frontier::{self, recut_event};
use foreshard_engine::reshard::{
    Cut, Decision, Seen, Suspicion, candidates, decide, is_due, may_be_cut, shown, suspects,
};
use foreshard_model::claim::Claim;
use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::{LaneId, RunId, Sha256Hex, ShardId};
use foreshard_model::output::{Manifest, ShardTask};
use foreshard_model::plan::{Chunk, Plan};
use foreshard_model::run::PlanPointer;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Serialize;

use super::Ports;
use crate::dispatch::Scene;
use crate::error::StageError;
use crate::keys;
use crate::ports::{PortError, PortResult};
use crate::read::{claim, claimed_json};
use crate::shards::all_shards;

/// Objects read, or written, at once.
const AT_ONCE: usize = 16;

/// How long the ledger is told of a cut again, in milliseconds: the sweeps of ten minutes.
const TOLD_MS: u64 = 600_000;

/// Cuts again where the decision is to; whether it was done.
pub(super) async fn recut(ports: &Ports, scene: &mut Scene<'_>) -> Result<bool, StageError> {
    tell_again(scene);
    let now = scene.now();
    if !is_due(scene.topology.shards.len(), now) && !is_strange(ports, scene).await {
        return Ok(false);
    }
    if let Err(because) = may_be_cut(&scene.run, &scene.topology, now) {
        tracing::debug!(because, "not cut again");
        return Ok(false);
    }
    let items = all_shards(&*scene.ports.frontier, &scene.key).await?;
    match suspects(&scene.run, &scene.topology, &items, now) {
        Ok(suspicion) => act(ports, scene, &items, &suspicion, &decide).await,
        Err(because) => {
            tracing::debug!(because, "not cut again");
            Ok(false)
        }
    }
}

/// Whether something about the run's targets is unlike the last days: then it is looked at before its turn.
async fn is_strange(ports: &Ports, scene: &Scene<'_>) -> bool {
    let outlook = match ports.forecasts.outlook().await {
        Ok(outlook) => outlook,
        Err(error) => {
            tracing::warn!(%error, "looked at without the outlook");
            None
        }
    };
    let targets = &scene.topology.targets;
    let flag = outlook.as_ref();
    let flag = flag.and_then(|outlook| strange(outlook, targets, scene.now()));
    if let Some(flag) = flag {
        let (place, series) = (flag.place.as_str(), flag.series.as_str());
        tracing::info!(
            place,
            series,
            "looked at before its turn: unlike the last days"
        );
    }
    flag.is_some()
}

/// Cuts a run again by somebody else's decision, such as a test's; whether it was done.
///
/// # Errors
/// Those of the ports.
pub async fn recut_by(
    ports: &Ports,
    run: &RunId,
    decide: &(dyn Fn(&Seen<'_>) -> Decision + Sync),
) -> Result<bool, StageError> {
    let run = ports.dispatch.runs.run(run).await?;
    let Some(run) = run else {
        return Ok(false);
    };
    let Some(mut scene) = Scene::of(&ports.dispatch, run).await? else {
        return Ok(false);
    };
    let items = all_shards(&*scene.ports.frontier, &scene.key).await?;
    let suspicion = Suspicion {
        candidates: candidates(&scene.topology, &items, scene.now()),
        witnesses: Vec::new(),
    };
    let done = act(ports, &mut scene, &items, &suspicion, decide).await;
    scene.tell_ledger().await?;
    done
}

/// The ledger may lack the last cut.
fn tell_again(scene: &mut Scene<'_>) {
    let now = scene.now();
    let last = scene.topology.recuts.last().cloned();
    if let Some(last) = last.filter(|last| now.since(last.at) < TOLD_MS) {
        let event = recut_event(&scene.key.run, &last);
        scene.note([event]);
    }
}

async fn act(
    ports: &Ports,
    scene: &mut Scene<'_>,
    items: &[ShardItem],
    suspicion: &Suspicion,
    decide: &(dyn Fn(&Seen<'_>) -> Decision + Sync),
) -> Result<bool, StageError> {
    let Some(pointer) = scene.run.plan.clone() else {
        return Ok(false);
    };
    let tasks = tasks_of(scene, suspicion).await?;
    let manifests = manifests_of(scene, items, &tasks).await?;
    let lanes = lanes_left(scene, items).await?;
    let seen = Seen {
        run: &scene.run,
        topology: &scene.topology,
        stored: &pointer.topology,
        items,
        tasks: &tasks,
        manifests: &manifests,
        lanes,
        now: scene.now(),
    };
    match decide(&seen) {
        Decision::Leave(because) => {
            tracing::info!(because, "not cut again");
            Ok(false)
        }
        Decision::Cut(cut) => write(ports, scene, items, &pointer, *cut).await,
    }
}

/// Lanes that run a shard or are parked: of those that the round began with some may have ended.
async fn lanes_left(scene: &Scene<'_>, items: &[ShardItem]) -> Result<u32, StageError> {
    let all = scene.topology.lanes;
    let running = items
        .iter()
        .filter(|item| item.state == ShardState::Running)
        .filter_map(|item| item.lane);
    let mut left: BTreeSet<LaneId> = running.collect();
    for partition in 0..scene.key.partitions {
        let reads = &scene.ports.frontier;
        let parked = reads.parked(&scene.key, partition, all as usize).await?;
        left.extend(parked.iter().map(|lane| lane.lane));
    }
    Ok((left.len() as u32).clamp(1, all.max(1)))
}

/// The tasks of candidates and witnesses, each chunk read once.
async fn tasks_of(
    scene: &Scene<'_>,
    suspicion: &Suspicion,
) -> Result<BTreeMap<ShardId, Vec<ShardTask>>, StageError> {
    let all = suspicion.candidates.iter().chain(&suspicion.witnesses);
    let mut wanted: BTreeMap<u32, Vec<ShardId>> = BTreeMap::new();
    for node in all.filter_map(|id| scene.topology.node(*id)) {
        wanted.entry(node.chunk).or_default().push(node.id);
    }
    let reads = wanted.into_iter().filter_map(|(number, ids)| {
        let claim = scene.topology.chunks.get(number as usize)?;
        Some(async move {
            let chunk: Chunk = claimed_json(&*scene.ports.blobs, claim).await?;
            let shards = chunk.shards.into_iter();
            let found: Vec<(ShardId, Vec<ShardTask>)> = shards
                .filter(|shard| ids.contains(&shard.id))
                .map(|shard| (shard.id, shard.tasks))
                .collect();
            Ok::<_, PortError>(found)
        })
    });
    let found: Vec<_> = stream::iter(reads)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}

/// The outputs and checkpoints of these shards. One that is lost says nothing; whoever needs it will say so.
async fn manifests_of(
    scene: &Scene<'_>,
    items: &[ShardItem],
    tasks: &BTreeMap<ShardId, Vec<ShardTask>>,
) -> Result<BTreeMap<ShardId, Manifest>, StageError> {
    let wanted = items.iter().filter(|item| tasks.contains_key(&item.id));
    let reads = wanted.filter_map(|item| {
        let claim = item.output.as_ref().or(item.progress.as_ref())?;
        Some(async move {
            match claimed_json::<Manifest>(&*scene.ports.blobs, claim).await {
                Ok(manifest) => Ok(Some((item.id, manifest))),
                Err(PortError::NotFound(_) | PortError::Corrupt(_)) => Ok(None),
                Err(error) => Err(error),
            }
        })
    });
    let found: Vec<Option<_>> = stream::iter(reads)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}

/// Stores the next generation, then moves the run and its items over to it; false: somebody else was quicker.
async fn write(
    ports: &Ports,
    scene: &mut Scene<'_>,
    items: &[ShardItem],
    pointer: &PlanPointer,
    cut: Cut,
) -> Result<bool, StageError> {
    let plan: Plan = claimed_json(&*scene.ports.blobs, &pointer.plan).await?;
    let plan = shown(&plan, &cut);
    let Cut {
        mut topology,
        chunks,
        replaced,
    } = cut;
    let puts = chunks
        .iter()
        .map(|chunk| put(ports, scene, &topology, "chunk", chunk));
    let claims: Vec<Claim> = stream::iter(puts).buffered(AT_ONCE).try_collect().await?;
    topology.chunks.extend(claims);
    let next = PlanPointer {
        generation: topology.generation,
        plan: put(ports, scene, &topology, "plan", &plan).await?,
        topology: put(ports, scene, &topology, "topology", &topology).await?,
        shards: u32::try_from(topology.shards.len()).unwrap_or(u32::MAX),
        ..pointer.clone()
    };
    let replaced: Vec<ShardItem> = items
        .iter()
        .filter(|item| replaced.binary_search(&item.id).is_ok())
        .cloned()
        .collect();
    let now = scene.now();
    let before = Arc::clone(&scene.topology);
    let writes = match frontier::recut(&scene.run, &before, &topology, &next, &replaced, now) {
        Ok(writes) => writes,
        Err(because) => {
            tracing::warn!(?because, "the cut cannot be written");
            return Ok(false);
        }
    };
    if !scene.commit(&writes).await? {
        tracing::info!("the cut came too late: a shard has gone on");
        return Ok(false);
    }
    if let Some(recut) = topology.recuts.last() {
        let (generation, because) = (recut.generation.0, recut.because.as_str());
        tracing::info!(generation, because, "cut again");
        let event = recut_event(&scene.key.run, recut);
        scene.note([event]);
    }
    scene.topology = Arc::new(topology);
    Ok(true)
}

/// Stores a part of a generation under a name that its content determines: nobody ever writes over it.
async fn put<T: Serialize>(
    ports: &Ports,
    scene: &Scene<'_>,
    topology: &foreshard_model::topology::Topology,
    part: &str,
    content: &T,
) -> PortResult<Claim> {
    let bytes = serde_json::to_vec(content).map_err(|e| PortError::Corrupt(e.to_string()))?;
    let digest = Sha256Hex::of(&bytes);
    let key = keys::recut(&scene.key.run, topology.generation, part, &digest);
    let claim = claim(key.clone(), &bytes);
    ports.plans.put(&key, bytes).await?;
    Ok(claim)
}
