//! Gathers what a run that ends left behind: its manifests once each, for the result and for the figures.

use foreshard_engine::lifecycle::failure;
use foreshard_engine::profile::{Harvest, Lesson};
use foreshard_engine::report::{Collector, Facts, Measurements, Outline, TaskGraph, report};
use foreshard_model::claim::Claim;
use foreshard_model::frontier::ShardItem;
use foreshard_model::ids::Generation;
use foreshard_model::message::{Cause, Failure};
use foreshard_model::output::Manifest;
use foreshard_model::run::{RunItem, RunState, RunSummary};
use foreshard_model::topology::Topology;
use foreshard_model::units::TimeMs;
use futures_util::stream::{self, StreamExt as _};

use super::Ports;
use super::outputs;
use crate::keys;
use crate::ports::{PortError, PortResult};
use crate::read::{claim, claimed_json};
use crate::shards::run_key;

/// Manifests that are read at the same time: each is below half a megabyte.
const MANIFESTS_AT_ONCE: usize = 32;

/// Lanes that are read at the same time.
const LANES_AT_ONCE: usize = 32;

/// What the end of a run needs to know.
pub(super) struct Gathered {
    /// How it ends: a run whose outputs cannot be read fails although its tasks have finished.
    pub(super) state: RunState,
    pub(super) summary: RunSummary,
    pub(super) result: Option<Claim>,
    /// What could not be read.
    pub(super) broken: Option<Failure>,
    /// What its tasks have taught about their types.
    pub(super) lessons: Vec<Lesson>,
}

/// Reads everything, stores result (of a run that succeeds) and report.
pub(super) async fn gather(
    ports: &Ports,
    run: &RunItem,
    shards: &[ShardItem],
    state: RunState,
    now: TimeMs,
) -> PortResult<Gathered> {
    let (topology, graph) = planned(ports, run).await?;
    let mut measurements = Measurements::new(&graph);
    let mut gathered = Gathered {
        state,
        summary: RunSummary::default(),
        result: None,
        broken: None,
        lessons: Vec::new(),
    };
    let mut harvest = Harvest::new(&topology.targets, run.learnt_until);
    for shard in shards {
        harvest.add_failed(shard, |task| measurements.learnt_as(task));
    }
    let mut collector = Collector::new(run.run.clone(), &topology.outputs);
    if state == RunState::Succeeded {
        outputs::begin(ports, run, &mut collector).await?;
    }
    let committed = shards.iter().filter_map(|s| Some((s, s.output.as_ref()?)));
    let mut manifests = stream::iter(committed)
        .map(|(shard, output)| async move {
            let manifest: PortResult<Manifest> = claimed_json(ports.blobs.as_ref(), output).await;
            (shard, output, manifest)
        })
        .buffer_unordered(MANIFESTS_AT_ONCE);
    while let Some((shard, output, manifest)) = manifests.next().await {
        match manifest {
            Ok(manifest) => {
                measurements.add(&manifest);
                harvest.add(shard, &manifest, |task| measurements.learnt_as(task));
                if state == RunState::Succeeded {
                    let oversized = collector.add(&manifest);
                    outputs::store(ports, run, &mut collector, oversized).await?;
                }
            }
            Err(error @ (PortError::NotFound(_) | PortError::Corrupt(_))) => {
                tracing::error!(run = %run.run, key = output.key, %error, "a manifest is lost");
                gathered.broken = Some(failure(Cause::InputMissing, &error.to_string()));
            }
            Err(error) => return Err(error),
        }
    }
    drop(manifests);
    gathered.lessons = harvest.lessons(&run.run, run.round.0, now);
    if gathered.broken.is_some() && state == RunState::Succeeded {
        gathered.state = RunState::Failed;
    }
    if gathered.state == RunState::Succeeded {
        gathered.result = Some(outputs::finish(ports, run, collector).await?);
    }
    let outline = outline(ports, run).await?;
    let report = report(&Facts {
        run,
        topology: &topology,
        outline: outline.as_ref(),
        shards,
        measurements: &measurements,
        lane_answers: lane_answers(ports, run).await?,
        ends_as: gathered.state,
        ended_at: now,
    });
    gathered.summary = report.summary;
    let bytes = serde_json::to_vec(&report).map_err(|e| PortError::Corrupt(e.to_string()))?;
    ports
        .blob_writes
        .put(&keys::report(&run.run), bytes)
        .await?;
    Ok(gathered)
}

/// Topology and task graph; both empty for a run that was never planned.
async fn planned(ports: &Ports, run: &RunItem) -> PortResult<(Topology, TaskGraph)> {
    let Some(pointer) = &run.plan else {
        return Ok((Topology::default(), TaskGraph::default()));
    };
    let topology = claimed_json(ports.blobs.as_ref(), &pointer.topology).await?;
    // A cut moves tasks between shards and leaves their graph as it was planned first.
    let key = keys::plan(&run.run, Generation(0), "graph.json");
    let graph = match ports.blobs.get(&key).await {
        Ok(bytes) => claimed_json(ports.blobs.as_ref(), &claim(key, &bytes)).await?,
        // Only the report needs it: a run does not fail for want of its critical path.
        Err(PortError::NotFound(_)) => TaskGraph::default(),
        Err(error) => return Err(error),
    };
    Ok((topology, graph))
}

/// What the plan forecast. Only the report needs it: a run does not fail for want of it.
async fn outline(ports: &Ports, run: &RunItem) -> PortResult<Option<Outline>> {
    let Some(pointer) = &run.plan else {
        return Ok(None);
    };
    match claimed_json(ports.blobs.as_ref(), &pointer.plan).await {
        Ok(outline) => Ok(Some(outline)),
        Err(error @ (PortError::NotFound(_) | PortError::Corrupt(_))) => {
            tracing::warn!(run = %run.run, %error, "the report has no forecasts");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Answers that the lanes of this round have had: a lane's steps count from 0.
async fn lane_answers(ports: &Ports, run: &RunItem) -> PortResult<u64> {
    let key = run_key(run);
    let lanes = run.plan.as_ref().map_or(0, |p| p.lanes);
    let mut reads = stream::iter((0..lanes).map(|lane| {
        let key = &key;
        async move {
            ports
                .frontier
                .lane(key, foreshard_model::ids::LaneId(lane))
                .await
        }
    }))
    .buffer_unordered(LANES_AT_ONCE);
    let mut answers = 0;
    while let Some(lane) = reads.next().await {
        if let Some(lane) = lane?.filter(|lane| lane.round == run.round) {
            answers += u64::from(lane.step.0) + 1;
        }
    }
    Ok(answers)
}
