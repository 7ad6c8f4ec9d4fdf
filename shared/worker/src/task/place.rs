//! A task's scratch: a folder for its files and one for what is temporary, both gone when it has ended.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::fault::Fault;
use crate::store::files::Held;
use crate::store::tree;

/// The scratch of one task. Dropped, it is removed.
pub(crate) struct Place {
    folder: PathBuf,
}

/// A file that was put into the scratch.
pub(crate) struct PlacedFile {
    /// Its name there.
    pub(crate) name: String,
    /// Its length.
    pub(crate) bytes: u64,
    /// Set when it is read only in name: a synthetic task generates it itself.
    pub(crate) generated: bool,
    /// Set when it shares its content with the worker's own copy.
    pub(crate) linked: Option<Held>,
    /// Set when it is the share of a part, and there was nothing left for it.
    pub(crate) is_empty_share: bool,
}

impl Place {
    /// Makes the scratch of the task at this position of the shard.
    pub(crate) fn make(scratch: &Path, position: usize) -> io::Result<Self> {
        let place = Self {
            folder: scratch.join(position.to_string()),
        };
        fs::create_dir(&place.folder)?;
        fs::create_dir(place.work())?;
        fs::create_dir(place.temporary())?;
        Ok(place)
    }

    /// Current folder and home of the task; its files are here.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    /// Its `TMPDIR`.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.folder.join("tmp")
    }

    /// Where a file of the task is.
    ///
    /// # Errors
    /// The name is more than a name.
    pub(crate) fn path(&self, name: &str) -> Result<PathBuf, Fault> {
        if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
            return Err(Fault::Refused(format!("`{name}` is not a file name")));
        }
        Ok(self.work().join(name))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What cannot be removed now goes with the whole scratch at the end of the shard.
        let _goes_later = tree::remove(&self.folder);
    }
}

/// A task must not write into a file that it shares with others.
pub(crate) fn check_unchanged(files: &[PlacedFile]) -> Result<(), Fault> {
    for file in files {
        if file.linked.as_ref().is_some_and(|held| !held.is_intact()) {
            let name = &file.name;
            let hint = "write to another name, or replace it";
            return Err(Fault::Refused(format!(
                "it changed its input file `{name}` in place: {hint}"
            )));
        }
    }
    Ok(())
}
