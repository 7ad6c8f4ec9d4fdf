//! What is expected of targets and region, as the stage forecast has left it.

use foreshard_model::api::ForecastsView;

use super::Ports;
use super::http::ApiResponse;
use super::refusal::Answered;

/// Forecasts that are answered: one for each target, and the region's.
const FORECASTS_MAX: usize = 100;

/// The last of everything. It is of the deployment, not of a tenant: no run and no workflow is named in it.
pub(super) async fn forecasts(ports: &Ports) -> Answered {
    let outlook = ports.forecasts.outlook().await?;
    let forecasts = ports.forecasts.forecasts(FORECASTS_MAX).await?;
    let view = ForecastsView { outlook, forecasts };
    Ok(ApiResponse::json(200, &view))
}
