//! Finds the Postgres server binaries: those that the user names, else the newest installed ones, else a download.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::{env, fs};

use tokio::process::Command;

use super::account::Account;
use super::download;
use super::error::ClusterError;

/// The oldest major version that the service supports.
const OLDEST: u32 = 15;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    pub(super) major: u32,
    pub(super) minor: u32,
}

/// A directory with `initdb` and `postgres`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) directory: PathBuf,
    pub(super) version: Version,
}

impl Binaries {
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.directory.join(program));
        // The user's settings for clients (PGPORT, PGDATA, PGOPTIONS, …) must not reach our server.
        for (name, _) in env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        // Our own working directory may be closed to the server's account.
        command.current_dir("/").stdin(Stdio::null());
        command
    }
}

/// What the binaries are for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The directory of an existing cluster and the major version that made it.
    pub(super) existing: Option<(&'a Path, u32)>,
    /// Who will run them, if not we ourselves.
    pub(super) account: Option<Account>,
}

impl Wanted<'_> {
    fn accepts(self, version: Version) -> bool {
        self.existing
            .map_or(version.major >= OLDEST, |(_, major)| version.major == major)
    }
}

/// The newest binaries that fit. `TENANTRY_PG_BIN` is never second-guessed: it fits, or that is an error.
pub(super) async fn find(wanted: Wanted<'_>) -> Result<Binaries, ClusterError> {
    if let Some(directory) = env::var_os("TENANTRY_PG_BIN").filter(|value| !value.is_empty()) {
        return explicit(PathBuf::from(directory), wanted).await;
    }
    let mut found = Vec::new();
    for directory in places().await {
        if let Some(binaries) = inspect(&directory).await.ok().flatten() {
            let usable = wanted
                .account
                .is_none_or(|account| account.can_enter(&directory).unwrap_or(false));
            tracing::debug!(postgres.binaries = ?binaries, usable, "found");
            if usable {
                found.push(binaries);
            }
        }
    }
    if let Some(binaries) = newest(found, wanted) {
        return Ok(binaries);
    }
    let major = wanted.existing.map(|(_, major)| major);
    match download::postgres(major, wanted.account.is_some()).await {
        Ok(directory) => match inspect(&directory).await {
            Ok(Some(binaries)) => Ok(binaries),
            Ok(None) => Err(missing(wanted, "the archive holds no binaries".to_owned())),
            Err(problem) => Err(missing(wanted, problem)),
        },
        Err(reason) => Err(missing(wanted, reason)),
    }
}

async fn explicit(directory: PathBuf, wanted: Wanted<'_>) -> Result<Binaries, ClusterError> {
    let problem = match inspect(&directory).await {
        Ok(Some(found)) if wanted.accepts(found.version) => match wanted.account {
            Some(account) if !account.can_enter(&directory).unwrap_or(false) => {
                return Err(ClusterError::Unreachable {
                    directory,
                    uid: account.uid,
                });
            }
            _ => return Ok(found),
        },
        Ok(Some(found)) => {
            let found = found.version.major;
            match wanted.existing {
                Some((data, major)) => format!(
                    "which holds Postgres {found}, but the data in {} was made by Postgres {major}",
                    data.display()
                ),
                None => format!("which holds Postgres {found}, older than {OLDEST}"),
            }
        }
        Ok(None) => "which lacks `initdb` or `postgres`".to_owned(),
        Err(problem) => problem,
    };
    Err(ClusterError::BadPgBin { directory, problem })
}

fn missing(wanted: Wanted<'_>, reason: String) -> ClusterError {
    match wanted.existing {
        Some((directory, wanted)) => ClusterError::NoMatchingBinaries {
            directory: directory.to_owned(),
            wanted,
            reason,
        },
        None => ClusterError::NoBinaries { reason },
    }
}

fn newest(found: Vec<Binaries>, wanted: Wanted<'_>) -> Option<Binaries> {
    found
        .into_iter()
        .filter(|binaries| wanted.accepts(binaries.version))
        // Of two equal ones the first place wins, so that PATH goes before the system's directories.
        .reduce(|best, next| match next.version.cmp(&best.version) {
            Ordering::Greater => next,
            Ordering::Less | Ordering::Equal => best,
        })
}

/// What is in `directory`; `None` if either program is missing.
async fn inspect(directory: &Path) -> Result<Option<Binaries>, String> {
    let postgres = directory.join("postgres");
    if !postgres.is_file() || !directory.join("initdb").is_file() {
        return Ok(None);
    }
    let output = Command::new(&postgres)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| format!("whose `postgres` does not run ({error})"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = parse_version(&text)
        .ok_or_else(|| format!("whose `postgres --version` says {:?}", text.trim()))?;
    Ok(Some(Binaries {
        directory: directory.to_owned(),
        version,
    }))
}

/// Reads the output of `postgres --version`, e.g. `postgres (PostgreSQL) 17.5 (Homebrew)` or `… 18beta1`.
fn parse_version(text: &str) -> Option<Version> {
    let (_, after_name) = text.split_once(") ")?;
    let number = after_name.split_whitespace().next()?;
    let (major, rest) = split_number(number)?;
    let minor = rest.strip_prefix('.').and_then(split_number);
    Some(Version {
        major,
        minor: minor.map_or(0, |(minor, _)| minor),
    })
}

fn split_number(text: &str) -> Option<(u32, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// The directories to look into, the preferred ones first, each once.
async fn places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    places.extend(pg_config().await);
    places.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    places.push(PathBuf::from("/usr/local/pgsql/bin"));
    for (parent, prefix, bin) in [
        ("/usr/lib/postgresql", "", "bin"),          // Debian, Ubuntu
        ("/usr", "pgsql-", "bin"),                   // the PostgreSQL project's RPMs
        ("/usr/libexec", "postgresql", ""),          // Alpine
        ("/opt/homebrew/opt", "postgresql@", "bin"), // Homebrew on Apple silicon
        ("/usr/local/opt", "postgresql@", "bin"),    // Homebrew on Intel
        ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ] {
        places.extend(children(Path::new(parent), prefix).map(|child| child.join(bin)));
    }
    for cache in download::caches() {
        places.extend(children(&cache, "").map(|child| child.join("bin")));
    }
    let mut seen = std::collections::HashSet::new();
    places.retain(|place| place.canonicalize().is_ok_and(|place| seen.insert(place)));
    places
}

async fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config")
        .arg("--bindir")
        .output()
        .await
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(text.trim())).filter(|path| path.is_absolute())
}

fn children(parent: &Path, prefix: &str) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(parent)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(move |path| {
            path.file_name()
                .and_then(OsStr::to_str)
                .is_some_and(|name| name.starts_with(prefix))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: u32, minor: u32) -> Version {
        Version { major, minor }
    }

    fn binaries(directory: &str, major: u32, minor: u32) -> Binaries {
        Binaries {
            directory: PathBuf::from(directory),
            version: version(major, minor),
        }
    }

    #[test]
    fn reads_versions() {
        for (text, expected) in [
            (
                "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n",
                version(15, 14),
            ),
            ("postgres (PostgreSQL) 17.5 (Homebrew)", version(17, 5)),
            ("postgres (PostgreSQL) 16.0\n", version(16, 0)),
            ("postgres (PostgreSQL) 19beta2", version(19, 0)),
            ("postgres (PostgreSQL) 18rc1", version(18, 0)),
            ("postgres (PostgreSQL) 19devel", version(19, 0)),
            ("postgres (PostgreSQL) 9.6.24", version(9, 6)),
        ] {
            assert_eq!(parse_version(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "postgres",
            "postgres (PostgreSQL) ",
            "postgres (PostgreSQL) x",
        ] {
            assert_eq!(parse_version(text), None, "{text}");
        }
    }

    #[test]
    fn the_newest_wins_unless_data_exists() {
        let found = || {
            vec![
                binaries("/a", 14, 20),
                binaries("/b", 15, 9),
                binaries("/c", 17, 2),
                binaries("/d", 17, 10),
                binaries("/e", 17, 10),
            ]
        };
        let any = Wanted {
            existing: None,
            account: None,
        };
        assert_eq!(newest(found(), any), Some(binaries("/d", 17, 10)));
        assert_eq!(newest(found()[..1].to_vec(), any), None);

        let data = Path::new("/data");
        let of = |major| Wanted {
            existing: Some((data, major)),
            account: None,
        };
        assert_eq!(newest(found(), of(15)), Some(binaries("/b", 15, 9)));
        assert_eq!(newest(found(), of(16)), None);
    }

    #[tokio::test]
    async fn an_explicit_directory_is_used_as_given() {
        let directory = fake(17);
        let any = Wanted {
            existing: None,
            account: None,
        };
        let path = directory.path().to_owned();
        let found = explicit(path.clone(), any).await.unwrap();
        assert_eq!(found.version, version(17, 1));

        let older = Wanted {
            existing: Some((Path::new("/data"), 16)),
            account: None,
        };
        let refused = explicit(path.clone(), older).await.unwrap_err().to_string();
        assert!(
            refused.contains("holds Postgres 17") && refused.contains("/data"),
            "{refused}"
        );

        let refused = explicit(fake(14).path().to_owned(), any).await.unwrap_err();
        assert!(refused.to_string().contains("older than 15"), "{refused}");

        fs::remove_file(path.join("initdb")).unwrap();
        let refused = explicit(path, any).await.unwrap_err().to_string();
        assert!(
            refused.contains("lacks `initdb` or `postgres`"),
            "{refused}"
        );
    }

    /// A directory of programs that only know their version.
    fn fake(major: u32) -> tempfile::TempDir {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        for program in ["postgres", "initdb"] {
            let path = directory.path().join(program);
            // Written by another process: a file that we hold open for writing while another test forks is "busy".
            let script = format!(
                "printf '#!/bin/sh\\necho \"postgres (PostgreSQL) {major}.1\"\\n' > \"$1\""
            );
            let status = std::process::Command::new("sh")
                .args(["-c", &script, "sh"])
                .arg(&path)
                .status();
            assert!(status.unwrap().success());
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        directory
    }
}
