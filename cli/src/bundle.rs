//! Bundles: a folder of programs as a tar.gz whose digest depends on its content alone.

use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use foreshard_model::limits::BUNDLE_BYTES;

use crate::exit::CliError;

/// Packs a folder: sorted names, no times, no owners, only the executable bit.
///
/// # Errors
/// [`CliError::File`] when it cannot be read, [`CliError::Argument`] when it is too large or leaves the folder.
pub fn pack(folder: &Path) -> Result<Vec<u8>, CliError> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |source| CliError::File {
            doing: "read",
            path,
            source,
        }
    };
    for path in files_of(folder)? {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_path_buf();
        let bytes = std::fs::read(&path).map_err(failed(&path))?;
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(if is_executable(&path) { 0o755 } else { 0o644 });
        header.set_mtime(0);
        archive
            .append_data(&mut header, name, bytes.as_slice())
            .map_err(failed(&path))?;
    }
    let bytes = archive
        .into_inner()
        .and_then(GzEncoder::finish)
        .map_err(failed(folder))?;
    if bytes.len() as u64 > BUNDLE_BYTES {
        let text = format!(
            "bundle `{}` is {} bytes packed, the limit is {BUNDLE_BYTES}",
            folder.display(),
            bytes.len()
        );
        return Err(CliError::Argument(text));
    }
    Ok(bytes)
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        let failed = |source| CliError::File {
            doing: "read",
            path: next.display().to_string(),
            source,
        };
        for entry in std::fs::read_dir(&next).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let kind = std::fs::symlink_metadata(&path)
                .map_err(failed)?
                .file_type();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                files.push(path);
            } else {
                return Err(CliError::Argument(format!(
                    "bundle: `{}` is neither a file nor a folder",
                    path.display()
                )));
            }
        }
    }
    files.sort();
    Ok(files)
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_content_packs_to_the_same_bytes() {
        let (a, b) = (
            tempfile::tempdir().expect("a"),
            tempfile::tempdir().expect("b"),
        );
        for (folder, order) in [(&a, ["one", "two"]), (&b, ["two", "one"])] {
            for name in order {
                std::fs::create_dir_all(folder.path().join("sub")).expect("made");
                std::fs::write(folder.path().join("sub").join(name), name).expect("written");
            }
        }
        assert_eq!(
            pack(a.path()).expect("packs"),
            pack(b.path()).expect("packs")
        );
    }

    #[test]
    fn what_is_not_a_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).expect("linked");
        assert!(matches!(pack(folder.path()), Err(CliError::Argument(_))));
    }
}
