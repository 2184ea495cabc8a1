//! The unprivileged account that runs Postgres when we are root, because Postgres refuses to run as root.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{User, geteuid};
use tokio::process::Command;

use super::error::{ClusterError, file};

/// An account other than our own. Where none is needed there is no `Account`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Account {
    /// The account for a cluster in `data`: the owner of what is there already, else `postgres`, else `nobody`.
    ///
    /// An ordinary user runs Postgres as itself: `None`.
    pub(super) fn choose(data: &Path) -> Result<Option<Account>, ClusterError> {
        let us = geteuid();
        let owner = match data.metadata() {
            Ok(there) => Some((there.uid(), there.gid())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(file("look at", data)(error)),
        };
        match owner {
            Some((uid, gid)) if us.is_root() && uid != 0 => Ok(Some(Account { uid, gid })),
            Some((uid, _)) if !us.is_root() && uid != us.as_raw() => {
                Err(ClusterError::OtherOwner {
                    directory: data.to_owned(),
                    owner: uid,
                })
            }
            _ if us.is_root() => Ok(Some(Account::of_the_system())),
            _ => Ok(None),
        }
    }

    fn of_the_system() -> Account {
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map_or(
                // Minimal containers have no account database; 65534 is `nobody` by convention.
                Account {
                    uid: 65534,
                    gid: 65534,
                },
                |user| Account {
                    uid: user.uid.as_raw(),
                    gid: user.gid.as_raw(),
                },
            )
    }

    /// Makes `command` run as this account; the standard library then also drops root's supplementary groups.
    pub(super) fn run(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives a file or directory to this account.
    pub(super) fn own(self, path: &Path) -> Result<(), ClusterError> {
        std::os::unix::fs::lchown(path, Some(self.uid), Some(self.gid))
            .map_err(file("change the owner of", path))
    }

    /// Whether this account may enter `directory`: it and every parent must be searchable.
    pub(super) fn can_enter(self, directory: &Path) -> io::Result<bool> {
        for part in directory.canonicalize()?.ancestors() {
            let there = part.metadata()?;
            let search = if there.uid() == self.uid {
                0o100
            } else if there.gid() == self.gid {
                0o010
            } else {
                0o001
            };
            if there.mode() & search == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_private_parent_keeps_others_out() {
        let top = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .unwrap();
        let inner = top.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::set_permissions(&inner, Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(top.path().join("a"), Permissions::from_mode(0o755)).unwrap();
        let stranger = Account {
            uid: 54_321,
            gid: 54_321,
        };
        assert!(stranger.can_enter(&inner).unwrap());

        fs::set_permissions(top.path().join("a"), Permissions::from_mode(0o700)).unwrap();
        assert!(!stranger.can_enter(&inner).unwrap());
        let owner = Account {
            uid: geteuid().as_raw(),
            gid: 54_321,
        };
        assert!(owner.can_enter(&inner).unwrap());
    }
}
