//! Reads what a claim check points to, and believes it only when the digest agrees.

use foreshard_model::claim::Claim;
use foreshard_model::ids::Sha256Hex;
use serde::de::DeserializeOwned;

use crate::ports::{BlobReads, PortError, PortResult};

/// The content of a claim.
///
/// # Errors
/// [`PortError::Corrupt`] when length or digest is another one.
pub(crate) async fn claimed(blobs: &dyn BlobReads, claim: &Claim) -> PortResult<Vec<u8>> {
    let bytes = blobs.get(&claim.key).await?;
    checked(&bytes, claim)?;
    Ok(bytes)
}

fn checked(bytes: &[u8], claim: &Claim) -> PortResult<()> {
    if bytes.len() as u64 != claim.bytes || Sha256Hex::of(bytes) != claim.sha256 {
        return Err(PortError::Corrupt(format!(
            "`{}` is not what its digest says",
            claim.key
        )));
    }
    Ok(())
}

/// The content of a claim as JSON.
///
/// # Errors
/// As [`claimed`], and [`PortError::Corrupt`] when it is not the JSON that is expected.
pub(crate) async fn claimed_json<T: DeserializeOwned>(
    blobs: &dyn BlobReads,
    claim: &Claim,
) -> PortResult<T> {
    let bytes = blobs.get(&claim.key).await?;
    checked_json(&bytes, claim)
}

/// These bytes as JSON, if they are what the claim says.
///
/// # Errors
/// As [`claimed_json`].
pub(crate) fn checked_json<T: DeserializeOwned>(bytes: &[u8], claim: &Claim) -> PortResult<T> {
    checked(bytes, claim)?;
    serde_json::from_slice(bytes)
        .map_err(|e| PortError::Corrupt(format!("`{}` cannot be read: {e}", claim.key)))
}

/// The claim on bytes under a key.
pub(crate) fn claim(key: String, bytes: &[u8]) -> Claim {
    Claim {
        key,
        sha256: Sha256Hex::of(bytes),
        bytes: bytes.len() as u64,
    }
}
