//! `lambda`: an existing function, invoked with the task's identity.

use foreshard_model::limits::LAMBDA_PAYLOAD_BYTES;
use foreshard_stages::ports::{PortError, TaskCredentials};

use super::{Answer, Call, Used};
use crate::task::fault::Fault;

/// Invokes the function with the task's input as payload.
pub(super) async fn run(
    call: Call<'_>,
    function: &str,
    credentials: Option<TaskCredentials>,
) -> Answer {
    let result = invoke(call, function, credentials).await;
    Answer {
        result,
        used: Used::default(),
    }
}

async fn invoke(
    call: Call<'_>,
    function: &str,
    credentials: Option<TaskCredentials>,
) -> Result<serde_json::Value, Fault> {
    let Some(identity) = credentials else {
        return Err(Fault::Unavailable("the task has no identity".to_owned()));
    };
    let bytes = call.input.to_string().len();
    if bytes > LAMBDA_PAYLOAD_BYTES {
        let what = format!("its input has {bytes} bytes, a function takes {LAMBDA_PAYLOAD_BYTES}");
        return Err(Fault::Refused(what));
    }
    let calls = &call.attempt.worker.ports.calls;
    let invoking = calls.invoke(function, call.input, &identity);
    match tokio::time::timeout_at(call.deadline, invoking).await {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(text))) => {
            call.log.push(text.as_bytes());
            Err(Fault::Answered(format!(
                "function `{function}` answered with an error"
            )))
        }
        Ok(Err(error @ (PortError::Unavailable(_) | PortError::Conflict(_)))) => Err(error.into()),
        Ok(Err(error)) => Err(Fault::Refused(format!("function `{function}`: {error}"))),
        Err(_) => Err(Fault::TimedOut {
            timeout_ms: call.task.timeout_ms,
        }),
    }
}
