//! One configuration for all SDK clients of a process, built by hand: no profile, no instance metadata, no TLS before it is needed.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

pub use aws_credential_types::Credentials;

use crate::http::LateHttp;

/// Attempts of one call, the first included. With the back-off below the last one starts within about 2 s, well inside the
/// 29 s of API Gateway and the 60 s of a dispatch state.
const ATTEMPTS: u32 = 6;

/// Mean wait before the second attempt; each further one waits twice as long, with full jitter. DynamoDB answers in
/// single-digit milliseconds, so the SDK's own first wait of up to a second would be most of a dispatch.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);

/// Longest wait between attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// A connection inside a region is made in milliseconds; a SYN that is lost is repeated by the kernel after one second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Longest wait for the first byte of an answer: S3 may take several seconds when it scales.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// Region, endpoint and credentials, and what every client of the process shares.
#[derive(Clone)]
pub struct Aws {
    region: String,
    endpoint: Option<String>,
    credentials: Credentials,
    shared: SdkConfig,
}

impl std::fmt::Debug for Aws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aws")
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Aws {
    /// Everything that a client needs. With `endpoint` every service is asked there.
    #[must_use]
    pub fn new(
        region: impl Into<String>,
        endpoint: Option<String>,
        credentials: Credentials,
    ) -> Self {
        let region = region.into();
        let plain = endpoint.as_deref().is_some_and(|e| e.starts_with("http:"));
        let mut builder = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials.clone()))
            // The credentials are constants, so a cache in front of them would only cost.
            .identity_cache(aws_config::identity::IdentityCache::no_cache())
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(ATTEMPTS)
                    .with_initial_backoff(FIRST_BACKOFF)
                    .with_max_backoff(BACKOFF_MAX),
            )
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .read_timeout(READ_TIMEOUT)
                    .build(),
            )
            .http_client(LateHttp::new(plain));
        builder.set_endpoint_url(endpoint.clone());
        Self {
            region,
            endpoint,
            credentials,
            shared: builder.build(),
        }
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The endpoint that stands for every service, if one does.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// The credentials that requests are signed with.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// What every client is made from.
    pub(crate) fn shared(&self) -> &SdkConfig {
        &self.shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let credentials = Credentials::new("AK", "hidden-secret", None, None, "test");
        let text = format!("{:?}", Aws::new("eu-west-1", None, credentials));
        assert!(!text.contains("hidden-secret"), "{text}");
    }

    #[test]
    fn tls_is_not_set_up_before_the_first_request() {
        let http = LateHttp::new(false);
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http.clone());
        config.set_region(Some(Region::new("eu-west-1")));
        let _client = aws_sdk_dynamodb::Client::from_conf(config.build());
        assert!(!http.is_made());
    }
}
