//! Starts the runs of scheduled times that went by without one: each time its own run, which is started once.

use foreshard_engine::schedule::{decided, instant, rfc3339};
use foreshard_model::ids::RunId;
use foreshard_model::schedule::{Firing, Outcome, ScheduleItem};
use foreshard_model::schedule_api::{
    BackfillAnswer, BackfillRequest, BackfillStatus, BackfillTime,
};
use foreshard_model::units::TimeMs;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::super::Ports;
use super::super::body::json;
use super::super::http::{ApiRequest, ApiResponse, Identity};
use super::super::query::brief;
use super::super::refusal::{Answered, Code, Refusal};
use super::start::start;
use super::{arm, owned, understood};
use crate::ports::PortError;

/// Scheduled times that one request looks at, at most: they are started within its 29 s.
const TIMES_MAX: usize = 100;

/// Runs that are started at the same time.
const STARTED_AT_ONCE: usize = 8;

pub(in super::super) async fn backfill(
    ports: &Ports,
    identity: &Identity,
    name: &str,
    request: &ApiRequest,
) -> Answered {
    let wanted: BackfillRequest = json(request)?;
    let item = owned(ports, identity, name).await?;
    let (from, to) = window(&wanted, ports.clock.now())?;
    let limit = match wanted.limit {
        Some(0) => {
            return Err(Refusal::new(
                Code::BadOption,
                format!("`limit` is 0: from 1 to {TIMES_MAX}"),
            ));
        }
        Some(limit) => (limit as usize).min(TIMES_MAX),
        None => TIMES_MAX,
    };
    let before = TimeMs(from.0.saturating_sub(1));
    let mut times = understood(&item)?.between(before, to, limit + 1);
    let next = times.get(limit).map(|at| rfc3339(*at));
    times.truncate(limit);
    let filling = times
        .into_iter()
        .map(|time| one(ports, &item, time, wanted.dry_run));
    let times: Vec<BackfillTime> = stream::iter(filling)
        .buffered(STARTED_AT_ONCE)
        .try_collect()
        .await?;
    if !wanted.dry_run {
        note(ports, identity, &item, &times).await;
    }
    Ok(ApiResponse::json(200, &BackfillAnswer { times, next }))
}

fn window(wanted: &BackfillRequest, now: TimeMs) -> Result<(TimeMs, TimeMs), Refusal> {
    let bad = |what: String| Refusal::new(Code::BadOption, what);
    let moment = |name: &str, text: &str| {
        instant(text).ok_or_else(|| {
            bad(format!(
                "`{name}` is `{}`: RFC 3339 with an offset, such as `2026-12-01T06:00:00Z`",
                brief(text)
            ))
        })
    };
    let (from, to) = (moment("from", &wanted.from)?, moment("to", &wanted.to)?);
    if to < from {
        return Err(bad("`to` is before `from`".to_owned()));
    }
    if to > now {
        return Err(bad("`to` is in the future".to_owned()));
    }
    Ok((from, to))
}

async fn one(
    ports: &Ports,
    item: &ScheduleItem,
    time: TimeMs,
    dry_run: bool,
) -> Result<BackfillTime, Refusal> {
    let run = RunId::scheduled(&item.tenant, &item.name, time);
    let done = |status, because| BackfillTime {
        time,
        run: run.clone(),
        status,
        because,
    };
    if ports.runs.run(&run).await?.is_some() {
        return Ok(done(BackfillStatus::Exists, None));
    }
    if dry_run {
        return Ok(done(BackfillStatus::Missing, None));
    }
    match start(ports, item, time).await {
        Ok(answer) if answer.created => Ok(done(BackfillStatus::Started, None)),
        Ok(_) => Ok(done(BackfillStatus::Exists, None)),
        // Others may start still: what passes ends the request, and a repeat goes on.
        Err(refusal) if matches!(refusal.code, Code::Unavailable | Code::Busy | Code::TooMany) => {
            Err(refusal)
        }
        Err(refusal) => {
            let (code, _, title) = refusal.code.entry();
            let because = format!("{code} {title}: {}", refusal.detail());
            Ok(done(BackfillStatus::Failed, Some(because)))
        }
    }
}

/// Corrects what the schedule remembers of these times. The runs are the truth, so it is only tried.
async fn note(ports: &Ports, identity: &Identity, item: &ScheduleItem, times: &[BackfillTime]) {
    let noted: Result<(), PortError> = async {
        let Some(item) = ports.schedules.schedule(&item.key()).await? else {
            return Ok(());
        };
        let filled = times.iter().filter(|t| t.status != BackfillStatus::Failed);
        let firings: Vec<Firing> = filled
            .filter_map(|filled| {
                let old = item.firing(filled.time)?;
                old.outcome.run().is_none().then(|| Firing {
                    outcome: Outcome::Started {
                        run: filled.run.clone(),
                        because: format!("backfilled by {}", identity.principal),
                    },
                    ..old.clone()
                })
            })
            .collect();
        let (false, Ok(schedule)) = (firings.is_empty(), understood(&item)) else {
            return Ok(());
        };
        let next = decided(&item, &firings, ports.clock.now());
        arm::write(ports, &next, &schedule).await
    }
    .await;
    if let Err(error) = noted {
        tracing::warn!(schedule = item.name, %error, "the schedule does not remember the backfill");
    }
}
