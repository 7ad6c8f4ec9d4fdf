//! `http`: one request; its JSON answer is the output.

use data_encoding::HEXLOWER;
use foreshard_model::limits::TASK_OUTPUT_BYTES;
use foreshard_model::workflow::HttpCall;
use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Response};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::addresses::Fence;
use super::exchange::{Question, Unanswered, exchange, redirect};
use super::{Answer, Call, Used, read_output};
use crate::task::fault::Fault;

/// Redirects that are followed: each is checked like the first URL.
const REDIRECTS: usize = 5;

/// What is kept of an error's body in the task's log.
const ERROR_BYTES: usize = 16 * 1024;

/// The server is asked too often; a repeat may succeed.
const TOO_MANY_REQUESTS: u16 = 429;

/// Sends the request.
pub(super) async fn run(call: &Call<'_>, request: &HttpCall) -> Answer {
    let sent = tokio::time::timeout_at(call.deadline, send(call, request)).await;
    let result = sent.unwrap_or(Err(Fault::TimedOut {
        timeout_ms: call.task.timeout_ms,
    }));
    Answer {
        result,
        used: Used::default(),
    }
}

async fn send(call: &Call<'_>, http: &HttpCall) -> Result<Value, Fault> {
    let fence = Fence::new(call.attempt.worker.settings.runtime_api.as_deref());
    let question = question(call, http)?;
    fence.check(&question.url).map_err(Fault::Refused)?;
    let host = question.url.host_str().unwrap_or_default().to_owned();
    let answer = follow(&fence, question, &host).await?;
    let status = answer.status();
    if status.is_client_error() || status.is_server_error() {
        let (body, _) = body(answer, &host, ERROR_BYTES).await?;
        call.log.push(&body);
        let said = format!("`{host}` answered with status {}", status.as_u16());
        return Err(
            if status.is_server_error() || status.as_u16() == TOO_MANY_REQUESTS {
                Fault::Unavailable(format!("{said}; what it said is in the task's log"))
            } else {
                Fault::Answered(said)
            },
        );
    }
    let (body, more) = body(answer, &host, TASK_OUTPUT_BYTES).await?;
    if more {
        return Err(Fault::Output(format!(
            "`{host}` answered with more than {TASK_OUTPUT_BYTES} bytes"
        )));
    }
    read_output(&body)
}

/// Asks, and asks again where the answer sends the request.
async fn follow(
    fence: &Fence,
    mut question: Question,
    host: &str,
) -> Result<Response<Incoming>, Fault> {
    let port = question.url.port_or_known_default();
    for _ in 0..=REDIRECTS {
        let answer = exchange(&question, fence.resolver(port))
            .await
            .map_err(|why| unsent(host, why))?;
        let Some(next) = redirect(&answer, &question.url) else {
            return Ok(answer);
        };
        // Another resolver would be needed: nobody redirects to that port in good faith.
        let to = next.port_or_known_default();
        if fence.check(&next).is_err() || (fence.is_strict(to) && to != port) {
            break;
        }
        question = question.turned(next, answer.status());
    }
    Err(Fault::Refused(format!(
        "`{host}` redirects too often, or to where no task may go"
    )))
}

/// The input is the body, as JSON; where a method has none, its members are query parameters.
fn question(call: &Call<'_>, http: &HttpCall) -> Result<Question, Fault> {
    let refused = |what: &str| Fault::Refused(format!("{what} of the request is not valid"));
    let method = Method::from_bytes(http.method.as_bytes()).map_err(|_| refused("the method"))?;
    let mut url = Url::parse(&http.url).map_err(|_| refused("the URL"))?;
    let with_body = matches!(method, Method::POST | Method::PUT | Method::PATCH);
    let (mut body, mut headers) = (Bytes::new(), HeaderMap::new());
    let json = HeaderValue::from_static("application/json");
    if with_body {
        body = call.input.to_string().into();
        headers.insert(CONTENT_TYPE, json.clone());
    } else if let Some(members) = call.input.as_object().filter(|members| !members.is_empty()) {
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        let pairs = members.iter().map(|(name, value)| (name, text(value)));
        url.query_pairs_mut().extend_pairs(pairs);
    }
    headers.insert(ACCEPT, json);
    if let Ok(value) = HeaderValue::try_from(trace_parent(call)) {
        headers.insert("traceparent", value);
    }
    for (name, value) in &http.headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| refused("a header"))?;
        let value = HeaderValue::try_from(value.as_str()).map_err(|_| refused("a header"))?;
        headers.insert(name, value);
    }
    Ok(Question {
        method,
        url,
        headers,
        body,
    })
}

/// The run's trace and this task as its span (W3C Trace Context).
fn trace_parent(call: &Call<'_>) -> String {
    let request = call.attempt.request;
    let mut hash = Sha256::new();
    for part in [
        request.run.as_str(),
        call.task.id.as_str(),
        &request.attempt.to_string(),
    ] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let span = HEXLOWER.encode(&hash.finalize()[..8]);
    format!("00-{}-{span}-01", request.context.trace_id)
}

/// Why there is no answer. URLs stay out of messages: they may hold secrets.
fn unsent(host: &str, why: Unanswered) -> Fault {
    match why {
        Unanswered::Invalid => Fault::Refused(format!("the request to `{host}` is not valid")),
        Unanswered::Unreachable => Fault::Unavailable(format!("`{host}` cannot be reached")),
        Unanswered::Silent => Fault::Unavailable(format!("`{host}` did not answer")),
    }
}

/// The body up to a limit, and whether there was more.
async fn body(
    answer: Response<Incoming>,
    host: &str,
    limit: usize,
) -> Result<(Vec<u8>, bool), Fault> {
    let (mut body, mut frames) = (Vec::new(), answer.into_body());
    while let Some(frame) = frames.frame().await {
        let frame = frame.map_err(|_| unsent(host, Unanswered::Silent))?;
        let Some(chunk) = frame.data_ref() else {
            continue;
        };
        let room = limit - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Ok((body, true));
        }
    }
    Ok((body, false))
}
