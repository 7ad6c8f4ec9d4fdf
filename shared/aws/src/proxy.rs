//! API Gateway's proxy event of a REST API to the request that submit understands, and its answer back.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::SystemTime;

use data_encoding::BASE64;
use foreshard_stages::submit::{ApiRequest, ApiResponse, Identity};
use serde::{Deserialize, Serialize};

use crate::local_signature::Arrived;

/// The account that emulators have by default.
const ACCOUNT: &str = "000000000000";

/// Who calls where nobody verifies it, and signs with the emulator's secret. Only the emulator's deployment sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalIdentity {
    /// Account.
    pub account: String,
    /// ARN.
    pub principal: String,
}

impl LocalIdentity {
    /// The one of an emulator, where AWS itself is this very machine: it verifies nobody. On AWS a function has no AWS on
    /// its loopback interface.
    #[must_use]
    pub fn at(endpoint: &str) -> Option<Self> {
        let url = reqwest::Url::parse(endpoint).ok()?;
        let host = url.host_str()?.trim_matches(['[', ']']);
        let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        here.then(|| Self {
            account: ACCOUNT.to_owned(),
            principal: format!("arn:aws:iam::{ACCOUNT}:user/local"),
        })
    }

    /// Reads `<account>|<principal ARN>`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (account, principal) = text.split_once('|')?;
        (!account.is_empty() && !principal.is_empty()).then(|| Self {
            account: account.to_owned(),
            principal: principal.to_owned(),
        })
    }
}

/// The members of the event (payload format 1.0) that matter; a gateway may send `null` for each.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProxyEvent {
    http_method: String,
    path: String,
    headers: Option<BTreeMap<String, Option<String>>>,
    query_string_parameters: Option<BTreeMap<String, Option<String>>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
    request_context: Option<RequestContext>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RequestContext {
    request_id: Option<String>,
    api_id: Option<String>,
    stage: Option<String>,
    identity: Option<Caller>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Caller {
    account_id: Option<String>,
    user_arn: Option<String>,
    caller: Option<String>,
    access_key: Option<String>,
}

impl Caller {
    /// Who the gateway has verified: with IAM it names all four, and none without.
    fn verified(self) -> Option<Identity> {
        let present = |text: Option<String>| text.filter(|text| !text.is_empty());
        (present(self.caller).is_some() && present(self.access_key).is_some()).then_some(())?;
        Some(Identity {
            account: present(self.account_id)?,
            principal: present(self.user_arn)?,
        })
    }
}

/// What the gateway takes as an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxyAnswer {
    status_code: u16,
    headers: BTreeMap<String, String>,
    body: String,
    is_base64_encoded: bool,
}

impl ProxyEvent {
    /// The request, with the caller that IAM has verified. With `local` there is no IAM: whatever the gateway says of the
    /// caller then, the signature says it. `request_id` is Lambda's, for a gateway that sends none.
    #[must_use]
    pub fn into_request(self, local: Option<&LocalIdentity>, request_id: &str) -> ApiRequest {
        self.request_at(local, request_id, SystemTime::now())
    }

    fn request_at(
        self,
        local: Option<&LocalIdentity>,
        request_id: &str,
        now: SystemTime,
    ) -> ApiRequest {
        let context = self.request_context.unwrap_or_default();
        let paths = paths(&context, &self.path);
        let verified = context.identity.and_then(Caller::verified);
        let body = self.body.unwrap_or_default();
        let body = if self.is_base64_encoded.unwrap_or_default() {
            // What is no base64 goes on as it is: submit says what is wrong with a body.
            BASE64
                .decode(body.as_bytes())
                .unwrap_or_else(|_| body.into_bytes())
        } else {
            body.into_bytes()
        };
        let method = self.http_method.to_ascii_uppercase();
        let query = present(self.query_string_parameters).collect();
        let headers = present(self.headers)
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        let signer = |local: &LocalIdentity| {
            let arrived = Arrived {
                method: &method,
                paths,
                query: &query,
                headers: &headers,
                body: &body,
            };
            arrived.signer(local, now)
        };
        let identity = match local {
            Some(local) => signer(local),
            None => verified,
        };
        ApiRequest {
            path: self.path,
            identity,
            method,
            query,
            headers,
            body,
            request_id: context
                .request_id
                .filter(|id| !id.is_empty())
                .unwrap_or_else(|| request_id.to_owned()),
        }
    }
}

/// Where an emulator may have been asked for `path`: as AWS is, and by the paths that emulators have for it.
fn paths(context: &RequestContext, path: &str) -> Vec<String> {
    let api = context.api_id.as_deref().unwrap_or_default();
    let stage = context.stage.as_deref().unwrap_or_default();
    vec![
        format!("/{stage}{path}"),
        format!("/restapis/{api}/{stage}/_user_request_{path}"),
        format!("/_aws/execute-api/{api}/{stage}{path}"),
    ]
}

fn present(
    members: Option<BTreeMap<String, Option<String>>>,
) -> impl Iterator<Item = (String, String)> {
    members
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
}

impl From<ApiResponse> for ProxyAnswer {
    fn from(answer: ApiResponse) -> Self {
        let mut headers: BTreeMap<String, String> = answer
            .headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        headers.insert("content-type".to_owned(), answer.content_type.to_owned());
        let (body, is_base64_encoded) = match String::from_utf8(answer.body) {
            Ok(text) => (text, false),
            Err(binary) => (BASE64.encode(binary.as_bytes()), true),
        };
        Self {
            status_code: answer.status,
            headers,
            body,
            is_base64_encoded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(event: serde_json::Value, local: Option<&LocalIdentity>) -> ApiRequest {
        let event: ProxyEvent = serde_json::from_value(event).unwrap();
        event.request_at(local, "lambda-id", SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn an_event_of_the_gateway_is_read() {
        let seen = request(
            json!({
                "resource": "/{proxy+}", "path": "/runs", "httpMethod": "POST",
                "headers": {"Idempotency-Key": "k", "X-None": null},
                "multiValueHeaders": {"Idempotency-Key": ["k"]},
                "queryStringParameters": {"limit": "5"},
                "requestContext": {
                    "requestId": "gateway-id", "httpMethod": "POST",
                    "identity": {"accountId": "111122223333", "userArn": "arn:aws:iam::111122223333:user/ann",
                        "caller": "AIDAEXAMPLE", "accessKey": "AKIDEXAMPLE", "sourceIp": "1.2.3.4"}
                },
                "body": "eyJ9", "isBase64Encoded": true
            }),
            None,
        );
        let expected = ApiRequest {
            method: "POST".into(),
            path: "/runs".into(),
            query: [("limit".to_owned(), "5".to_owned())].into(),
            headers: [("idempotency-key".to_owned(), "k".to_owned())].into(),
            body: b"{\"}".to_vec(),
            identity: Some(Identity {
                account: "111122223333".into(),
                principal: "arn:aws:iam::111122223333:user/ann".into(),
            }),
            request_id: "gateway-id".into(),
        };
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_caller_that_nobody_verified_is_nobody() {
        let event = json!({
            "path": "/runs", "httpMethod": "get", "body": null, "headers": null, "queryStringParameters": null,
            "requestContext": {"identity": {"accountId": "", "userArn": null}}
        });
        let nobody = request(event.clone(), None);
        assert_eq!((nobody.identity, nobody.method.as_str()), (None, "GET"));
        assert_eq!(nobody.request_id, "lambda-id");
        let local = LocalIdentity::parse("000000000000|arn:aws:iam::000000000000:user/local");
        assert_eq!(
            request(event, local.as_ref()).identity,
            None,
            "it is not signed"
        );
        let named = json!({"path": "/runs", "requestContext": {"identity": {
            "accountId": "111122223333", "userArn": "arn:aws:iam::111122223333:user/ann",
            "caller": "AIDAEXAMPLE", "accessKey": "AKIDEXAMPLE"
        }}});
        assert_eq!(
            request(named, local.as_ref()).identity,
            None,
            "an emulator names whoever the request names"
        );
        for lacking in ["accountId", "userArn", "caller", "accessKey"] {
            let mut identity = json!({
                "accountId": "111122223333", "userArn": "arn:aws:iam::111122223333:user/ann",
                "caller": "AIDAEXAMPLE", "accessKey": "AKIDEXAMPLE"
            });
            identity[lacking] = json!(null);
            let event = json!({"path": "/runs", "requestContext": {"identity": identity}});
            assert_eq!(request(event, None).identity, None, "{lacking}");
        }
        assert_eq!(LocalIdentity::parse("|x"), None);
    }

    #[test]
    fn an_emulator_is_known_by_where_aws_is() {
        for here in [
            "http://127.0.0.1:4566",
            "http://localhost:4566/",
            "http://[::1]:4566",
        ] {
            assert!(LocalIdentity::at(here).is_some(), "{here}");
        }
        for elsewhere in [
            "https://dynamodb.us-east-1.amazonaws.com",
            "https://vpce-1.execute-api.us-east-1.vpce.amazonaws.com",
            "http://10.0.0.1:4566",
            "http://127.0.0.1.example.com",
            "localhost",
            "",
        ] {
            assert_eq!(LocalIdentity::at(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn answers_are_text_or_base64() {
        let answer = |body: &[u8]| {
            ProxyAnswer::from(ApiResponse {
                status: 202,
                content_type: "application/json",
                headers: [("location", "/runs/r".to_owned())].into(),
                body: body.to_vec(),
            })
        };
        insta::assert_json_snapshot!(answer(b"{}"), @r#"
        {
          "statusCode": 202,
          "headers": {
            "content-type": "application/json",
            "location": "/runs/r"
          },
          "body": "{}",
          "isBase64Encoded": false
        }
        "#);
        let binary = answer(&[0xff, 0x00]);
        assert_eq!(
            (binary.body.as_str(), binary.is_base64_encoded),
            ("/wA=", true)
        );
    }
}
