//! Query parameters, bounded.

use std::str::FromStr;

use foreshard_model::units::TimeMs;

use super::http::ApiRequest;
use super::refusal::{Code, Refusal};

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

/// A moment of a parameter in milliseconds since 1970, if it is there.
pub(super) fn moment(request: &ApiRequest, name: &str) -> Result<Option<TimeMs>, Refusal> {
    Ok(number::<u64>(request, name)?.map(TimeMs))
}

/// A number of a parameter, if it is there.
pub(super) fn number<N: FromStr>(request: &ApiRequest, name: &str) -> Result<Option<N>, Refusal> {
    let Some(text) = request.query.get(name) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        Refusal::new(
            Code::BadParameter,
            format!("`{name}` is `{}`: a whole number", brief(text)),
        )
    })
}

/// The beginning of a text, fit for a message.
pub(super) fn brief(text: &str) -> String {
    text.chars().take(64).collect()
}
