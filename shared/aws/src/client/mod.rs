//! The client of the deployed REST API, for the command line and for tests: typed calls, signed requests, repeats.

mod address;
mod request;
mod routes;
mod schedules;
mod sign;
#[cfg(test)]
mod tests;
mod upload;

use aws_config::BehaviorVersion;
use aws_credential_types::provider::ProvideCredentials as _;
use foreshard_model::api::ProblemDocument;
use thiserror::Error;

use crate::http::LateHttp;
use crate::sdk::Credentials;

pub use self::routes::RunFilter;

/// Why the API did not give what was asked.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ApiError {
    /// The API refused, and says why.
    #[error("{} ({}): {}", .0.title, .0.code, .0.detail)]
    Refused(Box<ProblemDocument>),
    /// No answer, or one that is not the API's.
    #[error("no answer from {0}")]
    Unreachable(String),
    /// There are no credentials or no region to sign with.
    #[error("no credentials to sign with: {0}")]
    Credentials(String),
    /// What is to be sent cannot be read, or the address is not one.
    #[error("{0}")]
    Local(String),
}

/// A client of one deployment.
#[derive(Clone)]
pub struct ApiClient {
    base: String,
    region: String,
    credentials: Credentials,
    http: reqwest::Client,
}

impl std::fmt::Debug for ApiClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiClient")
            .field("base", &self.base)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl ApiClient {
    /// A client for the API at `base_url`, such as `https://<id>.execute-api.<region>.amazonaws.com/<stage>`.
    ///
    /// # Errors
    /// [`ApiError::Local`] when the address is not one.
    pub fn new(
        base_url: &str,
        region: impl Into<String>,
        credentials: Credentials,
    ) -> Result<Self, ApiError> {
        let wrong = |reason: String| ApiError::Local(format!("address `{base_url}`: {reason}"));
        let url = reqwest::Url::parse(base_url).map_err(|error| wrong(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong("not an http address".to_owned()));
        }
        Ok(Self {
            base: base_url.trim_end_matches('/').to_owned(),
            region: region.into(),
            credentials,
            http: request::http().map_err(wrong)?,
        })
    }

    /// A client that signs with what the usual AWS environment gives: variables, then profiles, then the machine's role. The
    /// region is the one that the address names, if it does.
    ///
    /// # Errors
    /// [`ApiError::Credentials`] when nothing gives a region or credentials; [`ApiError::Local`] when the address is not one.
    pub async fn from_environment(base_url: &str) -> Result<Self, ApiError> {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(LateHttp::new(false))
            .load()
            .await;
        let (base_url, named) = address::region_of(base_url);
        let region = named
            .map(ToOwned::to_owned)
            .or_else(|| config.region().map(ToString::to_string))
            .ok_or_else(|| ApiError::Credentials("set `AWS_REGION`".to_owned()))?;
        let provider = config
            .credentials_provider()
            .ok_or_else(|| ApiError::Credentials("no provider".to_owned()))?;
        let credentials = provider
            .provide_credentials()
            .await
            .map_err(|error| ApiError::Credentials(crate::classify::chain(&error)))?;
        Self::new(base_url, region, credentials)
    }

    /// The address that it was made for.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base
    }
}
