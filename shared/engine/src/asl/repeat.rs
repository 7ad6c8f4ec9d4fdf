//! Retry and Catch as the errors of a `lambda` task, and how long a task may take.

use serde_json::{Map, Value, json};

use super::code::Code;
use super::definition::Retrier;
use super::level::{Here, Importer};

/// Longest duration of a task: that of the worker's function. Source: Lambda quotas, "Function timeout".
pub(super) const TASK_SECONDS: u64 = 900;

/// Longest wait: what is left of it when the worker has come up and written what it did.
pub(super) const SECONDS_MAX: u64 = 780;

/// Most repeats that the language takes, and its largest factor between waits.
const REPEATS_MAX: u32 = 100;
const BACKOFF_MAX: f64 = 100.0;

/// Errors after which it is not known whether the function ran: whoever repeats after them accepts that it runs twice.
const UNCERTAIN: [&str; 8] = [
    "States.ALL",
    "States.TaskFailed",
    "States.Timeout",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
];

impl Importer<'_> {
    /// The fields of a `lambda` task that say what its errors lead to.
    pub(super) fn errors(&mut self, here: &Here<'_>) -> Map<String, Value> {
        let state = here.state;
        let mut fields = Map::new();
        let uncertain = |retrier: &Retrier| {
            let names = &retrier.error_equals;
            retrier.max_attempts > 0 && names.iter().any(|name| UNCERTAIN.contains(&name.as_str()))
        };
        let effect = if state.retry.iter().any(uncertain) {
            "idempotent"
        } else {
            "once"
        };
        fields.insert("effect".into(), effect.into());
        let timeout = state.timeout_seconds.unwrap_or(TASK_SECONDS);
        if !state.retry.is_empty() {
            let retry: Vec<Value> = state.retry.iter().map(retrier).collect();
            fields.insert("retry".into(), retry.into());
            self.note_time(here, timeout);
        }
        if !state.catch.is_empty() {
            let names = state
                .catch
                .iter()
                .map(|catcher| json!(catcher.error_equals));
            fields.insert("catch".into(), names.collect());
        }
        fields.insert("timeout_s".into(), timeout.clamp(1, TASK_SECONDS).into());
        fields
    }

    fn note_time(&mut self, here: &Here<'_>, timeout: u64) {
        let waits: f64 = here.state.retry.iter().map(waiting).sum();
        let cut = |retrier: &Retrier| {
            retrier.max_attempts > REPEATS_MAX || retrier.backoff_rate > BACKOFF_MAX
        };
        let long = waits > TASK_SECONDS as f64 / 2.0 || here.state.retry.iter().any(cut);
        if here.state.timeout_seconds.is_some() || long {
            let message = format!(
                "all of its repeats together have {} s, {waits:.0} s of them for waiting",
                timeout.min(TASK_SECONDS)
            );
            self.note(Code::RetryTime, &here.path, message);
        }
    }
}

fn retrier(retrier: &Retrier) -> Value {
    json!({
        "errors": retrier.error_equals,
        "repeats": retrier.max_attempts.min(REPEATS_MAX),
        "interval_s": retrier.interval_seconds,
        "backoff": retrier.backoff_rate.clamp(1.0, BACKOFF_MAX),
        "longest_s": retrier.max_delay_seconds.unwrap_or(TASK_SECONDS).min(TASK_SECONDS),
    })
}

/// Seconds that a retrier waits when all of its repeats are needed.
fn waiting(retrier: &Retrier) -> f64 {
    let longest = retrier
        .max_delay_seconds
        .map_or(f64::INFINITY, |s| s as f64);
    let wait =
        |n: i32| (retrier.interval_seconds as f64 * retrier.backoff_rate.powi(n)).min(longest);
    let repeats = retrier.max_attempts.min(REPEATS_MAX);
    (0..i32::try_from(repeats).unwrap_or(0)).map(wait).sum()
}
