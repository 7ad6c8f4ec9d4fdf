//! What came of a decision, or would have come: read from the recorded concurrency once that is there.

use foreshard_engine::prewarm::review;
use foreshard_model::prewarm::{PrewarmAlias, PrewarmRecord};
use foreshard_model::units::TimeMs;

use super::Ports;
use crate::error::StageError;
use crate::ports::{MetricQuery, MetricSpan, Statistic};

/// How much of the time after a decision is looked at, in milliseconds: three blocks of what is billed.
const REVIEWED_MS: u64 = 900_000;
/// Before the metrics of a minute are complete, in milliseconds. Source: CloudWatch metrics of Lambda come within about two
/// minutes, those of invocations that run when those end.
const LAG_MS: u64 = 180_000;
/// Decisions that are looked through for one without its outcome: those of the time that is reviewed, and of others that were asked for by hand.
const LOOKED_THROUGH: usize = 24;
/// Length of a period, in seconds.
const PERIOD_S: u32 = 60;

/// Adds its outcome to the oldest decision on a target that can be judged by now, if there is one.
///
/// # Errors
/// Those of reading and keeping.
pub(super) async fn settle(
    ports: &Ports,
    alias: &PrewarmAlias,
    now: TimeMs,
) -> Result<(), StageError> {
    let records = ports
        .forecasts
        .prewarm_records(&alias.target, LOOKED_THROUGH);
    let open = |record: &PrewarmRecord| {
        record.came.is_none()
            && record.decision.environments > 0
            && until(record).plus(LAG_MS) <= now
    };
    let Some(mut record) = records.await?.into_iter().rev().find(open) else {
        return Ok(());
    };
    let (from, until) = (record.decision.ready_at, until(&record));
    let happened = happened(ports, alias, from, until).await?;
    let environments = record.decision.environments;
    record.came = Some(review(alias, environments, from, until, &happened));
    Ok(ports.records.put_prewarm_record(&record).await?)
}

/// Until when a decision is judged.
fn until(record: &PrewarmRecord) -> TimeMs {
    record.decision.until.min(record.at.plus(REVIEWED_MS))
}

/// Environments in use, minute by minute. Lambda reports none where nothing ran: there it is zero.
async fn happened(
    ports: &Ports,
    alias: &PrewarmAlias,
    from: TimeMs,
    until: TimeMs,
) -> Result<Vec<(TimeMs, f64)>, StageError> {
    let target = alias.target.as_str();
    let function = target.split(':').next().unwrap_or(target);
    let query = MetricQuery {
        namespace: "AWS/Lambda",
        name: "ConcurrentExecutions",
        dimensions: vec![
            ("FunctionName", function.to_owned()),
            ("Resource", target.to_owned()),
        ],
        statistic: Statistic::Maximum,
    };
    let span = MetricSpan {
        from,
        until,
        period_s: PERIOD_S,
    };
    let points = ports.metrics.points(&[query], &span).await?;
    let points = points.into_iter().next().unwrap_or_default();
    let minute = |at: TimeMs| {
        let point = points
            .iter()
            .find(|point| at.0 / 60_000 == point.at.0 / 60_000);
        (at, point.map_or(0.0, |point| point.value))
    };
    let minutes = until.since(from) / 60_000;
    Ok((0..minutes)
        .map(|n| minute(from.plus(n * 60_000)))
        .collect())
}
