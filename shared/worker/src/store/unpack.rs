//! Unpacks a bundle: only files, folders and links that stay inside it, and never more than a limit.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};
use thiserror::Error;

/// Unpacked size of a bundle, at most: it shares the ephemeral storage with the tasks' files. Lambda's own limit for
/// code is 250 MB unzipped; container images are there for more.
pub(crate) const UNPACKED_BYTES: u64 = 1024 * 1024 * 1024;

/// Files, folders and links of a bundle, at most.
pub(crate) const ENTRIES: usize = 100_000;

/// Why a bundle was not unpacked.
#[derive(Debug, Error)]
pub(crate) enum UnpackError {
    /// Not a gzipped tar archive, or not all of one.
    #[error("the bundle cannot be read: {0}")]
    Unreadable(io::Error),
    /// The worker's disk.
    #[error("the worker's disk: {0}")]
    Disk(#[from] io::Error),
    /// An entry that leads out of the bundle, or is nothing that a bundle may hold.
    #[error("`{path}` in the bundle {because}")]
    Entry {
        /// The entry.
        path: String,
        /// What is wrong with it.
        because: &'static str,
    },
    /// Too much.
    #[error("the bundle holds more than {limit} {unit}")]
    TooLarge {
        /// The limit.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
}

/// Unpacks the gzipped tar archive at `archive` into `folder`, which is new and empty, and makes it read-only.
///
/// # Errors
/// The archive is damaged, too large, or an entry leads out of the folder; what was unpacked until then stays there.
pub(crate) fn unpack(archive: &Path, folder: &Path, bytes_max: u64) -> Result<(), UnpackError> {
    let mut links = Vec::new();
    let mut left = bytes_max;
    let mut archive = Archive::new(MultiGzDecoder::new(File::open(archive)?));
    let entries = archive.entries().map_err(UnpackError::Unreadable)?;
    for (number, entry) in entries.enumerate() {
        if number >= ENTRIES {
            return Err(UnpackError::TooLarge {
                limit: ENTRIES as u64,
                unit: "entries",
            });
        }
        let mut entry = entry.map_err(UnpackError::Unreadable)?;
        let name = entry.path().map_err(UnpackError::Unreadable)?.into_owned();
        let path = folder.join(inside(&name)?);
        match entry.header().entry_type() {
            EntryType::Directory => fs::create_dir_all(&path)?,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let mode = entry.header().mode().unwrap_or(0o644);
                left = write_file(&mut entry, &path, mode, left).map_err(|error| match error {
                    UnpackError::TooLarge { unit, .. } => UnpackError::TooLarge {
                        limit: bytes_max,
                        unit,
                    },
                    other => other,
                })?;
            }
            EntryType::Symlink => {
                let target = entry.link_name().map_err(UnpackError::Unreadable)?;
                links.push((path, target.unwrap_or_default().into_owned()));
            }
            EntryType::XGlobalHeader => {}
            _ => {
                return Err(refused(
                    &name,
                    "is neither a file, a folder nor a symbolic link",
                ));
            }
        }
    }
    // Links come last, so that no file is ever written through one.
    for (path, target) in &links {
        make_link(path, target)?;
    }
    check_links(folder, &links)?;
    make_read_only(folder)?;
    Ok(())
}

fn refused(path: &Path, because: &'static str) -> UnpackError {
    UnpackError::Entry {
        path: path.display().to_string(),
        because,
    }
}

/// The path without `.`; one with `..` or a root is refused.
fn inside(path: &Path) -> Result<PathBuf, UnpackError> {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            _ => return Err(refused(path, "leads out of it")),
        }
    }
    Ok(clean)
}

/// Writes one file and gives what is left of the limit.
fn write_file(
    entry: &mut impl Read,
    path: &Path,
    mode: u32,
    left: u64,
) -> Result<u64, UnpackError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = File::create_new(path)?;
    let mut chunk = vec![0; 64 * 1024];
    let mut left = left;
    loop {
        let read = entry.read(&mut chunk).map_err(UnpackError::Unreadable)?;
        if read == 0 {
            break;
        }
        left = left.checked_sub(read as u64).ok_or(UnpackError::TooLarge {
            limit: 0,
            unit: "bytes",
        })?;
        file.write_all(&chunk[..read])?;
    }
    let executable = if mode & 0o111 == 0 { 0o444 } else { 0o555 };
    file.set_permissions(Permissions::from_mode(executable))?;
    Ok(left)
}

fn make_link(path: &Path, target: &Path) -> Result<(), UnpackError> {
    if target.is_absolute() {
        return Err(refused(path, "is a link that leads out of it"));
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    symlink(target, path)?;
    Ok(())
}

/// Every link that leads anywhere leads into the folder, whatever other links it goes through.
fn check_links(folder: &Path, links: &[(PathBuf, PathBuf)]) -> Result<(), UnpackError> {
    let home = folder.canonicalize()?;
    for (path, _) in links {
        match path.canonicalize() {
            Ok(real) if real.starts_with(&home) => {}
            _ => return Err(refused(path, "is a link that leads nowhere or out of it")),
        }
    }
    Ok(())
}

fn make_read_only(folder: &Path) -> io::Result<()> {
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
        fs::set_permissions(&folder, Permissions::from_mode(0o555))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::{Builder, Header};

    use super::*;

    /// Makes an archive; `text` is the content of a file, the target of a link, or nothing for a folder.
    fn archive(entries: &[(&str, EntryType, &str)]) -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("bundle.tar.gz");
        let gzip = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        let mut builder = Builder::new(gzip);
        for (name, kind, text) in entries {
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o755);
            let old = header.as_old_mut();
            old.name[..name.len()].copy_from_slice(name.as_bytes());
            if *kind == EntryType::Symlink || *kind == EntryType::Link {
                old.linkname[..text.len()].copy_from_slice(text.as_bytes());
                header.set_size(0);
                header.set_cksum();
                builder.append(&header, io::empty()).unwrap();
            } else {
                header.set_size(text.len() as u64);
                header.set_cksum();
                builder.append(&header, text.as_bytes()).unwrap();
            }
        }
        builder.into_inner().unwrap().finish().unwrap();
        (home, path)
    }

    fn check(entries: &[(&str, EntryType, &str)], expected: &str) {
        let (home, path) = archive(entries);
        let folder = home.path().join("unpacked");
        fs::create_dir(&folder).unwrap();
        let result = unpack(&path, &folder, 1_000).map_err(|error| error.to_string());
        let text = result.err().unwrap_or_else(|| "ok".to_owned());
        assert!(text.contains(expected), "{text}");
        assert!(!home.path().join("escaped").exists());
        super::super::tree::remove(&folder).unwrap();
    }

    #[test]
    fn what_stays_inside_is_unpacked_read_only() {
        use EntryType::{Directory, Regular, Symlink};
        let entries = [
            ("./bin", Directory, ""),
            ("./bin/run.sh", Regular, "#!/bin/sh"),
            ("run", Symlink, "bin/run.sh"),
        ];
        let (home, path) = archive(&entries);
        let folder = home.path().join("unpacked");
        fs::create_dir(&folder).unwrap();
        unpack(&path, &folder, 1_000).unwrap();
        assert_eq!(fs::read_to_string(folder.join("run")).unwrap(), "#!/bin/sh");
        assert_eq!(
            fs::metadata(folder.join("run")).unwrap().mode() & 0o777,
            0o555
        );
        super::super::tree::remove(&folder).unwrap();
    }

    #[test]
    fn nothing_leads_out() {
        use EntryType::{Char, Directory, Link, Regular, Symlink};
        check(&[("../escaped", Regular, "x")], "leads out of it");
        check(&[("a/../../escaped", Regular, "x")], "leads out of it");
        check(&[("/escaped", Regular, "x")], "leads out of it");
        check(&[("l", Symlink, "/etc/passwd")], "leads out of it");
        check(&[("l", Symlink, "..")], "nowhere or out of it");
        check(&[("l", Symlink, "missing")], "nowhere or out of it");
        check(&[("l", Link, "/etc/passwd")], "neither a file");
        check(&[("l", Char, "")], "neither a file");
        // A link that is inside only as long as nobody follows the other one.
        let indirect = [
            ("a/b", Directory, ""),
            ("a/b/up", Symlink, "../.."),
            ("l", Symlink, "a/b/up/../x"),
        ];
        check(&indirect, "nowhere or out of it");
        check(&[("l", Symlink, ".."), ("l/escaped", Regular, "x")], "");
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        check(
            &[("zeros", EntryType::Regular, &"0".repeat(1_001))],
            "more than 1000 bytes",
        );
        check(&[("zeros", EntryType::Regular, &"0".repeat(1_000))], "ok");
    }

    #[test]
    fn damaged_archives_are_errors() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("bundle.tar.gz");
        fs::write(&path, "not an archive").unwrap();
        let error = unpack(&path, home.path(), 1_000).unwrap_err();
        assert!(matches!(error, UnpackError::Unreadable(_)), "{error}");
    }

    use std::os::unix::fs::MetadataExt as _;
}
