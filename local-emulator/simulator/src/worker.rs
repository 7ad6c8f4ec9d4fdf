//! The worker on a simulated target: opens a shard, runs its tasks at the pace of its vCPUs, yields in time, stores what came.
//!
//! Which task starts, which still fits and what is kept for the end are the production decisions (`engine::execute`).

mod drive;
mod open;
mod tasks;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use foreshard_engine::place::WORKER_MIB;
use foreshard_model::claim::Claim;
use foreshard_model::ids::{Sha256Hex, ShardId, TaskId};
use foreshard_model::message::{
    Cause, ExecuteRequest, Failure, Outcome, OutcomeStatus, ShardUsage,
};
use foreshard_model::output::{Manifest, ShardTask};
use foreshard_model::target::Target;
use foreshard_stages::ports::{BlobWrites as _, PortError, RunKey};
use futures_util::future::join;

use crate::cloud::{Cloud, Service};
use crate::invoke::Context;
use crate::parameters::API_MS;

use self::drive::{Drive, End};
use self::open::Opened;
pub(crate) use self::tasks::{Reality, task_ms};

/// Chunks that are kept parsed: each is a quarter of a megabyte.
const CHUNKS_KEPT: usize = 64;

/// Tasks of shards, by id.
type Shards = BTreeMap<ShardId, Rc<Vec<ShardTask>>>;

/// What all workers share: the services, what tasks really take, and what was read before.
pub(crate) struct Worker {
    cloud: Arc<Cloud>,
    reality: Reality,
    chunks: RefCell<Vec<(String, Rc<Shards>)>>,
    /// Sizes of the files that were written, by task and name.
    written: RefCell<BTreeMap<(TaskId, String), u64>>,
}

/// An attempt under way.
pub(crate) struct Attempt<'a> {
    worker: &'a Worker,
    target: &'a Target,
    request: &'a ExecuteRequest,
    cold: bool,
    /// How fast its vCPUs are: 1 is what estimates are given for.
    speed: f64,
}

impl Worker {
    pub(crate) fn new(cloud: &Arc<Cloud>, reality: Reality) -> Self {
        Self {
            cloud: Arc::clone(cloud),
            reality,
            chunks: RefCell::default(),
            written: RefCell::default(),
        }
    }

    /// Executes a shard on a target. The error is how the process died.
    pub(crate) async fn execute(
        &self,
        target: &Target,
        request: &ExecuteRequest,
        context: Context,
    ) -> Result<Outcome, String> {
        let attempt = Attempt {
            worker: self,
            target,
            request,
            cold: context.cold,
            speed: target.speed / context.slower,
        };
        attempt.run().await
    }
}

impl Attempt<'_> {
    fn key(&self) -> RunKey {
        RunKey {
            run: self.request.run.clone(),
            partitions: self.request.partitions.max(1),
        }
    }

    async fn run(&self) -> Result<Outcome, String> {
        let cloud = &self.worker.cloud;
        let begun = cloud.timeline.now();
        let Opened { tasks, manifest } = match self.open().await {
            Ok(opened) => opened,
            Err(error) => {
                let cause = match &error {
                    PortError::NotFound(_) | PortError::Corrupt(_) => Cause::InputMissing,
                    _ => Cause::Unavailable,
                };
                let failure = failure(cause, None, error.to_string());
                let mut outcome = self.outcome(OutcomeStatus::Failed);
                outcome.failure = Some(failure);
                outcome.progress.clone_from(&self.request.progress);
                outcome.usage.duration_ms = cloud.timeline.now().since(begun);
                return Ok(outcome);
            }
        };
        let mut drive = Drive::new(self, &tasks, manifest, begun);
        let end = drive.run().await?;
        let mut outcome = self.concluded(&mut drive, end).await;
        outcome.usage = ShardUsage {
            duration_ms: cloud.timeline.now().since(begun),
            cpu_ms: drive.cpu_ms.round() as u64,
            peak_kib: u64::from(WORKER_MIB + drive.peak_mib) * 1_024,
            tasks: drive.finished,
            cold: self.cold,
        };
        Ok(outcome)
    }

    async fn concluded(&self, drive: &mut Drive<'_>, end: End) -> Outcome {
        let cloud = &self.worker.cloud;
        let publishing = async {
            cloud.publishes();
            cloud.takes(Service::Functions, API_MS).await;
        };
        let (stored, ()) = join(self.store(&drive.manifest), publishing).await;
        let claim = match stored {
            Ok(claim) => claim,
            Err(error) => {
                let mut outcome = self.outcome(OutcomeStatus::Failed);
                outcome.failure = Some(failure(Cause::Unavailable, None, error.to_string()));
                return outcome;
            }
        };
        // The last checkpoint of an attempt that did not finish tells whether it still counts.
        let counts = match end {
            End::Done | End::Fenced => true,
            End::Yielded | End::Failed(_) => drive.checkpoint(Some(claim.clone()), false).await,
        };
        let mut outcome = match end {
            _ if !counts => return self.outcome(OutcomeStatus::Fenced),
            End::Done => self.outcome(OutcomeStatus::Done),
            End::Fenced => return self.outcome(OutcomeStatus::Fenced),
            End::Yielded => self.outcome(OutcomeStatus::Yielded),
            End::Failed(failure) => {
                let mut outcome = self.outcome(OutcomeStatus::Failed);
                outcome.failure = Some(failure);
                outcome
            }
        };
        match outcome.status {
            OutcomeStatus::Done => {
                // Nobody reads the last checkpoint any more: what is kept is bounded by the results.
                drive.forget_checkpoint();
                outcome.output = Some(claim);
            }
            _ => outcome.progress = Some(claim),
        }
        outcome
    }

    /// Stores a manifest under its digest.
    async fn store(&self, manifest: &Manifest) -> Result<Claim, PortError> {
        let (claim, bytes) = self.claim(manifest);
        self.worker.cloud.put(&claim.key, bytes).await?;
        Ok(claim)
    }

    fn claim(&self, manifest: &Manifest) -> (Claim, Vec<u8>) {
        let bytes = serde_json::to_vec(manifest).unwrap_or_default();
        let sha256 = Sha256Hex::of(&bytes);
        let request = self.request;
        let (run, shard, attempt) = (&request.run, request.shard, request.attempt);
        let claim = Claim {
            key: format!("runs/{run}/shards/{shard}/{attempt}/0/{sha256}"),
            sha256,
            bytes: bytes.len() as u64,
        };
        (claim, bytes)
    }

    fn outcome(&self, status: OutcomeStatus) -> Outcome {
        Outcome {
            shard: self.request.shard,
            attempt: self.request.attempt,
            status,
            output: None,
            progress: None,
            failure: None,
            usage: ShardUsage::default(),
        }
    }
}

fn failure(cause: Cause, task: Option<TaskId>, message: String) -> Failure {
    Failure {
        cause,
        task,
        message,
    }
}
