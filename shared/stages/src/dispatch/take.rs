//! Gives the lane its next answer: a claimed shard, a wait, a parking, or the end; stored with the step.

use foreshard_engine::frontier::{self, Claimed, Replay, Turn, View, put_run, put_shard};
use foreshard_model::frontier::ShardItem;
use foreshard_model::message::{Answer, AnswerKind, DispatchRequest};

use super::settle::Done;
use super::spare::{Looked, looked};
use super::{Budget, Scene, TRIES, release, wake};
use crate::error::StageError;

/// Decides and stores the answer to this turn.
pub(super) async fn take(
    scene: &mut Scene<'_>,
    request: &DispatchRequest,
    mut turn: Turn,
    settled: &Done,
) -> Result<Answer, StageError> {
    for tries in 0..TRIES {
        hand_over(scene, &turn).await?;
        let open = frontier::is_open(&scene.run, turn.round());
        let ready = match open {
            true => scene.ready(turn.lane()).await?,
            false => Vec::new(),
        };
        let free = frontier::claimable(&ready, scene.now()).len();
        let (answer, stored) = match next(scene, &turn, &ready, tries, settled).await? {
            Some(next) => next,
            None => continue,
        };
        if stored {
            let beyond = beyond(scene, &turn, settled, free, &answer).await?;
            wake::wake(scene, turn.round(), beyond, (turn.lane(), answer.step)).await;
            return Ok(answer);
        }
        let lane = scene.ports.frontier.lane(&scene.key, turn.lane()).await?;
        match frontier::replay(lane.as_ref(), request) {
            Replay::Turn(again) => turn = *again,
            Replay::Stored(answer) | Replay::Gone(answer) => return Ok(*answer),
        }
    }
    Err(StageError::Conflict(format!(
        "lane {} lost against others {TRIES} times",
        turn.lane()
    )))
}

/// Shards that others could claim now, and that they may not know of.
async fn beyond(
    scene: &Scene<'_>,
    turn: &Turn,
    settled: &Done,
    free: usize,
    answer: &Answer,
) -> Result<usize, StageError> {
    let claimed = usize::from(answer.kind == AnswerKind::Run);
    if !frontier::has_news(turn, settled.readied, settled.put_back) {
        return Ok(settled.readied.saturating_sub(claimed));
    }
    let here = free.max(settled.readied).saturating_sub(claimed);
    if here == 0 && claimed == 1 && frontier::is_open(&scene.run, turn.round()) {
        return scene.ready_elsewhere(turn.lane()).await;
    }
    Ok(here)
}

/// One try at an answer, and whether it could be stored; `None` when the frontier has changed by it.
async fn next(
    scene: &mut Scene<'_>,
    turn: &Turn,
    ready: &[ShardItem],
    tries: u32,
    settled: &Done,
) -> Result<Option<(Answer, bool)>, StageError> {
    let now = scene.now();
    let view = View {
        run: &scene.run,
        topology: &scene.topology,
        turn,
        ready,
        tries,
        now,
    };
    match frontier::claim(&view) {
        Claimed::Run {
            writes,
            answer,
            event,
        } => {
            let stored = scene.commit(&writes).await?;
            if stored {
                tracing::info!(lane = turn.lane().0, because = answer.because, "claimed");
                scene.note([*event]);
            }
            Ok(Some((*answer, stored)))
        }
        Claimed::NoTarget(failed) => {
            if scene.commit(&[put_shard((*failed).clone())]).await? {
                tracing::warn!(shard = failed.id.0, "no target can run the shard");
                release(scene, *failed, &mut Budget::default()).await?;
            }
            Ok(None)
        }
        Claimed::Behind => {
            scene.reload().await?;
            Ok(None)
        }
        Claimed::Nothing => {
            let put_back = settled.put_back;
            let mut answer = frontier::answer_without_claim(
                &scene.run,
                &scene.topology,
                turn,
                ready,
                put_back,
                now,
            );
            if answer.kind == AnswerKind::Idle && ready.is_empty() {
                match looked(scene, turn).await? {
                    Looked::Needed => {}
                    Looked::Spare(end) => answer = *end,
                    Looked::Changed => return Ok(None),
                }
            }
            let stored = scene.commit(&[turn.answered(&answer)]).await?;
            tracing::info!(lane = turn.lane().0, kind = ?answer.kind, because = answer.because, "no claim");
            Ok(Some((answer, stored)))
        }
    }
}

/// Closes the round when this lane has used its share of the history.
async fn hand_over(scene: &mut Scene<'_>, turn: &Turn) -> Result<(), StageError> {
    if !frontier::is_used_up(turn.events(), &scene.topology) {
        return Ok(());
    }
    for _ in 0..TRIES {
        let Some(closing) = frontier::close_round(&scene.run, turn.round(), scene.now()) else {
            return Ok(());
        };
        if scene.commit(&[put_run(closing)]).await? {
            tracing::info!(
                lane = turn.lane().0,
                "the round hands over: history used up"
            );
            return Ok(());
        }
        scene.reload().await?;
    }
    Err(StageError::Conflict("the run is busy".to_owned()))
}

/// Finishes what the first answer to a step may have left: the ledger's entry, and waking others.
pub(super) async fn again(
    scene: &mut Scene<'_>,
    request: &DispatchRequest,
    answer: &Answer,
) -> Result<(), StageError> {
    let ready = scene.ready(request.lane).await?;
    let beyond = frontier::claimable(&ready, scene.now()).len();
    if let Some(executed) = &answer.shard {
        let item = scene.shard(executed.shard).await?;
        if item.attempt == executed.attempt && item.lane == Some(request.lane) {
            let node = scene.node(executed.shard)?;
            let event = frontier::claimed_event(&item, node, &answer.because);
            scene.note([event]);
        }
    }
    wake::wake(scene, request.round, beyond, (request.lane, answer.step)).await;
    Ok(())
}
