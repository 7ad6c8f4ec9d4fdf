//! Checkpoints: the manifest of finished tasks, stored and pointed to while the attempt still owns its shard.

use std::sync::{Mutex as Small, PoisonError};

use foreshard_model::claim::Claim;
use foreshard_model::frontier::Checkpoint;
use foreshard_model::ids::Sha256Hex;
use foreshard_stages::ports::{PortError, PortResult};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Attempt;
use crate::keys;

/// The last checkpoint of an attempt. One is written at a time.
pub(crate) struct Checkpoints {
    turn: Mutex<()>,
    last: Small<Last>,
}

struct Last {
    progress: Option<Claim>,
    once: bool,
    at: Instant,
}

impl Checkpoints {
    /// Begins with the checkpoint of an earlier attempt.
    pub(crate) fn after(progress: Option<Claim>) -> Self {
        let last = Last {
            progress,
            once: false,
            at: Instant::now(),
        };
        Self {
            turn: Mutex::default(),
            last: Small::new(last),
        }
    }

    /// The last manifest that was accepted.
    pub(crate) fn progress(&self) -> Option<Claim> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .progress
            .clone()
    }

    /// How long ago the last one was, in milliseconds.
    pub(crate) fn age_ms(&self) -> u128 {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .at
            .elapsed()
            .as_millis()
    }

    /// Whether the last one said that a `once` task was started.
    pub(crate) fn marks_once(&self) -> bool {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .once
    }

    fn is_stored(&self, claim: &Claim) -> bool {
        self.progress().as_ref() == Some(claim)
    }

    /// Whether a checkpoint would repeat what the last one said: the content of the manifest, and the marker.
    fn says(&self, claim: &Claim, once: bool) -> (bool, bool) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last.progress.as_ref().map(|progress| &progress.sha256);
        (known == Some(&claim.sha256), last.once == once)
    }

    fn accepted(&self, progress: Option<Claim>, once: bool) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.is_some() {
            last.progress = progress;
        }
        last.once = once;
        last.at = Instant::now();
    }
}

impl Attempt<'_> {
    /// Stores the manifest of the safe tasks; gives where it is. What is there already is not stored again.
    pub(crate) async fn store_manifest(&self) -> PortResult<Claim> {
        let (claim, bytes, _) = self.manifest()?;
        if !self.checkpoints.is_stored(&claim) {
            self.worker.ports.writes.put(&claim.key, bytes).await?;
        }
        Ok(claim)
    }

    /// Writes a checkpoint unless it would say nothing new. False: a later attempt has taken over, nothing of this one
    /// counts any more.
    pub(crate) async fn checkpoint(&self) -> PortResult<bool> {
        let _turn = self.checkpoints.turn.lock().await;
        let once = self.progress.once_is_open();
        let (claim, bytes, tasks) = self.manifest()?;
        let (same_progress, same_once) = self.checkpoints.says(&claim, once);
        let old = same_progress || tasks == 0;
        if old && same_once {
            return Ok(true);
        }
        let progress = (!old).then_some(claim);
        if let Some(claim) = &progress {
            self.worker.ports.writes.put(&claim.key, bytes).await?;
        }
        let write = Checkpoint {
            run: self.request.run.clone(),
            shard: self.request.shard,
            attempt: self.request.attempt,
            progress: progress.clone(),
            started_once: once,
        };
        let accepted = self
            .worker
            .ports
            .attempts
            .checkpoint(&self.run_key(), &write)
            .await?;
        if accepted {
            self.checkpoints.accepted(progress, once);
        }
        Ok(accepted)
    }

    /// The manifest of the safe tasks: where it belongs, what it says, and of how many tasks.
    fn manifest(&self) -> PortResult<(Claim, Vec<u8>, usize)> {
        let manifest = self
            .progress
            .manifest(&self.request.run, self.request.shard);
        let bytes = serde_json::to_vec(&manifest).map_err(|error| {
            PortError::Corrupt(format!("the manifest cannot be written: {error}"))
        })?;
        let sha256 = Sha256Hex::of(&bytes);
        let claim = Claim {
            key: keys::output(self.request, &sha256),
            sha256,
            bytes: bytes.len() as u64,
        };
        Ok((claim, bytes, manifest.tasks.len()))
    }
}
