//! Calls of AWS that no port makes: histories, configurations, logs, and functions invoked by hand.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::runs::until;

/// The emulator looks at the name of the service in here, and at nothing else.
fn authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

/// The emulator's services.
#[derive(Clone)]
pub struct Cloud {
    endpoint: String,
    http: reqwest::Client,
}

impl Cloud {
    pub fn new(endpoint: &str) -> Self {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(300))
            .build();
        Self {
            endpoint: endpoint.to_owned(),
            http: http.expect("a client"),
        }
    }

    /// A call of a service that speaks AWS JSON.
    pub async fn json(&self, service: &str, target: &str, body: &Value) -> Value {
        self.try_json(service, target, body)
            .await
            .unwrap_or_else(|error| panic!("{target}: {error}"))
    }

    /// The same, when a refusal is an answer too.
    pub async fn try_json(
        &self,
        service: &str,
        target: &str,
        body: &Value,
    ) -> Result<Value, Value> {
        let request = self
            .http
            .post(&self.endpoint)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", target)
            .header("authorization", authorization(service))
            .body(body.to_string());
        answer(request).await
    }

    /// Creates a function; one of the same name stays as it is.
    pub async fn create_function(&self, definition: &Value) {
        let created = self.lambda(Method::POST, "", definition).await;
        if let Err(error) = created {
            assert_eq!(error["status"], 409, "{definition}: {error}");
        }
    }

    async fn lambda(&self, method: Method, path: &str, body: &Value) -> Result<Value, Value> {
        let request = self
            .http
            .request(
                method,
                format!("{}/2015-03-31/functions/{path}", self.endpoint).trim_end_matches('/'),
            )
            .header("content-type", "application/json")
            .header("authorization", authorization("lambda"))
            .body(body.to_string());
        answer(request).await
    }

    /// Invokes a function and gives what it answers.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Value {
        let answer = self
            .lambda(Method::POST, &format!("{function}/invocations"), payload)
            .await;
        answer.unwrap_or_else(|error| panic!("{function}: {error}"))
    }

    async fn configuration(&self, function: &str) -> Value {
        let path = format!("{function}/configuration");
        let request = self
            .http
            .get(format!("{}/2015-03-31/functions/{path}", self.endpoint))
            .header("authorization", authorization("lambda"));
        answer(request)
            .await
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Waits until the last change of a function is in place: another one is refused before, on AWS too.
    async fn changed(&self, function: &str) {
        let look = async || {
            let found = self.configuration(function).await;
            (found["LastUpdateStatus"] != "InProgress").then_some(())
        };
        let changed = until(Duration::from_secs(120), look).await;
        assert!(changed.is_some(), "{function} is still being changed");
    }

    /// The variables of a function.
    pub async fn variables(&self, function: &str) -> Map<String, Value> {
        let found = self.configuration(function).await;
        found["Environment"]["Variables"]
            .as_object()
            .cloned()
            .unwrap_or_default()
    }

    /// Gives a function these variables and no others.
    pub async fn set_variables(&self, function: &str, variables: &Map<String, Value>) {
        let body = json!({ "Environment": { "Variables": variables } });
        let path = format!("{function}/configuration");
        self.lambda(Method::PUT, &path, &body)
            .await
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        self.changed(function).await;
    }

    /// Adds variables to a function; gives those that it had, to be put back.
    pub async fn add_variables(&self, function: &str, more: &[(&str, &str)]) -> Map<String, Value> {
        let before = self.variables(function).await;
        let mut variables = before.clone();
        variables.extend(
            more.iter()
                .map(|(name, value)| ((*name).to_owned(), json!(value))),
        );
        self.set_variables(function, &variables).await;
        before
    }

    /// Publishes a version of a function as it is now, and gives its number.
    pub async fn publish(&self, function: &str) -> String {
        let answer = self
            .lambda(Method::POST, &format!("{function}/versions"), &json!({}))
            .await;
        let published = answer.unwrap_or_else(|error| panic!("{function}: {error}"));
        published["Version"].as_str().expect("a version").to_owned()
    }

    /// Moves an alias to a version; gives the version that it was at.
    pub async fn move_alias(&self, function: &str, alias: &str, version: &str) -> String {
        let path = format!("{function}/aliases/{alias}");
        let request = self
            .http
            .get(format!("{}/2015-03-31/functions/{path}", self.endpoint))
            .header("authorization", authorization("lambda"));
        let before = answer(request)
            .await
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        let moved = self
            .lambda(Method::PUT, &path, &json!({ "FunctionVersion": version }))
            .await;
        moved.unwrap_or_else(|error| panic!("{path}: {error}"));
        before["FunctionVersion"]
            .as_str()
            .expect("a version")
            .to_owned()
    }

    /// Lines of a function's log that hold `text`.
    pub async fn log_lines(&self, function: &str, text: &str) -> Vec<String> {
        let body = json!({
            "logGroupName": format!("/aws/lambda/{function}"),
            "filterPattern": format!("\"{text}\""),
        });
        let answer = self
            .try_json("logs", "Logs_20140328.FilterLogEvents", &body)
            .await;
        let Ok(answer) = answer else {
            return Vec::new();
        };
        let events = answer["events"].as_array().cloned().unwrap_or_default();
        let messages = events.iter().filter_map(|event| event["message"].as_str());
        // LocalStack leaves the pattern aside.
        let holding = messages.filter(|message| message.contains(text));
        holding.map(str::to_owned).collect()
    }

    /// How many executions the state machine has had.
    pub async fn executions(&self, machine: &str) -> usize {
        let (mut count, mut token) = (0, Value::Null);
        loop {
            let mut body = json!({ "stateMachineArn": machine, "maxResults": 1000 });
            if !token.is_null() {
                body["nextToken"] = token;
            }
            let page = self
                .json("states", "AWSStepFunctions.ListExecutions", &body)
                .await;
            count += page["executions"].as_array().map_or(0, Vec::len);
            token = page["nextToken"].clone();
            if token.is_null() {
                return count;
            }
        }
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Value, Value> {
    let answer = request
        .send()
        .await
        .map_err(|error| json!(error.to_string()))?;
    let status = answer.status();
    let bytes = answer
        .bytes()
        .await
        .map_err(|error| json!(error.to_string()))?;
    let value =
        serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
    if status.is_success() {
        Ok(value)
    } else {
        Err(json!({ "status": status.as_u16(), "body": value }))
    }
}
