//! What an owner wishes of a run: cancel, pause, resume. Each may be repeated, by anyone, at any time.

use foreshard_engine::lifecycle::{self, Resume, Wished};
use foreshard_model::ids::RunId;
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::run::RunItem;
use foreshard_model::units::TimeMs;

use super::Ports;
use super::accept::allowed;
use super::http::{ApiResponse, Identity};
use super::put_back::put_back;
use super::reading::{owned, view};
use super::refusal::{Answered, Code, Refusal};
use super::wake::wake_some;
use crate::ports::{PortError, PortResult};

/// How often a wish is decided anew when somebody else wrote the run in between. Dispatch writes a run's item a few
/// times in its life, so a second collision is rare already.
const TRIES: u32 = 8;

pub(super) async fn cancel(ports: &Ports, identity: &Identity, run: &RunId) -> Answered {
    wish(ports, identity, run, "cancelled", lifecycle::cancel).await
}

pub(super) async fn pause(ports: &Ports, identity: &Identity, run: &RunId) -> Answered {
    wish(ports, identity, run, "paused", lifecycle::pause).await
}

/// Writes the wish, then wakes lanes that are parked: each wakes two more when it sees that the run is over, and the
/// sweep wakes whoever is left.
async fn wish(
    ports: &Ports,
    identity: &Identity,
    run: &RunId,
    what: &str,
    decide: fn(&RunItem, TimeMs) -> Wished,
) -> Answered {
    for _ in 0..TRIES {
        let item = owned(ports, identity, run).await?;
        let written = match decide(&item, ports.clock.now()) {
            Wished::Refused(why) => return Err(refused(run, what, why)),
            Wished::Already => item,
            Wished::Write(next) => match ports.run_writes.update_run(&next).await {
                Ok(()) => *next,
                Err(PortError::Conflict(_)) => continue,
                Err(error) => return Err(error.into()),
            },
        };
        let because = format!("{what} by {}", identity.principal);
        tell(ports, &written, EventKind::State, &because).await;
        wake_parked(ports, &written).await;
        return Ok(ApiResponse::json(202, &view(ports, &written).await?));
    }
    Err(busy(run))
}

/// Puts back what did not finish, then writes the run, then starts its round: a repeat goes on where this ends.
pub(super) async fn resume(ports: &Ports, identity: &Identity, run: &RunId) -> Answered {
    let mut counted = false;
    for _ in 0..TRIES {
        let item = owned(ports, identity, run).await?;
        let settled = match lifecycle::resume(&item) {
            Resume::Refused(why) => return Err(refused(run, "resumed", why)),
            Resume::Already => return started(ports, &item).await,
            Resume::Plan | Resume::Shards if !counted => {
                allowed(ports, identity).await?;
                counted = true;
                continue;
            }
            Resume::Plan => 0,
            Resume::Shards => {
                put_back(
                    ports.frontier.as_ref(),
                    ports.frontier_writes.as_ref(),
                    ports.blobs.as_ref(),
                    &item,
                    ports.clock.now(),
                )
                .await?
            }
        };
        let next = lifecycle::resumed(&item, settled, ports.clock.now());
        match ports.run_writes.update_run(&next).await {
            Ok(()) => {
                let because = format!("resumed by {}", identity.principal);
                tell(ports, &next, EventKind::State, &because).await;
                return started(ports, &next).await;
            }
            Err(PortError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(busy(run))
}

/// Makes sure that the run's round was started; the sweep does it when this cannot.
async fn started(ports: &Ports, item: &RunItem) -> Answered {
    if let Err(error) = ports.executions.start(&item.run, item.round).await {
        tracing::warn!(run = %item.run, %error, "the round will be started by the sweep");
    }
    Ok(ApiResponse::json(202, &view(ports, item).await?))
}

fn refused(run: &RunId, what: &str, why: &str) -> Refusal {
    Refusal::new(Code::BadState, format!("`{run}` cannot be {what}: {why}"))
}

fn busy(run: &RunId) -> Refusal {
    Refusal::new(
        Code::Busy,
        format!("`{run}` was written by others {TRIES} times in a row"),
    )
}

/// Records what the run's item says now. The item decides, the ledger tells: it must not undo a wish that is written.
pub(super) async fn tell(ports: &Ports, item: &RunItem, kind: EventKind, because: &str) {
    let event = Event {
        run: item.run.clone(),
        at: item.updated_at,
        kind,
        shard: None,
        attempt: None,
        lane: None,
        target: None,
        because: format!("{}: {because}", item.state.as_str()),
        numbers: std::collections::BTreeMap::new(),
    };
    if let Err(error) = ports.ledger_writes.record(&[event]).await {
        tracing::warn!(run = %item.run, %error, "the ledger lacks an entry");
    }
}

async fn wake_parked(ports: &Ports, item: &RunItem) {
    let woken: PortResult<u32> = wake_some(
        ports.frontier.as_ref(),
        ports.frontier_writes.as_ref(),
        ports.tokens.as_ref(),
        item,
    )
    .await;
    match woken {
        Ok(woken) => tracing::info!(run = %item.run, woken, "parked lanes woken"),
        Err(error) => {
            tracing::warn!(run = %item.run, %error, "the sweep wakes the parked lanes");
        }
    }
}
