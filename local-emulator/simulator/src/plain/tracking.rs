//! Target tracking of Application Auto Scaling on the provisioned concurrency of plain functions.
//!
//! Its alarms see the utilization minute by minute and late: three minutes above the target ask for more, fifteen below nine tenths of
//! it for fewer, and a minute in which nothing ran is no minute at all, so that an idle function keeps what it has. One environment
//! of each function is always there, because what has none has no utilization either.

use std::collections::BTreeSet;
use std::sync::Arc;

use foreshard_fakes::build;
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{MetricQuery, MetricSpan, Statistic};

use crate::cloud::Cloud;
use crate::metrics::{LAMBDA, MINUTE_MS};
use crate::parameters::METRIC_LAG_MS;

/// The utilization that is kept to. Source: Lambda documentation, "Managing provisioned concurrency with Application Auto Scaling".
const TARGET: f64 = 0.7;
/// Minutes above the target before more are asked for. Source: Application Auto Scaling, target tracking: its alarm has three.
const OUT_AFTER: usize = 3;
/// Minutes below before fewer are. Source: the same, fifteen.
const IN_AFTER: usize = 15;
/// Share of the target below which they are counted. Source: the same, a tenth below it.
const BELOW: f64 = 0.9;
/// What is always there of each function.
const LEAST: u32 = 1;
/// It was provisioned long before the first run, in milliseconds.
const BEFORE_MS: u64 = 600_000;

/// Provisions the least of every function, paid for from the beginning on.
pub(super) fn begin(cloud: &Cloud, functions: BTreeSet<String>) {
    let mut services = cloud.lock();
    for function in &functions {
        let at = TimeMs(build::START.0 - BEFORE_MS);
        services.lambda.preset(function, LEAST, at);
    }
    services.lambda.pay_from(build::START);
    services.tracked = functions;
}

/// Looks at the alarms of each minute, until the end of the world.
pub(super) async fn adjusts(cloud: Arc<Cloud>) {
    loop {
        cloud.timeline.sleep(MINUTE_MS).await;
        let functions = cloud.lock().tracked.clone();
        for function in &functions {
            adjust(&cloud, function);
        }
    }
}

fn adjust(cloud: &Cloud, function: &str) {
    let now = cloud.timeline.now();
    let mut services = cloud.lock();
    let services = &mut *services;
    let Some((_, provisioned)) = services.lambda.running(function) else {
        return;
    };
    let asked = provisioned.asked();
    // What is under way is waited for.
    if provisioned.all_from() > now {
        return;
    }
    let query = MetricQuery {
        namespace: LAMBDA,
        name: "ProvisionedConcurrencyUtilization",
        dimensions: vec![("FunctionName", function.to_owned())],
        statistic: Statistic::Maximum,
    };
    let span = |minutes: usize| {
        let until = TimeMs(now.0.saturating_sub(METRIC_LAG_MS) / MINUTE_MS * MINUTE_MS);
        MetricSpan {
            from: TimeMs(until.0.saturating_sub(minutes as u64 * MINUTE_MS)),
            until,
            period_s: 60,
        }
    };
    let mut seen = |minutes: usize| -> Vec<f64> {
        let points = services.metrics.points(&query, &span(minutes), now);
        points.iter().map(|point| point.value).collect()
    };
    let (lately, long) = (seen(OUT_AFTER), seen(IN_AFTER));
    let all = |seen: &[f64], count: usize, is: &dyn Fn(f64) -> bool| {
        seen.len() == count && seen.iter().all(|share| is(*share))
    };
    let most = |seen: &[f64]| seen.iter().copied().fold(0.0, f64::max);
    let share = if all(&lately, OUT_AFTER, &|share| share > TARGET) {
        most(&lately)
    } else if all(&long, IN_AFTER, &|share| share < BELOW * TARGET) {
        most(&long)
    } else {
        return;
    };
    let wanted = ((f64::from(asked) * share / TARGET).ceil() as u32).max(LEAST);
    if wanted != asked {
        // What the account does not have, or the control plane does not take, is asked for again in a minute.
        let set = services.lambda.provision(function, wanted, now);
        services.usage.provisions += u64::from(set.is_ok());
    }
}
