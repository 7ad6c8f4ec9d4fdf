//! Releases finished shards: tells successors, settles virtual ones on the way, and moves the run to its end.
//!
//! Used by dispatch and by the sweep; either may take over where the other stopped.

use std::collections::VecDeque;

use foreshard_engine::frontier::{self, Arrived, Release, put_shard};
use foreshard_model::frontier::{Arrival, ShardItem, ShardState, Write};
use foreshard_model::ids::ShardId;
use futures_util::future::join_all;

use super::{Scene, TRIES, trace};
use crate::error::StageError;
use crate::ports::PortError;

/// Successors that one call may tell: two fans of 256 and their relays take about a second.
const SUCCESSORS: u32 = 1_024;

/// Writes under way at once.
const AT_ONCE: usize = 16;

/// How much one call may still do; what is left is found by the sweep.
#[derive(Debug)]
pub(crate) struct Budget(u32);

impl Default for Budget {
    fn default() -> Self {
        Self(SUCCESSORS)
    }
}

impl Budget {
    /// A sweep has more time than a lane.
    pub(crate) fn of_a_sweep() -> Self {
        Self(8 * SUCCESSORS)
    }

    fn take(&mut self, successors: usize) -> bool {
        let wanted = u32::try_from(successors).unwrap_or(u32::MAX).max(1);
        let enough = self.0 > 0;
        self.0 = self.0.saturating_sub(wanted);
        enough
    }
}

/// Releases a finished shard, and whatever is finished by that. Gives the number of shards that became ready.
pub(crate) async fn release(
    scene: &mut Scene<'_>,
    finished: ShardItem,
    budget: &mut Budget,
) -> Result<usize, StageError> {
    let mut readied = 0;
    let mut open = VecDeque::from([finished]);
    while let Some(item) = open.pop_front() {
        let more = one(scene, item, budget).await?;
        for next in more {
            match next {
                After::Ready => readied += 1,
                After::Follow(item) => open.push_back(*item),
                After::Nothing => {}
            }
        }
    }
    Ok(readied)
}

/// What telling one successor led to.
enum After {
    Nothing,
    Ready,
    Follow(Box<ShardItem>),
}

async fn one(
    scene: &mut Scene<'_>,
    mut item: ShardItem,
    budget: &mut Budget,
) -> Result<Vec<After>, StageError> {
    let mut told = Vec::new();
    for _ in 0..TRIES {
        scene.catch_up(&item).await?;
        let node = scene.node(item.id)?;
        let written = match frontier::release(&item, node, &scene.topology) {
            Release::Nothing | Release::Hold => return Ok(Vec::new()),
            Release::Completes => {
                let writes = frontier::completes(&scene.run, &item, scene.now());
                end(scene, writes).await?
            }
            Release::Fails(cause) => {
                let writes = frontier::fails(&scene.run, &item, &cause, scene.now());
                end(scene, writes).await?
            }
            Release::Arrive(arrivals) => {
                if !budget.take(arrivals.len()) {
                    return Ok(Vec::new());
                }
                if arrive(scene, &item, &arrivals, &mut told).await? {
                    return Ok(told);
                }
                false
            }
            Release::Skip(successors) => {
                if !budget.take(successors.len()) {
                    return Ok(Vec::new());
                }
                match skip(scene, &item, &successors).await? {
                    Some(after) => return Ok(after),
                    None => false,
                }
            }
        };
        if written {
            return Ok(Vec::new());
        }
        scene.reload().await?;
        item = scene.shard(item.id).await?;
    }
    Err(busy(item.id))
}

/// Writes what ends the run, if the run is still to be ended by it; false: read again.
async fn end(scene: &mut Scene<'_>, writes: Option<Vec<Write>>) -> Result<bool, StageError> {
    match writes {
        Some(writes) => scene.commit(&writes).await,
        None => Ok(true),
    }
}

/// Tells every successor of a done shard, then notes that they know; false: one of them was cut again meanwhile, so that
/// somebody else may follow. What telling has led to is added to `after`.
async fn arrive(
    scene: &mut Scene<'_>,
    item: &ShardItem,
    arrivals: &[Arrival],
    after: &mut Vec<After>,
) -> Result<bool, StageError> {
    trace::commits(scene, item).await?;
    let mut whole = true;
    for some in arrivals.chunks(AT_ONCE) {
        let told = some.iter().map(|arrival| tell(scene, arrival));
        for result in join_all(told).await {
            match result? {
                Some(told) => after.push(told),
                None => whole = false,
            }
        }
    }
    if whole {
        mark(scene, item.clone()).await?;
    }
    Ok(whole)
}

/// Tells one successor; `None`: it is not of the generation that this plan knows.
async fn tell(scene: &Scene<'_>, arrival: &Arrival) -> Result<Option<After>, StageError> {
    let alone = frontier::arrived_alone(&scene.topology, arrival, scene.now());
    let (next, after) = match alone {
        Some(Arrived::Ready(next)) => (Some(next), After::Ready),
        Some(Arrived::Follow(Some(next))) => (Some(next.clone()), After::Follow(next)),
        _ => (None, After::Nothing),
    };
    if let Some(next) = next
        && scene.put(*next).await?
    {
        return Ok(Some(after));
    }
    match scene.ports.writes.arrive(&scene.key, arrival).await {
        Ok(item) => advance(scene, item).await.map(Some),
        Err(PortError::Conflict(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes what a successor has become, until nobody else was quicker.
async fn advance(scene: &Scene<'_>, mut item: ShardItem) -> Result<After, StageError> {
    for _ in 0..TRIES {
        let node = scene.node(item.id)?;
        let (next, after) = match frontier::arrived(&item, node, scene.now()) {
            Arrived::Nothing => return Ok(After::Nothing),
            Arrived::Follow(None) => return Ok(After::Follow(Box::new(item))),
            Arrived::Follow(Some(next)) => (next.clone(), After::Follow(next)),
            Arrived::Ready(next) => (next, After::Ready),
        };
        if scene.put(*next).await? {
            return Ok(after);
        }
        item = scene.shard(item.id).await?;
    }
    Err(busy(item.id))
}

/// Skips every successor of a shard that has no result; `None` when the shard itself was written by others.
async fn skip(
    scene: &mut Scene<'_>,
    item: &ShardItem,
    successors: &[ShardId],
) -> Result<Option<Vec<After>>, StageError> {
    let mut item = item.clone();
    if let Some((writes, noted)) = frontier::noted(&scene.run, &item, scene.now()) {
        if !scene.commit(&writes).await? {
            return Ok(None);
        }
        item = noted;
    }
    let mut after = Vec::with_capacity(successors.len());
    for successor in successors {
        let found = scene.shard(*successor).await?;
        if scene.catch_up(&found).await? {
            return Ok(None);
        }
        let found = match frontier::skip(&item, &found, scene.now()) {
            None => found,
            Some(skip) => {
                if !scene.commit(&skip.writes).await? {
                    return Ok(None);
                }
                scene.note([skip.event]);
                item = skip.predecessor;
                skip.successor
            }
        };
        after.push(advance(scene, found).await?);
    }
    let Some(last) = frontier::released(&item) else {
        return Ok(Some(after));
    };
    Ok(scene.commit(&[put_shard(last)]).await?.then_some(after))
}

/// Notes that every successor of a done shard knows: nothing but this changes such an item.
async fn mark(scene: &mut Scene<'_>, mut item: ShardItem) -> Result<(), StageError> {
    for _ in 0..TRIES {
        let Some(last) = frontier::released(&item) else {
            return Ok(());
        };
        if item.state != ShardState::Done || scene.commit(&[put_shard(last)]).await? {
            return Ok(());
        }
        item = scene.shard(item.id).await?;
    }
    Err(busy(item.id))
}

fn busy(id: ShardId) -> StageError {
    StageError::Conflict(format!("shard {id} was written by others {TRIES} times"))
}
