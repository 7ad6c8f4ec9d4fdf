//! aggregate: ends a round. Collects the result, reports, and ends the run, or starts the next round of lanes.
//!
//! Everything is derived from what is stored, and the run's item is written last: a repeat, or a second aggregate at the
//! same time, writes the same objects again and loses the write of the item.

mod figures;
mod learn;
mod outputs;

use std::collections::BTreeMap;
use std::sync::Arc;

use foreshard_engine::lifecycle::{
    Progress, RoundEnd, closed, failed, round_ended, starts_at_once,
};
use foreshard_model::frontier::ShardItem;
use foreshard_model::ids::Round;
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::message::{AggregateAnswer, AggregateRequest, Failure};
use foreshard_model::run::{RunItem, RunState};

use self::figures::Gathered;
use crate::error::StageError;
use crate::log::about;
use crate::ports::{
    BlobReads, BlobWrites, Clock, Executions, FrontierReads, LedgerWrites, PortError, ProfileReads,
    ProfileWrites, RunReads, RunWrites,
};
use crate::shards::{all_shards, run_key};

/// How often the end of a round is decided anew when somebody else wrote the run in between: an owner's wish, or a sweep.
const TRIES: u32 = 5;

/// What aggregate may do.
#[derive(Clone)]
pub struct Ports {
    /// Reads the run.
    pub runs: Arc<dyn RunReads>,
    /// Writes how it ended, or its next round.
    pub run_writes: Arc<dyn RunWrites>,
    /// Reads shards and lanes.
    pub frontier: Arc<dyn FrontierReads>,
    /// Reads plan, manifests, values.
    pub blobs: Arc<dyn BlobReads>,
    /// Reads what is known of task types.
    pub profiles: Arc<dyn ProfileReads>,
    /// Adds what the run has taught.
    pub profile_writes: Arc<dyn ProfileWrites>,
    /// Stores result and report.
    pub blob_writes: Arc<dyn BlobWrites>,
    /// Records the end, or the round.
    pub ledger: Arc<dyn LedgerWrites>,
    /// Starts the next round.
    pub executions: Arc<dyn Executions>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Ends a round.
///
/// # Errors
/// `Unavailable` when a port did not answer and `Conflict` when others write the run again and again: the state machine
/// repeats both. `Rejected` when there is no such run.
pub async fn aggregate(
    ports: &Ports,
    request: &AggregateRequest,
) -> Result<AggregateAnswer, StageError> {
    for _ in 0..TRIES {
        let run = ports.runs.run(&request.run).await?;
        let run =
            run.ok_or_else(|| StageError::Rejected(format!("there is no run `{}`", request.run)))?;
        about(&run);
        if request.round < run.round {
            return late(ports, &run).await;
        }
        if let Some(answer) = ended(ports, request, &run).await? {
            return Ok(answer);
        }
    }
    Err(StageError::Conflict(format!(
        "run `{}` was written by others {TRIES} times in a row",
        request.run
    )))
}

/// A round that another one has followed: this is a repeat, and perhaps what it repeats ended before the start.
async fn late(ports: &Ports, run: &RunItem) -> Result<AggregateAnswer, StageError> {
    if run.state.is_terminal() {
        return Ok(answer(run, None));
    }
    go_on(ports, run).await?;
    Ok(answer(run, Some(run.round)))
}

/// Starts the round that the run is in, or leaves that to the sweep.
async fn go_on(ports: &Ports, run: &RunItem) -> Result<(), StageError> {
    if starts_at_once(run) {
        ports.executions.start(&run.run, run.round).await?;
    }
    Ok(())
}

fn answer(run: &RunItem, next_round: Option<Round>) -> AggregateAnswer {
    AggregateAnswer {
        run: run.run.clone(),
        state: run.state.as_str().to_owned(),
        next_round,
    }
}

/// Decides once; `None`: the run was written meanwhile.
async fn ended(
    ports: &Ports,
    request: &AggregateRequest,
    run: &RunItem,
) -> Result<Option<AggregateAnswer>, StageError> {
    let shards = match run.plan {
        Some(_) => all_shards(ports.frontier.as_ref(), &run_key(run)).await?,
        None => Vec::new(),
    };
    let mut progress = Progress::default();
    shards.iter().for_each(|shard| progress.add(shard));
    let now = ports.clock.now();
    match round_ended(run, &progress, request.error.as_ref(), now) {
        RoundEnd::Ended => Ok(Some(answer(run, None))),
        RoundEnd::Next(next) => {
            if !written(ports, &next).await? {
                return Ok(None);
            }
            let because = if starts_at_once(&next) {
                format!("round {} follows: work is left", next.round)
            } else {
                format!(
                    "round {} follows with the sweep: this one settled nothing",
                    next.round
                )
            };
            tell(ports, &next, EventKind::Round, because).await;
            go_on(ports, &next).await?;
            Ok(Some(answer(&next, Some(next.round))))
        }
        RoundEnd::Collect => end(ports, run, &shards, RunState::Succeeded, None).await,
        RoundEnd::Close(state) => end(ports, run, &shards, state, None).await,
        RoundEnd::Fail(cause) => end(ports, run, &shards, RunState::Failed, Some(cause)).await,
    }
}

/// Writes result and report, then that the run has ended; `None`: it was written meanwhile.
async fn end(
    ports: &Ports,
    run: &RunItem,
    shards: &[ShardItem],
    state: RunState,
    cause: Option<Failure>,
) -> Result<Option<AggregateAnswer>, StageError> {
    let now = ports.clock.now();
    let gathered = figures::gather(ports, run, shards, state, now).await?;
    let Gathered {
        state,
        summary,
        result,
        broken,
        lessons,
    } = gathered;
    learn::learn(ports, run, lessons).await;
    let next = if state == RunState::Failed {
        failed(run, cause.or(broken), Some(summary), now)
    } else {
        closed(run, state, Some(summary), result, now)
    };
    let next = RunItem {
        learnt_until: Some(now),
        ..next
    };
    if !written(ports, &next).await? {
        return Ok(None);
    }
    tracing::info!(
        run = %next.run,
        state = next.state.as_str(),
        cause = next.cause.as_ref().map(|c| c.cause.as_str()),
        makespan_s = summary.makespan_s,
        cost_usd = summary.cost_usd.0,
        "the run has ended"
    );
    let because = match &next.cause {
        Some(cause) if state == RunState::Failed => {
            format!("{}: {}", cause.cause.as_str(), cause.message)
        }
        _ => format!("{} of {} tasks committed", summary.committed, summary.tasks),
    };
    tell(ports, &next, EventKind::State, because).await;
    Ok(Some(answer(&next, None)))
}

/// Writes the run; false: somebody else wrote it first.
async fn written(ports: &Ports, item: &RunItem) -> Result<bool, StageError> {
    match ports.run_writes.update_run(item).await {
        Ok(()) => Ok(true),
        Err(PortError::Conflict(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Records what the item says. The item decides, the ledger tells: its lack does not undo what is written.
async fn tell(ports: &Ports, item: &RunItem, kind: EventKind, because: String) {
    let event = Event {
        run: item.run.clone(),
        at: item.updated_at,
        kind,
        shard: None,
        attempt: None,
        lane: None,
        target: None,
        because: format!("{}: {because}", item.state.as_str()),
        numbers: BTreeMap::from([("round".to_owned(), f64::from(item.round.0))]),
    };
    if let Err(error) = ports.ledger.record(&[event]).await {
        tracing::warn!(run = %item.run, %error, "the ledger lacks an entry");
    }
}
