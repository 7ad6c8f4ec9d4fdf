//! Writing objects from memory, and objects that are written once only.

use std::path::Path;

use async_trait::async_trait;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use foreshard_stages::ports::{BlobWrites, PortError, PortResult};
use sha2::{Digest as _, Sha256};

use super::{S3Bucket, blob_error, checksum};
use crate::fault;

impl S3Bucket {
    fn put_bytes(&self, key: &str, bytes: Vec<u8>) -> PutObjectFluentBuilder {
        let digest = checksum(&Sha256::digest(&bytes));
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .checksum_sha256(digest)
            .body(bytes.into())
    }
}

#[async_trait]
impl BlobWrites for S3Bucket {
    async fn put(&self, key: &str, bytes: Vec<u8>) -> PortResult<()> {
        fault::write(self.put_bytes(key, bytes).send())
            .await
            .map(drop)
            .map_err(|error| blob_error(key, &error))
    }

    async fn put_new(&self, key: &str, bytes: Vec<u8>) -> PortResult<bool> {
        let call = self.put_bytes(key, bytes).if_none_match("*").send();
        match fault::write(call).await {
            Ok(_) => Ok(true),
            Err(error) => {
                let status = error.raw_response().map(|raw| raw.status().as_u16());
                match (status, blob_error(key, &error)) {
                    (Some(412), _) => Ok(false),
                    // 409: somebody else's write of the same key is under way.
                    (_, PortError::Conflict(text)) => Err(PortError::Unavailable(text)),
                    (_, other) => Err(other),
                }
            }
        }
    }

    async fn put_file(&self, key: &str, path: &Path) -> PortResult<()> {
        self.put_path(key, path).await
    }
}
