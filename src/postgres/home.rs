//! Where the server's own files live: in the data directory, or elsewhere when the server's account cannot get there.

use std::fs::{self, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::account::Account;
use super::directory::DataDirectory;
use super::error::{ClusterError, file};
use super::running;

/// In a home outside of the data directory: the path of the data directory that it belongs to.
const BELONGS_TO: &str = "belongs-to";

/// What is left of 107 bytes when `/.s.PGSQL.65535` has been taken away.
const LONGEST_SOCKET_DIRECTORY: usize = 92;

/// The directory of the server's files and the account that owns them.
#[derive(Debug, Clone)]
pub(super) struct Home {
    path: PathBuf,
    pub(super) account: Option<Account>,
}

impl Home {
    /// Finds the home of the cluster, or makes an empty one.
    pub(super) fn open(directory: &DataDirectory) -> Result<Home, ClusterError> {
        let server = directory.server();
        if let Some(path) = existing(directory)? {
            let account = Account::choose(&path)?;
            let home = Home { path, account };
            if !home.data().exists() {
                home.make()?;
            }
            home.check_reachable()?;
            return Ok(home);
        }
        let account = Account::choose(&server)?;
        let reachable = match account {
            Some(account) => account
                .can_enter(directory.path())
                .map_err(file("look at", directory.path()))?,
            None => true,
        };
        let path = if reachable {
            server
        } else {
            let elsewhere = choose_elsewhere(directory.path(), account)?;
            symlink(&elsewhere, &server).map_err(file("create", &server))?;
            elsewhere
        };
        let home = Home { path, account };
        home.make()?;
        Ok(home)
    }

    /// The server's data directory, in Postgres' sense of the word.
    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the server's sockets are, if the system can hold paths of that length. A comma or a quote would
    /// mean something to Postgres.
    pub(super) fn sockets(&self) -> Option<&Path> {
        let path = self.path.to_str()?;
        let plain = !path.contains([',', '"', '\'']);
        (plain && path.len() <= LONGEST_SOCKET_DIRECTORY).then_some(&self.path)
    }

    /// The major version that made the data; `None` before the first start.
    pub(super) fn version(&self) -> Result<Option<u32>, ClusterError> {
        let data = self.data();
        if !data.exists() {
            return Ok(None);
        }
        fs::read_to_string(data.join("PG_VERSION"))
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .map(Some)
            .ok_or_else(|| ClusterError::Damaged {
                directory: data,
                problem: "it has no readable PG_VERSION".to_owned(),
            })
    }

    /// Removes all of the server's files; the server must have stopped.
    pub(super) fn clear(&self) -> Result<(), ClusterError> {
        for entry in fs::read_dir(&self.path).map_err(file("list", &self.path))? {
            let path = entry.map_err(file("list", &self.path))?.path();
            if path.file_name().is_some_and(|name| name == BELONGS_TO) {
                continue;
            }
            remove(&path)?;
        }
        Ok(())
    }

    /// Removes the home itself too, wherever it is.
    pub(super) fn remove(&self, directory: &DataDirectory) -> Result<(), ClusterError> {
        remove(&self.path)?;
        remove(&directory.server())
    }

    fn make(&self) -> Result<(), ClusterError> {
        fs::create_dir_all(&self.path).map_err(file("create", &self.path))?;
        fs::set_permissions(&self.path, Permissions::from_mode(0o700))
            .map_err(file("change the mode of", &self.path))?;
        self.account
            .map_or(Ok(()), |account| account.own(&self.path))
    }

    fn check_reachable(&self) -> Result<(), ClusterError> {
        match self.account {
            Some(account)
                if !account
                    .can_enter(&self.path)
                    .map_err(file("look at", &self.path))? =>
            {
                Err(ClusterError::Unreachable {
                    directory: self.path.clone(),
                    uid: account.uid,
                })
            }
            _ => Ok(()),
        }
    }
}

/// The home that a former start made. A link that leads nowhere, or to a home of another cluster, is taken away.
fn existing(directory: &DataDirectory) -> Result<Option<PathBuf>, ClusterError> {
    let server = directory.server();
    match server.symlink_metadata() {
        Ok(there) if there.is_dir() => return Ok(Some(server)),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file("look at", &server)(error)),
    }
    if let Ok(home) = server.canonicalize()
        && let Ok(owner) = fs::read_to_string(home.join(BELONGS_TO))
    {
        let owner = Path::new(&owner);
        if owner == directory.path() {
            return Ok(Some(home));
        }
        // A data directory that was moved keeps its home; a copy must not share the original's.
        if owner.join("server").canonicalize().ok().as_deref() != Some(&home) {
            write_owner(&home, directory.path())?;
            return Ok(Some(home));
        }
    }
    fs::remove_file(&server).map_err(file("remove", &server))?;
    Ok(None)
}

/// Makes a directory that `account` can reach, named after the data directory that it stands for.
fn choose_elsewhere(directory: &Path, account: Option<Account>) -> Result<PathBuf, ClusterError> {
    let mut hasher = DefaultHasher::new();
    directory.hash(&mut hasher);
    let name = format!("{:016x}", hasher.finish());
    for base in [
        PathBuf::from("/var/lib/tenantry"),
        std::env::temp_dir().join("tenantry"),
    ] {
        if !share_base(&base, account) {
            continue;
        }
        let home = base.join(&name);
        // Left over from a data directory of this path that was deleted by hand, perhaps under a running server.
        running::quit_now(&home.join("data"));
        remove(&home)?;
        fs::create_dir(&home).map_err(file("create", &home))?;
        write_owner(&home, directory)?;
        return home.canonicalize().map_err(file("look at", &home));
    }
    Err(ClusterError::Unreachable {
        directory: directory.to_owned(),
        uid: account.map_or(0, |account| account.uid),
    })
}

/// Makes `base` if need be; false unless it is a directory of root's that nobody else can change and `account` can enter.
fn share_base(base: &Path, account: Option<Account>) -> bool {
    if !base.exists() {
        let made = fs::create_dir_all(base)
            .and_then(|()| fs::set_permissions(base, Permissions::from_mode(0o755)));
        if made.is_err() {
            return false;
        }
    }
    base.symlink_metadata()
        .is_ok_and(|there| there.is_dir() && there.uid() == 0 && there.mode() & 0o022 == 0)
        && account.is_none_or(|account| account.can_enter(base).unwrap_or(false))
}

fn write_owner(home: &Path, directory: &Path) -> Result<(), ClusterError> {
    let path = home.join(BELONGS_TO);
    fs::write(&path, directory.as_os_str().as_encoded_bytes()).map_err(file("write", &path))
}

fn remove(path: &Path) -> Result<(), ClusterError> {
    let removed = match path.symlink_metadata() {
        Ok(there) if there.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file("remove", path)(error)),
        _ => Ok(()),
    }
}
