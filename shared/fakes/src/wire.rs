//! Gives the stages a world as their ports.

use std::sync::Arc;

use foreshard_stages::{dispatch, reshard};

use crate::world::World;

/// The ports of dispatch, with an empty cache.
#[must_use]
pub fn dispatch(world: &Arc<World>) -> dispatch::Ports {
    dispatch::Ports {
        runs: world.clone(),
        frontier: world.clone(),
        writes: world.clone(),
        ledger: world.clone(),
        blobs: world.clone(),
        trace: world.clone(),
        tokens: world.clone(),
        clock: world.clone(),
        topologies: Arc::default(),
    }
}

/// The ports of reshard, with an empty cache.
#[must_use]
pub fn reshard(world: &Arc<World>) -> reshard::Ports {
    reshard::Ports {
        dispatch: dispatch(world),
        forecasts: world.clone(),
        plans: world.clone(),
        run_writes: world.clone(),
        executions: world.clone(),
        execution_reads: world.clone(),
    }
}
