//! Reshard, the sweep of each minute: heals what lost messages, lost lanes and dead stages have left behind, and cuts what is
//! unfinished again where tasks take other times than expected.

mod frontier;
mod recut;
mod round;

use std::sync::Arc;

use foreshard_model::ids::RunId;
use foreshard_model::message::{ReshardAnswer, ReshardRequest};
use foreshard_model::run::RunItem;

use crate::dispatch::{self, Scene};
use crate::error::StageError;
use crate::ports::{BlobWrites, ExecutionReads, Executions, ForecastReads, RunWrites};

pub use recut::recut_by;

/// How long one sweep begins with further runs, in milliseconds: three quarters of the interval between two sweeps.
const SWEEP_MS: u64 = 45_000;

/// The interval between two sweeps, in milliseconds.
const INTERVAL_MS: u64 = 60_000;

/// Runs listed in one sweep.
const RUNS_LISTED: usize = 10_000;

/// What reshard needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// What dispatch needs: the sweep finishes its work.
    pub dispatch: dispatch::Ports,
    /// Reads what is unlike the last days.
    pub forecasts: Arc<dyn ForecastReads>,
    /// Stores the later generations of plans.
    pub plans: Arc<dyn BlobWrites>,
    /// Ends runs whose ending failed again and again.
    pub run_writes: Arc<dyn RunWrites>,
    /// Starts rounds.
    pub executions: Arc<dyn Executions>,
    /// Looks whether a round is under way.
    pub execution_reads: Arc<dyn ExecutionReads>,
}

/// Sweeps one run, or all active ones: each costs a few reads unless something is wrong with it.
///
/// A run that cannot be swept is logged and does not stop the others. When time runs out, the next sweep begins elsewhere.
///
/// # Errors
/// Those of listing the runs; and when one run was asked for, those of that run.
pub async fn reshard(ports: &Ports, request: &ReshardRequest) -> Result<ReshardAnswer, StageError> {
    let mut answer = ReshardAnswer::default();
    if let Some(run) = &request.run {
        sweep(ports, run, &mut answer).await?;
        return Ok(answer);
    }
    let begun = ports.dispatch.clock.now();
    let mut runs = active(ports).await?;
    let sweeps = usize::try_from(begun.0 / INTERVAL_MS).unwrap_or_default();
    let first = sweeps % runs.len().max(1);
    runs.rotate_left(first);
    for (place, run) in runs.iter().enumerate() {
        if ports.dispatch.clock.now().since(begun) > SWEEP_MS {
            tracing::warn!(
                left = runs.len() - place,
                "time is up: the rest waits for the next sweep"
            );
            break;
        }
        if let Err(error) = sweep(ports, run, &mut answer).await {
            tracing::warn!(run = run.as_str(), %error, "the run could not be swept");
        }
    }
    Ok(answer)
}

async fn active(ports: &Ports) -> Result<Vec<RunId>, StageError> {
    let mut runs = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = ports.dispatch.runs.active_runs(after.as_deref()).await?;
        runs.extend(page.items);
        after = page.next;
        if after.is_none() || runs.len() >= RUNS_LISTED {
            return Ok(runs);
        }
    }
}

async fn sweep(ports: &Ports, id: &RunId, answer: &mut ReshardAnswer) -> Result<(), StageError> {
    let Some(run) = ports.dispatch.runs.run(id).await? else {
        return Err(StageError::Rejected(format!("run `{id}` is unknown")));
    };
    answer.runs += 1;
    if run.state.is_terminal() {
        return Ok(());
    }
    let mut latest: RunItem = run.clone();
    if let Some(mut scene) = Scene::of(&ports.dispatch, run).await? {
        let swept = frontier::sweep(ports, &mut scene, answer).await;
        scene.tell_ledger().await?;
        swept?;
        latest = scene.run;
    }
    round::sweep(ports, &latest, answer).await
}
