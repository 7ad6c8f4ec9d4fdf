//! One attempt of a shard: opened from its claims, driven to an end, answered.

pub(crate) mod checkpoint;
mod drive;
mod open;
mod outside;
pub(crate) mod progress;
pub(crate) mod uploads;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use foreshard_engine::execute::margin_ms;
use foreshard_model::claim::Claim;
use foreshard_model::ids::{ShardId, TaskId};
use foreshard_model::message::{
    Cause, ExecuteRequest, Failure, Outcome, OutcomeStatus, ShardUsage,
};
use foreshard_model::output::{ShardTask, TaskOutput};
use foreshard_stages::StageError;
use foreshard_stages::ports::RunKey;
use serde_json::Value;
use tokio::time::Instant;

use self::checkpoint::Checkpoints;
use self::drive::{Verdict, drive};
use self::open::{Opened, open};
use self::progress::Progress;
use crate::environment::RunState;
use crate::process::proc;
use crate::sampler::metrics::{self, Execution};
use crate::sampler::{Sampled, Sampler};
use crate::worker::Worker;

/// How long publishing metrics may take after everything else is done: they are worth less than the answer.
const METRICS_MS: u64 = 2_000;

/// One attempt under way.
pub(crate) struct Attempt<'a> {
    pub(crate) worker: &'a Worker,
    pub(crate) run: &'a RunState,
    pub(crate) request: &'a ExecuteRequest,
    pub(crate) tasks: Vec<ShardTask>,
    /// Outputs of other shards that its tasks read.
    pub(crate) outside: BTreeMap<(ShardId, TaskId), TaskOutput>,
    /// The run's input, where a task reads it.
    pub(crate) input: Option<Arc<Value>>,
    pub(crate) progress: Progress,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) sampler: Sampler,
    pub(crate) time: Time,
    /// Whether it is the first of its environment.
    pub(crate) cold: bool,
}

/// When an attempt began, and when it must come to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time {
    pub(crate) began: Instant,
    /// No task runs longer; what follows is the last checkpoint and the answer.
    pub(crate) yields: Instant,
    /// Nothing is waited for longer.
    pub(crate) ends: Instant,
}

impl Time {
    fn of(worker: &Worker, request: &ExecuteRequest, remaining_ms: u64) -> Self {
        let began = Instant::now();
        let left_ms = request
            .deadline
            .since(worker.ports.clock.now())
            .min(remaining_ms);
        let margin_ms = margin_ms(left_ms);
        Self {
            began,
            yields: began + Duration::from_millis(left_ms - margin_ms),
            ends: began + Duration::from_millis(left_ms - margin_ms / 4),
        }
    }

    /// Milliseconds until running tasks are stopped.
    pub(crate) fn left_ms(&self) -> u64 {
        milliseconds(self.yields.saturating_duration_since(Instant::now()))
    }
}

/// A duration in whole milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Attempt<'_> {
    /// Where the run's shards are.
    pub(crate) fn run_key(&self) -> RunKey {
        run_key(self.request)
    }
}

fn run_key(request: &ExecuteRequest) -> RunKey {
    RunKey {
        run: request.run.clone(),
        partitions: request.partitions.max(1),
    }
}

/// Executes the attempt.
///
/// # Errors
/// [`StageError::Rejected`] when the chunk does not hold the shard.
pub(crate) async fn execute(
    worker: &Worker,
    run: &RunState,
    request: &ExecuteRequest,
    remaining_ms: u64,
    cold: bool,
) -> Result<Outcome, StageError> {
    let time = Time::of(worker, request, remaining_ms);
    let cpu_before_ms = own_cpu_ms();
    let Opened {
        tasks,
        outside,
        input,
        restored,
    } = match open(worker, run, request).await? {
        Ok(opened) => opened,
        Err(failure) => {
            let answer = Answer::failed(failure, request.progress.clone());
            let usage = ShardUsage {
                duration_ms: milliseconds(time.began.elapsed()),
                cpu_ms: own_cpu_ms() - cpu_before_ms,
                peak_kib: proc::peak_kib(std::process::id()),
                tasks: 0,
                cold,
            };
            return Ok(answer.outcome(request, usage));
        }
    };
    let sampler = Sampler::start(worker.settings.sample_every_ms, worker.ports.clock.now());
    let attempt = Attempt {
        worker,
        run,
        request,
        tasks,
        outside,
        input,
        progress: Progress::restored(restored),
        checkpoints: Checkpoints::after(request.progress.clone()),
        sampler,
        time,
        cold,
    };
    let driven = drive(&attempt).await;
    Ok(attempt.answer(driven, cpu_before_ms).await)
}

/// What came of driving an attempt.
struct Driven {
    verdict: Verdict,
    executions: Vec<Execution>,
    tasks_cpu_ms: u64,
    finished: u32,
}

impl Attempt<'_> {
    /// What is told of the attempt as a whole.
    fn metrics(&self, driven: &Driven) -> metrics::AttemptUse {
        metrics::AttemptUse {
            ended_at: self.worker.ports.clock.now(),
            duration_ms: milliseconds(self.time.began.elapsed()),
            failed: matches!(driven.verdict, Verdict::Failed(_)),
            cold: self.cold,
        }
    }

    /// Stores the manifest and publishes the samples at the same time, and answers.
    async fn answer(self, driven: Driven, cpu_before_ms: u64) -> Outcome {
        let of_attempt = self.metrics(&driven);
        let Driven {
            verdict,
            executions,
            tasks_cpu_ms,
            finished,
        } = driven;
        let storing = async {
            match verdict {
                Verdict::Done => match self.store_manifest().await {
                    Ok(claim) => Answer::done(claim),
                    Err(error) => {
                        let failure =
                            unavailable(format!("the manifest could not be stored: {error}"));
                        Answer::failed(failure, self.checkpoints.progress())
                    }
                },
                Verdict::Yielded => Answer::yielded(self.checkpoints.progress()),
                Verdict::Failed(failure) => Answer::failed(failure, self.checkpoints.progress()),
                Verdict::Fenced => Answer::fenced(),
            }
        };
        let sampled = self.sampler.sampled();
        let publishing = publish(self.worker, &sampled, &executions, &of_attempt);
        let (answer, ()) = tokio::join!(storing, publishing);
        let usage = ShardUsage {
            duration_ms: milliseconds(self.time.began.elapsed()),
            cpu_ms: own_cpu_ms().saturating_sub(cpu_before_ms) + tasks_cpu_ms,
            peak_kib: sampled.peak_kib.max(proc::peak_kib(std::process::id())),
            tasks: finished,
            cold: self.cold,
        };
        let status = answer.status;
        tracing::info!(
            ?status,
            finished,
            duration_ms = usage.duration_ms,
            "the attempt has ended"
        );
        answer.outcome(self.request, usage)
    }
}

async fn publish(
    worker: &Worker,
    sampled: &Sampled,
    executions: &[Execution],
    attempt: &metrics::AttemptUse,
) {
    let Some(port) = &worker.ports.metrics else {
        return;
    };
    let samples = metrics::of(sampled, executions, attempt, &worker.settings.target);
    let published =
        tokio::time::timeout(Duration::from_millis(METRICS_MS), port.publish(&samples)).await;
    match published {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "metrics were not published"),
        Err(_) => tracing::warn!(limit_ms = METRICS_MS, "metrics were not published in time"),
    }
}

fn own_cpu_ms() -> u64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    u64::try_from(used.tv_sec * 1_000 + used.tv_nsec / 1_000_000).unwrap_or_default()
}

/// Something that a repeat may cure, of no task in particular.
pub(crate) fn unavailable(message: String) -> Failure {
    Failure {
        cause: Cause::Unavailable,
        task: None,
        message,
    }
}

/// How the attempt ended, without what it used.
struct Answer {
    status: OutcomeStatus,
    output: Option<Claim>,
    progress: Option<Claim>,
    failure: Option<Failure>,
}

impl Answer {
    fn done(output: Claim) -> Self {
        Self {
            status: OutcomeStatus::Done,
            output: Some(output),
            progress: None,
            failure: None,
        }
    }

    fn yielded(progress: Option<Claim>) -> Self {
        Self {
            status: OutcomeStatus::Yielded,
            output: None,
            progress,
            failure: None,
        }
    }

    fn failed(failure: Failure, progress: Option<Claim>) -> Self {
        tracing::warn!(
            cause = failure.cause.as_str(),
            task = failure.task.as_ref().map(TaskId::as_str),
            "{}",
            failure.message
        );
        Self {
            status: OutcomeStatus::Failed,
            output: None,
            progress,
            failure: Some(failure),
        }
    }

    fn fenced() -> Self {
        Self {
            status: OutcomeStatus::Fenced,
            output: None,
            progress: None,
            failure: None,
        }
    }

    fn outcome(self, request: &ExecuteRequest, usage: ShardUsage) -> Outcome {
        Outcome {
            shard: request.shard,
            attempt: request.attempt,
            status: self.status,
            output: self.output,
            progress: self.progress,
            failure: self.failure,
            usage,
        }
    }
}
