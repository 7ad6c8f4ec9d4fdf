//! What an error of an AWS service means to a stage: read again, repeat later, or give up.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use foreshard_stages::ports::PortError;

/// Codes of a lost race. Source: DynamoDB API reference, "Common errors" of `PutItem`, `UpdateItem`, `TransactWriteItems`;
/// S3's for `If-None-Match`; EventBridge Scheduler's.
const CONFLICTS: [&str; 7] = [
    "ConditionalCheckFailedException",
    "ConditionalCheckFailed",
    "TransactionConflictException",
    "TransactionConflict",
    "PreconditionFailed",
    "ConditionalRequestConflict",
    "ConflictException",
];

/// Codes that pass by themselves although their HTTP status is 400. Source: DynamoDB developer guide, "Error handling"; the
/// throttling codes of the SDKs' standard retry mode.
const PASSING: [&str; 17] = [
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "ThrottlingError",
    "ThrottlingException",
    "ThrottledException",
    "Throttling",
    "TooManyRequestsException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "SlowDown",
    "TransactionInProgressException",
    "TransactionInProgress",
    "RequestTimeout",
    "ExpiredToken",
    "ExpiredTokenException",
];

/// Codes of something that is not there.
const ABSENT: [&str; 7] = [
    "NoSuchKey",
    "NoSuchUpload",
    "NoSuchBucket",
    "NotFound",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
    "ExecutionDoesNotExist",
];

/// What a code and an HTTP status mean. `what` names the subject, never its contents.
pub(crate) fn service_error(what: &str, code: &str, status: u16, message: &str) -> PortError {
    let text = if message.is_empty() {
        format!("{what}: {code} ({status})")
    } else {
        format!("{what}: {code} ({status}): {message}")
    };
    if CONFLICTS.contains(&code) {
        PortError::Conflict(text)
    } else if PASSING.contains(&code) || status >= 500 || status == 429 {
        PortError::Unavailable(text)
    } else if ABSENT.contains(&code) || status == 404 {
        PortError::NotFound(text)
    } else {
        PortError::Refused(text)
    }
}

/// What an SDK's error means. `what` names the subject, never its contents.
pub(crate) fn port_error<E>(what: &str, error: &SdkError<E, HttpResponse>) -> PortError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error {
        SdkError::ServiceError(context) => {
            let (answer, raw) = (context.err(), context.raw());
            service_error(
                what,
                answer.code().unwrap_or("no code"),
                raw.status().as_u16(),
                answer.message().unwrap_or_default(),
            )
        }
        SdkError::ConstructionFailure(_) => PortError::Refused(format!("{what}: {}", chain(error))),
        _ => PortError::Unavailable(format!("{what}: {}", chain(error))),
    }
}

/// The error and its sources in one line: an SDK's `Display` alone says only "dispatch failure".
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let parts: Vec<String> = std::iter::successors(Some(error), |e| e.source())
        .map(ToString::to_string)
        .collect();
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: &str, status: u16) -> &'static str {
        match service_error("x", code, status, "") {
            PortError::Conflict(_) => "conflict",
            PortError::NotFound(_) => "not found",
            PortError::Unavailable(_) => "unavailable",
            PortError::Corrupt(_) => "corrupt",
            PortError::Refused(_) => "refused",
        }
    }

    #[test]
    fn each_code_has_its_kind() {
        let table = [
            ("ConditionalCheckFailedException", 400, "conflict"),
            ("TransactionConflictException", 400, "conflict"),
            ("PreconditionFailed", 412, "conflict"),
            ("ProvisionedThroughputExceededException", 400, "unavailable"),
            ("TransactionInProgressException", 400, "unavailable"),
            ("SlowDown", 503, "unavailable"),
            ("InternalServerError", 500, "unavailable"),
            ("Whatever", 429, "unavailable"),
            ("ExpiredTokenException", 400, "unavailable"),
            ("NoSuchKey", 404, "not found"),
            ("ResourceNotFoundException", 400, "not found"),
            ("ValidationException", 400, "refused"),
            ("AccessDenied", 403, "refused"),
        ];
        for (code, status, expected) in table {
            assert_eq!(kind(code, status), expected, "{code} {status}");
        }
    }

    #[test]
    fn the_text_names_subject_code_and_status() {
        let error = service_error("shard 3 of r-1", "ValidationException", 400, "too large");
        assert_eq!(
            error.to_string(),
            "refused: shard 3 of r-1: ValidationException (400): too large"
        );
    }
}
