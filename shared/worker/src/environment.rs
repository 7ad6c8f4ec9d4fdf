//! The worker's place on disk, and what it keeps between the shards of one run. Nothing of one run is left for another.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foreshard_model::ids::RunId;
use foreshard_model::output::Manifest;
use foreshard_model::plan::Chunk;
use rustix::fs::{FlockOperation, flock};
use serde_json::Value;

use crate::identity::Identities;
use crate::settings::Settings;
use crate::store::bundles::Bundles;
use crate::store::files::FileCache;
use crate::store::tree;
use crate::store::values::ByDigest;

/// How the folders of workers begin.
const PREFIX: &str = "foreshard-worker-";

/// Parsed objects of each kind that are kept in memory, as stored bytes: a parsed one takes a few times that, and the
/// smallest target has 128 MiB.
const PARSED_BYTES: u64 = 4 * 1024 * 1024;

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// The worker's own folder. Its lock tells the living from the dead: the folder of a worker that was killed is removed
/// by the next one.
pub(crate) struct Home {
    folder: PathBuf,
    lock: PathBuf,
    _held: File,
}

impl Home {
    /// Makes a new folder below `root`, and removes those whose workers are gone.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        remove_abandoned(root);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("{PREFIX}{}-{number}", std::process::id());
            let lock = root.join(format!("{name}.lock"));
            let opened = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&lock);
            let held = match opened {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                other => other?,
            };
            // Lost to somebody who takes it for abandoned: the next name is free.
            if flock(&held, FlockOperation::NonBlockingLockExclusive).is_err() {
                continue;
            }
            let folder = root.join(name);
            DirBuilder::new().mode(0o700).create(&folder)?;
            return Ok(Self {
                folder,
                lock,
                _held: held,
            });
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _removed_by_the_next = tree::remove(&self.folder);
        let _removed_by_the_next = fs::remove_file(&self.lock);
    }
}

fn remove_abandoned(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let lock = entry.path();
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
            continue;
        };
        let Some(folder) = name.strip_suffix(".lock") else {
            continue;
        };
        let Ok(held) = OpenOptions::new().write(true).open(&lock) else {
            continue;
        };
        if flock(&held, FlockOperation::NonBlockingLockExclusive).is_ok()
            && tree::remove(&root.join(folder)).is_ok()
        {
            let _removed_by_the_next = fs::remove_file(&lock);
        }
    }
}

/// What is kept while shards of one run come: objects, files and bundles by digest, and the tasks' identity.
pub(crate) struct RunState {
    pub(crate) run: RunId,
    pub(crate) scratch: PathBuf,
    pub(crate) chunks: ByDigest<Chunk>,
    pub(crate) manifests: ByDigest<Manifest>,
    pub(crate) inputs: ByDigest<Value>,
    pub(crate) files: Arc<FileCache>,
    pub(crate) bundles: Bundles,
    pub(crate) identities: Identities,
}

impl RunState {
    /// Wipes the home and makes the folders of a run. Whatever another run left is gone before the first task starts.
    pub(crate) fn enter(home: &Home, run: &RunId, settings: &Settings) -> io::Result<Self> {
        let folder = home.folder.join("run");
        tree::remove(&folder)?;
        let (scratch, files, bundles) = (
            folder.join("scratch"),
            folder.join("files"),
            folder.join("bundles"),
        );
        fs::create_dir(&folder)?;
        for part in [&scratch, &files, &bundles] {
            fs::create_dir(part)?;
        }
        let files = FileCache::new(files, settings.cache_bytes);
        Ok(Self {
            run: run.clone(),
            scratch,
            chunks: ByDigest::new(PARSED_BYTES),
            manifests: ByDigest::new(PARSED_BYTES),
            inputs: ByDigest::new(PARSED_BYTES),
            bundles: Bundles::new(bundles, Arc::clone(&files)),
            files,
            identities: Identities::default(),
        })
    }

    /// Empties the scratch: an attempt that was cut off may have left something.
    pub(crate) fn clear_scratch(&self) -> io::Result<()> {
        tree::remove(&self.scratch)?;
        fs::create_dir(&self.scratch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: &Path) -> Vec<String> {
        let entries = fs::read_dir(root).unwrap().flatten();
        let mut names: Vec<_> = entries
            .map(|e| e.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_folders_of_dead_workers_are_removed_and_those_of_living_ones_stay() {
        let root = tempfile::tempdir().unwrap();
        let living = Home::open(root.path()).unwrap();
        let dead = root.path().join(format!("{PREFIX}1-0"));
        fs::create_dir_all(dead.join("run/scratch")).unwrap();
        fs::write(root.path().join(format!("{PREFIX}1-0.lock")), "").unwrap();
        fs::write(root.path().join("other.lock"), "").unwrap();
        let second = Home::open(root.path()).unwrap();
        assert!(!dead.exists());
        assert!(living.folder.exists() && second.folder.exists());
        drop((living, second));
        assert_eq!(names(root.path()), ["other.lock"]);
    }

    #[test]
    fn a_run_finds_nothing_of_another() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::open(root.path()).unwrap();
        let settings = Settings::from_lookup(|_| None);
        let first = RunState::enter(&home, &"r-a".into(), &settings).unwrap();
        fs::write(first.scratch.join("secret"), "x").unwrap();
        let second = RunState::enter(&home, &"r-b".into(), &settings).unwrap();
        assert_eq!(fs::read_dir(&second.scratch).unwrap().count(), 0);
        assert_eq!(names(&home.folder), ["run"]);
    }
}
