//! `handler`: a Rust function of this binary, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::time::{ClockId, Timespec, clock_gettime};

use super::{Answer, Call, Used};
use crate::handlers::HandlerCall;
use crate::task::fault::Fault;

/// Tells the handler when nobody waits for it any more.
struct Cancel(Arc<AtomicBool>);

impl Drop for Cancel {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Whether the worker has the handler.
pub(super) fn check(call: &Call<'_>, name: &str) -> Result<(), Fault> {
    let handlers = &call.attempt.worker.handlers;
    if handlers.get(name).is_some() {
        return Ok(());
    }
    let known = handlers.names().collect::<Vec<_>>().join("`, `");
    Err(Fault::Refused(format!(
        "this worker has no handler `{name}`; it has `{known}`"
    )))
}

/// Runs the handler. When its time is over it is told so, and its answer is no longer waited for.
pub(super) async fn run(call: Call<'_>, name: &str) -> Answer {
    let Some(function) = call.attempt.worker.handlers.get(name) else {
        return Fault::Refused(format!("this worker has no handler `{name}`")).into();
    };
    let cancel = Cancel(Arc::default());
    let request = call.attempt.request;
    let mut files: Vec<String> = call.files.iter().map(|file| file.name.clone()).collect();
    files.sort();
    let handled = HandlerCall {
        run: request.run.clone(),
        shard: request.shard,
        attempt: request.attempt,
        task: call.task.id.clone(),
        trace_id: request.context.trace_id.clone(),
        baggage: request.context.baggage.clone(),
        input: call.input,
        files,
        scratch: call.place.work(),
        cancelled: Arc::clone(&cancel.0),
    };
    let running = tokio::task::spawn_blocking(move || {
        let before = thread_cpu_ms();
        let result = function(&handled);
        (result, thread_cpu_ms().saturating_sub(before))
    });
    match tokio::time::timeout_at(call.deadline, running).await {
        Ok(Ok((Ok(value), cpu_ms))) => Answer {
            result: Ok(value),
            used: Used {
                cpu_ms,
                peak_kib: 0,
            },
        },
        Ok(Ok((Err(error), cpu_ms))) => {
            call.log.push(error.to_string().as_bytes());
            Answer {
                result: Err(Fault::Answered(format!("handler `{name}` failed"))),
                used: Used {
                    cpu_ms,
                    peak_kib: 0,
                },
            }
        }
        Ok(Err(panic)) => {
            call.log.push(panic.to_string().as_bytes());
            Fault::Answered(format!("handler `{name}` panicked")).into()
        }
        Err(_) => Fault::TimedOut {
            timeout_ms: call.task.timeout_ms,
        }
        .into(),
    }
}

fn thread_cpu_ms() -> u64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(tv_sec * 1_000 + tv_nsec / 1_000_000).unwrap_or_default()
}
