//! Removes folders that tasks have filled, whatever permissions they left behind.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Removes `path` and everything below it. Links are removed, never followed. Nothing there is no error.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            open_folders(path);
            gone(fs::remove_dir_all(path))
        }
        other => gone(other),
    }
}

fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Makes every folder below `path` one that can be emptied; what cannot be changed shows when it is removed.
fn open_folders(path: &Path) {
    let mut folders = vec![path.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let _shows_later = fs::set_permissions(&folder, Permissions::from_mode(0o700));
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_without_permissions_and_links_go_too() {
        let home = tempfile::tempdir().unwrap();
        let kept = home.path().join("kept");
        fs::create_dir(&kept).unwrap();
        let tree = home.path().join("tree");
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::write(tree.join("a/b/file"), "x").unwrap();
        std::os::unix::fs::symlink(&kept, tree.join("a/link")).unwrap();
        fs::set_permissions(tree.join("a/b"), Permissions::from_mode(0o0)).unwrap();
        fs::set_permissions(tree.join("a"), Permissions::from_mode(0o500)).unwrap();
        remove(&tree).unwrap();
        assert!(!tree.exists());
        assert!(kept.exists());
        remove(&tree).unwrap();
    }
}
