//! Contents that are too large for a request: uploaded to, and fetched from, the bucket by presigned requests.

use std::path::Path;
use std::time::Duration;

use data_encoding::HEXLOWER;
use foreshard_model::api::{Elsewhere, UploadAnswer, UploadKind, UploadRequest};
use foreshard_model::ids::Sha256Hex;
use reqwest::Body;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;

use super::{ApiClient, ApiError};
use crate::classify::chain;

/// How often a transfer is tried.
const ATTEMPTS: u32 = 3;
/// Wait before the second try; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// What is read at once for a digest.
const READ_BYTES: usize = 256 * 1024;
/// What is shown of an answer of the bucket.
const EXCERPT_CHARS: usize = 200;

/// What is uploaded.
enum Content<'a> {
    Bytes(&'a [u8]),
    File(&'a Path),
}

impl Content<'_> {
    async fn body(&self) -> std::io::Result<Body> {
        Ok(match self {
            Self::Bytes(bytes) => bytes.to_vec().into(),
            Self::File(path) => tokio::fs::File::open(path).await?.into(),
        })
    }
}

impl ApiClient {
    /// Uploads bytes, unless they are there already; gives the id that names them.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn upload(&self, kind: UploadKind, bytes: &[u8]) -> Result<String, ApiError> {
        let request = UploadRequest {
            kind,
            sha256: Sha256Hex::of(bytes),
            bytes: bytes.len() as u64,
        };
        self.transfer(&request, &Content::Bytes(bytes)).await
    }

    /// Uploads a file, streamed, unless its content is there already; gives the id that names it.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn upload_file(&self, kind: UploadKind, path: &Path) -> Result<String, ApiError> {
        let (sha256, bytes) = digest(path)
            .await
            .map_err(|error| unreadable(path, &error))?;
        let request = UploadRequest {
            kind,
            sha256,
            bytes,
        };
        self.transfer(&request, &Content::File(path)).await
    }

    async fn transfer(
        &self,
        request: &UploadRequest,
        content: &Content<'_>,
    ) -> Result<String, ApiError> {
        let place = self.upload_place(request).await?;
        if place.present {
            return Ok(place.id);
        }
        let mut attempt = 1;
        loop {
            match self.put(&place, request.bytes, content).await {
                Ok(()) => return Ok(place.id),
                Err(ApiError::Unreachable(_)) if attempt < ATTEMPTS => {
                    tokio::time::sleep(FIRST_WAIT * 2u32.pow(attempt - 1)).await;
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn put(
        &self,
        place: &UploadAnswer,
        bytes: u64,
        content: &Content<'_>,
    ) -> Result<(), ApiError> {
        let body = content
            .body()
            .await
            .map_err(|error| ApiError::Local(format!("upload: {error}")))?;
        // A stream has no length of its own, and the length is part of the signature.
        let mut request = self.http.put(&place.url).header("content-length", bytes);
        for (name, value) in &place.headers {
            if !name.eq_ignore_ascii_case("content-length") {
                request = request.header(name, value);
            }
        }
        let unreachable = |error: reqwest::Error| {
            // The address is a permission: it is not shown.
            ApiError::Unreachable(format!("the bucket: {}", chain(&error.without_url())))
        };
        let answer = request.body(body).send().await.map_err(unreachable)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let text = answer.text().await.unwrap_or_default();
        let seen: String = text.chars().take(EXCERPT_CHARS).collect();
        let message = format!("the bucket: status {status}: {seen}");
        if status.is_server_error() {
            Err(ApiError::Unreachable(message))
        } else {
            Err(ApiError::Local(message))
        }
    }

    /// Fetches what was too large for an answer, and checks its digest.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn fetch(&self, place: &Elsewhere) -> Result<Vec<u8>, ApiError> {
        let unreachable = |error: reqwest::Error| {
            ApiError::Unreachable(format!("the bucket: {}", chain(&error.without_url())))
        };
        let answer = self
            .http
            .get(&place.url)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(unreachable)?;
        let bytes = answer.bytes().await.map_err(unreachable)?.to_vec();
        if bytes.len() as u64 != place.bytes || Sha256Hex::of(&bytes) != place.sha256 {
            return Err(ApiError::Unreachable(format!(
                "the bucket: {} bytes came that are not the {} expected",
                bytes.len(),
                place.bytes
            )));
        }
        Ok(bytes)
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> ApiError {
    ApiError::Local(format!("`{}`: {error}", path.display()))
}

async fn digest(path: &Path) -> std::io::Result<(Sha256Hex, u64)> {
    let mut file = tokio::fs::File::open(path).await?;
    let (mut hash, mut length) = (Sha256::new(), 0u64);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match file.read(&mut buffer).await? {
            0 => break,
            read => {
                hash.update(&buffer[..read]);
                length += read as u64;
            }
        }
    }
    Ok((Sha256Hex(HEXLOWER.encode(&hash.finalize())), length))
}
