//! A worker for tests: it reads its inputs, runs its tasks in virtual time, checkpoints, and ends as its seed says.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use foreshard_model::claim::Claim;
use foreshard_model::frontier::Checkpoint;
use foreshard_model::ids::{Attempt, Sha256Hex, ShardId, TargetId, TaskId};
use foreshard_model::message::{
    CaughtError, Cause, ExecuteRequest, Outcome, OutcomeStatus, ShardUsage,
};
use foreshard_model::output::{Located, Manifest, OutputValue, ShardTask, TaskOutput, TaskUsage};
use foreshard_model::plan::Chunk;
use foreshard_model::units::Mib;
use foreshard_model::workflow::Effect;
use foreshard_stages::ports::{
    AttemptWrites as _, BlobReads as _, BlobWrites as _, Clock as _, OutputPointers as _,
    PortError, RunKey, Wiring as _,
};
use serde_json::json;

use super::trouble::Met;
use super::{Execute, Trouble};
use crate::build;
use crate::faults::Fault;
use crate::seeded::Seeded;
use crate::world::World;

/// How attempts end, in a thousand; what is left ends well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fates {
    /// A task fails.
    pub failed: u32,
    /// The worker dies without a reason.
    pub lost: u32,
    /// The function is throttled.
    pub throttled: u32,
    /// The function's time is up.
    pub timeout: u32,
    /// A service does not answer the worker.
    pub unavailable: u32,
    /// It yields after a task, when it has another.
    pub yielded: u32,
    /// It answers long after its deadline.
    pub late: u32,
}

/// The worker and its witness.
pub struct Work {
    world: Arc<World>,
    seed: u64,
    fates: Fates,
    memory: BTreeMap<ShardId, Mib>,
    script: BTreeMap<(ShardId, Attempt), Ending>,
    longest_ms: u64,
    each_ms: Option<u64>,
    trouble: Trouble,
    starts: RefCell<BTreeMap<TaskId, u32>>,
    early: RefCell<Vec<String>>,
}

impl Work {
    /// A worker for whatever shards it is asked to execute.
    #[must_use]
    pub fn new(world: &Arc<World>, seed: u64, fates: Fates) -> Self {
        Self {
            world: Arc::clone(world),
            seed,
            fates,
            memory: BTreeMap::new(),
            script: BTreeMap::new(),
            longest_ms: 3_000,
            each_ms: None,
            trouble: Trouble::default(),
            starts: RefCell::default(),
            early: RefCell::default(),
        }
    }

    /// The shard is killed on every target with less memory.
    #[must_use]
    pub fn needing(mut self, shard: ShardId, memory: Mib) -> Self {
        self.memory.insert(shard, memory);
        self
    }

    /// This attempt of the shard ends so, whatever the seed says.
    #[must_use]
    pub fn ending(mut self, shard: ShardId, attempt: u32, ending: Ending) -> Self {
        self.script.insert((shard, Attempt(attempt)), ending);
        self
    }

    /// Tasks take at most this long; 3 s otherwise.
    #[must_use]
    pub fn taking(mut self, longest_ms: u64) -> Self {
        self.longest_ms = longest_ms;
        self
    }

    /// Every task takes exactly this long.
    #[must_use]
    pub fn each_taking(mut self, each_ms: u64) -> Self {
        self.each_ms = Some(each_ms);
        self
    }

    /// Its targets are in trouble.
    #[must_use]
    pub fn meeting(mut self, trouble: Trouble) -> Self {
        self.trouble = trouble;
        self
    }

    /// How often each task was started.
    #[must_use]
    pub fn starts(&self) -> BTreeMap<TaskId, u32> {
        self.starts.borrow().clone()
    }

    /// Shards that were executed before their predecessors were done.
    #[must_use]
    pub fn early(&self) -> Vec<String> {
        self.early.borrow().clone()
    }

    fn fate(&self, request: &ExecuteRequest) -> Fate {
        let which = format!("fate {} {}", request.shard, request.attempt);
        let mut draws = Seeded::new(self.seed, &which);
        let at = draws.draw();
        if let Some(ending) = self.script.get(&(request.shard, request.attempt)) {
            let ending = *ending;
            return Fate { ending, at };
        }
        let roll = u32::try_from(draws.below(1_000)).unwrap_or_default();
        let f = &self.fates;
        let table = [
            (f.failed, Ending::Failed),
            (f.lost, Ending::Lost),
            (f.throttled, Ending::Throttled),
            (f.timeout, Ending::Timeout),
            (f.unavailable, Ending::Unavailable),
            (f.yielded, Ending::Yielded),
            (f.late, Ending::Late),
        ];
        let mut sum = 0;
        for (share, ending) in table {
            sum += share;
            if roll < sum {
                return Fate { ending, at };
            }
        }
        let ending = Ending::Done;
        Fate { ending, at }
    }
}

/// How an attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Well.
    Done,
    /// A task fails.
    Failed,
    /// The worker dies without a reason.
    Lost,
    /// The function is throttled.
    Throttled,
    /// The function's time is up.
    Timeout,
    /// A service does not answer the worker.
    Unavailable,
    /// It yields after a task, when it has another.
    Yielded,
    /// It answers long after its deadline.
    Late,
}

struct Fate {
    ending: Ending,
    at: u64,
}

/// The execute state of the machine, by this worker.
#[must_use]
pub fn executes(work: &Rc<Work>) -> Execute {
    let work = Rc::clone(work);
    Rc::new(move |target, request| {
        let work = Rc::clone(&work);
        Box::pin(async move { executed(&work, &target, &request).await })
    })
}

fn caught(error: &str, cause: &str) -> CaughtError {
    CaughtError {
        error: error.to_owned(),
        cause: cause.to_owned(),
    }
}

async fn executed(
    work: &Work,
    target: &TargetId,
    request: &ExecuteRequest,
) -> Result<Outcome, CaughtError> {
    let fate = work.fate(request);
    let slower = match work.trouble.met(target, request, work.world.now()) {
        Met::Refused(fault, error) => {
            work.world.faults(|f| f.note(fault));
            return Err(error);
        }
        Met::Slower(fault, times) => {
            work.world.faults(|f| f.note(fault));
            times
        }
        Met::Nothing => 1,
    };
    if fate.ending == Ending::Throttled {
        work.world.faults(|f| f.note(Fault::Throttled));
        let text = "Rate Exceeded.";
        return Err(caught("Lambda.TooManyRequestsException", text));
    }
    let memory = work.world.pool().targets.into_iter();
    let memory = memory.filter(|t| t.id == *target).map(|t| t.memory).max();
    let killed = memory < work.memory.get(&request.shard).copied();
    let ended = attempt(work, request, &fate, (killed, slower)).await;
    match ended {
        Ok(Some(outcome)) => Ok(outcome),
        Ok(None) => Err(match fate.ending {
            Ending::Timeout => caught("Sandbox.Timedout", "Task timed out after 900.00 seconds"),
            _ if killed => caught(
                "Runtime.ExitError",
                "Runtime exited with error: signal: killed",
            ),
            _ => caught(
                "Runtime.ExitError",
                "Runtime exited with error: exit status 1",
            ),
        }),
        Err(_) => Ok(build::failed(
            request.shard,
            request.attempt,
            Cause::Unavailable,
        )),
    }
}

/// The tasks of one attempt; `None`: the worker dies on the way. It is killed by its target, or slower there.
async fn attempt(
    work: &Work,
    request: &ExecuteRequest,
    fate: &Fate,
    (killed, slower): (bool, u64),
) -> Result<Option<Outcome>, PortError> {
    let tasks = tasks(work, request).await?;
    let once = tasks.iter().any(|task| task.effect == Effect::Once);
    let mut manifest = match &request.progress {
        Some(progress) => manifest_of(&work.world.get(&progress.key).await?)?,
        None => build::manifest(&request.run, request.shard, request.attempt, &[]),
    };
    let open: Vec<&ShardTask> = tasks
        .iter()
        .filter(|task| !manifest.tasks.contains_key(&task.id))
        .collect();
    inputs(work, request, &open, &manifest).await?;
    let at = usize::try_from(fate.at % (open.len() as u64).max(1)).unwrap_or_default();
    let each_ms = work.each_ms.unwrap_or(1 + fate.at % work.longest_ms);
    let mut finished = 0;
    for (place, task) in open.iter().map(|task| &task.id).enumerate() {
        let last = place + 1 == open.len();
        if once && !checkpoint(work, request, None, true).await? {
            return Ok(Some(fenced(request)));
        }
        *work.starts.borrow_mut().entry(task.clone()).or_default() += 1;
        work.world.sleep(slower * each_ms).await;
        if place == at {
            match fate.ending {
                Ending::Lost | Ending::Timeout => {
                    work.world.faults(|f| f.note(Fault::WorkerLost));
                    return Ok(None);
                }
                _ if killed => return Ok(None),
                Ending::Failed if !once => {
                    let outcome = build::failed(request.shard, request.attempt, Cause::TaskFailed);
                    return Ok(Some(outcome));
                }
                Ending::Unavailable if !once => {
                    let outcome = build::failed(request.shard, request.attempt, Cause::Unavailable);
                    return Ok(Some(outcome));
                }
                Ending::Late => {
                    work.world.faults(|f| f.note(Fault::StaleAttempt));
                    work.world.sleep(200_000).await;
                }
                _ => {}
            }
        }
        let started_ms = work.world.now().0 - each_ms;
        let output = output(request, task, started_ms, each_ms);
        manifest.tasks.insert(task.clone(), output);
        finished += 1;
        if !last || once {
            let progress = keep(work, request, &manifest).await?;
            if !checkpoint(work, request, Some(progress.clone()), false).await? {
                return Ok(Some(fenced(request)));
            }
            if !last && place == at && fate.ending == Ending::Yielded {
                return Ok(Some(Outcome {
                    usage: usage(finished, each_ms),
                    ..build::yielded(request.shard, request.attempt, Some(progress))
                }));
            }
        }
    }
    let output = keep(work, request, &manifest).await?;
    Ok(Some(Outcome {
        output: Some(output),
        usage: usage(finished, each_ms),
        ..build::outcome(request.shard, request.attempt, OutcomeStatus::Done)
    }))
}

fn output(request: &ExecuteRequest, task: &TaskId, started_ms: u64, took_ms: u64) -> TaskOutput {
    TaskOutput {
        attempt: request.attempt,
        value: OutputValue::Inline(json!({ "task": task })),
        files: BTreeMap::new(),
        usage: TaskUsage {
            started_ms,
            duration_ms: took_ms,
            ..TaskUsage::default()
        },
    }
}

/// The shard's tasks, as its chunk has them.
async fn tasks(work: &Work, request: &ExecuteRequest) -> Result<Vec<ShardTask>, PortError> {
    let bytes = work.world.get(&request.chunk.key).await?;
    let chunk: Chunk =
        serde_json::from_slice(&bytes).map_err(|error| PortError::Corrupt(error.to_string()))?;
    let mut shards = chunk.shards.into_iter();
    let found = shards.find(|shard| shard.id == request.shard);
    found
        .map(|shard| shard.tasks)
        .ok_or_else(|| PortError::NotFound(format!("the tasks of shard {}", request.shard)))
}

/// Reads what the open tasks need of other shards, wherever those were cut again; what is missing is noted.
async fn inputs(
    work: &Work,
    request: &ExecuteRequest,
    open: &[&ShardTask],
    own: &Manifest,
) -> Result<(), PortError> {
    for (task, located) in open
        .iter()
        .flat_map(|t| t.inputs.values().map(move |l| (t, l)))
    {
        let Located::Task {
            shard, task: from, ..
        } = located
        else {
            continue;
        };
        let found = match *shard == request.shard {
            // In this attempt, or to come: tasks run one after another.
            true => own.tasks.contains_key(from) || open.iter().any(|t| t.id == *from),
            false => is_there(work, request, *shard, from).await?,
        };
        if !found {
            let (by, own) = (&task.id, request.shard);
            let text = format!("`{by}` of shard {own} began before `{from}` of {shard} was there");
            work.early.borrow_mut().push(text);
        }
    }
    Ok(())
}

async fn is_there(
    work: &Work,
    request: &ExecuteRequest,
    shard: ShardId,
    task: &TaskId,
) -> Result<bool, PortError> {
    let mut asked = vec![shard];
    while !asked.is_empty() {
        let pointers = work.world.pointers(&key(request), &asked).await?;
        asked.clear();
        for (id, pointer) in pointers {
            if let Some(output) = &pointer.output {
                let manifest = manifest_of(&work.world.get(&output.key).await?)?;
                if manifest.shard != id {
                    let text = format!("shard {id} has the manifest of {}", manifest.shard);
                    return Err(PortError::Corrupt(text));
                }
                if manifest.tasks.contains_key(task) {
                    return Ok(true);
                }
            }
            asked.extend(pointer.behind);
        }
    }
    Ok(false)
}

fn key(request: &ExecuteRequest) -> RunKey {
    RunKey {
        run: request.run.clone(),
        partitions: request.partitions,
    }
}

fn manifest_of(bytes: &[u8]) -> Result<Manifest, PortError> {
    serde_json::from_slice(bytes).map_err(|error| PortError::Corrupt(error.to_string()))
}

async fn keep(
    work: &Work,
    request: &ExecuteRequest,
    manifest: &Manifest,
) -> Result<Claim, PortError> {
    let bytes = serde_json::to_vec(manifest).unwrap_or_default();
    let sha256 = Sha256Hex::of(&bytes);
    let (run, shard, attempt) = (&request.run, request.shard, request.attempt);
    let claim = build::claim(
        &format!("runs/{run}/shards/{shard}/{attempt}/0/{sha256}"),
        &bytes,
    );
    work.world.put(&claim.key, bytes).await?;
    Ok(claim)
}

async fn checkpoint(
    work: &Work,
    request: &ExecuteRequest,
    progress: Option<Claim>,
    started_once: bool,
) -> Result<bool, PortError> {
    let checkpoint = Checkpoint {
        run: request.run.clone(),
        shard: request.shard,
        attempt: request.attempt,
        progress,
        started_once,
    };
    work.world.checkpoint(&key(request), &checkpoint).await
}

fn fenced(request: &ExecuteRequest) -> Outcome {
    build::outcome(request.shard, request.attempt, OutcomeStatus::Fenced)
}

fn usage(tasks: u32, each_ms: u64) -> ShardUsage {
    ShardUsage {
        duration_ms: u64::from(tasks) * each_ms,
        cpu_ms: u64::from(tasks) * each_ms,
        peak_kib: 65_536,
        tasks,
        cold: false,
    }
}
