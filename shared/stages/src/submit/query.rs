//! Query parameters, bounded.

use super::http::ApiRequest;
use super::refusal::{Code, Refusal};

/// Longest `after` that is passed on: longer than every sort key and object name that an answer has given.
pub(super) const AFTER_BYTES: usize = 1_024;

/// How many entries the caller wants: `(default, most)`; more than the most is the most.
pub(super) fn limit(request: &ApiRequest, bounds: (usize, usize)) -> Result<usize, Refusal> {
    let (default, most) = bounds;
    let Some(text) = request.query.get("limit") else {
        return Ok(default);
    };
    match text.parse::<usize>() {
        Ok(wanted) if wanted >= 1 => Ok(wanted.min(most)),
        _ => Err(Refusal::new(
            Code::BadParameter,
            format!("`limit` is `{}`: a number from 1 on", brief(text)),
        )),
    }
}

/// Where the caller wants to go on.
pub(super) fn after(request: &ApiRequest) -> Result<Option<&str>, Refusal> {
    match request.query.get("after").map(String::as_str) {
        Some(text) if text.len() > AFTER_BYTES || text.chars().any(char::is_control) => {
            Err(Refusal::new(
                Code::BadParameter,
                "`after` is not what an answer gave as `next`",
            ))
        }
        Some("") | None => Ok(None),
        Some(text) => Ok(Some(text)),
    }
}

/// A number of a parameter, if it is there.
pub(super) fn number(request: &ApiRequest, name: &str) -> Result<Option<u32>, Refusal> {
    let Some(text) = request.query.get(name) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        Refusal::new(
            Code::BadParameter,
            format!("`{name}` is `{}`: a number", brief(text)),
        )
    })
}

/// The beginning of a text, fit for a message.
pub(super) fn brief(text: &str) -> String {
    text.chars().take(64).collect()
}
