//! Lets a lane end that finds nothing to do and is not needed again, where it would park until the run is over.

use foreshard_engine::frontier::{self, RUNNING_READ, Turn};
use foreshard_model::frontier::Live;
use foreshard_model::message::Answer;

use super::Scene;
use super::scene::PARTITIONS_READ;
use crate::error::StageError;

/// What a look at the others says.
pub(super) enum Looked {
    /// The lane is to park.
    Needed,
    /// The lane may end: the answer that says so.
    Spare(Box<Answer>),
    /// Something has become ready meanwhile: look again.
    Changed,
}

/// Looks whether the lane, which has found nothing ready, is needed again.
pub(super) async fn looked(scene: &Scene<'_>, turn: &Turn) -> Result<Looked, StageError> {
    let partitions = scene.key.partitions;
    if !frontier::may_spare(&scene.topology) || partitions as usize > PARTITIONS_READ {
        return Ok(Looked::Needed);
    }
    let reads = &scene.ports.frontier;
    let (mut running, mut unreleased) = (Vec::new(), Vec::new());
    let most = RUNNING_READ + 1;
    for partition in 0..partitions {
        for (what, found) in [
            (Live::Running, &mut running),
            (Live::Unreleased, &mut unreleased),
        ] {
            let here = reads.live(&scene.key, partition, what, most).await?;
            if here.len() == most {
                return Ok(Looked::Needed);
            }
            found.extend(here);
        }
    }
    let Some(because) = frontier::spare(&scene.topology, turn.lane(), &running, &unreleased) else {
        return Ok(Looked::Needed);
    };
    if !scene.ready(turn.lane()).await?.is_empty() {
        return Ok(Looked::Changed);
    }
    Ok(Looked::Spare(Box::new(frontier::done(
        turn.step(),
        &because,
    ))))
}
