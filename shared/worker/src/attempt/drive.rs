//! Drives an attempt: starts what may start, takes what has ended, stores, checkpoints, and knows when to stop.

use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

use foreshard_engine::execute::{CHECKPOINT_MS, Capacity, Demand, Pace, TaskState, startable};
use foreshard_engine::place::WORKER_MIB;
use foreshard_model::ids::TaskId;
use foreshard_model::message::{Cause, Failure};
use foreshard_model::output::ShardTask;
use foreshard_model::units::Mib;
use foreshard_model::workflow::Effect;
use foreshard_stages::ports::PortResult;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::uploads::{Stored, Upload, Uploads};
use super::{Attempt, Driven, unavailable};
use crate::keys;
use crate::sampler::metrics::Execution;
use crate::task::fault::Fault;
use crate::task::{Ended, Ran, run_task};

/// How an attempt ended.
pub(super) enum Verdict {
    /// Every task has finished and is safe.
    Done,
    /// Some have; the rest goes on in the next attempt.
    Yielded,
    /// A task failed, or something else did.
    Failed(Failure),
    /// A later attempt has taken over.
    Fenced,
}

/// Why nothing further is started.
enum Stop {
    Yield,
    Fail(Failure),
    Fenced,
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

struct Drive<'a> {
    attempt: &'a Attempt<'a>,
    demands: Vec<Demand>,
    states: Vec<TaskState>,
    running: FuturesUnordered<Boxed<'a, Ended>>,
    uploads: Uploads,
    checkpoint: Option<Boxed<'a, PortResult<bool>>>,
    checkpoint_due: bool,
    pace: Pace,
    stop: Option<Stop>,
    /// Running tasks are stopped then.
    limit: Instant,
    executions: Vec<Execution>,
    tasks_cpu_ms: u64,
    finished: u32,
}

/// Runs the tasks that have not finished, until they have, or until something stops the attempt.
pub(super) async fn drive<'a>(attempt: &'a Attempt<'a>) -> Driven {
    let state = |task: &ShardTask| match attempt.progress.get(&task.id) {
        Some(_) => TaskState::Finished,
        None => TaskState::Waiting,
    };
    let mut drive = Drive {
        attempt,
        demands: attempt.tasks.iter().map(Demand::of).collect(),
        states: attempt.tasks.iter().map(state).collect(),
        running: FuturesUnordered::new(),
        uploads: Uploads::new(attempt.worker.ports.writes.clone()),
        checkpoint: None,
        checkpoint_due: false,
        pace: Pace::default(),
        stop: None,
        limit: attempt.time.yields,
        executions: Vec::new(),
        tasks_cpu_ms: 0,
        finished: 0,
    };
    drive.run().await;
    let verdict = drive.conclude().await;
    Driven {
        verdict,
        executions: drive.executions,
        tasks_cpu_ms: drive.tasks_cpu_ms,
        finished: drive.finished,
    }
}

impl<'a> Drive<'a> {
    async fn run(&mut self) {
        loop {
            self.start_ready();
            if self.running.is_empty() || matches!(self.stop, Some(Stop::Fenced)) {
                break;
            }
            tokio::select! {
                Some(ended) = self.running.next() => self.take_ended(ended),
                Some(stored) = self.uploads.next(), if !self.uploads.is_idle() => self.take_stored(stored),
                accepted = poll(&mut self.checkpoint), if self.checkpoint.is_some() => self.take_checkpoint(accepted),
                () = tokio::time::sleep_until(self.limit) => {
                    self.out_of_time();
                    break;
                }
            }
            self.start_checkpoint();
        }
        self.running.clear(); // kills what still runs
    }

    fn start_ready(&mut self) {
        if self.stop.is_some() {
            return;
        }
        let settings = &self.attempt.worker.settings;
        let capacity = Capacity {
            vcpus: settings.vcpus,
            memory: Mib(settings.memory.0.saturating_sub(WORKER_MIB)),
        };
        let ready = startable(&self.demands, &self.states, capacity);
        let waiting = !ready.is_empty();
        for position in ready {
            let task = &self.attempt.tasks[position];
            // The first task of an attempt is started in any case: otherwise no attempt would ever get further.
            let first = self.finished == 0 && self.running.is_empty();
            if first || self.pace.expected_ms(task) <= self.attempt.time.left_ms() {
                self.states[position] = TaskState::Running;
                self.running
                    .push(Box::pin(run_task(self.attempt, position)));
            }
        }
        if waiting && self.running.is_empty() {
            tracing::info!(
                left_ms = self.attempt.time.left_ms(),
                "the next task would not end in time"
            );
            self.stop = Some(Stop::Yield);
        }
    }

    fn take_ended(&mut self, ended: Ended) {
        let task = &self.attempt.tasks[ended.position];
        self.tasks_cpu_ms += ended.usage.cpu_ms;
        self.executions.push(Execution {
            task_type: task.task_type.clone(),
            ended_at: self.attempt.worker.ports.clock.now(),
            duration_ms: ended.usage.duration_ms,
            peak_kib: ended.usage.peak_kib,
            read_bytes: ended.usage.read_bytes,
            written_bytes: ended.usage.written_bytes,
            failed: ended.result.is_err(),
        });
        if let Some(body) = ended.log {
            let key = keys::log(self.attempt.request, &task.id);
            self.uploads.add(None, Upload { key, body });
        }
        match ended.result {
            Ok(ran) => {
                self.states[ended.position] = TaskState::Finished;
                self.pace.record(&task.task_type, ended.usage.duration_ms);
                self.take_output(task, ran);
            }
            Err(Fault::Fenced) => self.stop = Some(Stop::Fenced),
            Err(fault) => {
                self.states[ended.position] = TaskState::Waiting;
                if task.effect == Effect::Once
                    && fault.cause() != Cause::OutcomeUnknown
                    && ended.started
                {
                    self.attempt.progress.open_once(false);
                }
                self.fail(fault.failure(&task.id));
            }
        }
    }

    fn take_output(&mut self, task: &ShardTask, ran: Ran) {
        self.finished += 1;
        let id = task.id.clone();
        self.attempt
            .progress
            .finish(id.clone(), ran.output, ran.value, ran.value_bytes);
        let stored_at_once = ran.uploads.is_empty();
        for upload in ran.uploads {
            self.uploads.add(Some(id.clone()), upload);
        }
        if stored_at_once {
            self.make_safe(task);
        }
        let elapsed = u128::from(task.cut.when_elapsed_exceeds_ms.unwrap_or(u64::MAX));
        let bytes = task.cut.when_output_exceeds_bytes.unwrap_or(u64::MAX);
        let cut =
            ran.output_bytes > bytes || self.attempt.time.began.elapsed().as_millis() > elapsed;
        let more = self
            .states
            .iter()
            .any(|state| *state != TaskState::Finished);
        if cut && more && self.stop.is_none() {
            tracing::info!(task = %task.id, bytes = ran.output_bytes, "an annotation ends the shard after this task");
            self.stop = Some(Stop::Yield);
        }
    }

    fn make_safe(&mut self, task: &ShardTask) {
        self.attempt.progress.make_safe(&task.id);
        self.checkpoint_due = true;
        if task.effect == Effect::Once {
            self.attempt.progress.open_once(false);
        }
    }

    fn take_stored(&mut self, stored: Stored) {
        match (stored.task, stored.result) {
            (None, Ok(())) => {}
            (None, Err(error)) => tracing::warn!(%error, "a task's log was not stored"),
            (Some(id), Ok(())) => {
                let task = self.attempt.tasks.iter().find(|task| task.id == id);
                if let Some(task) = task.filter(|_| stored.last) {
                    self.make_safe(task);
                }
            }
            (Some(id), Err(error)) => {
                let mut failure = unavailable(format!(
                    "an output of task `{id}` could not be stored: {error}"
                ));
                failure.task = Some(id);
                self.fail(failure);
            }
        }
    }

    /// The first failure counts. Siblings may go on for a while: what they finish need not be repeated.
    fn fail(&mut self, failure: Failure) {
        if matches!(self.stop, Some(Stop::Fail(_) | Stop::Fenced)) {
            return;
        }
        let grace = Duration::from_millis(self.attempt.worker.settings.sibling_grace_ms);
        self.limit = self.limit.min(Instant::now() + grace);
        self.stop = Some(Stop::Fail(failure));
    }

    fn start_checkpoint(&mut self) {
        // A `once` task's output is made known at once: until then a lost worker means that its end is unknown.
        let waited = self.attempt.checkpoints.age_ms() >= u128::from(CHECKPOINT_MS)
            || self.attempt.checkpoints.marks_once();
        let more = self
            .states
            .iter()
            .any(|state| *state != TaskState::Finished);
        if self.checkpoint_due && waited && more && self.checkpoint.is_none() {
            self.checkpoint_due = false;
            self.checkpoint = Some(Box::pin(self.attempt.checkpoint()));
        }
    }

    fn take_checkpoint(&mut self, accepted: PortResult<bool>) {
        self.checkpoint = None;
        match accepted {
            Ok(true) => {}
            Ok(false) => self.stop = Some(Stop::Fenced),
            // The next one, or the answer, says as much.
            Err(error) => tracing::warn!(%error, "a checkpoint was not written"),
        }
    }

    /// Running tasks are stopped. Whoever stopped the attempt before has said why.
    fn out_of_time(&mut self) {
        if self.stop.is_some() {
            return;
        }
        let running = (0..self.states.len()).filter(|i| self.states[*i] == TaskState::Running);
        let tasks: Vec<&ShardTask> = running
            .map(|position| &self.attempt.tasks[position])
            .collect();
        let Some(first) = tasks
            .iter()
            .find(|task| task.effect == Effect::Once)
            .or(tasks.first())
        else {
            return;
        };
        let limit_ms = super::milliseconds(self.attempt.time.yields - self.attempt.time.began);
        self.stop = Some(
            if first.effect == Effect::Once && self.attempt.progress.once_is_open() {
                let because = format!("the attempt ended after {limit_ms} ms");
                Stop::Fail(Fault::OutcomeUnknown { because }.failure(&first.id))
            } else if self.finished > 0 {
                Stop::Yield
            } else {
                Stop::Fail(Failure {
                    cause: Cause::Timeout,
                    task: Some(first.id.clone()),
                    message: format!(
                        "task `{}`: did not end within the {limit_ms} ms that the attempt had",
                        first.id
                    ),
                })
            },
        );
    }

    /// Nothing runs any more: waits for what is on its way, writes the last checkpoint, and says how it ended.
    async fn conclude(&mut self) -> Verdict {
        if !matches!(self.stop, Some(Stop::Fenced)) {
            self.checkpoint = None; // the last one says more
            self.drain().await;
        }
        let unfinished: Option<TaskId> = (0..self.states.len())
            .find(|i| self.states[*i] != TaskState::Finished)
            .map(|i| self.attempt.tasks[i].id.clone());
        match self.stop.take() {
            Some(Stop::Fenced) => Verdict::Fenced,
            Some(Stop::Fail(failure)) => self.last_checkpoint(Verdict::Failed(failure)).await,
            None | Some(Stop::Yield) if unfinished.is_none() => Verdict::Done,
            Some(Stop::Yield) => self.last_checkpoint(Verdict::Yielded).await,
            None => {
                let failure = Failure {
                    cause: Cause::Rejected,
                    task: unfinished,
                    message: "the tasks of the shard wait for each other".to_owned(),
                };
                self.last_checkpoint(Verdict::Failed(failure)).await
            }
        }
    }

    /// Waits until all outputs are stored.
    async fn drain(&mut self) {
        while !self.uploads.is_idle() {
            match tokio::time::timeout_at(self.attempt.time.ends, self.uploads.next()).await {
                Ok(Some(stored)) => self.take_stored(stored),
                Ok(None) => return,
                Err(_) => {
                    self.fail(unavailable(
                        "the outputs could not be stored in time".to_owned(),
                    ));
                    return;
                }
            }
        }
    }

    async fn last_checkpoint(&self, verdict: Verdict) -> Verdict {
        match tokio::time::timeout_at(self.attempt.time.ends, self.attempt.checkpoint()).await {
            Ok(Ok(true)) => verdict,
            Ok(Ok(false)) => Verdict::Fenced,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the last checkpoint was not written");
                verdict
            }
            Err(_) => {
                tracing::warn!("the last checkpoint was not written in time");
                verdict
            }
        }
    }
}

/// Polls a checkpoint that may not be there; it then never ends.
async fn poll(checkpoint: &mut Option<Boxed<'_, PortResult<bool>>>) -> PortResult<bool> {
    match checkpoint {
        Some(future) => future.as_mut().await,
        None => pending().await,
    }
}
