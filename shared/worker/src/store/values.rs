//! Objects that the worker reads whole and keeps parsed, by digest: chunks, manifests, the run's input.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use foreshard_model::claim::Claim;
use foreshard_model::ids::Sha256Hex;
use foreshard_stages::ports::{BlobReads, PortError, PortResult};
use serde::de::DeserializeOwned;

/// Parsed objects of one kind, dropped in the order of their last use when they pass a number of bytes.
pub(crate) struct ByDigest<T> {
    limit_bytes: u64,
    kept: Mutex<Kept<T>>,
}

struct Kept<T> {
    entries: BTreeMap<Sha256Hex, (Arc<T>, u64, u64)>,
    bytes: u64,
    uses: u64,
}

impl<T: DeserializeOwned> ByDigest<T> {
    /// Nothing yet. `limit_bytes` counts the objects as they are stored.
    pub(crate) fn new(limit_bytes: u64) -> Self {
        let kept = Kept {
            entries: BTreeMap::new(),
            bytes: 0,
            uses: 0,
        };
        Self {
            limit_bytes,
            kept: Mutex::new(kept),
        }
    }

    /// The object of a claim, from memory where it is there.
    ///
    /// # Errors
    /// [`PortError::Corrupt`] when its content is not what the claim says, or cannot be read.
    pub(crate) async fn get(&self, reads: &dyn BlobReads, claim: &Claim) -> PortResult<Arc<T>> {
        if let Some(value) = self.recall(&claim.sha256) {
            return Ok(value);
        }
        let bytes = reads.get(&claim.key).await?;
        let value: Arc<T> = Arc::new(read(claim, &bytes)?);
        self.keep(&claim.sha256, &value, claim.bytes);
        Ok(value)
    }

    fn recall(&self, sha256: &Sha256Hex) -> Option<Arc<T>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let uses = kept.uses;
        let (value, _, last_use) = kept.entries.get_mut(sha256)?;
        *last_use = uses;
        Some(Arc::clone(value))
    }

    fn keep(&self, sha256: &Sha256Hex, value: &Arc<T>, bytes: u64) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let uses = kept.uses;
        let before = kept
            .entries
            .insert(sha256.clone(), (Arc::clone(value), bytes, uses));
        kept.bytes = kept.bytes + bytes - before.map_or(0, |(_, bytes, _)| bytes);
        while kept.bytes > self.limit_bytes {
            let oldest = kept
                .entries
                .iter()
                .min_by_key(|(_, (_, _, last_use))| *last_use);
            let Some(sha256) = oldest.map(|(sha256, _)| sha256.clone()) else {
                return;
            };
            if let Some((_, bytes, _)) = kept.entries.remove(&sha256) {
                kept.bytes -= bytes;
            }
        }
    }
}

/// Reads bytes that must be those of the claim.
pub(crate) fn read<T: DeserializeOwned>(claim: &Claim, bytes: &[u8]) -> PortResult<T> {
    if bytes.len() as u64 != claim.bytes || Sha256Hex::of(bytes) != claim.sha256 {
        let key = &claim.key;
        return Err(PortError::Corrupt(format!(
            "`{key}` is not what its digest says"
        )));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| PortError::Corrupt(format!("`{}` cannot be read: {error}", claim.key)))
}

#[cfg(test)]
mod tests {
    use foreshard_fakes::{World, block_on};
    use serde_json::{Value, json};

    use super::*;

    fn stored(world: &World, text: &str) -> Claim {
        world.put_blob(text, text.as_bytes().to_vec());
        Claim {
            key: text.to_owned(),
            sha256: Sha256Hex::of(text.as_bytes()),
            bytes: text.len() as u64,
        }
    }

    #[test]
    fn what_was_read_is_kept_until_there_is_too_much() {
        let world = World::new();
        let values = ByDigest::<Value>::new(6);
        let [one, two, three] = ["[1]", "[2]", "[3]"].map(|text| stored(&world, text));
        for claim in [&one, &two, &one, &three] {
            block_on(values.get(&world, claim)).unwrap();
        }
        world.remove_blob("[1]");
        world.remove_blob("[2]");
        assert_eq!(*block_on(values.get(&world, &one)).unwrap(), json!([1]));
        assert!(block_on(values.get(&world, &two)).is_err());
    }

    #[test]
    fn a_wrong_digest_is_corrupt() {
        let world = World::new();
        let claim = stored(&world, "[1]");
        world.put_blob("[1]", b"[2]".to_vec());
        let values = ByDigest::<Value>::new(100);
        let error = block_on(values.get(&world, &claim)).unwrap_err();
        assert!(matches!(error, PortError::Corrupt(_)), "{error}");
    }
}
