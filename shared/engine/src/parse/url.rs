//! Which URLs an `http` task may call.

use super::code::Code;

/// Longest URL; what common servers accept.
const URL_BYTES: usize = 2_048;

/// Checks that a URL is absolute, HTTP, without credentials, and without characters that need escaping.
///
/// # Errors
/// Code, what is wrong, and a hint.
pub(crate) fn check(text: &str) -> Result<(), (Code, &'static str, &'static str)> {
    let refuse = |what, hint| Err((Code::BadUrl, what, hint));
    let example = "give an absolute URL, such as `https://example.com/path`";
    if text.len() > URL_BYTES {
        return refuse("is longer than 2,048 bytes", example);
    }
    if text
        .bytes()
        .any(|b| b <= b' ' || b >= 0x7f || b"\"<>\\^`{|}".contains(&b))
    {
        return refuse(
            "has a character that a URL cannot have",
            "escape it with `%`",
        );
    }
    let Some(rest) = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
    else {
        return refuse("is not a URL of http or https", example);
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return refuse(
            "has credentials in it",
            "put them into a header that is mapped at run time, never into a document",
        );
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(inner) => match inner.split_once(']') {
            Some((host, after)) => (host, after.strip_prefix(':').or(Some(after))),
            None => return refuse("has an IPv6 address that does not end", example),
        },
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() || host.bytes().any(|b| b"[]".contains(&b)) {
        return refuse("has no host", example);
    }
    match port.filter(|port| !port.is_empty()) {
        Some(port) if port.parse::<u16>().is_err() || port.starts_with('+') => {
            refuse("has a port that is none", "ports are 1 to 65535")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_http_is_called() {
        for good in [
            "https://example.com",
            "http://127.0.0.1:8080/a?b=c#d",
            "https://[::1]:443/x",
            "https://a.b:1/%20",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "example.com",
            "ftp://example.com",
            "file:///etc/passwd",
            "https://",
            "https:///path",
            "https://user:pass@example.com",
            "https://a b",
            "https://a:99999",
            "https://[::1",
            "https://é.com",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
