//! The kinds of task, one file for each: what each needs before it starts, and how it runs.

mod addresses;
mod command;
mod exchange;
mod handler;
mod http;
mod lambda;
mod synthetic;

use std::path::PathBuf;

use foreshard_model::output::ShardTask;
use foreshard_model::workflow::TaskKind;
use foreshard_stages::ports::TaskCredentials;
use serde_json::Value;
use tokio::time::Instant;

use crate::attempt::Attempt;
use crate::process::tail::SharedTail;
use crate::process::{Ended, KILLED_STATUS, SIGKILL};
use crate::task::PlacedFile;
use crate::task::fault::Fault;
use crate::task::place::Place;

/// One task to run, its inputs gathered.
pub(crate) struct Call<'a> {
    pub(crate) attempt: &'a Attempt<'a>,
    pub(crate) task: &'a ShardTask,
    pub(crate) input: Value,
    pub(crate) files: &'a [PlacedFile],
    pub(crate) place: &'a Place,
    pub(crate) log: SharedTail,
    pub(crate) deadline: Instant,
}

/// What a kind needs before the task starts.
pub(crate) struct Ready {
    credentials: Option<TaskCredentials>,
    bundle: Option<PathBuf>,
}

/// What a task used.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) cpu_ms: u64,
    pub(crate) peak_kib: u64,
}

/// How a task ended.
pub(crate) struct Answer {
    pub(crate) result: Result<Value, Fault>,
    pub(crate) used: Used,
}

impl From<Fault> for Answer {
    fn from(fault: Fault) -> Self {
        Self {
            result: Err(fault),
            used: Used::default(),
        }
    }
}

/// Gets what the task's kind needs: its identity only where it has use for one.
///
/// # Errors
/// The role cannot be assumed, the bundle cannot be had, there is no such handler.
pub(crate) async fn prepare(call: &Call<'_>) -> Result<Ready, Fault> {
    let mut ready = Ready {
        credentials: None,
        bundle: None,
    };
    match &call.task.kind {
        TaskKind::Command(_) => {
            ready.credentials = Some(credentials(call).await?);
            if let Some(claim) = &call.task.bundle {
                let attempt = call.attempt;
                ready.bundle = Some(
                    attempt
                        .run
                        .bundles
                        .get(&*attempt.worker.ports.reads, claim)
                        .await?,
                );
            }
        }
        TaskKind::Lambda { .. } => ready.credentials = Some(credentials(call).await?),
        TaskKind::Handler { handler } => handler::check(call, handler)?,
        TaskKind::Http(_) | TaskKind::Synthetic(_) => {}
    }
    Ok(ready)
}

async fn credentials(call: &Call<'_>) -> Result<TaskCredentials, Fault> {
    let attempt = call.attempt;
    let ports = &attempt.worker.ports;
    attempt
        .run
        .identities
        .get(&*ports.identity, &*ports.clock, attempt.request)
        .await
}

/// Runs the task.
pub(crate) async fn run(call: Call<'_>, ready: Ready) -> Answer {
    match &call.task.kind {
        TaskKind::Command(command) => command::run(&call, command, &ready).await,
        TaskKind::Lambda { function, errors } => {
            lambda::run(call, function, errors.as_deref(), ready.credentials).await
        }
        TaskKind::Handler { handler } => handler::run(call, handler).await,
        TaskKind::Http(request) => http::run(&call, request).await,
        TaskKind::Synthetic(load) => synthetic::run(&call, load).await,
    }
}

/// What the end of a process means for its task.
fn check_end(ended: &Ended, timeout_ms: u64, output_bytes: usize) -> Result<(), Fault> {
    if ended.timed_out {
        return Err(Fault::TimedOut { timeout_ms });
    }
    if ended.too_much {
        let hint = "larger results belong into a file";
        return Err(Fault::Output(format!(
            "its output has more than {output_bytes} bytes: {hint}"
        )));
    }
    match (ended.signal(), ended.status.code()) {
        (Some(SIGKILL), _) | (_, Some(KILLED_STATUS)) => Err(Fault::OutOfMemory),
        (Some(signal), _) => Err(Fault::Signalled { signal }),
        (None, Some(0)) => Ok(()),
        (None, status) => Err(Fault::Exited {
            status: status.unwrap_or(-1),
        }),
    }
}

/// Reads a task's output; nothing at all is `null`.
fn read_output(bytes: &[u8]) -> Result<Value, Fault> {
    if bytes.trim_ascii().is_empty() {
        return Ok(Value::Null);
    }
    // The message of the reader names a place, never what is there.
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Fault::Output(format!(
            "its output is not JSON, see line {line} column {column}"
        ))
    })
}
