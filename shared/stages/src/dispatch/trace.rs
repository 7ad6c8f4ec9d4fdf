//! Notes each committed task in the independent trace: a witness that does not depend on the ledger.

use foreshard_model::frontier::ShardItem;
use foreshard_model::ids::{Attempt, RunId, Sha256Hex, ShardId, TaskId};
use foreshard_model::output::Manifest;
use futures_util::future::join_all;
use serde_json::json;

use super::Scene;
use crate::error::StageError;
use crate::ports::PortError;
use crate::read;

/// Objects written at once.
const AT_ONCE: usize = 16;

/// Writes one note for each task of the committed manifest, when the run asked for a trace. A repeat writes the same.
pub(super) async fn commits(scene: &Scene<'_>, item: &ShardItem) -> Result<(), StageError> {
    if !scene.run.options.trace {
        return Ok(());
    }
    let Some(output) = &item.output else {
        return Ok(());
    };
    let manifest: Manifest = match read::claimed_json(&*scene.ports.blobs, output).await {
        Ok(manifest) => manifest,
        Err(error @ PortError::Unavailable(_)) => return Err(error.into()),
        // A manifest that cannot be read must not stop the run here: those who need its values will say so.
        Err(error) => {
            tracing::warn!(shard = item.id.0, %error, "the trace lacks this shard's commits");
            return Ok(());
        }
    };
    let tasks: Vec<_> = manifest.tasks.iter().collect();
    for some in tasks.chunks(AT_ONCE) {
        let notes = some.iter().map(|(task, output)| async move {
            let key = key(&item.run, task, item.id, output.attempt);
            let body = json!({ "task": task, "shard": item.id, "attempt": output.attempt });
            scene
                .ports
                .trace
                .put(&key, body.to_string().into_bytes())
                .await
        });
        for result in join_all(notes).await {
            result?;
        }
    }
    Ok(())
}

/// Where a note is: `attempt` is the one that ran the task, so a task that was committed twice leaves two.
fn key(run: &RunId, task: &TaskId, shard: ShardId, attempt: Attempt) -> String {
    let digest = Sha256Hex::of(task.as_str().as_bytes());
    let hash = digest.as_str().get(..32).unwrap_or_default();
    format!("runs/{run}/trace/commit/{hash}/{shard}-{attempt}")
}
