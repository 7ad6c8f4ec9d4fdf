//! `http`: one request; its JSON answer is the output.

use data_encoding::HEXLOWER;
use foreshard_model::limits::TASK_OUTPUT_BYTES;
use foreshard_model::workflow::HttpCall;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Request, Response, Url};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::addresses::Fence;
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
    let request = request(call, http)?;
    fence.check(request.url()).map_err(Fault::Refused)?;
    let client = client(&fence, request.url())?;
    let host = request.url().host_str().unwrap_or_default().to_owned();
    let answer = client
        .execute(request)
        .await
        .map_err(|error| unsent(&host, &error))?;
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

/// The input is the body, as JSON; where a method has none, its members are query parameters.
fn request(call: &Call<'_>, http: &HttpCall) -> Result<Request, Fault> {
    let refused = |what: &str| Fault::Refused(format!("{what} of the request is not valid"));
    let method = Method::from_bytes(http.method.as_bytes()).map_err(|_| refused("the method"))?;
    let url = Url::parse(&http.url).map_err(|_| refused("the URL"))?;
    let with_body = matches!(method, Method::POST | Method::PUT | Method::PATCH);
    let mut request = Request::new(method, url);
    if with_body {
        *request.body_mut() = Some(call.input.to_string().into());
        request
            .headers_mut()
            .insert("content-type", HeaderValue::from_static("application/json"));
    } else if let Some(members) = call.input.as_object().filter(|members| !members.is_empty()) {
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        let pairs = members.iter().map(|(name, value)| (name, text(value)));
        request.url_mut().query_pairs_mut().extend_pairs(pairs);
    }
    request
        .headers_mut()
        .insert("accept", HeaderValue::from_static("application/json"));
    if let Ok(value) = HeaderValue::try_from(trace_parent(call)) {
        request.headers_mut().insert("traceparent", value);
    }
    for (name, value) in &http.headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| refused("a header"))?;
        let value = HeaderValue::try_from(value.as_str()).map_err(|_| refused("a header"))?;
        request.headers_mut().insert(name, value);
    }
    Ok(request)
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

fn client(fence: &Fence, url: &Url) -> Result<Client, Fault> {
    let (first, port) = (fence.clone(), url.port_or_known_default());
    let redirects = Policy::custom(move |attempt| {
        if attempt.previous().len() > REDIRECTS {
            return attempt.error("too many redirects");
        }
        let next = attempt.url();
        // Another resolver would be needed: nobody redirects to that port in good faith.
        let strange =
            first.is_strict(next.port_or_known_default()) && next.port_or_known_default() != port;
        match first.check(next) {
            Ok(()) if !strange => attempt.follow(),
            Ok(()) => attempt.error("the redirect is refused"),
            Err(because) => attempt.error(because),
        }
    });
    let client = Client::builder()
        .redirect(redirects)
        .dns_resolver(std::sync::Arc::new(fence.resolver(port)))
        .no_proxy()
        .build();
    client.map_err(|error| Fault::Unavailable(format!("no HTTP client: {}", error.without_url())))
}

/// Why there is no answer. URLs stay out of messages: they may hold secrets.
fn unsent(host: &str, error: &reqwest::Error) -> Fault {
    let why = if error.is_redirect() {
        return Fault::Refused(format!(
            "`{host}` redirects too often, or to where no task may go"
        ));
    } else if error.is_builder() {
        return Fault::Refused(format!("the request to `{host}` is not valid"));
    } else if error.is_connect() {
        "cannot be reached"
    } else {
        "did not answer"
    };
    Fault::Unavailable(format!("`{host}` {why}"))
}

/// The body up to a limit, and whether there was more.
async fn body(mut answer: Response, host: &str, limit: usize) -> Result<(Vec<u8>, bool), Fault> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unsent(host, &error))? {
        let room = limit - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Ok((body, true));
        }
    }
    Ok((body, false))
}
