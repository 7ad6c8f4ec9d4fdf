//! Reads what Lambda has measured of the deployment's targets and of their region.

use std::collections::BTreeMap;

use foreshard_engine::foresee::{HISTORY, Measured, MeasuredRegion, Points, RECENT, STEP_S};
use foreshard_model::ids::TargetId;
use foreshard_model::target::Pool;
use foreshard_model::units::TimeMs;

use crate::ports::{MetricQuery, MetricReads, MetricSpan, Point, PortResult, Statistic};

/// Namespace of Lambda's metrics.
const LAMBDA: &str = "AWS/Lambda";

/// How far back throttles are looked at minute by minute: availability forgets them by half in ten minutes.
const MINUTES_MS: u64 = 3_600_000;

/// What was measured.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// By target.
    pub(super) functions: BTreeMap<String, Measured>,
    /// Of the region.
    pub(super) region: MeasuredRegion,
}

/// Reads everything up to a moment. Of targets that nobody has used in two weeks only that is asked.
pub(super) async fn measured(
    metrics: &dyn MetricReads,
    pool: &Pool,
    until: TimeMs,
) -> PortResult<Read> {
    let home = pool.targets.first().map(|target| target.region.as_str());
    let targets: Vec<&TargetId> = pool
        .targets
        .iter()
        .filter(|target| Some(target.region.as_str()) == home)
        .map(|target| &target.id)
        .collect();
    let busy = |target: &&TargetId| of_function(target, "ConcurrentExecutions", Statistic::Maximum);
    let mut queries = vec![of_region("ConcurrentExecutions", Statistic::Maximum)];
    queries.extend(targets.iter().map(busy));
    let mut found = metrics
        .points(&queries, &back(until, HISTORY, STEP_S))
        .await?
        .into_iter()
        .map(seconds);
    let mut read = Read::default();
    read.region.busy = found.next().unwrap_or_default();
    for (target, busy) in targets.into_iter().zip(found) {
        if !busy.is_empty() {
            let measured = Measured {
                busy,
                ..Measured::default()
            };
            read.functions.insert(target.0.clone(), measured);
        }
    }
    functions(metrics, until, &mut read.functions).await?;
    minutes(metrics, until, &mut read.region).await?;
    Ok(read)
}

/// Errors, durations and throttles of the functions in use.
async fn functions(
    metrics: &dyn MetricReads,
    until: TimeMs,
    functions: &mut BTreeMap<String, Measured>,
) -> PortResult<()> {
    if functions.is_empty() {
        return Ok(());
    }
    let names = ["Invocations", "Errors", "Duration", "Throttles"];
    let queries: Vec<MetricQuery> = functions
        .keys()
        .flat_map(|target| {
            let target = TargetId(target.clone());
            names.map(|name| of_function(&target, name, Statistic::Sum))
        })
        .collect();
    let found = metrics
        .points(&queries, &back(until, RECENT, STEP_S))
        .await?;
    let mut found = found.into_iter().map(seconds);
    for measured in functions.values_mut() {
        let mut next = || found.next().unwrap_or_default();
        measured.calls = next();
        measured.errors = next();
        measured.duration_ms = next();
        measured.throttles = next();
    }
    Ok(())
}

/// Calls and throttles of the region in the last hour.
async fn minutes(
    metrics: &dyn MetricReads,
    until: TimeMs,
    region: &mut MeasuredRegion,
) -> PortResult<()> {
    let queries = ["Invocations", "Throttles"].map(|name| of_region(name, Statistic::Sum));
    let span = MetricSpan {
        from: TimeMs(until.0.saturating_sub(MINUTES_MS)),
        until,
        period_s: 60,
    };
    let mut found = metrics.points(&queries, &span).await?.into_iter();
    region.calls = found.next().map(seconds).unwrap_or_default();
    region.throttles = found.next().map(seconds).unwrap_or_default();
    Ok(())
}

/// So many whole steps before a moment.
fn back(until: TimeMs, steps: usize, step_s: u32) -> MetricSpan {
    let step_ms = u64::from(step_s) * 1_000;
    let until = TimeMs(until.0 / step_ms * step_ms);
    MetricSpan {
        from: TimeMs(until.0.saturating_sub(steps as u64 * step_ms)),
        until,
        period_s: step_s,
    }
}

fn of_region(name: &'static str, statistic: Statistic) -> MetricQuery {
    MetricQuery {
        namespace: LAMBDA,
        name,
        dimensions: Vec::new(),
        statistic,
    }
}

/// By function: what Lambda tells by alias alone is not told by every emulator, and an alias has its function to itself.
fn of_function(target: &TargetId, name: &'static str, statistic: Statistic) -> MetricQuery {
    let function = target.as_str().split(':').next().unwrap_or_default();
    MetricQuery {
        dimensions: vec![("FunctionName", function.to_owned())],
        ..of_region(name, statistic)
    }
}

fn seconds(points: Vec<Point>) -> Points {
    let point = |point: Point| ((point.at.0 / 1_000) as i64, point.value);
    points.into_iter().map(point).collect()
}
