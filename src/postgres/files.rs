//! Small private files, written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::unistd::geteuid;

use super::error::{ClusterError, file};

/// Writes a file that only its owner may read, replacing the former one in one step.
///
/// Root gives it to the owner of the directory, so that this user can start without root the next time.
pub(super) fn write_private(path: &Path, contents: &str) -> Result<(), ClusterError> {
    let draft = path.with_added_extension("new");
    let _ = fs::remove_file(&draft);
    let mut draft_file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .map_err(file("create", &draft))?;
    draft_file
        .write_all(contents.as_bytes())
        .and_then(|()| draft_file.sync_all())
        .map_err(file("write", &draft))?;
    share(&draft)?;
    fs::rename(&draft, path).map_err(file("write", path))
}

/// Opens a private file to append to, or to lock, and creates it when it is missing.
pub(super) fn open_private(path: &Path) -> Result<File, ClusterError> {
    let opened = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        // Root must not be led to another file by a link in a directory of somebody else's.
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)
        .map_err(file("open", path))?;
    share(path)?;
    Ok(opened)
}

fn share(path: &Path) -> Result<(), ClusterError> {
    let Some(directory) = path.parent().filter(|_| geteuid().is_root()) else {
        return Ok(());
    };
    let owner = directory.metadata().map_err(file("look at", directory))?;
    std::os::unix::fs::lchown(path, Some(owner.uid()), Some(owner.gid()))
        .map_err(file("change the owner of", path))
}
