//! The stages' ports, all of them the same world.

use std::sync::Arc;

use foreshard_fakes::World;
use foreshard_model::policy::StartRate;
use foreshard_stages::{aggregate, forecast, plan, prewarm, submit};

pub(crate) fn aggregate(world: &Arc<World>) -> aggregate::Ports {
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

pub(crate) fn plan(world: &Arc<World>) -> plan::Ports {
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

pub(crate) fn prewarm(world: &Arc<World>) -> prewarm::Ports {
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

pub(crate) fn forecast(world: &Arc<World>) -> forecast::Ports {
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

pub(crate) fn submit(world: &Arc<World>) -> submit::Ports {
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
