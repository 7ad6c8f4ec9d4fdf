//! Settles the shard that a lane has finished: commit, ledger, release.

use foreshard_engine::frontier::{self, put_shard};
use foreshard_model::message::{Cause, DispatchRequest};

use super::{Budget, Scene, TRIES, release};
use crate::error::StageError;

/// What settling left for the rest of the call.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Shards that became ready.
    pub(super) readied: usize,
    /// The shard backs off: this lane should wait for it.
    pub(super) put_back: bool,
}

/// Settles the outcome that the request carries, if it carries one.
pub(super) async fn settle(
    scene: &mut Scene<'_>,
    request: &DispatchRequest,
) -> Result<Done, StageError> {
    let (Some(executed), Some(finished)) = (request.executed(), &request.finished) else {
        return Ok(Done::default());
    };
    for _ in 0..TRIES {
        let item = match scene.finished.take() {
            Some(item) => item,
            None => scene.shard(executed.shard).await?,
        };
        let node = scene.node(executed.shard)?;
        let targets = &scene.topology.targets;
        let now = scene.now();
        let settled = frontier::settle(&item, executed.attempt, node, targets, finished, now);
        if let Some(item) = &settled.item
            && !scene.commit(&[put_shard(item.clone())]).await?
        {
            continue;
        }
        let cause = settled
            .item
            .as_ref()
            .and_then(|next| frontier::failed_by(&item, next));
        tracing::info!(
            shard = executed.shard.0,
            attempt = executed.attempt.0,
            cause = cause.map(Cause::as_str),
            because = settled.because,
            "settled"
        );
        scene.note(settled.events);
        let mut done = Done {
            put_back: settled.put_back,
            ..Done::default()
        };
        if settled.release {
            let finished = settled.item.unwrap_or(item);
            let mut budget = Budget::default();
            done.readied = release(scene, finished, &mut budget).await?;
        }
        return Ok(done);
    }
    Err(StageError::Conflict(format!(
        "shard {} was written by others {TRIES} times",
        executed.shard
    )))
}
