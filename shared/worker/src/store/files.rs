//! The files that the worker keeps by digest: fetched once, lent to tasks by link, dropped when there are too many.

use std::collections::HashMap;
use std::fs::{self, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foreshard_model::claim::Claim;
use foreshard_model::ids::Sha256Hex;
use foreshard_stages::ports::{BlobReads, PortError, PortResult};

use super::digest;

/// Files up to this size are copied into a scratch, where a task may change them; larger ones are linked, read-only.
const COPIED_BYTES: u64 = 1024 * 1024;

/// Files by digest, in one folder.
pub(crate) struct FileCache {
    folder: PathBuf,
    limit_bytes: u64,
    index: Mutex<Index>,
}

#[derive(Default)]
struct Index {
    entries: HashMap<Sha256Hex, Entry>,
    fetching: HashMap<Sha256Hex, Arc<tokio::sync::Mutex<()>>>,
    bytes: u64,
    uses: u64,
}

struct Entry {
    bytes: u64,
    last_use: u64,
    holders: u32,
    stamp: Stamp,
}

/// What changes when somebody writes into a file in place.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified_s: i64,
    modified_ns: i64,
}

impl From<&Metadata> for Stamp {
    fn from(of: &Metadata) -> Self {
        Self {
            size: of.size(),
            modified_s: of.mtime(),
            modified_ns: of.mtime_nsec(),
        }
    }
}

/// A kept file that stays while this exists.
pub(crate) struct Held {
    cache: Arc<FileCache>,
    sha256: Sha256Hex,
}

impl FileCache {
    /// An empty cache in a folder that exists.
    pub(crate) fn new(folder: PathBuf, limit_bytes: u64) -> Arc<Self> {
        Arc::new(Self {
            folder,
            limit_bytes,
            index: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file of a claim, fetched unless it is here. Two tasks that ask at once fetch it once.
    ///
    /// # Errors
    /// [`PortError::Corrupt`] when its content is not what the claim says.
    pub(crate) async fn fetch(
        self: &Arc<Self>,
        reads: &dyn BlobReads,
        claim: &Claim,
    ) -> PortResult<Held> {
        if let Some(held) = self.hold(&claim.sha256) {
            return Ok(held);
        }
        let turn = self
            .lock()
            .fetching
            .entry(claim.sha256.clone())
            .or_default()
            .clone();
        let _turn = turn.lock().await;
        if let Some(held) = self.hold(&claim.sha256) {
            return Ok(held);
        }
        let arriving = self.folder.join(format!("{}.arriving", claim.sha256));
        let fetched = reads.get_file(&claim.key, &arriving).await;
        let checked = fetched.and_then(|found| check(claim, &found));
        let kept = checked.and_then(|()| {
            self.adopt(&arriving, &claim.sha256, claim.bytes)
                .map_err(|error| PortError::Unavailable(format!("the worker's disk: {error}")))
        });
        if kept.is_err() {
            let _leftover = fs::remove_file(&arriving);
        }
        self.lock().fetching.remove(&claim.sha256);
        kept
    }

    /// The file, if it is here.
    pub(crate) fn hold(self: &Arc<Self>, sha256: &Sha256Hex) -> Option<Held> {
        let mut index = self.lock();
        index.uses += 1;
        let uses = index.uses;
        let entry = index.entries.get_mut(sha256)?;
        entry.holders += 1;
        entry.last_use = uses;
        Some(Held {
            cache: Arc::clone(self),
            sha256: sha256.clone(),
        })
    }

    /// Takes over the file at `path`, whose digest and length are known. The same content twice is kept once.
    pub(crate) fn adopt(
        self: &Arc<Self>,
        path: &Path,
        sha256: &Sha256Hex,
        bytes: u64,
    ) -> io::Result<Held> {
        let mut index = self.lock();
        index.uses += 1;
        let uses = index.uses;
        if let Some(entry) = index.entries.get_mut(sha256) {
            entry.holders += 1;
            entry.last_use = uses;
            fs::remove_file(path)?;
        } else {
            fs::set_permissions(path, Permissions::from_mode(0o444))?;
            let kept = self.folder.join(sha256.as_str());
            fs::rename(path, &kept)?;
            let entry = Entry {
                bytes,
                last_use: uses,
                holders: 1,
                stamp: Stamp::from(&fs::metadata(&kept)?),
            };
            index.entries.insert(sha256.clone(), entry);
            index.bytes += bytes;
            self.evict(&mut index);
        }
        Ok(Held {
            cache: Arc::clone(self),
            sha256: sha256.clone(),
        })
    }

    /// Keeps bytes whose digest is known.
    pub(crate) fn keep(self: &Arc<Self>, sha256: &Sha256Hex, bytes: &[u8]) -> io::Result<Held> {
        let number = {
            let mut index = self.lock();
            index.uses += 1;
            index.uses
        };
        let arriving = self.folder.join(format!("{number}.written"));
        fs::write(&arriving, bytes)?;
        self.adopt(&arriving, sha256, bytes.len() as u64)
    }

    fn evict(&self, index: &mut Index) {
        while index.bytes > self.limit_bytes {
            let idle = index.entries.iter().filter(|(_, entry)| entry.holders == 0);
            let Some(oldest) = idle
                .min_by_key(|(_, entry)| entry.last_use)
                .map(|(sha256, _)| sha256.clone())
            else {
                return;
            };
            self.forget(index, &oldest);
        }
    }

    fn forget(&self, index: &mut Index, sha256: &Sha256Hex) {
        if let Some(entry) = index.entries.remove(sha256) {
            index.bytes -= entry.bytes;
            let _gone = fs::remove_file(self.folder.join(sha256.as_str()));
        }
    }
}

fn check(claim: &Claim, found: &(Sha256Hex, u64)) -> PortResult<()> {
    if found.0 == claim.sha256 && found.1 == claim.bytes {
        return Ok(());
    }
    let (sha256, bytes) = found;
    Err(PortError::Corrupt(format!(
        "`{}` has digest {sha256} and {bytes} bytes, not {} and {}",
        claim.key, claim.sha256, claim.bytes
    )))
}

impl Held {
    /// Where the file is; it must not be changed there.
    pub(crate) fn path(&self) -> PathBuf {
        self.cache.folder.join(self.sha256.as_str())
    }

    /// Puts the file at `path`: small ones as a copy, large ones as a link. True: it is a link.
    pub(crate) fn place(&self, path: &Path) -> io::Result<bool> {
        let kept = self.path();
        if fs::metadata(&kept)?.len() > COPIED_BYTES {
            match fs::hard_link(&kept, path) {
                Ok(()) => return Ok(true),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
                Err(_) => {} // another file system, or one without links
            }
        }
        fs::copy(&kept, path)?;
        fs::set_permissions(path, Permissions::from_mode(0o644))?;
        Ok(false)
    }

    /// Whether the file is still what it was when it was kept. One that somebody wrote into is forgotten.
    pub(crate) fn is_intact(&self) -> bool {
        let now = fs::metadata(self.path()).ok().map(|m| Stamp::from(&m));
        let mut index = self.cache.lock();
        let kept = index.entries.get(&self.sha256).map(|entry| entry.stamp);
        if now.is_some() && now == kept {
            return true;
        }
        self.cache.forget(&mut index, &self.sha256);
        false
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut index = self.cache.lock();
        if let Some(entry) = index.entries.get_mut(&self.sha256) {
            entry.holders = entry.holders.saturating_sub(1);
        }
        self.cache.evict(&mut index);
    }
}

/// Digest of the regular file at `path`, which must not be a link: a task could point it at anything.
pub(crate) fn digest_at(path: &Path) -> io::Result<(Sha256Hex, u64)> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let no_links = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = fs::OpenOptions::new()
        .read(true)
        .custom_flags(no_links.bits().cast_signed())
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    digest::of_file(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(limit_bytes: u64) -> (tempfile::TempDir, Arc<FileCache>) {
        let home = tempfile::tempdir().unwrap();
        let cache = FileCache::new(home.path().to_path_buf(), limit_bytes);
        (home, cache)
    }

    #[test]
    fn the_least_recently_used_go_first_and_held_ones_stay() {
        let (_home, cache) = cache(10);
        let digests = ["a", "b", "c"].map(|text| Sha256Hex::of(text.as_bytes()));
        let held = cache.keep(&digests[0], b"aaaaaa").unwrap();
        drop(cache.keep(&digests[1], b"bbbb").unwrap());
        drop(cache.keep(&digests[2], b"cccc").unwrap());
        assert!(cache.hold(&digests[0]).is_some());
        assert!(
            cache.hold(&digests[1]).is_none(),
            "the oldest idle one makes room"
        );
        assert!(cache.hold(&digests[2]).is_some());
        drop(held);
        assert_eq!(cache.lock().bytes, 10);
    }

    #[test]
    fn a_file_that_was_written_into_is_forgotten() {
        let (home, cache) = cache(1 << 30);
        let bytes = vec![7; 2 << 20];
        let sha256 = Sha256Hex::of(&bytes);
        let held = cache.keep(&sha256, &bytes).unwrap();
        let linked = home.path().join("linked");
        assert!(held.place(&linked).unwrap());
        assert!(held.is_intact());
        fs::set_permissions(&linked, Permissions::from_mode(0o644)).unwrap();
        fs::write(&linked, "other").unwrap();
        assert!(!held.is_intact());
        assert!(cache.hold(&sha256).is_none());
    }

    #[test]
    fn links_are_no_outputs() {
        let (home, _cache) = cache(1);
        let link = home.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        assert!(digest_at(&link).is_err());
        assert!(digest_at(home.path()).is_err());
    }
}
