//! Users' own Lambda functions, invoked once with the identity of the task.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use foreshard_model::limits::LAMBDA_TIMEOUT_MS;
use foreshard_stages::ports::{FunctionCalls, PortError, PortResult, TaskCredentials};
use serde_json::Value;

use crate::classify::port_error;
use crate::sdk::Aws;

/// Waited beyond the longest function for its answer to arrive.
const ANSWER_MARGIN_MS: u64 = 10_000;
/// A connection inside a region is made in milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Calls of users' functions.
#[derive(Debug, Clone)]
pub struct LambdaCalls {
    aws: Aws,
}

impl LambdaCalls {
    /// Functions of the region.
    #[must_use]
    pub fn new(aws: &Aws) -> Self {
        Self { aws: aws.clone() }
    }

    /// A client that signs as the task. It never repeats a call by itself: the function may have run although no answer
    /// came, and whether that may happen twice is for the task's retries to say.
    fn client(&self, identity: &TaskCredentials) -> Client {
        let credentials = Credentials::new(
            &identity.access_key_id,
            &identity.secret_access_key,
            Some(identity.session_token.clone()),
            None,
            "task",
        );
        let config = aws_sdk_lambda::config::Builder::from(self.aws.shared())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .read_timeout(Duration::from_millis(LAMBDA_TIMEOUT_MS + ANSWER_MARGIN_MS))
                    .build(),
            )
            .build();
        Client::from_conf(config)
    }
}

#[async_trait]
impl FunctionCalls for LambdaCalls {
    async fn invoke(
        &self,
        function: &str,
        payload: Value,
        identity: &TaskCredentials,
    ) -> PortResult<Result<Value, String>> {
        let what = format!("function `{function}`");
        let body = serde_json::to_vec(&payload)
            .map_err(|error| PortError::Refused(format!("{what}: {error}")))?;
        let answer = self
            .client(identity)
            .invoke()
            .function_name(function)
            .invocation_type(InvocationType::RequestResponse)
            .payload(Blob::new(body))
            .send()
            .await
            .map_err(|error| port_error(&what, &error))?;
        let bytes = answer.payload.map(Blob::into_inner).unwrap_or_default();
        if let Some(kind) = answer.function_error {
            let text = String::from_utf8_lossy(&bytes);
            return Ok(Err(format!("{kind}: {text}")));
        }
        if bytes.is_empty() {
            return Ok(Ok(Value::Null));
        }
        serde_json::from_slice(&bytes)
            .map(Ok)
            .map_err(|error| PortError::Corrupt(format!("{what}: answer is not JSON: {error}")))
    }
}
