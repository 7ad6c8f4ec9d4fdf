//! A caller of the API: requests in one line, answers as status and JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use foreshard_fakes::{World, block_on, wire};
use foreshard_model::ids::RunId;
use foreshard_stages::submit::{ApiRequest, ApiResponse, Identity, answer};
use serde_json::{Value, json};

/// A chain of two tasks.
pub(crate) const CHAIN: &str = r#"
foreshard: 1
name: chain
version: "1"
tasks:
  - {id: a, kind: synthetic, cpu_s: 0.1}
  - {id: b, kind: synthetic, cpu_s: 0.1, needs: [a]}
"#;

/// Two tasks that wait for each other.
pub(crate) const CYCLE: &str = r#"
foreshard: 1
name: cycle
version: "1"
tasks:
  - {id: a, kind: synthetic, cpu_s: 0.1, needs: [b]}
  - {id: b, kind: synthetic, cpu_s: 0.1, needs: [a]}
"#;

/// One account's user, and the requests that they have made.
pub(crate) struct Caller {
    pub(crate) world: Arc<World>,
    account: &'static str,
    requests: std::cell::Cell<u32>,
}

/// The account of most tests.
pub(crate) const ACCOUNT: &str = "123456789012";

impl Caller {
    pub(crate) fn new() -> Self {
        Self::of(ACCOUNT, &Arc::new(World::new()))
    }

    pub(crate) fn of(account: &'static str, world: &Arc<World>) -> Self {
        Self {
            world: world.clone(),
            account,
            requests: std::cell::Cell::new(0),
        }
    }

    pub(crate) fn request(&self, method: &str, path: &str, body: &Value) -> ApiRequest {
        self.requests.set(self.requests.get() + 1);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query = query.split('&').filter_map(|pair| pair.split_once('='));
        ApiRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
            headers: BTreeMap::new(),
            body: if body.is_null() {
                Vec::new()
            } else {
                body.to_string().into_bytes()
            },
            identity: Some(Identity {
                account: self.account.to_owned(),
                principal: format!("arn:aws:iam::{}:user/ada", self.account),
            }),
            request_id: format!("request-{}-{}", self.account, self.requests.get()),
        }
    }

    pub(crate) fn send(&self, request: &ApiRequest) -> ApiResponse {
        block_on(answer(&wire::submit(&self.world), request))
    }

    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> ApiResponse {
        self.send(&self.request(method, path, body))
    }

    pub(crate) fn get(&self, path: &str) -> ApiResponse {
        self.call("GET", path, &Value::Null)
    }

    pub(crate) fn post(&self, path: &str) -> ApiResponse {
        self.call("POST", path, &Value::Null)
    }

    /// Submits a document under an idempotency key.
    pub(crate) fn submit(&self, key: &str, document: &str) -> ApiResponse {
        self.submit_body(key, &json!({ "document": document }))
    }

    pub(crate) fn submit_body(&self, key: &str, body: &Value) -> ApiResponse {
        let mut request = self.request("POST", "/runs", body);
        request
            .headers
            .insert("idempotency-key".to_owned(), key.to_owned());
        self.send(&request)
    }

    /// Submits [`CHAIN`] and gives the run.
    pub(crate) fn submitted(&self) -> RunId {
        run_of(&self.submit("k", CHAIN))
    }
}

/// The run that an answer names.
pub(crate) fn run_of(answer: &ApiResponse) -> RunId {
    RunId::from(answer.value()["run"].as_str().unwrap())
}

/// Status and code of a refusal.
pub(crate) fn refused(answer: &ApiResponse) -> String {
    assert_eq!(answer.content_type, "application/problem+json");
    let value = answer.value();
    assert_eq!(value["status"], answer.status);
    format!(
        "{} {} {}",
        answer.status,
        value["code"].as_str().unwrap(),
        value["detail"].as_str().unwrap()
    )
}
