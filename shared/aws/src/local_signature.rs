//! Checks the signature of a request on an emulator, where the secret is no secret and no gateway checks it. On AWS the
//! gateway does, and nobody else can: this is never asked there.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use foreshard_stages::submit::Identity;

use crate::proxy::LocalIdentity;
use crate::sdk::Credentials;

/// The secret of every access key of an emulator.
const SECRET: &str = "test";

/// The service that requests to a REST API are signed for.
const SERVICE: &str = "execute-api";

/// How far the caller's clock may be off. Source: IAM, "Elements of an AWS API request signature": five minutes.
const SKEW: Duration = Duration::from_secs(300);

/// Digits of an account. An access key that ends in one belongs to that account: emulators take a key that is one for a
/// whole AWS of its own, where there is no API of this deployment.
const ACCOUNT_DIGITS: usize = 12;

/// Headers that the signature brings itself.
const OWN: [&str; 3] = ["host", "x-amz-date", "x-amz-security-token"];

/// A request as it arrived.
pub(crate) struct Arrived<'a> {
    pub(crate) method: &'a str,
    /// The paths under which an emulator may have been asked: the event does not tell which it was.
    pub(crate) paths: Vec<String>,
    pub(crate) query: &'a BTreeMap<String, String>,
    /// Names in lower case.
    pub(crate) headers: &'a BTreeMap<String, String>,
    pub(crate) body: &'a [u8],
}

impl Arrived<'_> {
    /// Who signed it at about `now`; `None`: nobody, or not with the secret that goes with their key.
    pub(crate) fn signer(&self, local: &LocalIdentity, now: SystemTime) -> Option<Identity> {
        let authorization = Authorization::parse(self.headers.get("authorization")?)?;
        let at = moment(self.headers.get("x-amz-date")?)?;
        let apart = now.duration_since(at).or_else(|_| at.duration_since(now));
        if authorization.service != SERVICE || apart.ok()? > SKEW {
            return None;
        }
        let signed = |path: &String| {
            self.signature(&authorization, path, at).as_deref() == Some(authorization.signature)
        };
        if !self.paths.iter().any(signed) {
            return None;
        }
        let key = authorization.access_key;
        let end = key.len().checked_sub(ACCOUNT_DIGITS);
        let named = end.and_then(|end| key.get(end..));
        Some(
            match named.filter(|end| end.bytes().all(|b| b.is_ascii_digit())) {
                Some(account) => Identity {
                    account: account.to_owned(),
                    principal: format!("arn:aws:iam::{account}:user/local"),
                },
                None => Identity {
                    account: local.account.clone(),
                    principal: local.principal.clone(),
                },
            },
        )
    }

    /// What the signature of this request is when it was sent to `path`.
    fn signature(&self, by: &Authorization<'_>, path: &str, at: SystemTime) -> Option<String> {
        let host = self.headers.get("host")?;
        let mut url = reqwest::Url::parse(&format!("http://{host}{path}")).ok()?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(self.query);
        }
        let token = self.headers.get("x-amz-security-token").cloned();
        let identity = Credentials::new(by.access_key, SECRET, token, None, "emulator").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(by.region)
            .name(SERVICE)
            .time(at)
            .settings(SigningSettings::default())
            .build()
            .ok()?
            .into();
        let others = by.signed.iter().filter(|name| !OWN.contains(name));
        let headers: Option<Vec<(&str, &str)>> = others
            .map(|name| Some((*name, self.headers.get(*name)?.as_str())))
            .collect();
        let request = SignableRequest::new(
            self.method,
            url.as_str(),
            headers?.into_iter(),
            SignableBody::Bytes(self.body),
        );
        let (_, signature) = sign(request.ok()?, &parameters).ok()?.into_parts();
        Some(signature)
    }
}

/// `AWS4-HMAC-SHA256 Credential=<key>/<day>/<region>/<service>/aws4_request, SignedHeaders=a;b, Signature=<hex>`.
struct Authorization<'a> {
    access_key: &'a str,
    region: &'a str,
    service: &'a str,
    signed: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(header: &'a str) -> Option<Self> {
        let members = header.strip_prefix("AWS4-HMAC-SHA256")?;
        let member = |name: &str| {
            let mut found = members.split(',').map(str::trim);
            found.find_map(|m| m.strip_prefix(name)?.strip_prefix('='))
        };
        let scope: Vec<&str> = member("Credential")?.split('/').collect();
        let [access_key, _, region, service, "aws4_request"] = scope.as_slice() else {
            return None;
        };
        Some(Self {
            access_key,
            region,
            service,
            signed: member("SignedHeaders")?.split(';').collect(),
            signature: member("Signature")?,
        })
    }
}

/// `20261121T080000Z`.
fn moment(text: &str) -> Option<SystemTime> {
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    let digits =
        |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(day, 8) || !digits(time, 6) {
        return None;
    }
    let spelt = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &day[..4],
        &day[4..6],
        &day[6..],
        &time[..2],
        &time[2..4],
        &time[4..]
    );
    let at = DateTime::from_str(&spelt, Format::DateTime).ok()?;
    SystemTime::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ApiClient;

    const AT: u64 = 1_700_000_000;

    fn at(s: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(s)
    }

    /// What happens to headers and body on their way.
    type Change = fn(&mut BTreeMap<String, String>, &mut Vec<u8>);

    /// A request of the client, signed with these credentials, after `change`; who it is from.
    fn check(key: &str, secret: &str, change: Change) -> String {
        let credentials = Credentials::new(key, secret, None, None, "test");
        let base = "http://127.0.0.1:4566/restapis/abc/v1/_user_request_";
        let client = ApiClient::new(base, "us-east-1", credentials).unwrap();
        let given = [
            ("content-type", "application/json"),
            ("idempotency-key", "k 1"),
        ];
        let mut body = b"{}".to_vec();
        let url = format!("{base}/runs?limit=5&after=a%23b");
        let signature = client
            .signature("POST", &url, &given, &body, at(AT))
            .unwrap();
        let mut headers: BTreeMap<String, String> = signature
            .into_iter()
            .map(|(name, value)| (name.to_lowercase(), value))
            .chain(given.map(|(name, value)| (name.to_owned(), value.to_owned())))
            .collect();
        headers.insert("host".to_owned(), "127.0.0.1:4566".to_owned());
        change(&mut headers, &mut body);
        let query = [("limit", "5"), ("after", "a#b")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        let arrived = Arrived {
            method: "POST",
            paths: vec![
                "/v1/runs".to_owned(),
                "/restapis/abc/v1/_user_request_/runs".to_owned(),
            ],
            query: &query.into(),
            headers: &headers,
            body: &body,
        };
        let local =
            LocalIdentity::parse("000000000000|arn:aws:iam::000000000000:user/local").unwrap();
        let signer = arrived.signer(&local, at(AT + 60));
        signer.map_or_else(|| "nobody".to_owned(), |who| who.principal)
    }

    #[test]
    fn a_key_with_the_secret_is_somebody() {
        assert_eq!(
            check("test", "test", |_, _| ()),
            "arn:aws:iam::000000000000:user/local"
        );
        for key in ["111122223333", "AKIA111122223333"] {
            let who = "arn:aws:iam::111122223333:user/local";
            assert_eq!(check(key, "test", |_, _| ()), who);
        }
    }

    #[test]
    fn unsigned_wrongly_signed_changed_and_old_requests_are_nobodys() {
        assert_eq!(check("test", "guess", |_, _| ()), "nobody");
        let cases: [(&str, Change); 7] = [
            ("unsigned", |headers, _| {
                drop(headers.remove("authorization"))
            }),
            ("no signature", |headers, _| {
                drop(headers.insert("authorization".into(), "AWS4-HMAC-SHA256".into()))
            }),
            ("another body", |_, body| body.push(b' ')),
            ("another key", |headers, _| {
                drop(headers.insert("idempotency-key".into(), "k 2".into()))
            }),
            ("another host", |headers, _| {
                drop(headers.insert("host".into(), "127.0.0.1:80".into()))
            }),
            ("another time", |headers, _| {
                drop(headers.insert("x-amz-date".into(), "20231114T221321Z".into()))
            }),
            ("no time", |headers, _| {
                drop(headers.insert("x-amz-date".into(), "now".into()))
            }),
        ];
        for (what, change) in cases {
            assert_eq!(check("test", "test", change), "nobody", "{what}");
        }
    }

    #[test]
    fn a_moment_is_read() {
        assert_eq!(moment("20231114T221320Z"), Some(at(AT)));
        for bad in ["", "20231114", "20231332T221320Z", "2023111éT221320Z"] {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }
}
