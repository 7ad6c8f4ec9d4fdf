//! Bundles of `command` programs: fetched and unpacked once for a run, read-only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use foreshard_model::claim::Claim;
use foreshard_model::ids::Sha256Hex;
use foreshard_stages::ports::BlobReads;
use tokio::sync::Mutex;

use super::files::FileCache;
use super::unpack::{UNPACKED_BYTES, UnpackError, unpack};
use crate::task::fault::Fault;

/// The unpacked bundles of a run, in one folder.
pub(crate) struct Bundles {
    folder: PathBuf,
    files: Arc<FileCache>,
    unpacked: Mutex<BTreeMap<Sha256Hex, PathBuf>>,
}

impl Bundles {
    /// None yet. The folder exists.
    pub(crate) fn new(folder: PathBuf, files: Arc<FileCache>) -> Self {
        Self {
            folder,
            files,
            unpacked: Mutex::default(),
        }
    }

    /// Where the bundle is unpacked. Tasks that ask at once wait for the first.
    ///
    /// # Errors
    /// It is not there, not what its digest says, or not a bundle.
    pub(crate) async fn get(&self, reads: &dyn BlobReads, claim: &Claim) -> Result<PathBuf, Fault> {
        let mut unpacked = self.unpacked.lock().await;
        if let Some(folder) = unpacked.get(&claim.sha256) {
            return Ok(folder.clone());
        }
        let fetched = self.files.fetch(reads, claim).await;
        let archive = fetched.map_err(|error| Fault::of_input("bundle", error))?;
        let folder = self.folder.join(claim.sha256.as_str());
        let (from, to) = (archive.path(), folder.clone());
        tokio::task::spawn_blocking(move || unpack_new(&from, &to))
            .await
            .map_err(|error| Fault::Unavailable(error.to_string()))??;
        unpacked.insert(claim.sha256.clone(), folder.clone());
        Ok(folder)
    }
}

fn unpack_new(archive: &Path, folder: &Path) -> Result<(), Fault> {
    super::tree::remove(folder)?;
    std::fs::create_dir(folder)?;
    unpack(archive, folder, UNPACKED_BYTES).map_err(|error| match error {
        UnpackError::Disk(error) => Fault::from(error),
        damaged => Fault::Refused(damaged.to_string()),
    })
}
