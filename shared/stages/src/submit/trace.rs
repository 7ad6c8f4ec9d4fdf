//! The trace id of a run: the caller's where one is given, so that their trace and ours are one.

use foreshard_model::ids::{RunId, Sha256Hex};

use super::http::ApiRequest;

/// Digits of a W3C trace-id.
const DIGITS: usize = 32;

/// 32 hexadecimal digits: from `traceparent`, else from `x-amzn-trace-id`, else derived from the run.
pub(super) fn trace_id(request: &ApiRequest, run: &RunId) -> String {
    let header = |name| request.headers.get(name).map(String::as_str);
    header("traceparent")
        .and_then(of_traceparent)
        .or_else(|| header("x-amzn-trace-id").and_then(of_amazon))
        .unwrap_or_else(|| of_run(run))
}

/// The trace id of a run that nobody traces yet.
pub(super) fn of_run(run: &RunId) -> String {
    let mut digest = Sha256Hex::of(run.as_str().as_bytes()).0;
    digest.truncate(DIGITS);
    digest
}

/// `00-<trace id>-<span id>-<flags>`. Source: W3C Trace Context.
fn of_traceparent(text: &str) -> Option<String> {
    well_formed(text.split('-').nth(1)?.to_owned())
}

/// `Root=1-<8 digits>-<24 digits>;…`. Source: AWS X-Ray, "Tracing header".
fn of_amazon(text: &str) -> Option<String> {
    let root = text
        .split(';')
        .find_map(|part| part.trim().strip_prefix("Root="))?;
    let mut parts = root.split('-').skip(1);
    well_formed(format!("{}{}", parts.next()?, parts.next()?))
}

fn well_formed(text: String) -> Option<String> {
    let digits = text
        .bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (text.len() == DIGITS && digits && text.bytes().any(|b| b != b'0')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str) -> String {
        let request = ApiRequest {
            headers: [(name.to_owned(), value.to_owned())].into(),
            ..ApiRequest::default()
        };
        trace_id(&request, &RunId::from("r-aaaaaaaaaaaaaaaaaaaa"))
    }

    #[test]
    fn the_callers_trace_goes_on_and_nonsense_is_replaced() {
        let derived = check("x", "");
        assert_eq!(derived.len(), 32);
        assert_eq!(
            check(
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            ),
            "4bf92f3577b34da6a3ce929d0e0e4736"
        );
        assert_eq!(
            check(
                "x-amzn-trace-id",
                "Self=1-2-3;Root=1-67891233-abcdef012345678912345678;Sampled=1"
            ),
            "67891233abcdef012345678912345678"
        );
        for nonsense in ["", "00-0-0-0", "00-00000000000000000000000000000000-1-0"] {
            assert_eq!(check("traceparent", nonsense), derived);
        }
    }
}
