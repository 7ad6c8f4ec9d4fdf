//! `lambda`: an existing function, invoked with the task's identity, and again after errors that its task names.

use std::time::Duration;

use foreshard_model::limits::LAMBDA_PAYLOAD_BYTES;
use foreshard_model::workflow::{Errors, Retry};
use foreshard_stages::ports::{PortError, TaskCredentials};
use serde_json::{Value, json};

use super::{Answer, Call, Used};
use crate::task::fault::Fault;

/// Errors that Lambda itself answers, and not a function: which of them it was is not told apart.
const OF_LAMBDA: [&str; 4] = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
];

/// An input that is too large, which is no part of `States.ALL`. Source: Step Functions, "Error names".
const TOO_LARGE: &str = "States.DataLimitExceeded";

/// Invokes the function with the task's input as payload.
pub(super) async fn run(
    call: Call<'_>,
    function: &str,
    errors: Option<&Errors>,
    credentials: Option<TaskCredentials>,
) -> Answer {
    let result = match (errors, credentials) {
        (_, None) => Err(Fault::Unavailable("the task has no identity".to_owned())),
        (None, Some(identity)) => {
            let once = invoke(&call, function, &identity).await;
            once.map_err(|failed| failed.fault)
        }
        (Some(errors), Some(identity)) => repeat(&call, function, errors, &identity).await,
    };
    Answer {
        result,
        used: Used::default(),
    }
}

/// A call that gave no answer.
struct Failed {
    /// Names by which it can be named, beside `States.ALL`.
    names: Vec<String>,
    /// What the function said.
    cause: String,
    fault: Fault,
}

impl Failed {
    fn is_one_of(&self, names: &[String]) -> bool {
        let of_all = !self.names.iter().any(|name| name == TOO_LARGE);
        names
            .iter()
            .any(|name| (name == "States.ALL" && of_all) || self.names.contains(name))
    }
}

/// Invokes until there is an answer, an error that no entry names, or no repeat left; an error that is caught is the output.
async fn repeat(
    call: &Call<'_>,
    function: &str,
    errors: &Errors,
    identity: &TaskCredentials,
) -> Result<Value, Fault> {
    let mut repeats = vec![0; errors.retry.len()];
    loop {
        let failed = match invoke(call, function, identity).await {
            Ok(value) if errors.catch.is_empty() => return Ok(value),
            Ok(value) => return Ok(json!({ "ok": value })),
            Err(failed) => failed,
        };
        let entry = errors.retry.iter().zip(&mut repeats);
        let entry = entry
            .into_iter()
            .find(|(retry, _)| failed.is_one_of(&retry.errors));
        if let Some((retry, count)) = entry
            && *count < retry.repeats
        {
            let wait = tokio::time::sleep(wait_of(retry, *count));
            *count += 1;
            // When the task's time ends during the wait, this error was the last.
            if tokio::time::timeout_at(call.deadline, wait).await.is_ok() {
                continue;
            }
        }
        let by = errors
            .catch
            .iter()
            .position(|names| failed.is_one_of(names));
        let Some(by) = by else {
            return Err(failed.fault);
        };
        let name = failed
            .names
            .first()
            .map_or("States.TaskFailed", String::as_str);
        return Ok(json!({"caught": {"Error": name, "Cause": failed.cause}, "by": by}));
    }
}

/// How long to wait before the repeat after so many.
fn wait_of(retry: &Retry, repeats: u32) -> Duration {
    let factor = retry
        .backoff
        .powi(i32::try_from(repeats).unwrap_or(i32::MAX));
    let seconds = Duration::from_millis(retry.interval_ms).as_secs_f64() * factor;
    let longest = Duration::from_millis(retry.longest_ms);
    Duration::try_from_secs_f64(seconds).map_or(longest, |wait| wait.min(longest))
}

async fn invoke(
    call: &Call<'_>,
    function: &str,
    identity: &TaskCredentials,
) -> Result<Value, Failed> {
    let failed = |names: &[&str], cause: String, fault: Fault| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Err(Failed {
            names,
            cause,
            fault,
        })
    };
    let bytes = call.input.to_string().len();
    if bytes > LAMBDA_PAYLOAD_BYTES {
        let what = format!("its input has {bytes} bytes, a function takes {LAMBDA_PAYLOAD_BYTES}");
        return failed(&[TOO_LARGE], what.clone(), Fault::Refused(what));
    }
    let calls = &call.attempt.worker.ports.calls;
    let invoking = calls.invoke(function, call.input.clone(), identity);
    match tokio::time::timeout_at(call.deadline, invoking).await {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(text))) => {
            call.log.push(text.as_bytes());
            let (name, cause) = said(&text);
            let fault = Fault::Answered(format!("function `{function}` answered with an error"));
            failed(&[&name, "States.TaskFailed"], cause, fault)
        }
        Ok(Err(error @ (PortError::Unavailable(_) | PortError::Conflict(_)))) => {
            let mut names = OF_LAMBDA.to_vec();
            names.push("States.TaskFailed");
            failed(&names, error.to_string(), error.into())
        }
        Ok(Err(error)) => {
            let fault = Fault::Refused(format!("function `{function}`: {error}"));
            let names = ["Lambda.AWSLambdaException", "States.TaskFailed"];
            failed(&names, error.to_string(), fault)
        }
        Err(_) => {
            let fault = Fault::TimedOut {
                timeout_ms: call.task.timeout_ms,
            };
            failed(&["States.Timeout"], String::new(), fault)
        }
    }
}

/// The name and the text of a function's error: `Unhandled: {"errorType": …}`.
fn said(text: &str) -> (String, String) {
    let payload = text.split_once(": ").map_or(text, |(_, payload)| payload);
    let read: Option<Value> = serde_json::from_str(payload).ok();
    let name = read.as_ref().and_then(|error| error["errorType"].as_str());
    let name = name.unwrap_or("Lambda.Unknown");
    (name.to_owned(), payload.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest() {
        let retry = Retry {
            errors: Vec::new(),
            repeats: 9,
            interval_ms: 2_000,
            backoff: 1.5,
            longest_ms: 5_000,
        };
        let waits = (0..4).map(|n| wait_of(&retry, n).as_millis());
        assert_eq!(waits.collect::<Vec<_>>(), [2_000, 3_000, 4_500, 5_000]);
        assert_eq!(wait_of(&retry, 10_000).as_millis(), 5_000);
    }

    #[test]
    fn a_functions_error_has_the_name_that_it_gives_itself() {
        let text = r#"Unhandled: {"errorMessage": "no", "errorType": "OutOfStock"}"#;
        let (name, cause) = said(text);
        assert_eq!(name, "OutOfStock");
        assert_eq!(
            cause,
            r#"{"errorMessage": "no", "errorType": "OutOfStock"}"#
        );
        assert_eq!(said("Unhandled: gone").0, "Lambda.Unknown");
    }
}
