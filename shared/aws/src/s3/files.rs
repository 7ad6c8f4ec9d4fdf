//! Files to objects, streamed: one request up to a size, several parts at once above it.

use std::path::Path;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use aws_smithy_types::byte_stream::Length;
use foreshard_stages::ports::{PortError, PortResult};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::{S3Bucket, blob_error, checksum};
use crate::fault;

/// Files above it go in parts: a lost connection then costs one part, and several connections are used.
const MULTIPART_ABOVE_BYTES: u64 = 64 * 1024 * 1024;
/// Least size of a part: S3's minimum is 5 MiB; 16 MiB keeps the number of requests low.
const PART_BYTES: u64 = 16 * 1024 * 1024;
/// Most parts of an upload. Source: S3, "Multipart upload limits".
const PARTS_MAX: u64 = 10_000;
/// Parts under way at once.
const PARALLEL: usize = 4;
/// What is read at once for a digest.
const READ_BYTES: usize = 256 * 1024;

/// A stretch of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    number: i32,
    offset: u64,
    length: u64,
}

/// How a file is cut; empty: it goes in one request.
fn parts(length: u64) -> Vec<Part> {
    if length <= MULTIPART_ABOVE_BYTES {
        return Vec::new();
    }
    let size = PART_BYTES.max(length.div_ceil(PARTS_MAX));
    (0..length.div_ceil(size))
        .map(|index| Part {
            number: i32::try_from(index + 1).unwrap_or(i32::MAX),
            offset: index * size,
            length: size.min(length - index * size),
        })
        .collect()
}

impl S3Bucket {
    pub(super) async fn put_path(&self, key: &str, path: &Path) -> PortResult<()> {
        let local = |error: std::io::Error| unreadable(key, &error);
        let length = tokio::fs::metadata(path).await.map_err(local)?.len();
        let parts = parts(length);
        if parts.is_empty() {
            let whole = Part {
                number: 1,
                offset: 0,
                length,
            };
            let digest = digest(path, whole).await.map_err(local)?;
            let body = ByteStream::from_path(path)
                .await
                .map_err(|error| PortError::Refused(format!("file for `{key}`: {error}")))?;
            let call = self
                .client
                .put_object()
                .bucket(&self.bucket)
                .key(key)
                .checksum_sha256(digest)
                .content_length(i64::try_from(length).unwrap_or(i64::MAX))
                .body(body)
                .send();
            return fault::write(call)
                .await
                .map(drop)
                .map_err(|error| blob_error(key, &error));
        }
        self.put_parts(key, path, &parts).await
    }

    async fn put_parts(&self, key: &str, path: &Path, parts: &[Part]) -> PortResult<()> {
        let begun = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .send()
            .await
            .map_err(|error| blob_error(key, &error))?;
        let upload = begun.upload_id.unwrap_or_default();
        let sending: Vec<_> = parts
            .iter()
            .map(|part| self.put_part(key, path, &upload, *part))
            .collect();
        let sent: PortResult<Vec<CompletedPart>> =
            stream::iter(sending).buffered(PARALLEL).try_collect().await;
        let finished = match sent {
            Ok(parts) => self.finish(key, &upload, parts).await,
            Err(error) => Err(error),
        };
        if finished.is_err() {
            // The bucket's lifecycle rule takes what this leaves behind.
            let _ = self
                .client
                .abort_multipart_upload()
                .bucket(&self.bucket)
                .key(key)
                .upload_id(&upload)
                .send()
                .await;
        }
        finished
    }

    async fn put_part(
        &self,
        key: &str,
        path: &Path,
        upload: &str,
        part: Part,
    ) -> PortResult<CompletedPart> {
        let digest = digest(path, part)
            .await
            .map_err(|error| unreadable(key, &error))?;
        let body = ByteStream::read_from()
            .path(path)
            .offset(part.offset)
            .length(Length::Exact(part.length))
            .build()
            .await
            .map_err(|error| PortError::Refused(format!("file for `{key}`: {error}")))?;
        let answer = self
            .client
            .upload_part()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload)
            .part_number(part.number)
            .checksum_sha256(&digest)
            .content_length(i64::try_from(part.length).unwrap_or(i64::MAX))
            .body(body)
            .send()
            .await
            .map_err(|error| blob_error(key, &error))?;
        Ok(CompletedPart::builder()
            .part_number(part.number)
            .set_e_tag(answer.e_tag)
            .checksum_sha256(digest)
            .build())
    }

    async fn finish(&self, key: &str, upload: &str, parts: Vec<CompletedPart>) -> PortResult<()> {
        let call = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload)
            .multipart_upload(
                CompletedMultipartUpload::builder()
                    .set_parts(Some(parts))
                    .build(),
            )
            .send();
        fault::write(call)
            .await
            .map(drop)
            .map_err(|error| blob_error(key, &error))
    }
}

fn unreadable(key: &str, error: &std::io::Error) -> PortError {
    PortError::Refused(format!("file for object `{key}`: {error}"))
}

/// The digest of a stretch of a file, read in small pieces.
async fn digest(path: &Path, part: Part) -> std::io::Result<String> {
    let mut file = tokio::fs::File::open(path).await?;
    file.seek(std::io::SeekFrom::Start(part.offset)).await?;
    let mut rest = file.take(part.length);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match rest.read(&mut buffer).await? {
            0 => return Ok(checksum(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_files_go_whole() {
        assert!(parts(0).is_empty());
        assert!(parts(MULTIPART_ABOVE_BYTES).is_empty());
        assert_eq!(parts(MULTIPART_ABOVE_BYTES + 1).len(), 5);
    }

    proptest! {
        #[test]
        fn parts_cover_the_file_once(length in MULTIPART_ABOVE_BYTES + 1..5_000_000_000_000u64) {
            let parts = parts(length);
            prop_assert!(parts.len() as u64 <= PARTS_MAX);
            let mut offset = 0;
            for (index, part) in parts.iter().enumerate() {
                prop_assert_eq!(part.number as usize, index + 1);
                prop_assert_eq!(part.offset, offset);
                prop_assert!(part.length > 0);
                offset += part.length;
            }
            prop_assert_eq!(offset, length);
        }
    }
}
