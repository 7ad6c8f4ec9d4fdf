//! The worker of the model: the tasks of a shard one after another, with the writes that the production worker makes.

use foreshard_fakes::{World, block_on, build};
use foreshard_model::claim::Claim;
use foreshard_model::frontier::{Checkpoint, ShardItem};
use foreshard_model::ids::{Attempt, Sha256Hex, ShardId, TaskId};
use foreshard_model::message::{ExecuteRequest, Outcome, OutcomeStatus, ShardUsage};
use foreshard_model::output::{Manifest, ShardTask};
use foreshard_model::plan::{Chunk, ShardKind};
use foreshard_model::workflow::Effect;
use foreshard_stages::ports::{
    AttemptWrites as _, BlobReads as _, BlobWrites as _, PortResult, RunKey,
};

use crate::process::{ESTIMATE_MS, Ending, Ground, failed};
use crate::tape::Tape;

/// One attempt: a marker before a `once` task, a checkpoint after every task but the last, and the manifest in the end.
pub(crate) async fn work(
    tape: &Tape,
    objects: &World,
    request: &ExecuteRequest,
    ending: Ending,
) -> Outcome {
    attempt(tape, objects, request, ending)
        .await
        .unwrap_or_else(|_| failed(request))
}

async fn attempt(
    tape: &Tape,
    objects: &World,
    request: &ExecuteRequest,
    ending: Ending,
) -> PortResult<Outcome> {
    let tasks = tasks(objects, request).await?;
    let mut manifest = match &request.progress {
        Some(progress) => read(&objects.get(&progress.key).await?),
        None => build::manifest(&request.run, request.shard, request.attempt, &[]),
    };
    let open = tasks
        .iter()
        .filter(|task| !manifest.tasks.contains_key(&task.id));
    let open: Vec<&ShardTask> = open.collect();
    let usage = ShardUsage {
        duration_ms: ESTIMATE_MS,
        tasks: 1,
        ..ShardUsage::default()
    };
    for (place, task) in open.iter().enumerate() {
        let (once, last) = (task.effect == Effect::Once, place + 1 == open.len());
        if once && !checkpoint(tape, request, None, true).await? {
            return Ok(build::outcome(
                request.shard,
                request.attempt,
                OutcomeStatus::Fenced,
            ));
        }
        if last && ending == Ending::Failed {
            return Ok(failed(request));
        }
        let this = build::manifest(
            &request.run,
            request.shard,
            request.attempt,
            &[task.id.as_str()],
        );
        manifest.tasks.extend(this.tasks);
        if !last || once {
            let progress = keep(objects, request, &manifest).await?;
            if !checkpoint(tape, request, Some(progress.clone()), false).await? {
                return Ok(build::outcome(
                    request.shard,
                    request.attempt,
                    OutcomeStatus::Fenced,
                ));
            }
            if !last && ending == Ending::Yielded {
                return Ok(Outcome {
                    usage,
                    ..build::yielded(request.shard, request.attempt, Some(progress))
                });
            }
        }
    }
    Ok(Outcome {
        output: Some(keep(objects, request, &manifest).await?),
        usage,
        ..build::outcome(request.shard, request.attempt, OutcomeStatus::Done)
    })
}

async fn tasks(objects: &World, request: &ExecuteRequest) -> PortResult<Vec<ShardTask>> {
    let bytes = objects.get(&request.chunk.key).await?;
    let chunk: Chunk = serde_json::from_slice(&bytes).expect("a chunk is JSON");
    let mut shards = chunk.shards.into_iter();
    let found = shards.find(|shard| shard.id == request.shard);
    Ok(found.map(|shard| shard.tasks).unwrap_or_default())
}

pub(crate) fn read(bytes: &[u8]) -> Manifest {
    serde_json::from_slice(bytes).expect("a manifest is JSON")
}

async fn keep(objects: &World, request: &ExecuteRequest, manifest: &Manifest) -> PortResult<Claim> {
    put(objects, request.shard, request.attempt, manifest).await
}

async fn put(
    objects: &World,
    shard: ShardId,
    attempt: Attempt,
    manifest: &Manifest,
) -> PortResult<Claim> {
    let bytes = serde_json::to_vec(manifest).expect("a manifest becomes JSON");
    let (run, sha256) = (build::run_id(), Sha256Hex::of(&bytes));
    let key = format!("runs/{run}/shards/{shard}/{attempt}/0/{sha256}");
    objects.put(&key, bytes.clone()).await?;
    Ok(build::claim(&key, &bytes))
}

/// A shard that is done, and of which everybody knows, as if its first attempt had done the same tasks: no attempt is compared with
/// it any more, and what others had of it is gone.
pub(crate) fn at_once(item: &mut ShardItem, ground: &Ground) {
    if item.kind == ShardKind::Work {
        item.attempt = Attempt(1);
        item.failures.clear();
        let output = item.output.take().map(|output| {
            let bytes = block_on(ground.objects.get(&output.key)).expect("an output is stored");
            let tasks: Vec<TaskId> = read(&bytes).tasks.into_keys().collect();
            output_of(ground, (item.id, item.attempt), &tasks)
        });
        item.output = output;
    }
}

/// The output of a shard by this attempt, with all of its tasks.
pub(crate) fn output(ground: &Ground, id: ShardId, attempt: Attempt) -> Claim {
    output_of(ground, (id, attempt), &ground.tasks[&id])
}

fn output_of(ground: &Ground, (id, attempt): (ShardId, Attempt), tasks: &[TaskId]) -> Claim {
    let tasks: Vec<&str> = tasks.iter().map(TaskId::as_str).collect();
    let manifest = build::manifest(&build::run_id(), id, attempt, &tasks);
    block_on(put(&ground.objects, id, attempt, &manifest)).expect("it is stored")
}

async fn checkpoint(
    tape: &Tape,
    request: &ExecuteRequest,
    progress: Option<Claim>,
    started_once: bool,
) -> PortResult<bool> {
    let key = RunKey {
        run: request.run.clone(),
        partitions: request.partitions,
    };
    let checkpoint = Checkpoint {
        run: request.run.clone(),
        shard: request.shard,
        attempt: request.attempt,
        progress,
        started_once,
    };
    tape.checkpoint(&key, &checkpoint).await
}
