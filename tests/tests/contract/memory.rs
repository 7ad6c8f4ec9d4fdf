//! The ports in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use foreshard_fakes::World;

use crate::adapters::Adapters;

/// Every port of one new world.
pub fn adapters() -> Adapters {
    let world = Arc::new(World::new());
    let (parked, tokens) = (Arc::clone(&world), AtomicU32::new(0));
    let park = move || {
        let token = format!("parked-{}", tokens.fetch_add(1, Ordering::Relaxed));
        parked.open_token(&token);
        Box::pin(std::future::ready(token)) as _
    };
    Adapters {
        runs: world.clone(),
        run_writes: world.clone(),
        allowances: world.clone(),
        frontier: world.clone(),
        writes: world.clone(),
        attempts: world.clone(),
        pointers: world.clone(),
        ledger: world.clone(),
        ledger_writes: world.clone(),
        blobs: world.clone(),
        blob_lists: world.clone(),
        blob_writes: world.clone(),
        presigns: world.clone(),
        executions: world.clone(),
        execution_reads: world.clone(),
        tokens: world.clone(),
        identity: world.clone(),
        calls: world.clone(),
        metrics: world.clone(),
        metric_reads: world.clone(),
        profiles: world.clone(),
        profile_writes: world.clone(),
        forecasts: world.clone(),
        forecast_writes: world.clone(),
        limits: world.clone(),
        warm: world.clone(),
        warm_target: "foreshard-execute-512:live".into(),
        schedules: world.clone(),
        schedule_writes: world.clone(),
        timers: vec![world],
        park: Box::new(park),
        endpoint: None,
    }
}
