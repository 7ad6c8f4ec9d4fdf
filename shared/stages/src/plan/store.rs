//! Stores a plan, part by part, its own document last; and finds one that an earlier attempt has stored.

use foreshard_engine::place::lanes_by_region;
use foreshard_engine::plan::Planned;
use foreshard_engine::report::TaskGraph;
use foreshard_model::claim::Claim;
use foreshard_model::ids::Generation;
use foreshard_model::plan::{Chunk, Plan};
use foreshard_model::run::{PlanPointer, RunItem};
use foreshard_model::topology::Topology;
use foreshard_model::workflow::Workflow;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Ports;
use crate::keys;
use crate::ports::{PortError, PortResult};
use crate::read::claim;

/// Chunks that are stored at the same time.
const CHUNKS_AT_ONCE: usize = 8;

/// A plan that is stored whole.
pub(super) struct Stored {
    pub(super) pointer: PlanPointer,
    pub(super) topology: Topology,
    /// Name of the workflow.
    pub(super) workflow: String,
}

/// The parts of a stored plan.
const PLAN: &str = "plan.json";
const TOPOLOGY: &str = "topology.json";
const GRAPH: &str = "graph.json";

/// Stores what follows from the tasks, each chunk as it is made, and tells the topology where the chunks are. The workflow is
/// the one that was given to the planning; when this is done, nothing needs it any more.
pub(super) async fn store_tasks(
    ports: &Ports,
    run: &RunItem,
    planned: &mut Planned,
    given: &Workflow,
) -> PortResult<()> {
    let generation = planned.plan.generation;
    let workflow = planned.workflow(given);
    let claims = stream::iter(planned.chunks.of(workflow).enumerate())
        .map(|(number, chunk)| put_chunk(ports, run, generation, number, chunk))
        .buffered(CHUNKS_AT_ONCE)
        .try_collect()
        .await?;
    put(ports, run, generation, GRAPH, &TaskGraph::of(workflow)).await?;
    planned.topology.chunks = claims;
    Ok(())
}

/// Stores topology and plan; `plan.json` only where there is none, and whichever is there is the plan of the run.
pub(super) async fn store(
    ports: &Ports,
    run: &RunItem,
    workflow: String,
    plan: Plan,
    topology: Topology,
) -> PortResult<Stored> {
    let generation = plan.generation;
    let topology_claim = put(ports, run, generation, TOPOLOGY, &topology).await?;
    let key = keys::plan(&run.run, generation, PLAN);
    let bytes = json(&plan)?;
    let plan_claim = claim(key.clone(), &bytes);
    if !ports.blob_writes.put_new(&key, bytes).await? {
        let earlier = stored(ports, run, generation).await?;
        return earlier.ok_or(PortError::NotFound(key));
    }
    Ok(Stored {
        pointer: pointer(&plan, plan_claim, topology_claim),
        topology,
        workflow,
    })
}

/// A plan that an earlier attempt has stored; `None` when `plan.json`, which is stored last, is not there.
pub(super) async fn stored(
    ports: &Ports,
    run: &RunItem,
    generation: Generation,
) -> PortResult<Option<Stored>> {
    let (plan, plan_claim): (Plan, Claim) = match get(ports, run, generation, PLAN).await {
        Err(PortError::NotFound(_)) => return Ok(None),
        other => other?,
    };
    let (topology, topology_claim) = get::<Topology>(ports, run, generation, TOPOLOGY).await?;
    // A plan names workflow and version, `etl 1.0`; neither has a space in it.
    let workflow = match plan.workflow.rsplit_once(' ') {
        Some((name, _)) => name.to_owned(),
        None => plan.workflow.clone(),
    };
    Ok(Some(Stored {
        pointer: pointer(&plan, plan_claim, topology_claim),
        topology,
        workflow,
    }))
}

fn pointer(plan: &Plan, plan_claim: Claim, topology: Claim) -> PlanPointer {
    PlanPointer {
        generation: plan.generation,
        plan: plan_claim,
        topology,
        tasks: plan.tasks,
        shards: u32::try_from(plan.shards.len()).unwrap_or(u32::MAX),
        lanes: plan.lanes,
        mode: plan.mode,
        partitions: plan.partitions,
        expected_ms: Some((plan.price.makespan_s.mid * 1000.0).ceil() as u64),
        lanes_of: lanes_by_region(plan),
    }
}

async fn put_chunk(
    ports: &Ports,
    run: &RunItem,
    generation: Generation,
    number: usize,
    chunk: Chunk,
) -> PortResult<Claim> {
    put(
        ports,
        run,
        generation,
        &format!("chunk-{number}.json"),
        &chunk,
    )
    .await
}

async fn put<T: Serialize>(
    ports: &Ports,
    run: &RunItem,
    generation: Generation,
    part: &str,
    content: &T,
) -> PortResult<Claim> {
    let key = keys::plan(&run.run, generation, part);
    let bytes = json(content)?;
    let claim = claim(key.clone(), &bytes);
    ports.blob_writes.put(&key, bytes).await?;
    Ok(claim)
}

fn json<T: Serialize>(content: &T) -> PortResult<Vec<u8>> {
    serde_json::to_vec(content).map_err(|e| PortError::Corrupt(e.to_string()))
}

async fn get<T: DeserializeOwned>(
    ports: &Ports,
    run: &RunItem,
    generation: Generation,
    part: &str,
) -> PortResult<(T, Claim)> {
    let key = keys::plan(&run.run, generation, part);
    let bytes = ports.blobs.get(&key).await?;
    let content = serde_json::from_slice(&bytes)
        .map_err(|e| PortError::Corrupt(format!("`{key}` cannot be read: {e}")))?;
    Ok((content, claim(key, &bytes)))
}
