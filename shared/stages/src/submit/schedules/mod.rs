//! Schedules: what their owners ask and wish of them.

mod arm;
mod backfill;
mod declare;
mod fire;
mod put;
mod start;

use foreshard_engine::schedule::{Schedule, missed};
use foreshard_model::ids::RunId;
use foreshard_model::problem::{Problem, Severity};
use foreshard_model::schedule::{LATENESS_MS, ScheduleItem, ScheduleKey};
use foreshard_model::schedule_api::{SchedulePage, ScheduleView};
use foreshard_model::units::TimeMs;

pub(super) use backfill::backfill;
pub(super) use declare::{check_declared, declare};
pub use fire::{Fired, fire, sweep};
pub(super) use put::put;

use super::Ports;
use super::cursor::{after, foreign, next as cursor};
use super::http::{ApiRequest, ApiResponse, Identity};
use super::query::{brief, limit};
use super::refusal::{Answered, Code, Refusal};
use crate::ports::PortError;

/// Schedules in a page when nobody asks for another number, and at most: an item has at most 20 KiB.
pub(super) const SCHEDULES: (usize, usize) = (50, 100);

/// Next times that a view shows.
const UPCOMING: usize = 5;

/// How long after its time a run may be in coming before it counts as missed, in milliseconds: the timer keeps to the
/// minute, and the sweep looks two minutes later.
const MISSED_AFTER_MS: u64 = 180_000;

/// How often a write is decided anew when somebody else wrote the schedule in between.
const TRIES: u32 = 8;

/// Longest name: that of a workflow, a dot, and a name within it.
const NAME_BYTES: usize = 64 + 1 + 32;

pub(super) async fn list(ports: &Ports, identity: &Identity, request: &ApiRequest) -> Answered {
    let prefix = match request.query.get("workflow") {
        Some(workflow) => format!("{}.", brief(workflow)),
        None => String::new(),
    };
    let after = match after(request)? {
        Some(name) if !is_name(&name) || !name.starts_with(&prefix) => return Err(foreign()),
        after => after,
    };
    let page = ports
        .schedules
        .schedules_of(
            &identity.tenant(),
            &prefix,
            limit(request, SCHEDULES)?,
            after.as_deref(),
        )
        .await?;
    let mut schedules = Vec::with_capacity(page.items.len());
    for item in &page.items {
        schedules.push(view(ports, item).await?);
    }
    let answer = SchedulePage {
        schedules,
        next: page.next.as_deref().map(cursor),
    };
    Ok(ApiResponse::json(200, &answer))
}

pub(super) async fn get(ports: &Ports, identity: &Identity, name: &str) -> Answered {
    let item = owned(ports, identity, name).await?;
    Ok(ApiResponse::json(200, &view(ports, &item).await?))
}

pub(super) async fn pause(ports: &Ports, identity: &Identity, name: &str) -> Answered {
    wish(ports, identity, name, true).await
}

/// Goes on from now: what went by meanwhile is left to a backfill.
pub(super) async fn resume(ports: &Ports, identity: &Identity, name: &str) -> Answered {
    wish(ports, identity, name, false).await
}

/// Writes the wish, then tells the timer: the item decides, so a timer that was not told changes nothing but noise.
async fn wish(ports: &Ports, identity: &Identity, name: &str, paused: bool) -> Answered {
    for _ in 0..TRIES {
        let item = owned(ports, identity, name).await?;
        let schedule = understood(&item)?;
        let now = ports.clock.now();
        let mut next = item.clone();
        if item.paused != paused {
            next.paused = paused;
            next.version += 1;
            next.updated_at = now;
            if !paused {
                next.since = now;
            }
            match arm::write(ports, &next, &schedule).await {
                Ok(()) => {}
                Err(PortError::Conflict(_)) => continue,
                Err(error) => return Err(error.into()),
            }
        }
        arm::arm(ports, &next, &schedule).await?;
        return Ok(ApiResponse::json(200, &view(ports, &next).await?));
    }
    Err(busy(name))
}

/// Removes the timer, then the item: a repeat goes on where this ends.
pub(super) async fn delete(ports: &Ports, identity: &Identity, name: &str) -> Answered {
    for _ in 0..TRIES {
        let item = owned(ports, identity, name).await?;
        match remove(ports, &item).await {
            Ok(()) => return Ok(ApiResponse::json(200, &view(ports, &item).await?)),
            Err(PortError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(busy(name))
}

async fn remove(ports: &Ports, item: &ScheduleItem) -> Result<(), PortError> {
    ports.timers.remove(&item.key()).await?;
    ports.schedule_writes.delete_schedule(item).await
}

/// The schedule, if it is the caller's.
async fn owned(ports: &Ports, identity: &Identity, name: &str) -> Result<ScheduleItem, Refusal> {
    let none = || Refusal::new(Code::NoSchedule, format!("`{}`", brief(name)));
    if !is_name(name) {
        return Err(none());
    }
    let key = ScheduleKey {
        tenant: identity.tenant(),
        name: name.to_owned(),
    };
    ports.schedules.schedule(&key).await?.ok_or_else(none)
}

async fn view(ports: &Ports, item: &ScheduleItem) -> Result<ScheduleView, Refusal> {
    let schedule = understood(item)?;
    let now = ports.clock.now();
    let next = if item.paused {
        Vec::new()
    } else {
        schedule.upcoming(now, UPCOMING)
    };
    let until = TimeMs(now.0.saturating_sub(MISSED_AFTER_MS));
    let mut gone = Vec::new();
    for time in missed(item, &schedule, until) {
        // A backfill may have started it since.
        let run = RunId::scheduled(&item.tenant, &item.name, time);
        if ports.runs.run(&run).await?.is_none() {
            gone.push(time);
        }
    }
    Ok(ScheduleView::new(item, next, gone))
}

/// What its timing says. It was understood when it was stored.
fn understood(item: &ScheduleItem) -> Result<Schedule, Refusal> {
    Schedule::of(&item.timing).map_err(|troubles| {
        let first = troubles.first().map_or("", |t| t.message.as_str());
        Refusal::new(Code::Broken, format!("schedule `{}`: {first}", item.name))
    })
}

/// Troubles as the problems of a request.
fn refused(troubles: Vec<foreshard_engine::schedule::Trouble>) -> Refusal {
    let problems: Vec<Problem> = troubles
        .into_iter()
        .map(|trouble| Problem {
            code: trouble.code.to_owned(),
            severity: Severity::Error,
            path: trouble.field.to_owned(),
            place: None,
            message: trouble.message,
            hint: Some(trouble.hint),
        })
        .collect();
    let count = problems.len();
    let plural = if count == 1 { "" } else { "s" };
    Refusal::new(Code::BadSchedule, format!("{count} problem{plural}")).with(problems)
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
}

fn busy(name: &str) -> Refusal {
    Refusal::new(
        Code::Busy,
        format!(
            "schedule `{}` was written by others {TRIES} times in a row",
            brief(name)
        ),
    )
}

/// How late an event may come, as text for people.
fn lateness() -> String {
    format!("{} minutes", LATENESS_MS / 60_000)
}
