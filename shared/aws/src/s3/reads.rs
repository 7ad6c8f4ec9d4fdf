//! Reading objects: whole, into a file with the digest taken on the way, their length, and listings.

use std::path::Path;

use async_trait::async_trait;
use foreshard_model::ids::Sha256Hex;
use foreshard_stages::ports::{BlobLists, BlobReads, Page, PortError, PortResult};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

use super::{S3Bucket, blob_error};
use crate::classify::chain;

/// Keys of one page. Source: S3, `ListObjectsV2`.
const LIST_PAGE: usize = 1000;

#[async_trait]
impl BlobReads for S3Bucket {
    async fn get(&self, key: &str) -> PortResult<Vec<u8>> {
        let answer = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map_err(|error| blob_error(key, &error))?;
        let bytes = answer.body.collect().await.map_err(|error| {
            PortError::Unavailable(format!("object `{key}`: {}", chain(&error)))
        })?;
        Ok(bytes.to_vec())
    }

    async fn get_file(&self, key: &str, path: &Path) -> PortResult<(Sha256Hex, u64)> {
        let answer = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map_err(|error| blob_error(key, &error))?;
        let mut body = answer.body;
        let local =
            |error: std::io::Error| PortError::Refused(format!("file for object `{key}`: {error}"));
        let mut file = tokio::fs::File::create(path).await.map_err(local)?;
        let (mut hash, mut length) = (Sha256::new(), 0u64);
        while let Some(part) = body.next().await {
            let part = part.map_err(|error| {
                PortError::Unavailable(format!("object `{key}`: {}", chain(&error)))
            })?;
            hash.update(&part);
            length += part.len() as u64;
            file.write_all(&part).await.map_err(local)?;
        }
        file.flush().await.map_err(local)?;
        let digest = Sha256Hex(data_encoding::HEXLOWER.encode(&hash.finalize()));
        Ok((digest, length))
    }

    async fn head(&self, key: &str) -> PortResult<Option<u64>> {
        let answer = self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(Some(
                answer
                    .content_length
                    .and_then(|length| u64::try_from(length).ok())
                    .unwrap_or(0),
            )),
            Err(error) => match blob_error(key, &error) {
                PortError::NotFound(_) => Ok(None),
                other => Err(other),
            },
        }
    }
}

#[async_trait]
impl BlobLists for S3Bucket {
    async fn list(
        &self,
        prefix: &str,
        limit: usize,
        after: Option<&str>,
    ) -> PortResult<Page<String>> {
        let mut items: Vec<String> = Vec::new();
        let mut from = after.map(str::to_owned);
        loop {
            let wanted = (limit.max(1) - items.len()).min(LIST_PAGE);
            let answer = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(prefix)
                .set_start_after(from.clone())
                .max_keys(i32::try_from(wanted).unwrap_or(i32::MAX))
                .send()
                .await
                .map_err(|error| crate::classify::port_error("listing of the bucket", &error))?;
            let keys = answer.contents.unwrap_or_default();
            items.extend(keys.into_iter().filter_map(|object| object.key));
            let more = answer.is_truncated == Some(true);
            from = items.last().cloned();
            if !more || items.len() >= limit.max(1) {
                let next = from.filter(|_| more);
                return Ok(Page { items, next });
            }
        }
    }
}
