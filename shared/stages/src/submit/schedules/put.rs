//! Makes a schedule, or changes it: everything that can be known about its runs is checked before anything is written.

use foreshard_engine::schedule::{Schedule, Wanted, timing};
use foreshard_model::schedule::{ScheduleItem, ScheduleKey, Submission, Timing};
use foreshard_model::schedule_api::ScheduleRequest;
use foreshard_model::units::TimeMs;

use super::super::Ports;
use super::super::body::json;
use super::super::http::{ApiRequest, ApiResponse, Identity};
use super::super::options::{check_baggage, check_options, check_role};
use super::super::query::brief;
use super::super::refusal::{Answered, Code, Refusal};
use super::start::{registered, would_start};
use super::{TRIES, arm, busy, is_name, refused, view};
use crate::ports::PortError;

/// Largest input of a schedule, in bytes of JSON: it is in the item that every firing writes.
const INPUT_BYTES: usize = 16 * 1024;

/// Longest name that a caller may give.
const NAME_BYTES: usize = 64;

pub(in super::super) async fn put(
    ports: &Ports,
    identity: &Identity,
    name: &str,
    request: &ApiRequest,
) -> Answered {
    let wanted: ScheduleRequest = json(request)?;
    if !is_name(name) || name.len() > NAME_BYTES || name.contains('.') {
        return Err(Refusal::new(
            Code::BadParameter,
            format!(
                "`{}` as the name of a schedule: 1 to {NAME_BYTES} lower-case letters, digits and `-`",
                brief(name)
            ),
        ));
    }
    check_options(&wanted.options)?;
    check_role(wanted.role.as_deref(), &identity.tenant())?;
    check_baggage(&wanted.baggage)?;
    let now = ports.clock.now();
    let when = Wanted {
        expression: &wanted.expression,
        timezone: wanted.timezone.as_deref(),
        start: wanted.start.as_deref(),
        end: wanted.end.as_deref(),
    };
    let timing = timing(&when, now).map_err(refused)?;
    if Schedule::of(&timing)
        .map_err(refused)?
        .next_after(now)
        .is_none()
    {
        return Err(Refusal::new(
            Code::BadSchedule,
            format!("`{}` has no time left to come", timing.expression),
        ));
    }
    let key = ScheduleKey {
        tenant: identity.tenant(),
        name: name.to_owned(),
    };
    let submission = Submission {
        input: input(wanted.input.as_ref())?,
        options: wanted.options.clone(),
        role: wanted.role.clone(),
        baggage: wanted.baggage.clone(),
        bundles: wanted.bundles.clone(),
    };
    let draft = ScheduleItem {
        workflow: wanted.workflow.clone(),
        workflow_version: wanted.version.clone(),
        overlap: wanted.overlap,
        catch_up: wanted.catch_up,
        ..blank(&key, identity, timing, submission, now)
    };
    let document = registered(ports, &key.tenant, &draft.workflow, &draft.workflow_version);
    would_start(ports, &draft, document.await?, now).await?;
    let (item, created) = store(ports, draft).await?;
    let status = if created { 201 } else { 200 };
    Ok(ApiResponse::json(status, &view(ports, &item).await?))
}

/// The input as it is kept.
pub(super) fn input(value: Option<&serde_json::Value>) -> Result<Option<String>, Refusal> {
    let text = value.map(ToString::to_string);
    match &text {
        Some(text) if text.len() > INPUT_BYTES => Err(Refusal::new(
            Code::BadOption,
            format!("`input` has {} bytes: at most {INPUT_BYTES}", text.len()),
        )),
        _ => Ok(text),
    }
}

/// A schedule of this caller that has never fired.
pub(super) fn blank(
    key: &ScheduleKey,
    identity: &Identity,
    timing: Timing,
    submission: Submission,
    now: TimeMs,
) -> ScheduleItem {
    ScheduleItem {
        tenant: key.tenant.clone(),
        name: key.name.clone(),
        version: 1,
        timing,
        submission,
        principal: identity.principal.clone(),
        created_at: now,
        updated_at: now,
        since: now,
        ..ScheduleItem::default()
    }
}

/// Writes what is wanted over what there is, then sets the timer; whether it is new. The same again writes nothing but
/// sets the timer, so that a repeat mends what a failure has left.
pub(super) async fn store(
    ports: &Ports,
    wanted: ScheduleItem,
) -> Result<(ScheduleItem, bool), Refusal> {
    let key = wanted.key();
    for _ in 0..TRIES {
        let found = ports.schedules.schedule(&key).await?;
        let next = match &found {
            None => wanted.clone(),
            Some(old) => over(old, &wanted),
        };
        let schedule = Schedule::of(&next.timing).map_err(refused)?;
        if found.as_ref() != Some(&next) {
            match arm::write(ports, &next, &schedule).await {
                Ok(()) => {}
                Err(PortError::Conflict(_)) => continue,
                Err(error) => return Err(error.into()),
            }
        }
        arm::arm(ports, &next, &schedule).await?;
        return Ok((next, found.is_none()));
    }
    Err(busy(&key.name))
}

/// What is wanted, with the history of what there is: it stays paused, and goes on counting if its timing is the same.
fn over(old: &ScheduleItem, wanted: &ScheduleItem) -> ScheduleItem {
    let counted = |timing: &Timing| Timing {
        anchor: TimeMs(0),
        ..timing.clone()
    };
    let same_timing = counted(&old.timing) == counted(&wanted.timing);
    let mut next = ScheduleItem {
        version: old.version,
        paused: old.paused,
        created_at: old.created_at,
        updated_at: old.updated_at,
        last: old.last,
        recent: old.recent.clone(),
        ..wanted.clone()
    };
    if same_timing {
        next.timing = old.timing.clone();
        next.since = old.since;
    }
    if next != *old {
        next.version += 1;
        next.updated_at = wanted.updated_at;
    }
    next
}
