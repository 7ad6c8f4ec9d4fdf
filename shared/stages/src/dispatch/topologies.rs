//! Keeps the topologies that a function has read: they never change, so the digest tells them apart.

use std::sync::{Arc, Mutex, PoisonError};

use foreshard_model::claim::Claim;
use foreshard_model::ids::RunId;
use foreshard_model::topology::Topology;

use crate::ports::{BlobReads, PortResult};
use crate::read;

/// Shards that are kept over all topologies together: at about 200 bytes each some 40 MB, a third of a 128 MiB function.
const SHARDS_KEPT: usize = 200_000;

/// Topologies by digest, the one used last at the end.
#[derive(Debug, Default)]
pub struct TopologyCache {
    kept: Mutex<Vec<(Claim, Arc<Topology>)>>,
}

impl TopologyCache {
    /// The topology of a claim, from here or from the store.
    ///
    /// # Errors
    /// Those of the store, and `Corrupt` when the content is not what its digest says.
    pub async fn get(&self, blobs: &dyn BlobReads, claim: &Claim) -> PortResult<Arc<Topology>> {
        if let Some(topology) = self.take_up(claim) {
            return Ok(topology);
        }
        let bytes = blobs.get(&claim.key).await?;
        // Others of the process may have read it meanwhile: one copy serves all.
        if let Some(topology) = self.take_up(claim) {
            return Ok(topology);
        }
        let topology: Arc<Topology> = Arc::new(read::checked_json(&bytes, claim)?);
        self.keep(claim, &topology);
        Ok(topology)
    }

    /// Over how many partitions a run spreads, as far as is known here.
    #[must_use]
    pub fn partitions(&self, run: &RunId) -> Option<u32> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, topology) = kept.iter().rev().find(|(_, t)| t.run == *run)?;
        Some(topology.partitions.max(1))
    }

    fn take_up(&self, claim: &Claim) -> Option<Arc<Topology>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|(c, _)| c.sha256 == claim.sha256)?;
        let entry = kept.remove(place);
        let topology = Arc::clone(&entry.1);
        kept.push(entry);
        Some(topology)
    }

    fn keep(&self, claim: &Claim, topology: &Arc<Topology>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(c, _)| c.sha256 != claim.sha256);
        kept.push((claim.clone(), Arc::clone(topology)));
        let size = |kept: &[(Claim, Arc<Topology>)]| -> usize {
            kept.iter().map(|(_, t)| t.shards.len()).sum()
        };
        while kept.len() > 1 && size(&kept) > SHARDS_KEPT {
            kept.remove(0);
        }
    }
}
