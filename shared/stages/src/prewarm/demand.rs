//! What is expected of every target: the stored forecasts, and beside them what is known, the plans of runs and of schedules.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_engine::forecast::{InFlight, in_flight};
use foreshard_engine::prewarm::{HORIZON_MS, waves};
use foreshard_engine::schedule::Schedule;
use foreshard_model::forecast::{Quantity, StoredForecast};
use foreshard_model::frontier::ShardState;
use foreshard_model::ids::{RunId, ShardId, TargetId};
use foreshard_model::plan::Plan;
use foreshard_model::prewarm::Wave;
use foreshard_model::run::RunItem;
use foreshard_model::schedule::{Outcome, ScheduleItem, ScheduleKey};
use foreshard_model::units::TimeMs;
use futures_util::stream::{self, StreamExt as _};

use super::Ports;
use crate::error::StageError;
use crate::ports::PortResult;
use crate::read::claimed_json;
use crate::shards::{all_shards, run_key};

/// Forecasts that are read: every target and region of a deployment, with room.
const FORECASTS_MAX: usize = 1_000;
/// Runs and schedules that are looked at, of each: the first of a listing.
const LOOKED_AT: usize = 500;
/// Of those, at the same time.
const AT_ONCE: usize = 16;
/// A plan that is larger is left out, in bytes: reading it each time costs more than it can tell.
const PLAN_BYTES_MAX: u64 = 8 << 20;
/// Shards of a run whose progress is read; a larger run is taken to go by its plan.
const SHARDS_READ: u32 = 2_000;
/// Length of a step in which plans are looked at, in seconds.
const STEP_S: u32 = 10;
/// How long after a scheduled time its run may not have been submitted yet, in milliseconds: where the timer's event is lost, the sweep
/// of schedules waits two minutes for it and comes each minute.
const STARTING_MS: u64 = 300_000;
/// How long ago a run was planned at most that has just been admitted, in milliseconds: the rule that asks comes each minute, and
/// may be late by half of one.
const ADMITTED_MS: u64 = 90_000;
/// Scheduled times of one schedule that are looked ahead.
const FIRINGS: usize = 120;

/// What is expected of one target.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// Load that recurs.
    pub(super) forecast: Option<StoredForecast>,
    /// Load that is known.
    pub(super) waves: Vec<Wave>,
}

/// What is expected of each target from now on. A run, plan or schedule that cannot be read is logged and left out.
///
/// # Errors
/// Those of the listings and of the forecasts.
pub(super) async fn expected(
    ports: &Ports,
    now: TimeMs,
) -> Result<BTreeMap<TargetId, Expected>, StageError> {
    let mut found: BTreeMap<TargetId, Expected> = BTreeMap::new();
    for stored in ports.forecasts.forecasts(FORECASTS_MAX).await? {
        if stored.quantity == Quantity::Concurrency {
            let place = TargetId::from(stored.place.as_str());
            found.entry(place).or_default().forecast = Some(stored);
        }
    }
    let runs = active(ports).await?;
    let runs = stream::iter(runs.iter().map(|run| admitted(ports, run, now)));
    let runs: Vec<Found> = runs.buffered(AT_ONCE).collect().await;
    let firing = firing(ports, now).await?;
    let firing = stream::iter(firing.iter().map(|key| scheduled(ports, key, now)));
    let firing: Vec<Found> = firing.buffered(AT_ONCE).collect().await;
    for (target, waves) in runs.into_iter().chain(firing).flatten() {
        found.entry(target).or_default().waves.extend(waves);
    }
    Ok(found)
}

/// Whether a run has just been admitted: its plan is there, and no decision may have seen it. A run that cannot be read says nothing.
///
/// # Errors
/// Those of the listing.
pub(super) async fn just_admitted(ports: &Ports, now: TimeMs) -> Result<bool, StageError> {
    let runs = active(ports).await?;
    let fresh = |run: RunId| async move {
        let item = ports.runs.run(&run).await.unwrap_or_else(|error| {
            tracing::warn!(run = run.as_str(), %error, "not looked at");
            None
        });
        item.and_then(|item| item.planned_at)
            .is_some_and(|at| now.since(at) < ADMITTED_MS)
    };
    let found = stream::iter(runs.into_iter().map(fresh)).buffer_unordered(AT_ONCE);
    Ok(found.any(|fresh| async move { fresh }).await)
}

/// Waves by target.
type Found = Vec<(TargetId, Vec<Wave>)>;

async fn active(ports: &Ports) -> PortResult<Vec<RunId>> {
    let mut runs = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = ports.runs.active_runs(after.as_deref()).await?;
        runs.extend(page.items);
        after = page.next;
        if after.is_none() || runs.len() >= LOOKED_AT {
            runs.truncate(LOOKED_AT);
            return Ok(runs);
        }
    }
}

/// Schedules that fire within the horizon.
async fn firing(ports: &Ports, now: TimeMs) -> PortResult<Vec<ScheduleKey>> {
    let mut keys = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let until = now.plus(HORIZON_MS);
        let page = ports
            .schedules
            .due_schedules(until, after.as_deref())
            .await?;
        keys.extend(page.items);
        after = page.next;
        if after.is_none() || keys.len() >= LOOKED_AT {
            keys.truncate(LOOKED_AT);
            return Ok(keys);
        }
    }
}

/// What the plan of a run that is under way still asks for. One that has no plan yet, and that a schedule has started, does what
/// the run before it did.
async fn admitted(ports: &Ports, run: &RunId, now: TimeMs) -> Found {
    let read = async {
        let Some(item) = ports.runs.run(run).await? else {
            return Ok(Vec::new());
        };
        if let Some((plan, begun)) = planned(ports, &item).await? {
            let progress = progress(ports, &item).await?;
            return Ok(ahead(&plan, begun, &progress, now));
        }
        let Some(scheduled) = item.scheduled.as_ref().filter(|_| item.plan.is_none()) else {
            return Ok(Vec::new());
        };
        let key = ScheduleKey {
            tenant: item.context.tenant.clone(),
            name: scheduled.schedule.clone(),
        };
        Ok(match ports.schedules.schedule(&key).await? {
            Some(schedule) => again(ports, &schedule, &[now], now).await?,
            None => Vec::new(),
        })
    };
    read.await.unwrap_or_else(|error: StageError| {
        tracing::warn!(run = run.as_str(), %error, "its demand is not counted");
        Vec::new()
    })
}

/// What the next runs of a schedule will ask for, at each of its times within the horizon.
async fn scheduled(ports: &Ports, key: &ScheduleKey, now: TimeMs) -> Found {
    let read = async {
        Ok(match ports.schedules.schedule(key).await? {
            Some(item) => again(ports, &item, &times(&item, now), now).await?,
            None => Vec::new(),
        })
    };
    read.await.unwrap_or_else(|error: StageError| {
        tracing::warn!(schedule = %key, %error, "its demand is not counted");
        Vec::new()
    })
}

/// What the last run of a schedule did, at each of some times.
async fn again(
    ports: &Ports,
    item: &ScheduleItem,
    times: &[TimeMs],
    now: TimeMs,
) -> Result<Found, StageError> {
    if times.is_empty() {
        return Ok(Vec::new());
    }
    let Some(plan) = last_plan(ports, item).await? else {
        return Ok(Vec::new());
    };
    let progress = Progress::default();
    let each = times
        .iter()
        .flat_map(|at| ahead(&plan, *at, &progress, now));
    Ok(each.collect())
}

/// The scheduled times within the horizon that have no run yet: those that have just gone by among them, since their run may not
/// have been submitted.
fn times(item: &ScheduleItem, now: TimeMs) -> Vec<TimeMs> {
    if item.paused {
        return Vec::new();
    }
    let Ok(schedule) = Schedule::of(&item.timing) else {
        return Vec::new();
    };
    let decided = item.since.max(item.last.unwrap_or_default());
    let from = decided.max(TimeMs(now.0.saturating_sub(STARTING_MS)));
    let mut times = schedule.between(from, now.plus(HORIZON_MS), FIRINGS);
    let starting = item.recent.iter().filter(|firing| {
        matches!(firing.outcome, Outcome::Starting { .. }) && now.since(firing.time) < STARTING_MS
    });
    times.extend(starting.map(|firing| firing.time));
    times
}

/// The plan of the newest run of a schedule that has one.
async fn last_plan(ports: &Ports, item: &ScheduleItem) -> Result<Option<Plan>, StageError> {
    for firing in item.recent.iter().rev() {
        let Some(run) = firing.outcome.run() else {
            continue;
        };
        let Some(run) = ports.runs.run(run).await? else {
            continue;
        };
        if let Some((plan, _)) = planned(ports, &run).await? {
            return Ok(Some(plan));
        }
    }
    Ok(None)
}

/// A run's plan, and when it began to count; none where it has none, or one that is too large.
async fn planned(ports: &Ports, item: &RunItem) -> Result<Option<(Plan, TimeMs)>, StageError> {
    let (Some(pointer), Some(begun)) = (&item.plan, item.planned_at) else {
        return Ok(None);
    };
    if pointer.plan.bytes > PLAN_BYTES_MAX {
        tracing::info!(
            run = item.run.as_str(),
            bytes = pointer.plan.bytes,
            "its plan is too large to look at"
        );
        return Ok(None);
    }
    let plan = claimed_json(ports.blobs.as_ref(), &pointer.plan).await?;
    Ok(Some((plan, begun)))
}

/// How far a run has come.
#[derive(Debug, Default)]
struct Progress {
    settled: BTreeSet<ShardId>,
    /// Each since when: seconds since 1970.
    running: BTreeMap<ShardId, i64>,
}

async fn progress(ports: &Ports, item: &RunItem) -> PortResult<Progress> {
    let mut progress = Progress::default();
    if item
        .plan
        .as_ref()
        .is_none_or(|plan| plan.shards > SHARDS_READ)
    {
        return Ok(progress);
    }
    for shard in all_shards(ports.frontier.as_ref(), &run_key(item)).await? {
        match shard.state {
            ShardState::Waiting | ShardState::Ready => {}
            ShardState::Running => {
                progress.running.insert(shard.id, seconds(shard.claimed_at));
            }
            _ => {
                progress.settled.insert(shard.id);
            }
        }
    }
    Ok(progress)
}

/// What a plan asks for within the horizon, by target.
fn ahead(plan: &Plan, start: TimeMs, progress: &Progress, now: TimeMs) -> Found {
    let run = InFlight {
        run: plan.run.as_str(),
        start_s: seconds(start),
        shards: &plan.shards,
        settled: &progress.settled,
        running: &progress.running,
    };
    let steps = (HORIZON_MS / 1000) as usize / STEP_S as usize;
    let demand = in_flight(&[run], seconds(now), STEP_S, steps);
    let each = demand.into_iter();
    each.map(|(target, demand)| (TargetId::from(target), waves(&demand, now, STEP_S)))
        .collect()
}

fn seconds(at: TimeMs) -> i64 {
    i64::try_from(at.0 / 1000).unwrap_or(i64::MAX)
}
