//! The loop of a function: one event, one answer, one line in the log with run, trace id and request id.

use std::future::Future;
use std::str::FromStr as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use foreshard_model::units::TimeMs;
use foreshard_stages::error::StageError;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::{config, fault};

/// What a handler may know of the call beside its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Lambda's id of the call.
    pub request_id: String,
    /// When the function is stopped, whatever it does then.
    pub deadline: TimeMs,
    /// Whether it is the first of this environment.
    pub cold: bool,
}

/// The loop ended: Lambda's runtime API could not be reached.
#[derive(Debug, Error)]
#[error("the runtime API of Lambda cannot be reached")]
pub struct ServeError(#[source] lambda_runtime::Error);

/// Answers events until the environment ends. An error's word is what Step Functions sees as the error's name.
///
/// # Errors
/// [`ServeError`].
///
/// # Panics
/// Outside Lambda: the runtime's own variables are missing.
pub async fn serve<A, B, H, F>(stage: &'static str, handler: H) -> Result<(), ServeError>
where
    A: DeserializeOwned,
    B: Serialize,
    H: Fn(A, Invocation) -> F,
    F: Future<Output = Result<B, StageError>>,
{
    start_log();
    let cold = AtomicBool::new(true);
    let (handler, cold) = (&handler, &cold);
    let service = service_fn(move |event: LambdaEvent<Value>| async move {
        let (payload, context) = event.into_parts();
        let invocation = Invocation {
            request_id: context.request_id,
            deadline: TimeMs(context.deadline),
            cold: cold.swap(false, Ordering::Relaxed),
        };
        fault::begin();
        let span = span(stage, &payload, &invocation.request_id);
        answer(payload, invocation, handler).instrument(span).await
    });
    Runtime::new(service).run().await.map_err(ServeError)
}

/// The fields of every line, the same in every stage: those that the payload brings, and `run`, `trace_id` and `tenant`
/// of a stage that reads the run's item.
fn span(stage: &'static str, payload: &Value, request_id: &str) -> Span {
    let span = tracing::info_span!(
        "call",
        stage,
        request_id,
        run = Empty,
        round = Empty,
        lane = Empty,
        shard = Empty,
        attempt = Empty,
        trace_id = Empty,
        tenant = Empty,
    );
    for (field, place) in [
        ("run", "/run"),
        ("trace_id", "/context/trace_id"),
        ("tenant", "/context/tenant"),
    ] {
        if let Some(text) = payload.pointer(place).and_then(Value::as_str) {
            span.record(field, text);
        }
    }
    for field in ["round", "lane", "shard", "attempt"] {
        if let Some(number) = payload.get(field).and_then(Value::as_u64) {
            span.record(field, number);
        }
    }
    span
}

async fn answer<A, B, H, F>(
    payload: Value,
    invocation: Invocation,
    handler: &H,
) -> Result<B, Diagnostic>
where
    A: DeserializeOwned,
    H: Fn(A, Invocation) -> F,
    F: Future<Output = Result<B, StageError>>,
{
    let (begun, cold) = (Instant::now(), invocation.cold);
    let outcome = match serde_json::from_value(payload) {
        Ok(request) => handler(request, invocation).await,
        Err(error) => Err(StageError::Rejected(format!("event: {error}"))),
    };
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    match outcome {
        Ok(answer) => {
            let initialization = config::initialization();
            tracing::info!(duration_ms, cold, initialization, "answered");
            Ok(answer)
        }
        Err(error) => {
            // A conflict is a race that the state machine repeats; it is no fault of anybody's.
            if matches!(error, StageError::Conflict(_)) {
                tracing::warn!(duration_ms, cold, word = error.word(), %error, "not answered");
            } else {
                tracing::error!(duration_ms, cold, word = error.word(), %error, "not answered");
            }
            Err(diagnostic(&error))
        }
    }
}

/// A stage's error as Lambda reports it: `errorType` is exactly the word.
fn diagnostic(error: &StageError) -> Diagnostic {
    Diagnostic {
        error_type: error.word().to_owned(),
        error_message: error.to_string(),
    }
}

/// One JSON object for each line on standard output, which Lambda collects.
fn start_log() {
    let filter = Targets::from_str(&config::log_filter())
        .unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false);
    // A second start in one process, as in tests, keeps the first.
    let _ = tracing_subscriber::registry()
        .with(lines)
        .with(filter)
        .try_init();
}

#[cfg(test)]
mod tests {
    use super::*;
    use foreshard_model::message::PlanRequest;
    use foreshard_stages::error::WORDS;
    use serde_json::json;

    fn invocation() -> Invocation {
        Invocation {
            request_id: "q".into(),
            deadline: TimeMs(1),
            cold: true,
        }
    }

    #[test]
    fn the_error_type_is_exactly_the_word() {
        let errors = [
            StageError::Rejected("a".into()),
            StageError::Unavailable("b".into()),
            StageError::Conflict("c".into()),
        ];
        let words: Vec<String> = errors.iter().map(|e| diagnostic(e).error_type).collect();
        assert_eq!(words, WORDS);
        assert_eq!(diagnostic(&errors[1]).error_message, "unavailable: b");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_event_of_another_form_is_rejected_before_the_handler() {
        let handler = |_: PlanRequest, _| async { Ok::<u32, StageError>(1) };
        let bad = answer(json!({"run": 5}), invocation(), &handler).await;
        assert_eq!(bad.unwrap_err().error_type, "Rejected");
        let good = answer(json!({"run": "r", "round": 0}), invocation(), &handler).await;
        assert_eq!(good.unwrap(), 1);
    }
}
