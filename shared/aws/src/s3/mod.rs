//! The bucket as the stages' object store. Every object is written with its SHA-256, so that the service checks what arrives.

mod files;
mod presign;
mod reads;
mod writes;

use aws_sdk_s3::Client;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use foreshard_stages::ports::PortError;

use crate::classify::port_error;
use crate::sdk::Aws;

/// The bucket.
#[derive(Debug, Clone)]
pub struct S3Bucket {
    client: Client,
    bucket: String,
}

impl S3Bucket {
    /// The bucket of this name.
    #[must_use]
    pub fn new(aws: &Aws, bucket: impl Into<String>) -> Self {
        let config = aws_sdk_s3::config::Builder::from(aws.shared())
            // An endpoint of one's own rarely answers for `<bucket>.<host>`.
            .force_path_style(aws.endpoint().is_some())
            .build();
        Self {
            client: Client::from_conf(config),
            bucket: bucket.into(),
        }
    }
}

/// What an error of S3 means. Without `s3:ListBucket`, which most stages do not have, a key that does not exist answers 403.
fn blob_error<E>(key: &str, error: &SdkError<E, HttpResponse>) -> PortError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let status = error.raw_response().map(|raw| raw.status().as_u16());
    match status {
        Some(404) => PortError::NotFound(format!("object `{key}`")),
        Some(403) => PortError::NotFound(format!("object `{key}`, or not permitted")),
        _ => port_error(&format!("object `{key}`"), error),
    }
}

/// A digest as S3's checksum headers have it.
fn checksum(digest: &[u8]) -> String {
    data_encoding::BASE64.encode(digest)
}
