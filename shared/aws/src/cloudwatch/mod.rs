//! CloudWatch: metrics in the namespace `Foreshard` are published, those of any namespace are read.

mod publish;
mod read;

use aws_sdk_cloudwatch::Client;

use crate::sdk::Aws;

/// CloudWatch.
#[derive(Debug, Clone)]
pub struct CloudWatchMetrics {
    client: Client,
}

impl CloudWatchMetrics {
    /// Metrics of the region.
    #[must_use]
    pub fn new(aws: &Aws) -> Self {
        Self {
            client: Client::new(aws.shared()),
        }
    }
}
