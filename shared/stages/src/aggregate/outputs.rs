//! Reads and stores the values of a run's output.

use foreshard_engine::report::{Collector, Fetch, INLINE_RESULT_BYTES, Oversized};
use foreshard_model::claim::Claim;
use foreshard_model::ids::Sha256Hex;
use foreshard_model::run::RunItem;
use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;

use super::Ports;
use crate::keys;
use crate::ports::{PortError, PortResult};
use crate::read::{claim, claimed, claimed_json};

/// Small values that are read at the same time; large ones, up to 64 MiB, are read one after another.
const VALUES_AT_ONCE: usize = 16;

/// Takes constants, and values of the run's input.
pub(super) async fn begin(
    ports: &Ports,
    run: &RunItem,
    collector: &mut Collector<'_>,
) -> PortResult<()> {
    let input: Value = match &run.input {
        Some(claim) if collector.wants_input() => claimed_json(ports.blobs.as_ref(), claim).await?,
        _ => Value::Null,
    };
    let oversized = collector.begin(&input);
    store(ports, run, collector, oversized).await
}

/// Puts values that are too large to stand in the result into objects of their own.
pub(super) async fn store(
    ports: &Ports,
    run: &RunItem,
    collector: &mut Collector<'_>,
    oversized: impl IntoIterator<Item = Oversized>,
) -> PortResult<()> {
    for Oversized { name, bytes } in oversized {
        let key = keys::result_value(&run.run, &Sha256Hex::of(&bytes));
        let claim = claim(key.clone(), &bytes);
        ports.blob_writes.put(&key, bytes).await?;
        collector.place(&name, claim);
    }
    Ok(())
}

/// Reads the values that are elsewhere, then stores the result.
pub(super) async fn finish(
    ports: &Ports,
    run: &RunItem,
    mut collector: Collector<'_>,
) -> PortResult<Claim> {
    let (small, large): (Vec<Fetch>, Vec<Fetch>) = collector
        .fetches()
        .into_iter()
        .partition(|fetch| fetch.claim.bytes <= INLINE_RESULT_BYTES as u64);
    for (fetches, at_once) in [(small, VALUES_AT_ONCE), (large, 1)] {
        let mut reads = stream::iter(fetches)
            .map(|fetch| async move {
                let bytes = claimed(ports.blobs.as_ref(), &fetch.claim).await;
                (fetch, bytes)
            })
            .buffered(at_once);
        while let Some((fetch, bytes)) = reads.next().await {
            let oversized = match bytes {
                Ok(bytes) => collector.fetched(&fetch, &bytes),
                Err(error @ (PortError::NotFound(_) | PortError::Corrupt(_))) => {
                    collector.lost(&fetch, &error.to_string());
                    None
                }
                Err(error) => return Err(error),
            };
            store(ports, run, &mut collector, oversized).await?;
        }
    }
    let result = collector.finish();
    let bytes = serde_json::to_vec(&result).map_err(|e| PortError::Corrupt(e.to_string()))?;
    let key = keys::result(&run.run);
    let claim = claim(key.clone(), &bytes);
    ports.blob_writes.put(&key, bytes).await?;
    Ok(claim)
}
