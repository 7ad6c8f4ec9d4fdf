//! What is expected of targets and region, as the stage forecast has left it, and what prewarm has decided by it.

use std::cmp::Reverse;

use foreshard_model::api::{ForecastsView, PrewarmView};

use super::Ports;
use super::http::ApiResponse;
use super::refusal::Answered;

/// Forecasts that are answered: one for each target, and the region's.
const FORECASTS_MAX: usize = 100;
/// Decisions that are answered of each target: those of an hour, when no run is admitted in between.
const DECISIONS_MAX: usize = 12;

/// The last of everything. It is of the deployment, not of a tenant: no run and no workflow is named in it.
pub(super) async fn forecasts(ports: &Ports) -> Answered {
    let outlook = ports.forecasts.outlook().await?;
    let forecasts = ports.forecasts.forecasts(FORECASTS_MAX).await?;
    let view = ForecastsView { outlook, forecasts };
    Ok(ApiResponse::json(200, &view))
}

/// The last decisions about each target of the deployment. They name no run and no workflow either.
pub(super) async fn prewarm(ports: &Ports) -> Answered {
    let mut decisions = Vec::new();
    for target in ports.wiring.pool().targets {
        let kept = ports.forecasts.prewarm_records(&target.id, DECISIONS_MAX);
        decisions.extend(kept.await?);
    }
    decisions.sort_by_key(|record| Reverse(record.at));
    Ok(ApiResponse::json(200, &PrewarmView { decisions }))
}
