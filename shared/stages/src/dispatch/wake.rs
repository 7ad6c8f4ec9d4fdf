//! Wakes parked lanes: answers their tokens, then forgets them.

use foreshard_engine::frontier;
use foreshard_model::frontier::LaneItem;
use foreshard_model::ids::{LaneId, Round, Step};

use super::Scene;
use super::scene::PARTITIONS_READ;

/// Parked lanes read from a partition.
const PARKED_READ: usize = 16;

/// Wakes some lanes if there is work beyond what this lane has taken, or if the round is over.
///
/// The answer of this lane is committed already, so a service that fails here is logged and left to the sweep.
pub(super) async fn wake(scene: &Scene<'_>, round: Round, beyond: usize, who: (LaneId, Step)) {
    let mut wanted = frontier::wake_width(&scene.run, round, beyond);
    for partition in scene.partitions_from(who.0).take(PARTITIONS_READ) {
        if wanted == 0 {
            return;
        }
        let parked = scene
            .ports
            .frontier
            .parked(&scene.key, partition, PARKED_READ);
        let parked = match parked.await {
            Ok(parked) => parked,
            Err(error) => {
                tracing::warn!(%error, "nobody could be woken");
                return;
            }
        };
        for lane in frontier::wake_order(&parked, who) {
            if wanted == 0 {
                return;
            }
            if answer_and_forget(scene, &lane).await {
                wanted -= 1;
            }
        }
    }
}

/// Answers a parked lane's token and forgets it; whether anybody was woken. A dead token counts as answered.
pub(crate) async fn answer_and_forget(scene: &Scene<'_>, lane: &LaneItem) -> bool {
    let Some(token) = &lane.token else {
        return false;
    };
    let alive = match scene.ports.tokens.answer(token).await {
        Ok(alive) => alive,
        Err(error) => {
            tracing::warn!(lane = lane.lane.0, %error, "a lane could not be woken");
            return false;
        }
    };
    let forgotten = [frontier::forget(lane)];
    if let Err(error) = scene.ports.writes.commit(&scene.key, &forgotten).await {
        tracing::debug!(lane = lane.lane.0, %error, "the lane has gone on already");
    }
    alive
}
