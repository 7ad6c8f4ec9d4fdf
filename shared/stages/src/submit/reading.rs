//! Reads for an owner: one run, and what happened in it.

use foreshard_model::api::{EventPage, RunView};
use foreshard_model::ids::RunId;
use foreshard_model::ledger::Event;
use foreshard_model::message::Cause;
use foreshard_model::problem::Problem;
use foreshard_model::run::RunItem;

use super::Ports;
use super::cursor::{after, next};
use super::http::{ApiRequest, ApiResponse, Identity};
use super::query::limit;
use super::refusal::{Answered, Refusal};
use super::table::no_run;
use crate::keys;
use crate::log::about;
use crate::ports::PortError;

/// Events in a page when nobody asks for another number, and at most. An event is below 1 KiB.
pub(super) const EVENTS: (usize, usize) = (500, 2_000);

/// How far a page of events stays behind, in milliseconds: a stage records an event after the write that it tells of,
/// within its own time limit for a retry of one request.
const EVENT_LAG_MS: u64 = 5_000;

/// The run, if it is the caller's.
pub(super) async fn owned(
    ports: &Ports,
    identity: &Identity,
    run: &RunId,
) -> Result<RunItem, Refusal> {
    let item = ports.runs.run(run).await?;
    let item = item.filter(|item| item.context.tenant == identity.tenant());
    let item = item.ok_or_else(|| no_run(run.as_str()))?;
    about(&item);
    Ok(item)
}

pub(super) async fn run(ports: &Ports, identity: &Identity, run: &RunId) -> Answered {
    let item = owned(ports, identity, run).await?;
    Ok(ApiResponse::json(200, &view(ports, &item).await?))
}

/// The run as its owner sees it, with what is wrong with its document when planning refused it.
pub(super) async fn view(ports: &Ports, item: &RunItem) -> Result<RunView, Refusal> {
    let mut view = RunView::from(item);
    let refused = item
        .cause
        .as_ref()
        .is_some_and(|c| c.cause == Cause::Rejected);
    if refused {
        view.problems = problems(ports, &item.run).await?;
    }
    Ok(view)
}

async fn problems(ports: &Ports, run: &RunId) -> Result<Vec<Problem>, Refusal> {
    match ports.blobs.get(&keys::problems(run)).await {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|e| PortError::Corrupt(e.to_string()).into())
        }
        Err(PortError::NotFound(_)) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn events(
    ports: &Ports,
    identity: &Identity,
    run: &RunId,
    request: &ApiRequest,
) -> Answered {
    // The state is read first: a page that says "ended" then holds everything that was recorded until then.
    let item = owned(ports, identity, run).await?;
    let after = after(request)?.unwrap_or_default();
    let events = ports
        .ledger
        .events(run, &after, limit(request, EVENTS)?)
        .await?;
    let settled = ports.clock.now().0.saturating_sub(EVENT_LAG_MS);
    let last = events.iter().rev().find(|event| event.at.0 <= settled);
    let place = last.map_or(after, Event::sort_key);
    let page = EventPage {
        events,
        next: next(&place),
        state: item.state,
    };
    Ok(ApiResponse::json(200, &page))
}
