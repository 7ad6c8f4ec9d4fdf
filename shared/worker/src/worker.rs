//! The worker: takes one shard at a time, runs its tasks, and answers with where their outputs are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use foreshard_model::ids::RunId;
use foreshard_model::message::{ExecuteRequest, Outcome};
use foreshard_stages::StageError;
use foreshard_stages::ports::{
    AttemptWrites, BlobReads, BlobWrites, Clock, FunctionCalls, Metrics, OutputPointers,
    TaskIdentity,
};
use tokio::sync::Mutex;

use crate::attempt;
use crate::environment::{Home, RunState};
use crate::handlers::Handlers;
use crate::process::children::Children;
use crate::settings::Settings;

/// How long killed processes may take to be gone before the next shard is taken.
const GONE_MS: u64 = 5_000;

/// What a worker needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// Reads chunks, inputs, bundles.
    pub reads: Arc<dyn BlobReads>,
    /// Writes outputs, manifests, logs, the trace.
    pub writes: Arc<dyn BlobWrites>,
    /// Writes checkpoints.
    pub attempts: Arc<dyn AttemptWrites>,
    /// Finds the outputs of other shards.
    pub pointers: Arc<dyn OutputPointers>,
    /// Assumes the role of tasks.
    pub identity: Arc<dyn TaskIdentity>,
    /// Invokes users' functions.
    pub calls: Arc<dyn FunctionCalls>,
    /// Publishes samples; `None`: nothing is published.
    pub metrics: Option<Arc<dyn Metrics>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Runs the tasks of shards. Keep one for the life of the process: it keeps files and manifests between the shards of a run.
///
/// Build your own binary around it to have handlers of your own: `docs/worker.md` has an example.
pub struct Worker {
    pub(crate) ports: Ports,
    pub(crate) handlers: Handlers,
    pub(crate) settings: Settings,
    pub(crate) children: Arc<Children>,
    place: Mutex<Place>,
    warm: AtomicBool,
}

#[derive(Default)]
struct Place {
    home: Option<Home>,
    run: Option<RunState>,
}

impl Worker {
    /// A worker that has not executed anything. It touches nothing before the first shard.
    #[must_use]
    pub fn new(ports: Ports, handlers: Handlers, settings: Settings) -> Self {
        if settings.owns_process {
            // What a task leaves behind becomes a child of this process, where it can be found.
            let me = rustix::process::getpid();
            let _old_kernel = rustix::process::set_child_subreaper(Some(me));
        }
        Self {
            ports,
            handlers,
            settings,
            children: Arc::default(),
            place: Mutex::default(),
            warm: AtomicBool::new(false),
        }
    }

    /// Executes one attempt of a shard; `remaining_ms` is what is left of the invocation. A second call waits for the
    /// first: an environment has one shard at a time.
    ///
    /// How the attempt ended is in the outcome: done, yielded, failed with its cause, or fenced off by a later attempt.
    ///
    /// # Errors
    /// [`StageError::Unavailable`] when the worker has no place on disk, [`StageError::Rejected`] when the chunk does
    /// not hold the shard.
    pub async fn execute(
        &self,
        request: ExecuteRequest,
        remaining_ms: u64,
    ) -> Result<Outcome, StageError> {
        let mut place = self.place.lock().await;
        self.execute_in(&mut place, &request, remaining_ms).await
    }

    async fn execute_in(
        &self,
        place: &mut Place,
        request: &ExecuteRequest,
        remaining_ms: u64,
    ) -> Result<Outcome, StageError> {
        let cold = !self.warm.swap(true, Ordering::Relaxed);
        self.end_processes().await;
        let run = self.enter(place, &request.run).map_err(no_disk)?;
        let outcome = attempt::execute(self, run, request, remaining_ms, cold).await;
        self.end_processes().await;
        if let Err(error) = run.clear_scratch() {
            // The next shard empties it before it starts, or answers that it cannot.
            tracing::warn!(%error, "the scratch could not be emptied");
        }
        outcome
    }

    /// Gives the state of the run. That of another run is wiped first, and so is whatever an attempt left in its scratch.
    fn enter<'a>(&self, place: &'a mut Place, run: &RunId) -> std::io::Result<&'a RunState> {
        let home = match place.home.take() {
            Some(home) => place.home.insert(home),
            None => place.home.insert(Home::open(&self.settings.root)?),
        };
        let state = match place.run.take().filter(|state| state.run == *run) {
            Some(state) => {
                state.clear_scratch()?;
                state
            }
            None => RunState::enter(home, run, &self.settings)?,
        };
        Ok(place.run.insert(state))
    }

    /// No process of a task outlives its shard.
    async fn end_processes(&self) {
        let gone = self.children.none_left();
        if tokio::time::timeout(Duration::from_millis(GONE_MS), gone)
            .await
            .is_err()
        {
            tracing::warn!("a killed process of a task has not gone");
        }
        if self.settings.owns_process && !self.children.sweep().await {
            tracing::warn!("a killed process that had left its task has not gone");
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that map_err wants"
)]
fn no_disk(error: std::io::Error) -> StageError {
    StageError::Unavailable(format!("the worker has no place on disk: {error}"))
}
