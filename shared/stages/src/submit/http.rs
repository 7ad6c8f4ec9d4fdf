//! Requests and answers of the REST API without any transport: what comes in, who asks, what goes out.

use std::collections::BTreeMap;

use foreshard_model::ids::Tenant;
use serde::Serialize;
use serde_json::Value;

/// A request as the gateway hands it on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiRequest {
    /// HTTP method, in capitals.
    pub method: String,
    /// Path without the gateway's stage, such as `/runs`.
    pub path: String,
    /// Query parameters; of a repeated one the last.
    pub query: BTreeMap<String, String>,
    /// Headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Body, decoded.
    pub body: Vec<u8>,
    /// Who asks, as the gateway has verified it; `None` is refused.
    pub identity: Option<Identity>,
    /// The gateway's id of this request: a repeat by the caller has another one.
    pub request_id: String,
}

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The caller's AWS account: the tenant.
    pub account: String,
    /// The caller's ARN.
    pub principal: String,
}

impl Identity {
    /// The owner of what this caller makes.
    #[must_use]
    pub fn tenant(&self) -> Tenant {
        Tenant(self.account.clone())
    }
}

/// An answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiResponse {
    /// HTTP status.
    pub status: u16,
    /// Media type of the body.
    pub content_type: &'static str,
    /// Further headers, their names in lower case.
    pub headers: BTreeMap<&'static str, String>,
    /// Body.
    pub body: Vec<u8>,
}

/// Media type of everything that is not an error.
pub const JSON: &str = "application/json";

/// Media type of errors: RFC 9457.
pub const PROBLEM_JSON: &str = "application/problem+json";

impl ApiResponse {
    /// An answer with a JSON body.
    pub(super) fn json<T: Serialize>(status: u16, body: &T) -> Self {
        Self::bytes(status, serde_json::to_vec(body).unwrap_or_default())
    }

    /// An answer whose JSON is there already.
    pub(super) fn bytes(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type: JSON,
            headers: BTreeMap::new(),
            body,
        }
    }

    /// The body as JSON; `Null` when it is none.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}
