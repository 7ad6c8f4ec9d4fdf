//! The owner of a run: cancels, pauses and resumes it, and repeats until it is heard.

use std::collections::BTreeSet;
use std::rc::Rc;

use foreshard_engine::frontier::{self, put_shard};
use foreshard_engine::lifecycle::{self, Resume, Wished};
use foreshard_model::frontier::ShardState;
use foreshard_model::ids::{RunId, ShardId};
use foreshard_model::topology::Topology;
use foreshard_stages::StageError;
use foreshard_stages::ports::{
    BlobReads as _, Clock as _, Executions as _, FrontierWrites as _, RunKey, RunReads as _,
    RunWrites as _,
};

use super::{Shared, recut, rounds};
use crate::world::World;

/// Shards written in one transaction.
const AT_ONCE: usize = 20;

/// What the owner wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// End it.
    Cancel,
    /// End it, to go on later.
    Pause,
    /// Go on, as soon as it has ended without a result.
    Resume,
    /// Cut what is unfinished again, however this seed draws.
    Recut(u64),
}

/// Wishes after a while, again and again until it is done or refused.
pub(super) async fn act(shared: Rc<Shared>, run: RunId, after_ms: u64, wish: Wish) {
    shared.world.sleep(after_ms).await;
    loop {
        let (world, id) = (std::sync::Arc::clone(&shared.world), run.clone());
        let ports = shared.reshard.clone();
        let heard = shared.spawner.spawn(async move {
            let heard = match wish {
                Wish::Recut(seed) => recut::at_random(&ports, &id, seed).await,
                _ => wished(&world, &id, wish).await,
            };
            heard.unwrap_or(false) && !world.faults(|f| f.has_crashed())
        });
        if heard.await {
            break;
        }
        shared.world.sleep(1_000).await;
    }
    *shared.wishes.borrow_mut() -= 1;
}

/// Whether nothing is left to wish for.
async fn wished(world: &World, run: &RunId, wish: Wish) -> Result<bool, StageError> {
    let item = world.run(run).await?.unwrap_or_default();
    let now = world.now();
    let decided = match wish {
        Wish::Cancel => lifecycle::cancel(&item, now),
        Wish::Pause => lifecycle::pause(&item, now),
        Wish::Resume => return resumed(world, run).await,
        Wish::Recut(_) => return Ok(true),
    };
    if let Wished::Write(item) = decided {
        world.update_run(&item).await?;
    }
    Ok(true)
}

async fn resumed(world: &World, run: &RunId) -> Result<bool, StageError> {
    let item = world.run(run).await?.unwrap_or_default();
    match lifecycle::resume(&item) {
        Resume::Already | Resume::Plan => return Ok(true),
        // Still ending: again in a moment. Anything else is final.
        Resume::Refused(_) => return Ok(item.state.is_terminal()),
        Resume::Shards => {}
    }
    let Some(plan) = &item.plan else {
        return Ok(true);
    };
    let bytes = world.get(&plan.topology.key).await?;
    let topology: Topology =
        serde_json::from_slice(&bytes).map_err(|error| StageError::Rejected(error.to_string()))?;
    let key = RunKey {
        run: run.clone(),
        partitions: plan.partitions.max(1),
    };
    let items = world.shard_items(run);
    let done: BTreeSet<ShardId> = items
        .iter()
        .filter(|i| i.state == ShardState::Done)
        .map(|i| i.id)
        .collect();
    let mut writes = Vec::new();
    for shard in &items {
        let Some(node) = topology.node(shard.id) else {
            continue;
        };
        let next = frontier::resume(shard, node, |id| done.contains(&id), world.now());
        writes.extend(next.map(put_shard));
    }
    for some in writes.chunks(AT_ONCE) {
        world.commit(&key, some).await?;
    }
    let settled = rounds::progress(world, &item).await?.settled;
    let next = lifecycle::resumed(&item, settled, world.now());
    world.update_run(&next).await?;
    // A start that is lost is found by the sweep, after its quiet minute.
    let _started = world.start(&next.run, next.round).await;
    Ok(true)
}
