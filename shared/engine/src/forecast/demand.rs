//! What runs already admitted will ask of each target, and the sum of that with recurring load and schedules.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::forecast::Forecast;
use foreshard_model::ids::ShardId;
use foreshard_model::plan::PlannedShard;

use super::words::reason;

/// A run that was admitted, as far as it has come.
#[derive(Debug, Clone)]
pub struct InFlight<'a> {
    /// Its id, for the reasons.
    pub run: &'a str,
    /// When it began: seconds since 1970.
    pub start_s: i64,
    /// Its plan: shards with predecessors, targets, starts and durations.
    pub shards: &'a [PlannedShard],
    /// Shards that are done, or will never run.
    pub settled: &'a BTreeSet<ShardId>,
    /// Shards that run, each since when.
    pub running: &'a BTreeMap<ShardId, i64>,
}

/// Load that is known to come: a scheduled run, a wave that somebody announced.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// What it is, for the reasons.
    pub name: String,
    /// Where: a target or a region, as the caller counts.
    pub place: String,
    /// From when: seconds since 1970.
    pub from_s: i64,
    /// Until when, exclusive.
    pub until_s: i64,
    /// Concurrency.
    pub lanes: f64,
}

/// Concurrency of one target, step by step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Demand {
    /// Mean over each step.
    pub mean: Vec<f64>,
    /// Most at any time of each step.
    pub peak: Vec<f64>,
}

/// Concurrency by target that the plans of admitted runs ask for over the next `steps` steps of `step_s` seconds.
///
/// A shard begins when its plan says, but never before now unless it runs, nor before its predecessors have ended as they are now
/// expected to; one that is late delays what follows. One that has run longer than planned is expected to end now.
///
/// # Complexity
/// O(shards + edges) for each run, and the steps that each shard lasts.
#[must_use]
pub fn in_flight(
    runs: &[InFlight<'_>],
    now_s: i64,
    step_s: u32,
    steps: usize,
) -> BTreeMap<String, Demand> {
    let mut spans: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for run in runs {
        for (target, from, until) in expected(run, now_s) {
            spans.entry(target).or_default().push((from, until));
        }
    }
    let each = spans.into_iter();
    each.map(|(target, spans)| {
        (
            target.to_owned(),
            demand(&spans, f64::from(step_s.max(1)), steps),
        )
    })
    .collect()
}

/// Where and when a run's shards are now expected, in seconds from now.
fn expected<'a>(run: &InFlight<'a>, now_s: i64) -> Vec<(&'a str, f64, f64)> {
    let at: BTreeMap<&ShardId, usize> = run
        .shards
        .iter()
        .enumerate()
        .map(|(at, s)| (&s.id, at))
        .collect();
    let mut ends = vec![0.0_f64; run.shards.len()];
    let mut order: Vec<usize> = (0..run.shards.len()).collect();
    order.sort_by_key(|&at| {
        (
            run.shards[at].start_ms,
            run.shards[at].start_ms + run.shards[at].duration_ms,
            at,
        )
    });
    let since = (now_s - run.start_s) as f64;
    let mut found = Vec::new();
    for number in order {
        let shard = &run.shards[number];
        if run.settled.contains(&shard.id) {
            continue;
        }
        let takes = shard.duration_ms as f64 / 1000.0;
        let (from, until) = match run.running.get(&shard.id) {
            Some(started_s) => (0.0, (*started_s - now_s) as f64 + takes),
            None => {
                let before = shard
                    .predecessors
                    .iter()
                    .filter_map(|p| at.get(p))
                    .map(|p| ends[*p]);
                let ready = before.fold(0.0, f64::max);
                let from = (shard.start_ms as f64 / 1000.0 - since).max(ready);
                (from, from + takes)
            }
        };
        ends[number] = until.max(from);
        if let (Some(target), true) = (&shard.target, until > from) {
            found.push((target.as_str(), from, until));
        }
    }
    found
}

/// Mean and peak of how many spans hold, for each step.
fn demand(spans: &[(f64, f64)], step: f64, steps: usize) -> Demand {
    let mut mean = vec![0.0; steps];
    let mut changes: Vec<(f64, f64)> = Vec::with_capacity(spans.len() * 2);
    let end = step * steps as f64;
    for &(from, until) in spans {
        let (from, until) = (from.max(0.0), until.min(end));
        if until <= from {
            continue;
        }
        changes.extend([(from, 1.0), (until, -1.0)]);
        for (at, mean) in mean.iter_mut().enumerate().skip((from / step) as usize) {
            let begins = at as f64 * step;
            if begins >= until {
                break;
            }
            *mean += (until.min(begins + step) - from.max(begins)) / step;
        }
    }
    // What ends at a moment makes room for what begins at it.
    changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut peak = vec![0.0_f64; steps];
    let (mut busy, mut next) = (0.0, 0);
    for (at, peak) in peak.iter_mut().enumerate() {
        let begins = at as f64 * step;
        while next < changes.len() && changes[next].0 <= begins {
            busy += changes[next].1;
            next += 1;
        }
        *peak = busy;
        while next < changes.len() && changes[next].0 < begins + step {
            busy += changes[next].1;
            *peak = peak.max(busy);
            next += 1;
        }
    }
    Demand { mean, peak }
}

/// Recurring load as forecast, with what is known on top: schedules and runs in flight, at their peaks.
///
/// Load that is both recurring and known would count twice: the forecast must be of what neither schedules nor admitted runs explain.
#[must_use]
pub fn added(
    forecast: &Forecast,
    place: &str,
    known: &[Load],
    flying: Option<&Demand>,
) -> Forecast {
    let mut sum = forecast.clone();
    let step = i64::from(forecast.step_s);
    let steps = forecast.steps();
    let mut more = vec![0.0_f64; steps];
    if let Some(flying) = flying {
        for (more, peak) in more.iter_mut().zip(&flying.peak) {
            *more += peak;
        }
        let most = flying.peak.iter().copied().fold(0.0, f64::max);
        let because = "runs in flight are added, by their plans".to_owned();
        sum.reasons
            .push(reason("demand", because, &[("peak", most)]));
    }
    for load in known.iter().filter(|load| load.place == place) {
        let mut met = 0_u32;
        for (at, more) in more.iter_mut().enumerate() {
            let from_s = forecast.start_s + step * at as i64;
            if load.from_s < from_s + step && load.until_s > from_s {
                *more += load.lanes;
                met += 1;
            }
        }
        if met > 0 {
            let numbers = [("lanes", load.lanes), ("steps", f64::from(met))];
            sum.reasons.push(reason(
                "demand",
                format!("`{}` is added", load.name),
                &numbers,
            ));
        }
    }
    for values in sum.quantiles.values_mut() {
        for (value, more) in values.iter_mut().zip(&more) {
            *value += more;
        }
    }
    sum
}
