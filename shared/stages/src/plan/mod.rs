//! plan: begins a round. The first one plans the run; every one answers the lanes to open.
//!
//! The plan, its topology and its chunks are stored first, then the shards, and last the run's item that points to them:
//! a crash anywhere repeats harmlessly. What was stored once is what counts: a repeat under another configuration takes
//! the stored plan and does not mix it with a new one.

mod create;
mod document;
mod learnt;
mod promised;
mod store;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use foreshard_engine::frontier::initial_items;
use foreshard_engine::lifecycle::{self, Begins};
use foreshard_engine::plan::{PlanInput, Planned, plan as decide};
use foreshard_model::ids::{Generation, LaneId};
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::message::{Cause, Failure, PlanAnswer, PlanRequest};
use foreshard_model::plan::LaneMode;
use foreshard_model::problem::{Problem, Severity};
use foreshard_model::run::RunItem;
use serde_json::Value;

use self::document::{Reading, read};
use self::store::{Stored, stored};
use crate::error::StageError;
use crate::input::lacking;
use crate::keys;
use crate::log::about;
use crate::ports::{
    BlobReads, BlobWrites, Clock, ForecastReads, FrontierWrites, LedgerWrites, PortError,
    ProfileReads, RunKey, RunReads, RunWrites, Wiring,
};
use crate::read::claimed_json;

/// How often the beginning of a round is decided anew when somebody else wrote the run in between.
const TRIES: u32 = 5;

/// The first planning of a run.
const FIRST: Generation = Generation(0);

/// What plan may do.
#[derive(Clone)]
pub struct Ports {
    /// Reads the run.
    pub runs: Arc<dyn RunReads>,
    /// Commits the plan, or that the document is refused.
    pub run_writes: Arc<dyn RunWrites>,
    /// Creates the shards.
    pub frontier: Arc<dyn FrontierWrites>,
    /// Reads document, registered workflows, a plan that is stored already.
    pub blobs: Arc<dyn BlobReads>,
    /// Stores the plan.
    pub blob_writes: Arc<dyn BlobWrites>,
    /// Records what was planned.
    pub ledger: Arc<dyn LedgerWrites>,
    /// Reads what is known of task types.
    pub profiles: Arc<dyn ProfileReads>,
    /// Reads what is expected of regions and targets.
    pub forecasts: Arc<dyn ForecastReads>,
    /// The targets of the deployment.
    pub wiring: Arc<dyn Wiring>,
    /// The time, also to wait until the table takes more.
    pub clock: Arc<dyn Clock>,
    /// A folder for documents that are too large for memory.
    pub scratch: PathBuf,
}

/// Begins a round: gives the lanes to open, none when there is nothing to run.
///
/// # Errors
/// `Unavailable` when a port did not answer and `Conflict` when others write the run again and again: the state machine
/// repeats both. `Rejected` when there is no such run, or a stored object is not what its digest says.
pub async fn plan(ports: &Ports, request: &PlanRequest) -> Result<PlanAnswer, StageError> {
    for _ in 0..TRIES {
        let run = ports.runs.run(&request.run).await?;
        let run =
            run.ok_or_else(|| StageError::Rejected(format!("there is no run `{}`", request.run)))?;
        about(&run);
        let written = match lifecycle::begins(&run, request.round, ports.clock.now()) {
            Begins::Nothing(why) => {
                tracing::info!(run = %run.run, why, "no lanes");
                return Ok(lanes(0, LaneMode::Inline));
            }
            Begins::Lanes => return opened(ports, &run).await,
            Begins::Write(next) => ports.run_writes.update_run(&next).await,
            Begins::Plan => planned(ports, &run).await?,
        };
        match written {
            // Whatever was written, the next look decides what it means for this round.
            Ok(()) | Err(PortError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StageError::Conflict(format!(
        "run `{}` was written by others {TRIES} times in a row",
        request.run
    )))
}

fn lanes(count: u32, mode: LaneMode) -> PlanAnswer {
    PlanAnswer {
        lanes: (0..count).map(LaneId).collect(),
        mode,
    }
}

/// The lanes of a planned run. The ledger is told again what it may have missed when a first attempt died.
async fn opened(ports: &Ports, run: &RunItem) -> Result<PlanAnswer, StageError> {
    let Some(pointer) = &run.plan else {
        return Ok(lanes(0, LaneMode::Inline));
    };
    if let Err(error) = ports.ledger.record(&events(run)).await {
        tracing::warn!(run = %run.run, %error, "the ledger lacks an entry");
    }
    Ok(lanes(pointer.lanes, pointer.mode))
}

fn events(run: &RunItem) -> Vec<Event> {
    let (Some(pointer), Some(at)) = (&run.plan, run.planned_at) else {
        return Vec::new();
    };
    let event = |kind, at, because: String, numbers| Event {
        run: run.run.clone(),
        at,
        kind,
        shard: None,
        attempt: None,
        lane: None,
        target: None,
        because,
        numbers,
    };
    let figures = [
        ("tasks", pointer.tasks),
        ("shards", pointer.shards),
        ("lanes", pointer.lanes),
    ];
    vec![
        event(
            EventKind::Accepted,
            run.accepted_at,
            format!("accepted: submitted by {}", run.context.principal),
            BTreeMap::new(),
        ),
        event(
            EventKind::Planned,
            at,
            format!(
                "{} tasks in {} shards on {} lanes",
                pointer.tasks, pointer.shards, pointer.lanes
            ),
            figures
                .map(|(name, value)| (name.to_owned(), f64::from(value)))
                .into(),
        ),
    ]
}

/// Plans the run and writes its item: with its plan, or with why there is none.
async fn planned(ports: &Ports, run: &RunItem) -> Result<Result<(), PortError>, StageError> {
    let stored = match stored(ports, run, FIRST).await? {
        Some(stored) => stored,
        None => match made(ports, run).await? {
            Ok(stored) => stored,
            Err(cause) => return Ok(refuse(ports, run, cause).await),
        },
    };
    let key = RunKey {
        run: run.run.clone(),
        partitions: stored.pointer.partitions.max(1),
    };
    create::create(ports, &key, &initial_items(&stored.topology)).await?;
    let now = ports.clock.now();
    let next = lifecycle::planned(run, &stored.workflow, stored.pointer, now);
    let Some(next) = next else { return Ok(Ok(())) };
    let written = ports.run_writes.update_run(&next).await;
    if let (Ok(()), Some(plan)) = (&written, &next.plan) {
        let (tasks, shards, lanes) = (plan.tasks, plan.shards, plan.lanes);
        tracing::info!(run = %next.run, tasks, shards, lanes, "planned");
    }
    Ok(written)
}

/// Reads the document, decides, stores: the plan, or why there is none.
async fn made(ports: &Ports, run: &RunItem) -> Result<Result<Stored, Failure>, StageError> {
    let mut parsed = match read(ports, run).await? {
        Reading::Parsed(parsed) => parsed,
        Reading::Refused(problems) => return Ok(Err(rejected(ports, run, problems).await?)),
        Reading::Lost(why) => return Ok(Err(lifecycle::failure(Cause::InputMissing, &why))),
    };
    let lacking = lacking(&parsed.workflow, input(ports, run).await?.as_ref());
    if !lacking.is_empty() {
        return Ok(Err(rejected(ports, run, lacking).await?));
    }
    let pool = ports.wiring.pool();
    let region = pool.targets.first().map_or("", |t| t.region.as_str());
    let promised = promised::promised(ports, &run.run, region).await?;
    let mut learnt = learnt::fitted(ports, run, &mut parsed.workflow, &pool).await;
    let (outlook, expected) = learnt::outlook(ports, run).await;
    learnt.extend(expected);
    let input = PlanInput {
        run: &run.run,
        generation: FIRST,
        workflow: &parsed.workflow,
        pool: &pool,
        options: &run.options,
        bundles: &run.bundles,
        region,
        outlook: &outlook,
        promised: &promised,
    };
    let mut planned = match decide(&input) {
        Ok(planned) => planned,
        Err(problems) => return Ok(Err(rejected(ports, run, problems).await?)),
    };
    let notes = parsed.notes.iter().map(document::reason);
    planned.plan.reasons.extend(learnt.into_iter().chain(notes));
    store::store_tasks(ports, run, &mut planned, &parsed.workflow).await?;
    let name = parsed.workflow.name.clone();
    drop(parsed);
    let Planned { plan, topology, .. } = planned;
    Ok(Ok(store::store(ports, run, name, plan, topology).await?))
}

/// The run's input, if it has one.
async fn input(ports: &Ports, run: &RunItem) -> Result<Option<Value>, StageError> {
    match &run.input {
        Some(claim) => Ok(Some(claimed_json(ports.blobs.as_ref(), claim).await?)),
        None => Ok(None),
    }
}

/// Stores the problems where the owner finds them; gives the failure that names the first.
async fn rejected(
    ports: &Ports,
    run: &RunItem,
    problems: Vec<Problem>,
) -> Result<Failure, StageError> {
    let errors = problems
        .iter()
        .filter(|p| p.severity == Severity::Error)
        .count();
    let first = problems
        .first()
        .map_or_else(String::new, Problem::to_string);
    let bytes = serde_json::to_vec(&problems).map_err(|e| StageError::Rejected(e.to_string()))?;
    ports
        .blob_writes
        .put(&keys::problems(&run.run), bytes)
        .await?;
    Ok(lifecycle::failure(
        Cause::Rejected,
        &format!("refused for {errors} problems, the first: {first}"),
    ))
}

/// The run fails; aggregate, which follows in the same execution, ends it.
async fn refuse(ports: &Ports, run: &RunItem, cause: Failure) -> Result<(), PortError> {
    tracing::info!(run = %run.run, cause = cause.cause.as_str(), "the run cannot be planned");
    match lifecycle::failing(run, cause, ports.clock.now()) {
        Some(next) => ports.run_writes.update_run(&next).await,
        None => Ok(()),
    }
}
