//! Limits of the account, as Lambda tells them.

use async_trait::async_trait;
use aws_sdk_lambda::Client;
use foreshard_stages::ports::{AccountLimits, PortResult};

use crate::classify::port_error;
use crate::sdk::Aws;

/// What Lambda lets the account have in a region.
#[derive(Debug, Clone)]
pub struct LambdaLimits {
    client: Client,
}

impl LambdaLimits {
    /// Limits in the region.
    #[must_use]
    pub fn new(aws: &Aws) -> Self {
        Self {
            client: Client::new(aws.shared()),
        }
    }
}

#[async_trait]
impl AccountLimits for LambdaLimits {
    async fn unreserved(&self) -> PortResult<Option<u32>> {
        let answer = self.client.get_account_settings().send().await;
        let settings = answer.map_err(|error| port_error("the account's limits", &error))?;
        let limit = settings.account_limit.as_ref();
        let unreserved = limit.and_then(|limit| limit.unreserved_concurrent_executions);
        // 0 is what an emulator says that knows no limit; an account always has some.
        Ok(unreserved
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| *n > 0))
    }
}
