//! Cursors: where a page goes on, opaque to callers and safe in a URL.

use data_encoding::BASE64URL_NOPAD;

use super::http::ApiRequest;
use super::refusal::{Code, Refusal};

/// Longest `after` that is looked at: longer than every sort key and object name, which have at most 1,024 bytes, is
/// in base64.
pub(super) const AFTER_CHARS: usize = 1_400;

/// The `next` of an answer.
pub(super) fn next(place: &str) -> String {
    BASE64URL_NOPAD.encode(place.as_bytes())
}

/// Where the caller wants to go on: what [`next`] was made of.
pub(super) fn after(request: &ApiRequest) -> Result<Option<String>, Refusal> {
    let text = match request.query.get("after").map(String::as_str) {
        Some("") | None => return Ok(None),
        Some(text) => text,
    };
    let place = Some(text)
        .filter(|text| text.len() <= AFTER_CHARS)
        .and_then(|text| BASE64URL_NOPAD.decode(text.as_bytes()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|place| !place.chars().any(char::is_control));
    place.map(Some).ok_or_else(foreign)
}

/// The cursor is not one that this listing has given.
pub(super) fn foreign() -> Refusal {
    Refusal::new(
        Code::BadParameter,
        "`after` is not what an answer gave as `next`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Option<Option<String>> {
        let request = ApiRequest {
            query: [("after".to_owned(), text.to_owned())].into(),
            ..ApiRequest::default()
        };
        after(&request).ok()
    }

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is() {
        let place = "0000000000005#r-a/ü";
        assert_eq!(check(&next(place)), Some(Some(place.to_owned())));
        assert_eq!(check(""), Some(None));
        for foreign in [
            "0000000000005#r-a",
            "a",
            "_w",
            &next("a\nb"),
            &"A".repeat(2_000),
        ] {
            assert_eq!(check(foreign), None, "{foreign}");
        }
    }
}
