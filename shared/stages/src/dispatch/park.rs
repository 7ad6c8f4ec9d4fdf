//! Parks a lane: store its token, then look once more, so that no work and no end is missed in between.

use foreshard_engine::frontier::{self, Park};
use foreshard_model::frontier::{LaneItem, Write};
use foreshard_model::ids::Step;
use foreshard_model::message::{Answer, AnswerKind, DispatchRequest};

use super::{Scene, answer_and_forget};
use crate::error::StageError;
use crate::ports::PortError;

/// Parks the lane, or answers its token at once. Step Functions reads the token's answer, not this one.
pub(super) async fn park(
    scene: &Scene<'_>,
    lane: Option<&LaneItem>,
    request: &DispatchRequest,
) -> Result<Answer, StageError> {
    let Some(token) = &request.token else {
        return Err(StageError::Rejected(
            "a lane that parks needs a token".to_owned(),
        ));
    };
    let (write, parked) = match frontier::park(lane, request) {
        Park::Store { write, parked } => (write, parked),
        Park::Answer(because) => {
            scene.ports.tokens.answer(token).await?;
            return Ok(told(request, because));
        }
    };
    if !stored(scene, &write).await? {
        // The lane was written since it was read: it cannot rely on being woken.
        scene.ports.tokens.answer(token).await?;
        return Ok(told(request, "the lane was written by others"));
    }
    let run = scene.ports.runs.run(&scene.key.run).await?;
    let run = run.unwrap_or_else(|| scene.run.clone());
    let ready = scene.ready(request.lane).await?;
    match frontier::works_for_parked(&run, &parked, &ready, scene.now()) {
        Some(because) => {
            answer_and_forget(scene, &parked).await;
            Ok(told(request, because))
        }
        None => Ok(told(request, "parked until woken")),
    }
}

async fn stored(scene: &Scene<'_>, write: &Write) -> Result<bool, StageError> {
    let writes = std::slice::from_ref(write);
    match scene.ports.writes.commit(&scene.key, writes).await {
        Ok(()) => Ok(true),
        Err(PortError::Conflict(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn told(request: &DispatchRequest, because: &str) -> Answer {
    Answer {
        step: request.step.unwrap_or(Step(0)),
        kind: AnswerKind::Idle,
        target: None,
        shard: None,
        wait_s: None,
        because: because.to_owned(),
    }
}
