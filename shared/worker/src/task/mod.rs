//! One task: its inputs are gathered, its kind runs it, its outputs are kept.

pub(crate) mod fault;
mod gather;
mod output;
pub(crate) mod place;
mod slice;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foreshard_model::limits::TASK_LOG_BYTES;
use foreshard_model::output::{ShardTask, TaskOutput, TaskUsage};
use foreshard_model::workflow::Effect;
use serde_json::{Value, json};
use tokio::time::Instant;

use self::fault::Fault;
use self::place::Place;
use crate::attempt::uploads::{Body, Upload};
use crate::attempt::{Attempt, milliseconds};
use crate::keys;
use crate::kinds::{self, Call};
use crate::process::tail::SharedTail;

pub(crate) use self::place::PlacedFile;

static STARTS: AtomicU64 = AtomicU64::new(0);

/// A task that has ended, one way or the other.
pub(crate) struct Ended {
    /// Its position in the shard.
    pub(crate) position: usize,
    /// Its output, or why there is none.
    pub(crate) result: Result<Ran, Fault>,
    /// What it wrote to its standard error; `None` when that is nothing.
    pub(crate) log: Option<Body>,
    /// What it used.
    pub(crate) usage: TaskUsage,
    /// Whether it came as far as being started.
    pub(crate) started: bool,
}

/// What a task left behind.
pub(crate) struct Ran {
    /// As the manifest names it.
    pub(crate) output: TaskOutput,
    /// Its value, for the tasks after it.
    pub(crate) value: Value,
    /// Length of the value as JSON.
    pub(crate) value_bytes: u64,
    /// Length of value and files.
    pub(crate) output_bytes: u64,
    /// What must be stored before the output is safe.
    pub(crate) uploads: Vec<Upload>,
}

/// Runs one task of the attempt. Dropping the future ends the task's process.
pub(crate) async fn run_task<'a>(attempt: &'a Attempt<'a>, position: usize) -> Ended {
    let task = &attempt.tasks[position];
    let mut running = Running {
        attempt,
        task,
        began: Instant::now(),
        log: SharedTail::new(TASK_LOG_BYTES),
        started: false,
        usage: TaskUsage {
            started_ms: attempt.worker.ports.clock.now().0,
            ..TaskUsage::default()
        },
    };
    let result = running.run(position).await;
    let result = result.map_err(|fault| match task.effect {
        Effect::Once if running.started => fault.of_once(),
        _ => fault,
    });
    let log = running.log.take();
    running.usage.duration_ms = milliseconds(running.began.elapsed());
    Ended {
        position,
        result: result.map(|mut ran| {
            ran.output.usage = running.usage;
            ran
        }),
        log: (!log.is_empty()).then_some(Body::Bytes(log)),
        usage: running.usage,
        started: running.started,
    }
}

struct Running<'a> {
    attempt: &'a Attempt<'a>,
    task: &'a ShardTask,
    began: Instant,
    log: SharedTail,
    started: bool,
    usage: TaskUsage,
}

impl Running<'_> {
    async fn run(&mut self, position: usize) -> Result<Ran, Fault> {
        let (attempt, task) = (self.attempt, self.task);
        let place = Place::make(&attempt.run.scratch, position)?;
        if !gather::is_wanted(attempt, task).await? {
            return Ok(output::nothing(attempt));
        }
        let (input, files) = tokio::join!(
            gather::input(attempt, task),
            gather::files(attempt, task, &place)
        );
        let (input, files) = (input?, files?);
        self.usage.read_bytes = input.bytes + files.iter().map(|file| file.bytes).sum::<u64>();
        if task.slice.as_ref().is_some_and(|slice| slice.part > 0)
            && (input.is_empty || files.iter().any(|file| file.is_empty_share))
        {
            // The first part is given what there is, and answers for nothing at all.
            return output::empty(attempt, task, &place).await;
        }
        let mut call = Call {
            attempt,
            task,
            input: input.value,
            files: &files,
            place: &place,
            log: self.log.clone(),
            deadline: Instant::now(),
        };
        let ready = kinds::prepare(&call).await?;
        self.start().await?;
        call.deadline = Instant::now() + Duration::from_millis(task.timeout_ms);
        let answer = kinds::run(call, ready).await;
        self.usage.cpu_ms = answer.used.cpu_ms;
        self.usage.peak_kib = answer.used.peak_kib;
        let value = answer.result?;
        place::check_unchanged(&files)?;
        let ran = output::keep(attempt, task, &place, value).await?;
        self.usage.written_bytes = ran.output_bytes;
        Ok(ran)
    }

    /// Everything is ready: what must be known before the task starts is written now.
    async fn start(&mut self) -> Result<(), Fault> {
        let (attempt, task) = (self.attempt, self.task);
        if task.effect == Effect::Once {
            attempt.progress.open_once(true);
            let accepted = attempt.checkpoint().await;
            if !matches!(accepted, Ok(true)) {
                attempt.progress.open_once(false);
            }
            if !accepted? {
                return Err(Fault::Fenced);
            }
        }
        if attempt.request.trace {
            self.trace().await?;
        }
        self.started = true;
        self.usage.memory = attempt.worker.settings.memory;
        self.usage.cold = attempt.cold;
        Ok(())
    }

    async fn trace(&self) -> Result<(), Fault> {
        let request = self.attempt.request;
        let at = self.attempt.worker.ports.clock.now();
        let number = STARTS.fetch_add(1, Ordering::Relaxed);
        let nonce = format!("{}-{}-{number}", at.0, std::process::id());
        let key = keys::trace_start(request, &self.task.id, &nonce);
        let entry = json!({
            "task": self.task.id,
            "shard": request.shard,
            "attempt": request.attempt,
            "at": at,
        });
        Ok(self
            .attempt
            .worker
            .ports
            .writes
            .put(&key, entry.to_string().into_bytes())
            .await?)
    }
}
