//! forecast: reads what was measured, and keeps what is expected of every target and of the region.
//!
//! Everything is derived from metrics, plans and schedules, and the latest stays: a repeat, or a second one at the same time, does no
//! harm. What cannot be read is left out and said; only without any metrics at all there is no forecast.

mod flying;
mod measured;

use std::collections::BTreeMap;
use std::sync::Arc;

use foreshard_engine::calendar::Calendar;
use foreshard_engine::foresee::{Foreseen, Foresight, foresee};
use foreshard_model::message::{ForecastAnswer, ForecastRequest};
use foreshard_model::plan::Reason;
use foreshard_model::target::Pool;
use futures_util::future::join3;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use self::flying::flying;
use self::measured::measured;
use crate::error::StageError;
use crate::keys;
use crate::ports::{
    AccountLimits, BlobReads, Clock, ForecastWrites, FrontierReads, MetricReads, PortError,
    RunReads, ScheduleReads, Wiring,
};
use crate::quota::Quota;

/// Minutes of which metrics may not have come yet. Source: CloudWatch shows metrics of one minute after about two.
const LAG_MS: u64 = 180_000;

/// Forecasts that are written at the same time.
const AT_ONCE: usize = 8;

/// What forecast may do.
#[derive(Clone)]
pub struct Ports {
    /// Reads what was measured.
    pub metrics: Arc<dyn MetricReads>,
    /// Reads admitted runs.
    pub runs: Arc<dyn RunReads>,
    /// Reads how far they have come.
    pub frontier: Arc<dyn FrontierReads>,
    /// Reads schedules.
    pub schedules: Arc<dyn ScheduleReads>,
    /// Reads plans, and the calendar.
    pub blobs: Arc<dyn BlobReads>,
    /// Keeps what is expected.
    pub forecasts: Arc<dyn ForecastWrites>,
    /// How much concurrency the account has.
    pub limits: Arc<dyn AccountLimits>,
    /// The targets of the deployment.
    pub wiring: Arc<dyn Wiring>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Forecasts.
///
/// # Errors
/// `Unavailable` when metrics cannot be read, or forecasts not be kept: the next one comes in five minutes.
pub async fn forecast(
    ports: &Ports,
    _request: &ForecastRequest,
) -> Result<ForecastAnswer, StageError> {
    let mut pool = ports.wiring.pool();
    let quota = Quota::read(ports.limits.as_ref(), &pool).await;
    pool.concurrency = quota.concurrency;
    let now = ports.clock.now();
    let until = foreshard_model::units::TimeMs(now.0.saturating_sub(LAG_MS));
    let (measured, flying, (calendar, notes)) = join3(
        measured(ports.metrics.as_ref(), &pool, until),
        flying(ports, now),
        calendar(ports),
    )
    .await;
    let measured = measured?;
    let runs = flying.in_flight();
    let Foreseen {
        forecasts,
        mut outlook,
    } = foresee(&Foresight {
        now,
        measured_until_s: (until.0 / 1_000) as i64,
        pool: &pool,
        functions: &measured.functions,
        region: &measured.region,
        runs: &runs,
        calendar: &calendar,
    });
    outlook.reasons.extend(notes);
    outlook
        .reasons
        .extend(quota.assumed.map(|because| told("quota", because)));
    let writes = forecasts.iter().map(|f| ports.forecasts.put_forecast(f));
    let writes = stream::iter(writes).buffer_unordered(AT_ONCE);
    writes.try_collect::<Vec<()>>().await?;
    ports.forecasts.put_outlook(&outlook).await?;
    log(&pool, &outlook.flags);
    Ok(ForecastAnswer {
        forecasts: forecasts.len() as u32,
        runs: runs.len() as u32,
        flags: outlook.flags.len() as u32,
    })
}

fn log(pool: &Pool, flags: &[foreshard_model::outlook::Flag]) {
    for flag in flags {
        let (place, series) = (flag.place.as_str(), flag.series.as_str());
        tracing::warn!(place, series, score = flag.score, "unlike the last days");
    }
    tracing::info!(
        targets = pool.targets.len(),
        flags = flags.len(),
        "forecast"
    );
}

fn told(subject: &str, because: String) -> Reason {
    Reason {
        subject: subject.to_owned(),
        because,
        numbers: BTreeMap::new(),
    }
}

/// The starter set, and what whoever deploys has put beside it. What cannot be read of that is told.
async fn calendar(ports: &Ports) -> (Calendar, Vec<Reason>) {
    let starter = Calendar::starter();
    let told = |because: String| vec![told("calendar", because)];
    match ports.blobs.get(keys::CALENDAR).await {
        Ok(bytes) => match Calendar::read(&bytes) {
            Ok(own) => (own.with(starter), Vec::new()),
            Err(problems) => {
                let first = problems.first().map(ToString::to_string);
                let because = format!("`{}`: {}", keys::CALENDAR, first.unwrap_or_default());
                tracing::warn!(problems = problems.len(), "the calendar is left out");
                (starter, told(because))
            }
        },
        Err(PortError::NotFound(_)) => (starter, Vec::new()),
        Err(error) => {
            tracing::warn!(%error, "the calendar is left out");
            (
                starter,
                told(format!("`{}` cannot be read", keys::CALENDAR)),
            )
        }
    }
}
