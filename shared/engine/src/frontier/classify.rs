//! Decides what a caught error means: the error's word and its text, as Step Functions hands them on, to a cause.

use foreshard_model::message::Cause;
use serde_json::Value;

use super::Seen;

/// Words of Lambda and Step Functions and the cause that they stand for; the first that matches counts.
///
/// Source: AWS Step Functions Developer Guide, "Handling errors in Step Functions workflows", and "Lambda invocation
/// errors"; our own words are those of `StageError`.
const WORDS: [(&str, Cause); 22] = [
    ("Lambda.TooManyRequestsException", Cause::Throttled),
    ("Lambda.EC2ThrottledException", Cause::Throttled),
    ("TooManyRequestsException", Cause::Throttled),
    ("States.Timeout", Cause::Timeout),
    ("States.HeartbeatTimeout", Cause::Timeout),
    ("Sandbox.Timedout", Cause::Timeout),
    ("Runtime.OutOfMemory", Cause::OutOfMemory),
    ("States.DataLimitExceeded", Cause::BadOutput),
    ("Function.ResponseSizeTooLarge", Cause::BadOutput),
    ("Lambda.ResourceNotFoundException", Cause::NoTarget),
    ("Lambda.InvalidParameterValueException", Cause::NoTarget),
    ("Lambda.AccessDeniedException", Cause::NoTarget),
    ("States.Permissions", Cause::NoTarget),
    ("Lambda.ServiceException", Cause::Unavailable),
    ("Lambda.AWSLambdaException", Cause::Unavailable),
    ("Lambda.SdkClientException", Cause::Unavailable),
    ("Lambda.ResourceNotReadyException", Cause::Unavailable),
    ("Lambda.ResourceConflictException", Cause::Unavailable),
    ("Lambda.ENILimitReachedException", Cause::Unavailable),
    ("Rejected", Cause::Rejected),
    ("Unavailable", Cause::Unavailable),
    ("Conflict", Cause::Unavailable),
];

/// Decides the cause of an execute state that ended without the worker's answer.
///
/// An environment that is killed for memory may say so (`Runtime.OutOfMemory`, `out of memory`); mostly it reports just
/// `Runtime.ExitError` with `signal: killed`, as a worker does that is killed for another reason. That is marked
/// [`Seen::maybe_memory`]: whoever settles it takes it for memory while there is a larger tier, which does a lost worker no
/// harm.
#[must_use]
pub fn classify(error: &str, cause: &str) -> Seen {
    let text = sentence(cause);
    let all = format!("{error} {cause}").to_lowercase();
    let says_memory = ["outofmemory", "out of memory", "memory size exceeded"]
        .iter()
        .any(|words| all.contains(words));
    let word = WORDS.iter().find(|(word, _)| *word == error);
    let (cause, maybe_memory) = match word {
        Some((_, cause)) => (*cause, false),
        None if says_memory => (Cause::OutOfMemory, false),
        None if all.contains("timed out after") => (Cause::Timeout, false),
        None => (Cause::WorkerLost, all.contains("signal: killed")),
    };
    let message = if text.is_empty() {
        format!("`{error}`")
    } else {
        format!("`{error}`: {text}")
    };
    Seen {
        cause,
        task: None,
        message,
        answered: false,
        maybe_memory,
    }
}

/// The text of an error: `errorMessage` where a Lambda function's envelope is around it.
fn sentence(cause: &str) -> String {
    serde_json::from_str::<Value>(cause)
        .ok()
        .and_then(|value| value.get("errorMessage")?.as_str().map(str::to_owned))
        .unwrap_or_else(|| cause.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_a_cause() {
        let killed = r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 1 Error: Runtime exited with error: signal: killed"}"#;
        let exited =
            r#"{"errorMessage":"RequestId: 1 Error: Runtime exited without providing a reason"}"#;
        let late = r#"{"errorMessage":"2026-11-21T00:00:00Z 1 Task timed out after 3.00 seconds"}"#;
        let table = [
            ("Lambda.TooManyRequestsException", "Rate Exceeded."),
            ("States.Timeout", ""),
            ("Sandbox.Timedout", late),
            ("Lambda.Unknown", late),
            ("Runtime.ExitError", killed),
            ("Lambda.Unknown", "signal: killed"),
            ("Runtime.ExitError", exited),
            ("Runtime.OutOfMemory", killed),
            ("Lambda.Unknown", "The runtime ran out of memory"),
            ("Lambda.ServiceException", "500"),
            ("Lambda.ResourceNotFoundException", "Function not found"),
            ("Rejected", r#"{"errorMessage":"rejected: no such chunk"}"#),
            ("Conflict", ""),
            ("Some.NewError", "?"),
        ];
        let lines: Vec<String> = table
            .iter()
            .map(|(error, cause)| {
                let seen = classify(error, cause);
                let perhaps = if seen.maybe_memory { " or memory" } else { "" };
                format!("{}{perhaps}: {}", seen.cause.as_str(), seen.message)
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        throttled: `Lambda.TooManyRequestsException`: Rate Exceeded.
        timeout: `States.Timeout`
        timeout: `Sandbox.Timedout`: 2026-11-21T00:00:00Z 1 Task timed out after 3.00 seconds
        timeout: `Lambda.Unknown`: 2026-11-21T00:00:00Z 1 Task timed out after 3.00 seconds
        worker_lost or memory: `Runtime.ExitError`: RequestId: 1 Error: Runtime exited with error: signal: killed
        worker_lost or memory: `Lambda.Unknown`: signal: killed
        worker_lost: `Runtime.ExitError`: RequestId: 1 Error: Runtime exited without providing a reason
        out_of_memory: `Runtime.OutOfMemory`: RequestId: 1 Error: Runtime exited with error: signal: killed
        out_of_memory: `Lambda.Unknown`: The runtime ran out of memory
        unavailable: `Lambda.ServiceException`: 500
        no_target: `Lambda.ResourceNotFoundException`: Function not found
        rejected: `Rejected`: rejected: no such chunk
        unavailable: `Conflict`
        worker_lost: `Some.NewError`: ?
        ");
    }
}
