//! Gives the stages a world as their ports.

use std::rc::Rc;
use std::sync::Arc;

use foreshard_model::policy::StartRate;
use foreshard_stages::{aggregate, dispatch, forecast, plan, prewarm, reshard, submit};

use crate::machine::{Aggregate, Plan};
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

/// The ports of aggregate.
#[must_use]
pub fn aggregate(world: &Arc<World>) -> aggregate::Ports {
    aggregate::Ports {
        runs: world.clone(),
        run_writes: world.clone(),
        frontier: world.clone(),
        blobs: world.clone(),
        blob_writes: world.clone(),
        ledger: world.clone(),
        profiles: world.clone(),
        profile_writes: world.clone(),
        executions: world.clone(),
        clock: world.clone(),
    }
}

/// The ports of plan; scratch is the folder for temporary files.
#[must_use]
pub fn plan(world: &Arc<World>) -> plan::Ports {
    plan::Ports {
        runs: world.clone(),
        run_writes: world.clone(),
        frontier: world.clone(),
        blobs: world.clone(),
        blob_writes: world.clone(),
        ledger: world.clone(),
        profiles: world.clone(),
        forecasts: world.clone(),
        wiring: world.clone(),
        clock: world.clone(),
        scratch: std::env::temp_dir(),
    }
}

/// The ports of prewarm.
#[must_use]
pub fn prewarm(world: &Arc<World>) -> prewarm::Ports {
    prewarm::Ports {
        runs: world.clone(),
        frontier: world.clone(),
        schedules: world.clone(),
        blobs: world.clone(),
        lists: world.clone(),
        forecasts: world.clone(),
        records: world.clone(),
        metrics: world.clone(),
        limits: world.clone(),
        warm: world.clone(),
        wiring: world.clone(),
        clock: world.clone(),
    }
}

/// The ports of forecast.
#[must_use]
pub fn forecast(world: &Arc<World>) -> forecast::Ports {
    forecast::Ports {
        metrics: world.clone(),
        runs: world.clone(),
        frontier: world.clone(),
        schedules: world.clone(),
        blobs: world.clone(),
        forecasts: world.clone(),
        limits: world.clone(),
        wiring: world.clone(),
        clock: world.clone(),
    }
}

/// The ports of submit, with the usual allowance of starts.
#[must_use]
pub fn submit(world: &Arc<World>) -> submit::Ports {
    submit::Ports {
        runs: world.clone(),
        run_writes: world.clone(),
        allowances: world.clone(),
        start_rate: StartRate::default(),
        frontier: world.clone(),
        frontier_writes: world.clone(),
        ledger: world.clone(),
        ledger_writes: world.clone(),
        schedules: world.clone(),
        schedule_writes: world.clone(),
        timers: world.clone(),
        blobs: world.clone(),
        blob_lists: world.clone(),
        blob_writes: world.clone(),
        presigns: world.clone(),
        executions: world.clone(),
        tokens: world.clone(),
        forecasts: world.clone(),
        wiring: world.clone(),
        clock: world.clone(),
    }
}

/// Plan and aggregate as states of the machine ([`Machine::staged`](crate::machine::Machine::staged)).
#[must_use]
pub fn rounds(world: &Arc<World>) -> (Plan, Aggregate) {
    let planning = plan(world);
    let ending = aggregate(world);
    (
        Rc::new(move |request| {
            let ports = planning.clone();
            Box::pin(async move { plan::plan(&ports, &request).await })
        }),
        Rc::new(move |request| {
            let ports = ending.clone();
            Box::pin(async move { aggregate::aggregate(&ports, &request).await })
        }),
    )
}
