//! Events of schedules: decide, record, start, confirm. Whatever is lost in between is found again by the next event, or
//! by the sweep, and ends in the same run.

use foreshard_engine::schedule::{Due, Schedule, decided, due, instant, overlapping, rfc3339};
use foreshard_model::ids::RunId;
use foreshard_model::run::RunState;
use foreshard_model::schedule::{Firing, Outcome, ScheduleItem, ScheduleKey};
use foreshard_model::units::TimeMs;
use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;

use super::super::Ports;
use super::super::refusal::{Code, Refusal};
use super::start::start;
use super::{TRIES, arm, lateness};
use crate::error::StageError;
use crate::ports::PortError;

/// Schedules that one sweep fires; the next one goes on. A start takes some tens of milliseconds of the function's 29 s.
const SWEPT_MAX: usize = 200;

/// Schedules that a sweep fires at the same time.
const FIRED_AT_ONCE: usize = 8;

/// What an event led to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Fired {
    /// Runs that exist now because of it, or did before.
    pub runs: Vec<RunId>,
    /// Why nothing more was done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
}

/// Answers the event of a timer. `stated` is the scheduled time as the service wrote it; what cannot be read as one
/// counts as not stated.
///
/// # Errors
/// [`StageError::Unavailable`] or [`StageError::Conflict`] when it is worth a repeat: the service sends the event again.
pub async fn fire(
    ports: &Ports,
    key: &ScheduleKey,
    stated: Option<&str>,
) -> Result<Fired, StageError> {
    let stated = stated.and_then(instant);
    for _ in 0..TRIES {
        let Some(item) = ports.schedules.schedule(key).await? else {
            // A timer that outlived its schedule.
            ports.timers.remove(key).await?;
            let because = vec![format!("there is no {key}")];
            return Ok(Fired {
                because,
                ..Fired::default()
            });
        };
        let schedule = Schedule::of(&item.timing)
            .map_err(|_| StageError::Rejected(format!("{key}: its timing is not understood")))?;
        let due = due(&item, &schedule, stated, ports.clock.now());
        match fired(ports, item, &schedule, due).await {
            Err(PortError::Conflict(_)) => {}
            other => return Ok(other?),
        }
    }
    Err(StageError::Conflict(format!("{key}: others write it")))
}

/// Looks after every schedule whose time has gone by for `grace_ms` without its event, and after those whose event came
/// but was not carried to its end.
///
/// # Errors
/// [`StageError`] when the schedules cannot be read; one that fails is left to the next sweep.
pub async fn sweep(ports: &Ports, grace_ms: u64) -> Result<Fired, StageError> {
    let until = TimeMs(ports.clock.now().0.saturating_sub(grace_ms));
    let (mut keys, mut after): (Vec<ScheduleKey>, Option<String>) = (Vec::new(), None);
    loop {
        let page = ports
            .schedules
            .due_schedules(until, after.as_deref())
            .await?;
        keys.extend(page.items);
        after = page.next;
        if after.is_none() || keys.len() >= SWEPT_MAX {
            break;
        }
    }
    keys.truncate(SWEPT_MAX);
    let firing = keys.iter().map(|key| async move {
        fire(ports, key, None).await.unwrap_or_else(|error| {
            tracing::warn!(schedule = %key, %error, "left to the next sweep");
            Fired::default()
        })
    });
    let all: Vec<Fired> = stream::iter(firing).buffered(FIRED_AT_ONCE).collect().await;
    let mut sum = Fired::default();
    for one in all {
        sum.runs.extend(one.runs);
        sum.because.extend(one.because);
    }
    Ok(sum)
}

async fn fired(
    ports: &Ports,
    item: ScheduleItem,
    schedule: &Schedule,
    due: Due,
) -> Result<Fired, PortError> {
    let decisions = decisions(ports, &item, &due).await?;
    let item = if decisions.is_empty() {
        item
    } else {
        let next = decided(&item, &decisions, ports.clock.now());
        arm::write(ports, &next, schedule).await?;
        next
    };
    let mut answer = Fired::default();
    answer
        .because
        .extend((!due.because.is_empty()).then_some(due.because));
    let mut confirmed = Vec::new();
    for firing in item.recent.iter() {
        let Outcome::Starting { run, because } = &firing.outcome else {
            continue;
        };
        let outcome = match start(ports, &item, firing.time).await {
            Ok(_) => {
                answer.runs.push(run.clone());
                Outcome::Started {
                    run: run.clone(),
                    because: because.clone(),
                }
            }
            Err(refusal) => {
                let because = final_reason(refusal)?;
                answer.because.push(because.clone());
                Outcome::Failed { because }
            }
        };
        confirmed.push(Firing {
            outcome,
            ..firing.clone()
        });
    }
    if !confirmed.is_empty() {
        let next = decided(&item, &confirmed, ports.clock.now());
        arm::write(ports, &next, schedule).await?;
    }
    for firing in decisions.iter().chain(&confirmed) {
        let (word, because) = firing.outcome.parts();
        let time = rfc3339(firing.time);
        tracing::info!(schedule = item.name, time, because, "{word}");
    }
    Ok(answer)
}

/// Why a run can never be submitted as things are; what may pass is an error, and leads to a repeat.
fn final_reason(refusal: Refusal) -> Result<String, PortError> {
    let (code, _, title) = refusal.code.entry();
    let text = format!("{code} {title}: {}", refusal.detail());
    match refusal.code {
        Code::Unavailable | Code::Busy | Code::TooMany => Err(PortError::Unavailable(text)),
        _ => Ok(text),
    }
}

/// What is recorded before anything is started.
async fn decisions(
    ports: &Ports,
    item: &ScheduleItem,
    due: &Due,
) -> Result<Vec<Firing>, PortError> {
    let now = ports.clock.now();
    let mut decisions: Vec<Firing> = Vec::new();
    for time in &due.missed {
        let run = RunId::scheduled(&item.tenant, &item.name, *time);
        let outcome = if ports.runs.run(&run).await?.is_some() {
            let because = "backfilled".to_owned();
            Outcome::Started { run, because }
        } else {
            let because = format!("nothing came for it within {}", lateness());
            Outcome::Missed { because }
        };
        decisions.push(Firing {
            time: *time,
            decided_at: now,
            outcome,
        });
    }
    let mut previous = previous(ports, item).await?;
    for time in &due.fire {
        let held = overlapping(item.overlap, previous.as_ref().map(|(f, s)| (f, *s)));
        let outcome = match held {
            Some(because) => Outcome::Skipped { because },
            None => Outcome::Starting {
                run: RunId::scheduled(&item.tenant, &item.name, *time),
                because: format!("{}@{}", item.workflow, item.workflow_version),
            },
        };
        let firing = Firing {
            time: *time,
            decided_at: now,
            outcome,
        };
        if firing.outcome.run().is_some() {
            previous = Some((firing.clone(), RunState::Accepted));
        }
        decisions.push(firing);
    }
    Ok(decisions)
}

/// The last run that the schedule has started, and its state.
async fn previous(
    ports: &Ports,
    item: &ScheduleItem,
) -> Result<Option<(Firing, RunState)>, PortError> {
    let last = item.recent.iter().rev().find(|f| f.outcome.run().is_some());
    let Some((firing, run)) = last.and_then(|f| Some((f, f.outcome.run()?))) else {
        return Ok(None);
    };
    let found = ports.runs.run(run).await?;
    Ok(found.map(|item| (firing.clone(), item.state)))
}
