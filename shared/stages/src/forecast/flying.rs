//! Reads the plans of admitted runs and how far they have come, and of scheduled runs the plan of the last of their kind.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_engine::forecast::InFlight;
use foreshard_engine::foresee::{HORIZON, STEP_S};
use foreshard_engine::schedule::Schedule;
use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::{RunId, ShardId};
use foreshard_model::plan::{Plan, PlannedShard};
use foreshard_model::run::{PlanPointer, RunItem};
use foreshard_model::schedule::{Outcome, ScheduleItem, ScheduleKey};
use foreshard_model::units::TimeMs;
use futures_util::future::join;
use futures_util::stream::{self, StreamExt as _};

use super::Ports;
use crate::ports::PortResult;
use crate::read::claimed_json;
use crate::shards::{all_shards, run_key};

/// Active runs that are looked at.
const RUNS_MAX: usize = 200;

/// Shards of a run that is looked at: a larger one is not counted shard by shard, its lanes are under way anyway.
const SHARDS_MAX: u32 = 5_000;

/// Length of a plan that is read, in bytes: that of so many shards.
const PLAN_BYTES_MAX: u64 = 16 << 20;

/// Schedules that are looked at.
const SCHEDULES_MAX: usize = 200;

/// Times of one schedule within the horizon: one of every five minutes has as many.
const TIMES_MAX: usize = HORIZON;

/// Runs, or schedules, that are read at the same time.
const AT_ONCE: usize = 8;

/// Runs with their plans.
#[derive(Debug, Default)]
pub(super) struct Flying {
    runs: Vec<Planned>,
}

/// One run's plan, when it begins, and how far it has come.
#[derive(Debug)]
struct Planned {
    name: String,
    starts_s: Vec<i64>,
    shards: Vec<PlannedShard>,
    settled: BTreeSet<ShardId>,
    running: BTreeMap<ShardId, i64>,
}

impl Flying {
    /// As the forecast takes them: a scheduled one once for each of its times.
    pub(super) fn in_flight(&self) -> Vec<InFlight<'_>> {
        let runs = self.runs.iter().flat_map(|run| {
            run.starts_s.iter().map(move |&start_s| InFlight {
                run: &run.name,
                start_s,
                shards: &run.shards,
                settled: &run.settled,
                running: &run.running,
            })
        });
        runs.collect()
    }
}

/// Reads both. A run or schedule that cannot be read is left out.
pub(super) async fn flying(ports: &Ports, now: TimeMs) -> Flying {
    let (admitted, scheduled) = join(admitted(ports), scheduled(ports, now)).await;
    let mut runs = Vec::new();
    for found in [admitted, scheduled] {
        match found {
            Ok(found) => runs.extend(found),
            Err(error) => {
                tracing::warn!(%error, "forecast without runs in flight, or without schedules")
            }
        }
    }
    Flying { runs }
}

async fn admitted(ports: &Ports) -> PortResult<Vec<Planned>> {
    let mut ids: Vec<RunId> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = ports.runs.active_runs(after.as_deref()).await?;
        ids.extend(page.items);
        after = page.next;
        if after.is_none() || ids.len() >= RUNS_MAX {
            break;
        }
    }
    ids.truncate(RUNS_MAX);
    let reads = stream::iter(&ids).map(|id| async move { (id, active(ports, id).await) });
    let found: Vec<_> = reads.buffered(AT_ONCE).collect().await;
    let kept = found.into_iter().filter_map(|(id, found)| {
        found.unwrap_or_else(|error| {
            tracing::warn!(run = id.as_str(), %error, "a run in flight is not counted");
            None
        })
    });
    Ok(kept.collect())
}

async fn active(ports: &Ports, id: &RunId) -> PortResult<Option<Planned>> {
    let Some(run) = ports.runs.run(id).await? else {
        return Ok(None);
    };
    let Some(shards) = shards_of(ports, &run).await? else {
        return Ok(None);
    };
    let items = all_shards(ports.frontier.as_ref(), &run_key(&run)).await?;
    let begun = run.planned_at.unwrap_or(run.accepted_at);
    Ok(Some(Planned {
        name: run.run.0.clone(),
        starts_s: vec![seconds(begun)],
        shards,
        settled: items.iter().filter(|i| settled(i)).map(|i| i.id).collect(),
        running: items
            .iter()
            .filter(|item| item.state == ShardState::Running)
            .map(|item| (item.id, seconds(item.claimed_at)))
            .collect(),
    }))
}

fn settled(item: &ShardItem) -> bool {
    matches!(
        item.state,
        ShardState::Done | ShardState::Failed | ShardState::Skipped | ShardState::Superseded
    )
}

/// The shards of a run's plan; `None` where it has none, or one that is too large.
async fn shards_of(ports: &Ports, run: &RunItem) -> PortResult<Option<Vec<PlannedShard>>> {
    let fits = |pointer: &&PlanPointer| {
        pointer.shards <= SHARDS_MAX && pointer.plan.bytes <= PLAN_BYTES_MAX
    };
    let Some(pointer) = run.plan.as_ref().filter(fits) else {
        return Ok(None);
    };
    let plan: Plan = claimed_json(ports.blobs.as_ref(), &pointer.plan).await?;
    Ok(Some(plan.shards))
}

async fn scheduled(ports: &Ports, now: TimeMs) -> PortResult<Vec<Planned>> {
    let horizon_ms = u64::from(STEP_S) * HORIZON as u64 * 1_000;
    let until = now.plus(horizon_ms);
    let mut keys: Vec<ScheduleKey> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = ports
            .schedules
            .due_schedules(until, after.as_deref())
            .await?;
        keys.extend(page.items);
        after = page.next;
        if after.is_none() || keys.len() >= SCHEDULES_MAX {
            break;
        }
    }
    keys.truncate(SCHEDULES_MAX);
    let reads =
        stream::iter(&keys).map(|key| async move { (key, due(ports, key, now, until).await) });
    let found: Vec<_> = reads.buffered(AT_ONCE).collect().await;
    let kept = found.into_iter().filter_map(|(key, found)| {
        found.unwrap_or_else(|error| {
            tracing::warn!(schedule = key.name, %error, "a schedule is not counted");
            None
        })
    });
    Ok(kept.collect())
}

/// What a schedule will start, as the last of its runs that was planned.
async fn due(
    ports: &Ports,
    key: &ScheduleKey,
    now: TimeMs,
    until: TimeMs,
) -> PortResult<Option<Planned>> {
    let Some(item) = ports.schedules.schedule(key).await? else {
        return Ok(None);
    };
    let times = times(&item, now, until);
    if times.is_empty() {
        return Ok(None);
    }
    for id in runs_of(&item) {
        let Some(run) = ports.runs.run(id).await? else {
            continue;
        };
        if let Some(shards) = shards_of(ports, &run).await? {
            return Ok(Some(Planned {
                name: key.name.clone(),
                starts_s: times,
                shards,
                settled: BTreeSet::new(),
                running: BTreeMap::new(),
            }));
        }
    }
    Ok(None)
}

fn times(item: &ScheduleItem, now: TimeMs, until: TimeMs) -> Vec<i64> {
    let schedule = (!item.paused).then(|| Schedule::of(&item.timing));
    let Some(Ok(schedule)) = schedule else {
        return Vec::new();
    };
    let times = schedule.between(now, until, TIMES_MAX);
    times.into_iter().map(seconds).collect()
}

/// Runs that the schedule has started, the latest first.
fn runs_of(item: &ScheduleItem) -> impl Iterator<Item = &RunId> {
    item.recent
        .iter()
        .rev()
        .filter_map(|firing| match &firing.outcome {
            Outcome::Started { run, .. } | Outcome::Starting { run, .. } => Some(run),
            _ => None,
        })
}

fn seconds(at: TimeMs) -> i64 {
    (at.0 / 1_000) as i64
}
