//! Presigned requests: uploads of exactly one content, and downloads for a while.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::presigning::PresigningConfig;
use foreshard_model::ids::Sha256Hex;
use foreshard_stages::ports::{BlobPresigns, PortError, PortResult, Presigned};

use super::{S3Bucket, blob_error, checksum};

fn validity(valid_s: u64) -> PortResult<PresigningConfig> {
    PresigningConfig::expires_in(Duration::from_secs(valid_s))
        .map_err(|error| PortError::Refused(format!("validity of {valid_s} s: {error}")))
}

#[async_trait]
impl BlobPresigns for S3Bucket {
    async fn presign_put(
        &self,
        key: &str,
        sha256: &Sha256Hex,
        bytes: u64,
        valid_s: u64,
    ) -> PortResult<Presigned> {
        let digest = data_encoding::HEXLOWER
            .decode(sha256.as_str().as_bytes())
            .map_err(|_| PortError::Refused(format!("`{sha256}` is not a SHA-256")))?;
        let length = i64::try_from(bytes)
            .map_err(|_| PortError::Refused(format!("{bytes} bytes is too much")))?;
        // Both become signed headers: another length or another content has another signature.
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_length(length)
            .checksum_sha256(checksum(&digest))
            .presigned(validity(valid_s)?)
            .await
            .map_err(|error| blob_error(key, &error))?;
        let headers: BTreeMap<String, String> = request
            .headers()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("host"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Ok(Presigned {
            url: request.uri().to_owned(),
            headers,
        })
    }

    async fn presign_get(&self, key: &str, valid_s: u64) -> PortResult<String> {
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .presigned(validity(valid_s)?)
            .await
            .map_err(|error| blob_error(key, &error))?;
        Ok(request.uri().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk::{Aws, Credentials};

    fn bucket() -> S3Bucket {
        let credentials = Credentials::new("AK", "secret", Some("token".into()), None, "test");
        S3Bucket::new(&Aws::new("eu-west-1", None, credentials), "b")
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_upload_is_bound_to_its_content_and_length() {
        let presigned = bucket()
            .presign_put("uploads/acme/1", &Sha256Hex::of(b"x"), 1, 60)
            .await
            .unwrap();
        let query = presigned.url.split_once('?').unwrap().1;
        let signed = query
            .split('&')
            .find(|pair| pair.starts_with("X-Amz-SignedHeaders="))
            .unwrap();
        assert!(signed.contains("content-length"), "{signed}");
        assert!(signed.contains("x-amz-checksum-sha256"), "{signed}");
        let names: Vec<&str> = presigned.headers.keys().map(String::as_str).collect();
        assert!(names.contains(&"x-amz-checksum-sha256"), "{names:?}");
        assert!(!presigned.url.contains("crc32"), "{}", presigned.url);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn what_is_no_digest_is_refused() {
        let answer = bucket().presign_put("k", &"zz".into(), 1, 60).await;
        assert!(matches!(answer, Err(PortError::Refused(_))));
    }
}
