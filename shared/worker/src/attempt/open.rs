//! Opens an attempt: its tasks, the checkpoint that it goes on from, and what its tasks read of other shards.

use std::collections::BTreeMap;
use std::sync::Arc;

use foreshard_model::claim::Claim;
use foreshard_model::ids::{ShardId, TaskId};
use foreshard_model::message::{Cause, ExecuteRequest, Failure};
use foreshard_model::output::{Manifest, ShardTask, TaskOutput};
use foreshard_stages::StageError;
use foreshard_stages::ports::{BlobReads, PortError};
use serde_json::Value;

use super::outside::{Needs, read_outside};
use crate::environment::RunState;
use crate::worker::Worker;

/// What an attempt begins with.
pub(super) struct Opened {
    pub(super) tasks: Vec<ShardTask>,
    pub(super) outside: BTreeMap<(ShardId, TaskId), TaskOutput>,
    pub(super) input: Option<Arc<Value>>,
    pub(super) restored: BTreeMap<TaskId, TaskOutput>,
}

/// Reads everything that the attempt begins with, in two or three round trips: chunk and checkpoint; pointers and the
/// run's input; manifests.
///
/// # Errors
/// The outer one: the chunk does not hold the shard. The inner one: something could not be read.
pub(super) async fn open(
    worker: &Worker,
    run: &RunState,
    request: &ExecuteRequest,
) -> Result<Result<Opened, Failure>, StageError> {
    let reads = &*worker.ports.reads;
    let chunk = run.chunks.get(reads, &request.chunk);
    let (chunk, restored) = tokio::join!(chunk, restore(reads, request));
    let (chunk, restored) = match (chunk, restored) {
        (Ok(chunk), Ok(restored)) => (chunk, restored),
        (Err(error), _) => return Ok(Err(unread("the shard's tasks", None, error))),
        (_, Err(error)) => return Ok(Err(unread("the checkpoint", None, error))),
    };
    let Some(shard) = chunk.shards.iter().find(|shard| shard.id == request.shard) else {
        let (key, shard) = (&request.chunk.key, request.shard);
        return Err(StageError::Rejected(format!(
            "`{key}` does not hold shard {shard}"
        )));
    };
    let tasks = shard.tasks.clone();
    let open: Vec<&ShardTask> = tasks
        .iter()
        .filter(|task| !restored.contains_key(&task.id))
        .collect();
    let needs = Needs::of(&open, request.shard);
    let (outside, input) = tokio::join!(
        read_outside(worker, run, request, &needs),
        read_input(worker, run, request, &needs)
    );
    let (outside, input) = match (outside, input) {
        (Ok(outside), Ok(input)) => (outside, input),
        (Err(failure), _) | (_, Err(failure)) => return Ok(Err(failure)),
    };
    Ok(Ok(Opened {
        tasks,
        outside,
        input,
        restored,
    }))
}

pub(super) fn unread(what: &str, task: Option<&TaskId>, error: PortError) -> Failure {
    let cause = match error {
        PortError::NotFound(_) | PortError::Corrupt(_) => Cause::InputMissing,
        _ => Cause::Unavailable,
    };
    Failure {
        cause,
        task: task.cloned(),
        message: format!("{what} could not be read: {error}")
            .chars()
            .take(1_024)
            .collect(),
    }
}

/// The finished tasks of the checkpoint.
async fn restore(
    reads: &dyn BlobReads,
    request: &ExecuteRequest,
) -> Result<BTreeMap<TaskId, TaskOutput>, PortError> {
    let Some(claim) = &request.progress else {
        return Ok(BTreeMap::new());
    };
    let manifest: Manifest = crate::store::values::read(claim, &reads.get(&claim.key).await?)?;
    check(claim, &manifest, request, request.shard)?;
    Ok(manifest.tasks)
}

/// A manifest must say that it is the one that was asked for: a pointer to another run's is not followed.
pub(super) fn check(
    claim: &Claim,
    manifest: &Manifest,
    request: &ExecuteRequest,
    shard: ShardId,
) -> Result<(), PortError> {
    if manifest.run == request.run && manifest.shard == shard {
        return Ok(());
    }
    let key = &claim.key;
    Err(PortError::Corrupt(format!(
        "`{key}` is not a manifest of shard {shard} of this run"
    )))
}

async fn read_input(
    worker: &Worker,
    run: &RunState,
    request: &ExecuteRequest,
    needs: &Needs,
) -> Result<Option<Arc<Value>>, Failure> {
    match &request.input {
        Some(claim) if needs.input => {
            let input = run.inputs.get(&*worker.ports.reads, claim).await;
            Ok(Some(
                input.map_err(|error| unread("the run's input", None, error))?,
            ))
        }
        _ => Ok(None),
    }
}
