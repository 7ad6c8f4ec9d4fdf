//! API Gateway's proxy event of a REST API to the request that submit understands, and its answer back.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use foreshard_stages::submit::{ApiRequest, ApiResponse, Identity};
use serde::{Deserialize, Serialize};

/// Who calls where no authorizer says it. Only the emulator's deployment sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalIdentity {
    /// Account.
    pub account: String,
    /// ARN.
    pub principal: String,
}

impl LocalIdentity {
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
    identity: Option<Caller>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Caller {
    account_id: Option<String>,
    user_arn: Option<String>,
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
    /// The request, with the caller that IAM has verified; `local` stands in where there is none. `request_id` is
    /// Lambda's, for a gateway that sends none.
    #[must_use]
    pub fn into_request(self, local: Option<&LocalIdentity>, request_id: &str) -> ApiRequest {
        let context = self.request_context.unwrap_or_default();
        let verified = context.identity.and_then(|caller| {
            let account = caller.account_id.filter(|text| !text.is_empty())?;
            let principal = caller.user_arn.filter(|text| !text.is_empty())?;
            Some(Identity { account, principal })
        });
        let stand_in = || {
            local.map(|local| Identity {
                account: local.account.clone(),
                principal: local.principal.clone(),
            })
        };
        let body = self.body.unwrap_or_default();
        let body = if self.is_base64_encoded.unwrap_or_default() {
            // What is no base64 goes on as it is: submit says what is wrong with a body.
            BASE64
                .decode(body.as_bytes())
                .unwrap_or_else(|_| body.into_bytes())
        } else {
            body.into_bytes()
        };
        ApiRequest {
            method: self.http_method.to_ascii_uppercase(),
            path: self.path,
            query: present(self.query_string_parameters).collect(),
            headers: present(self.headers)
                .map(|(name, value)| (name.to_ascii_lowercase(), value))
                .collect(),
            body,
            identity: verified.or_else(stand_in),
            request_id: context
                .request_id
                .filter(|id| !id.is_empty())
                .unwrap_or_else(|| request_id.to_owned()),
        }
    }
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
        event.into_request(local, "lambda-id")
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
                    "identity": {"accountId": "111122223333", "userArn": "arn:aws:iam::111122223333:user/ann", "sourceIp": "1.2.3.4"}
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
    fn a_caller_that_nobody_verified_is_nobody_or_the_local_one() {
        let event = json!({
            "path": "/runs", "httpMethod": "get", "body": null, "headers": null, "queryStringParameters": null,
            "requestContext": {"identity": {"accountId": "", "userArn": null}}
        });
        let nobody = request(event.clone(), None);
        assert_eq!((nobody.identity, nobody.method.as_str()), (None, "GET"));
        assert_eq!(nobody.request_id, "lambda-id");
        let local = LocalIdentity::parse("000000000000|arn:aws:iam::000000000000:user/local");
        let seen = request(event, local.as_ref()).identity.unwrap();
        assert_eq!(seen.account, "000000000000");
        assert_eq!(LocalIdentity::parse("|x"), None);
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
