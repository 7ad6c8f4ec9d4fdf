//! A listing of runs, narrowed: by state, workflow, time of acceptance, or to that of an idempotency key.

use foreshard_model::api::{RunPage, RunView};
use foreshard_model::run::{RunItem, RunState};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as NoState, StrDeserializer};

use super::cursor::{after, foreign, next};
use super::http::{ApiRequest, ApiResponse, Identity};
use super::query::{brief, limit, moment};
use super::refusal::{Answered, Code, Refusal};
use super::{Ports, accept};
use crate::ports::{Listed, Span};

/// Runs in a page when nobody asks for another number, and at most.
pub(super) const RUNS: (usize, usize) = (20, 100);

/// Runs that one request looks at when it is to find few among many; the next page goes on.
const LOOKED_AT: usize = 1_000;

/// Runs that are read at the same time for a listing.
const READS_AT_ONCE: usize = 16;

/// Which runs are wanted.
struct Wanted {
    states: Vec<RunState>,
    workflow: Option<String>,
    span: Span,
    limit: usize,
}

impl Wanted {
    fn of(request: &ApiRequest) -> Result<Self, Refusal> {
        Ok(Self {
            states: states(request)?,
            workflow: request.query.get("workflow").cloned(),
            span: Span {
                since: moment(request, "since")?,
                until: moment(request, "until")?,
            },
            limit: limit(request, RUNS)?,
        })
    }

    fn has(&self, item: &RunItem) -> bool {
        (self.states.is_empty() || self.states.contains(&item.state))
            && self.workflow.as_ref().is_none_or(|w| *w == item.workflow)
    }

    /// Runs that are read at a time: without a filter exactly a page.
    fn step(&self) -> usize {
        if self.states.is_empty() && self.workflow.is_none() {
            self.limit
        } else {
            self.limit.max(READS_AT_ONCE)
        }
    }
}

/// States, separated by commas.
fn states(request: &ApiRequest) -> Result<Vec<RunState>, Refusal> {
    let Some(text) = request.query.get("state") else {
        return Ok(Vec::new());
    };
    let state = |word: &str| {
        let word: StrDeserializer<'_, NoState> = word.into_deserializer();
        RunState::deserialize(word)
    };
    let states = text.split(',').map(state).collect::<Result<_, _>>();
    states.map_err(|_| {
        let all = RunState::ALL.map(RunState::as_str).join(", ");
        Refusal::new(
            Code::BadParameter,
            format!(
                "`state` is `{}`: one or more of {all}, separated by commas",
                brief(text)
            ),
        )
    })
}

pub(super) async fn list(ports: &Ports, identity: &Identity, request: &ApiRequest) -> Answered {
    let wanted = Wanted::of(request)?;
    if let Some(key) = request.query.get("key") {
        return of_key(ports, identity, &wanted, key).await;
    }
    let mut from = match after(request)? {
        None => None,
        Some(place) => Some(Listed::parse(&place).ok_or_else(foreign)?),
    };
    let (mut runs, mut looked_at) = (Vec::new(), 0);
    let more = loop {
        let (tenant, step) = (identity.tenant(), wanted.step());
        let listed = ports
            .runs
            .runs_of(&tenant, &wanted.span, from.as_ref(), step)
            .await?;
        let whole = listed.len() == step;
        let left = take(ports, &wanted, listed, &mut runs, &mut from).await?;
        looked_at += step;
        if left || !whole {
            break left;
        }
        if runs.len() == wanted.limit || looked_at >= LOOKED_AT {
            break true;
        }
    };
    let next = from.filter(|_| more).map(|last| next(&last.place()));
    Ok(ApiResponse::json(200, &RunPage { runs, next }))
}

/// The run that a submission with this idempotency key has given, if there was one.
async fn of_key(ports: &Ports, identity: &Identity, wanted: &Wanted, key: &str) -> Answered {
    let run = accept::of_key(&identity.tenant(), "key", key)?;
    let item = ports.runs.run(&run).await?;
    let within = |item: &RunItem| {
        let Span { since, until } = wanted.span;
        since.is_none_or(|since| item.accepted_at >= since)
            && until.is_none_or(|until| item.accepted_at < until)
    };
    let found = item.filter(|item| wanted.has(item) && within(item));
    let runs = found.as_ref().map(RunView::from).into_iter().collect();
    Ok(ApiResponse::json(200, &RunPage { runs, next: None }))
}

/// Adds those that are wanted until the page is full; tells whether any were left unlooked at. `from` is the last that
/// was looked at.
async fn take(
    ports: &Ports,
    wanted: &Wanted,
    listed: Vec<Listed>,
    runs: &mut Vec<RunView>,
    from: &mut Option<Listed>,
) -> Result<bool, Refusal> {
    let reads = listed.iter().map(|entry| ports.runs.run(&entry.run));
    let items: Vec<Option<RunItem>> = stream::iter(reads)
        .buffered(READS_AT_ONCE)
        .try_collect()
        .await?;
    for (entry, item) in listed.into_iter().zip(items) {
        if runs.len() == wanted.limit {
            return Ok(true);
        }
        let found = item.filter(|item| wanted.has(item));
        runs.extend(found.as_ref().map(RunView::from));
        *from = Some(entry);
    }
    Ok(false)
}
