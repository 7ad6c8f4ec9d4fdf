//! Signature version 4 of one request to the REST API.

use std::time::SystemTime;

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

use super::{ApiClient, ApiError};

/// The service that a REST API's requests are signed for.
const SERVICE: &str = "execute-api";

impl ApiClient {
    /// The headers that sign a request sent at `at` with exactly these headers and this body.
    pub(crate) fn signature(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        at: SystemTime,
    ) -> Result<Vec<(String, String)>, ApiError> {
        let wrong = |error: &(dyn std::error::Error + 'static)| {
            ApiError::Local(crate::classify::chain(error))
        };
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(SERVICE)
            .time(at)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| wrong(&error))?
            .into();
        let request = SignableRequest::new(
            method,
            url,
            headers.iter().copied(),
            SignableBody::Bytes(body),
        )
        .map_err(|error| wrong(&error))?;
        let (instructions, _) = sign(request, &parameters)
            .map_err(|error| wrong(&error))?
            .into_parts();
        Ok(instructions
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk::Credentials;
    use std::time::Duration;

    fn signed(token: Option<&str>, body: &[u8]) -> Vec<(String, String)> {
        let credentials = Credentials::new(
            "AKIDEXAMPLE",
            "secret",
            token.map(str::to_owned),
            None,
            "test",
        );
        let client = ApiClient::new("https://x.example/live/", "eu-west-1", credentials).unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        client
            .signature("POST", "https://x.example/live/runs?limit=5", &[], body, at)
            .unwrap()
    }

    fn named<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
        let found = headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_request_carries_scope_date_and_token() {
        let headers = signed(Some("session"), b"{}");
        let authorization = named(&headers, "authorization").unwrap();
        assert!(
            authorization.starts_with(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20231114/eu-west-1/execute-api/aws4_request, "
            ),
            "{authorization}"
        );
        assert_eq!(named(&headers, "x-amz-date"), Some("20231114T221320Z"));
        assert_eq!(named(&headers, "x-amz-security-token"), Some("session"));
        assert_eq!(named(&signed(None, b"{}"), "x-amz-security-token"), None);
    }

    #[test]
    fn the_signature_is_of_the_body() {
        let of = |body: &[u8]| {
            named(&signed(None, body), "authorization")
                .unwrap()
                .to_owned()
        };
        assert_eq!(of(b"a"), of(b"a"));
        assert_ne!(of(b"a"), of(b"b"));
    }
}
