//! Dispatch: a lane asks what to do; the finished shard is settled, its dependants released, the next one claimed.
//!
//! ```text
//! read run, lane, shard ─► replay? ─► settle ─► release ─► claim, wait, park or end ─► wake others ─► ledger
//! ```
//! Every arrow may be the last: a repeat of the question finishes what is left, and gets the same answer.

mod park;
mod release;
mod scene;
mod settle;
mod spare;
mod take;
mod topologies;
mod trace;
mod wake;

use std::sync::Arc;

use foreshard_engine::frontier::{self, Replay};
use foreshard_model::frontier::LaneItem;
use foreshard_model::ids::Step;
use foreshard_model::message::{Answer, AnswerKind, DispatchRequest};

use crate::error::StageError;
use crate::ports::{
    BlobReads, BlobWrites, Clock, FrontierReads, FrontierWrites, LaneTokens, LedgerWrites, RunReads,
};

pub(crate) use release::{Budget, release};
pub(crate) use scene::Scene;
pub use topologies::TopologyCache;
pub(crate) use wake::answer_and_forget;

/// How often one step is decided anew when others write first. Beyond it the state machine repeats with a back-off.
pub(crate) const TRIES: u32 = 12;

/// What dispatch needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// The run's item.
    pub runs: Arc<dyn RunReads>,
    /// Shards and lanes, and their indexes.
    pub frontier: Arc<dyn FrontierReads>,
    /// Writes on them.
    pub writes: Arc<dyn FrontierWrites>,
    /// The ledger.
    pub ledger: Arc<dyn LedgerWrites>,
    /// The topology, and manifests for the trace.
    pub blobs: Arc<dyn BlobReads>,
    /// The independent trace.
    pub trace: Arc<dyn BlobWrites>,
    /// Parked lanes.
    pub tokens: Arc<dyn LaneTokens>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What the function has read before.
    pub topologies: Arc<TopologyCache>,
}

/// Answers a lane: what to do next.
///
/// # Errors
/// [`StageError::Rejected`] when the run is unknown or its plan cannot be read, [`StageError::Unavailable`] when a
/// service does not answer, [`StageError::Conflict`] when others wrote first [`TRIES`] times. A repeat is harmless.
pub async fn dispatch(ports: &Ports, request: &DispatchRequest) -> Result<Answer, StageError> {
    let Some((mut scene, lane)) = Scene::open(ports, request).await? else {
        let last = request.next.as_ref().map_or(Step(0), |n| n.answer.step);
        return Ok(Answer {
            step: Step(last.0 + 1),
            kind: AnswerKind::Done,
            target: None,
            shard: None,
            wait_s: None,
            because: "the run has no plan".to_owned(),
        });
    };
    let answer = answered(&mut scene, lane.as_ref(), request).await;
    // What was committed is told even where the answer failed: nobody may ask again.
    let told = scene.tell_ledger().await;
    answer.and_then(|answer| told.map(|()| answer))
}

async fn answered(
    scene: &mut Scene<'_>,
    lane: Option<&LaneItem>,
    request: &DispatchRequest,
) -> Result<Answer, StageError> {
    if request.park {
        return park::park(scene, lane, request).await;
    }
    match frontier::replay(lane, request) {
        Replay::Stored(answer) => {
            tracing::info!(
                lane = request.lane.0,
                step = answer.step.0,
                "repeats a stored answer"
            );
            settle::settle(scene, request).await?;
            take::again(scene, request, &answer).await?;
            Ok(*answer)
        }
        Replay::Gone(answer) => {
            settle::settle(scene, request).await?;
            tracing::info!(
                lane = request.lane.0,
                because = answer.because,
                "a lane of the past ends"
            );
            Ok(*answer)
        }
        Replay::Turn(turn) => {
            let settled = settle::settle(scene, request).await?;
            take::take(scene, request, *turn, &settled).await
        }
    }
}
