//! Keys of what an attempt writes: each begins with the run, and the attempt is in it, so that no two attempts share one.

use foreshard_model::ids::{Sha256Hex, TaskId};
use foreshard_model::message::ExecuteRequest;

/// An output or a manifest. The `0` is the replica: a shadow has another one.
pub(crate) fn output(request: &ExecuteRequest, sha256: &Sha256Hex) -> String {
    let ExecuteRequest {
        run,
        shard,
        attempt,
        ..
    } = request;
    format!("runs/{run}/shards/{shard}/{attempt}/0/{sha256}")
}

/// A task's log.
pub(crate) fn log(request: &ExecuteRequest, task: &TaskId) -> String {
    foreshard_model::logs::key(&request.run, request.shard, request.attempt, task)
}

/// A start of a task in the independent trace.
pub(crate) fn trace_start(request: &ExecuteRequest, task: &TaskId, nonce: &str) -> String {
    let hash = Sha256Hex::of(task.as_str().as_bytes());
    let ExecuteRequest { run, attempt, .. } = request;
    format!(
        "runs/{run}/trace/start/{}/{attempt}-{nonce}",
        &hash.as_str()[..32]
    )
}
