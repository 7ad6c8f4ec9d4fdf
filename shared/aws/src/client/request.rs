//! One call of the API: signed, sent, repeated where a repeat is harmless, its answer or its problem read.

use std::time::{Duration, SystemTime};

use foreshard_model::api::ProblemDocument;
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ApiClient, ApiError};

/// How often a call that may be repeated is sent.
const ATTEMPTS: u32 = 5;
/// Wait before the second attempt; it doubles: 3 s in all.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// API Gateway answers within 29 s or gives up.
const TIMEOUT: Duration = Duration::from_secs(35);
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What is shown of an answer that is not the API's.
const EXCERPT_CHARS: usize = 200;

/// The HTTP client of all calls.
pub(super) fn http() -> Result<reqwest::Client, String> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(concat!("foreshard/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| crate::classify::chain(&error))
}

/// One call.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// Segments of the path; each is encoded.
    pub(super) path: &'a [&'a str],
    pub(super) query: Vec<(&'a str, String)>,
    pub(super) headers: Vec<(&'a str, &'a str)>,
    pub(super) body: Vec<u8>,
    /// Whether a repeat is harmless.
    pub(super) repeatable: bool,
}

impl<'a> Call<'a> {
    /// A read: always repeatable.
    pub(super) fn get(path: &'a [&'a str]) -> Self {
        Self {
            method: Method::GET,
            path,
            query: Vec::new(),
            headers: Vec::new(),
            body: Vec::new(),
            repeatable: true,
        }
    }

    /// A call with a JSON body.
    pub(super) fn with_json<T: Serialize>(
        method: Method,
        path: &'a [&'a str],
        body: &T,
    ) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(body).map_err(|error| ApiError::Local(error.to_string()))?;
        Ok(Self {
            method,
            headers: vec![("content-type", "application/json")],
            body,
            ..Self::get(path)
        })
    }

    pub(super) fn query(mut self, name: &'a str, value: Option<&str>) -> Self {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.query.push((name, value.to_owned()));
        }
        self
    }
}

/// What came back of one attempt.
enum Attempt {
    Answer(Vec<u8>),
    /// Worth a repeat.
    Passing(ApiError),
    Final(ApiError),
}

impl ApiClient {
    /// Sends a call and reads its answer.
    pub(super) async fn call<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, ApiError> {
        let url = self.url(&call)?;
        let attempts = if call.repeatable { ATTEMPTS } else { 1 };
        let mut attempt = 1;
        loop {
            match self.attempt(&call, &url).await {
                Attempt::Answer(bytes) => return read(&url, &bytes),
                Attempt::Final(error) => return Err(error),
                Attempt::Passing(error) if attempt >= attempts => return Err(error),
                Attempt::Passing(_) => {
                    tokio::time::sleep(FIRST_WAIT * 2u32.pow(attempt - 1)).await;
                    attempt += 1;
                }
            }
        }
    }

    fn url(&self, call: &Call<'_>) -> Result<reqwest::Url, ApiError> {
        let mut url = reqwest::Url::parse(&self.base)
            .map_err(|error| ApiError::Local(format!("address `{}`: {error}", self.base)))?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(call.path);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        Ok(url)
    }

    async fn attempt(&self, call: &Call<'_>, url: &reqwest::Url) -> Attempt {
        let signature = self.signature(
            call.method.as_str(),
            url.as_str(),
            &call.headers,
            &call.body,
            SystemTime::now(),
        );
        let signature = match signature {
            Ok(signature) => signature,
            Err(error) => return Attempt::Final(error),
        };
        let mut request = self
            .http
            .request(call.method.clone(), url.clone())
            .timeout(TIMEOUT);
        for (name, value) in &call.headers {
            request = request.header(*name, *value);
        }
        for (name, value) in signature {
            request = request.header(name, value);
        }
        let answer = match request.body(call.body.clone()).send().await {
            Ok(answer) => answer,
            Err(error) => return Attempt::Passing(unreachable(url, &error)),
        };
        let status = answer.status();
        match answer.bytes().await {
            Ok(bytes) => outcome(url, status, bytes.to_vec()),
            Err(error) => Attempt::Passing(unreachable(url, &error)),
        }
    }
}

fn unreachable(url: &reqwest::Url, error: &reqwest::Error) -> ApiError {
    ApiError::Unreachable(format!("`{url}`: {}", crate::classify::chain(error)))
}

fn read<T: DeserializeOwned>(url: &reqwest::Url, bytes: &[u8]) -> Result<T, ApiError> {
    // An answer without a body, such as 204, is `null`.
    let text: &[u8] = if bytes.is_empty() { b"null" } else { bytes };
    serde_json::from_slice(text).map_err(|error| {
        let seen = excerpt(bytes);
        ApiError::Unreachable(format!(
            "`{url}`: not an answer of this API: {error}: {seen}"
        ))
    })
}

fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().take(EXCERPT_CHARS).collect()
}

/// What the API itself says of a document that is too large, for a request that the gateway has not let through to it.
fn too_large() -> ProblemDocument {
    ProblemDocument {
        kind: "errors.md#fs3008".to_owned(),
        title: "too large for a request".to_owned(),
        status: StatusCode::PAYLOAD_TOO_LARGE.as_u16(),
        code: "FS3008".to_owned(),
        detail: "the gateway takes requests up to 6 MiB: upload the document".to_owned(),
        problems: Vec::new(),
    }
}

/// What a status and a body mean: an answer, a refusal that stays one, or something that may pass.
fn outcome(url: &reqwest::Url, status: StatusCode, body: Vec<u8>) -> Attempt {
    if status.is_success() {
        return Attempt::Answer(body);
    }
    let error = match serde_json::from_slice::<ProblemDocument>(&body) {
        Ok(problem) => ApiError::Refused(Box::new(problem)),
        Err(_) if status == StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::Refused(Box::new(too_large()))
        }
        // The gateway itself refuses with `{"message": …}`: a signature, a throttle, a route.
        Err(_) => ApiError::Unreachable(format!("`{url}`: status {status}: {}", excerpt(&body))),
    };
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        Attempt::Passing(error)
    } else {
        Attempt::Final(error)
    }
}
