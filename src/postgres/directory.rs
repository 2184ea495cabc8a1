//! The data directory that the user names: its marker, its lock, and the small files beside the server's own.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rand::RngExt;
use rand::distr::Alphanumeric;

use super::error::{ClusterError, file};
use super::files::{open_private, write_private};
use super::log::Log;

/// Says that the directory is ours, to us and to whoever finds it.
const MARKER: &str = "tenantry-data";
const MARKER_TEXT: &str = "A private Postgres cluster of `tenantry dev`. With no tenantry running on it, it may be deleted.\n";

/// A data directory that this process, and no other, may use until the value is dropped.
#[derive(Debug)]
pub(super) struct DataDirectory {
    path: PathBuf,
    lock: File,
}

impl DataDirectory {
    /// Makes the directory if need be, and locks it.
    pub(super) fn open(path: &Path) -> Result<DataDirectory, ClusterError> {
        fs::create_dir_all(path).map_err(file("create", path))?;
        let path = path.canonicalize().map_err(file("look at", path))?;
        claim(&path)?;
        let lock = lock(&path)?;
        Ok(DataDirectory { path, lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the server's own files are: a directory, or a symbolic link to one.
    pub(super) fn server(&self) -> PathBuf {
        self.path.join("server")
    }

    pub(super) fn log(&self) -> Log {
        Log::new(self.path.join("postgres.log"))
    }

    /// The superuser's password, if one was ever chosen.
    pub(super) fn password(&self) -> Result<Option<String>, ClusterError> {
        let path = self.password_file();
        match fs::read_to_string(&path) {
            Ok(password) if !password.is_empty() => Ok(Some(password)),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file("read", &path)(error)),
        }
    }

    /// Chooses and keeps a password; letters and digits only, so that it needs no quoting anywhere.
    pub(super) fn new_password(&self) -> Result<String, ClusterError> {
        let password: String = rand::rng()
            .sample_iter(Alphanumeric)
            .take(32)
            .map(char::from)
            .collect();
        write_private(&self.password_file(), &password)?;
        Ok(password)
    }

    /// The port of the former start.
    pub(super) fn port(&self) -> Option<u16> {
        let text = fs::read_to_string(self.port_file()).ok()?;
        text.trim().parse().ok()
    }

    pub(super) fn keep_port(&self, port: u16) -> Result<(), ClusterError> {
        if self.port() == Some(port) {
            return Ok(());
        }
        write_private(&self.port_file(), &port.to_string())
    }

    /// Forgets the former cluster. The server's own files must be gone by now.
    pub(super) fn clear(&self) {
        self.log().remove();
        let _ = fs::remove_file(self.port_file());
        let _ = fs::remove_file(self.password_file());
    }

    fn password_file(&self) -> PathBuf {
        self.path.join("password")
    }

    fn port_file(&self) -> PathBuf {
        self.path.join("port")
    }
}

impl Drop for DataDirectory {
    fn drop(&mut self) {
        // Closing is not enough: a process that another thread forks at this moment holds the lock until it executes.
        let _ = self.lock.unlock();
    }
}

/// Marks an empty directory as ours; refuses one that holds something else.
fn claim(path: &Path) -> Result<(), ClusterError> {
    if path.join(MARKER).exists() {
        return Ok(());
    }
    let mut entries = fs::read_dir(path).map_err(file("list", path))?;
    // Hidden files (`.gitkeep`, `.DS_Store`) are nobody's data.
    if entries.any(|entry| {
        !entry.is_ok_and(|entry| entry.file_name().as_encoded_bytes().starts_with(b"."))
    }) {
        return Err(ClusterError::NotOurs {
            directory: path.to_owned(),
        });
    }
    write_private(&path.join(MARKER), MARKER_TEXT)?;
    // A cluster must never be committed, wherever --data-dir points.
    write_private(&path.join(".gitignore"), "*\n")
}

fn lock(directory: &Path) -> Result<File, ClusterError> {
    let path = directory.join("lock");
    let mut lock = open_private(&path)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let owner = fs::read_to_string(&path).unwrap_or_default();
            let owner = match owner.trim() {
                "" => "an unknown process".to_owned(),
                pid => format!("process {pid}"),
            };
            return Err(ClusterError::InUse {
                directory: directory.to_owned(),
                owner,
            });
        }
        Err(TryLockError::Error(error)) => return Err(file("lock", &path)(error)),
    }
    lock.set_len(0)
        .and_then(|()| writeln!(lock, "{}", std::process::id()))
        .map_err(file("write", &path))?;
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn one_owner_at_a_time() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("data");
        let first = DataDirectory::open(&path).unwrap();
        let refused = DataDirectory::open(&path).unwrap_err().to_string();
        assert!(
            refused.contains(&format!("process {}", std::process::id())),
            "{refused}"
        );
        assert!(refused.contains(path.to_str().unwrap()), "{refused}");
        drop(first);
        DataDirectory::open(&path).unwrap();
    }

    #[test]
    fn somebody_elses_directory_is_refused() {
        let top = tempfile::tempdir().unwrap();
        fs::write(top.path().join(".gitkeep"), "").unwrap();
        fs::write(top.path().join("thesis.tex"), "").unwrap();
        let refused = DataDirectory::open(top.path());
        assert!(
            matches!(refused, Err(ClusterError::NotOurs { .. })),
            "{refused:?}"
        );
        fs::remove_file(top.path().join("thesis.tex")).unwrap();
        DataDirectory::open(top.path()).unwrap();
    }

    #[test]
    fn passwords_are_private_and_remembered() {
        let top = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open(top.path()).unwrap();
        assert_eq!(directory.password().unwrap(), None);
        let password = directory.new_password().unwrap();
        assert_eq!(password.len(), 32);
        assert_eq!(directory.password().unwrap(), Some(password));
        let mode = directory
            .password_file()
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
