//! The claim check: a pointer to bytes in the object store, with the digest that they must have.

use serde::{Deserialize, Serialize};

use crate::ids::Sha256Hex;

/// Bytes that are elsewhere. A reader checks `sha256` and `bytes` before it uses them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// Key in the deployment's bucket.
    pub key: String,
    /// Digest of the content.
    pub sha256: Sha256Hex,
    /// Length of the content.
    pub bytes: u64,
}

/// Values up to this many bytes travel inside their manifest; larger ones get an object of their own.
///
/// 4 KiB keeps a manifest of a hundred tasks below half a megabyte; an S3 object costs the same up to there.
pub const INLINE_VALUE_BYTES: usize = 4 * 1024;
