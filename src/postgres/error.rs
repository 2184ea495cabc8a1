//! What can go wrong with the private cluster and with database URLs; each message is one sentence that says what to do.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a private cluster could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error(
        "no Postgres server binaries (version 15 or newer) were found and they could not be downloaded ({reason}): \
         install them (`apt-get install postgresql`, `brew install postgresql@17`) or set TENANTRY_PG_BIN to their directory"
    )]
    NoBinaries { reason: String },

    #[error(
        "the data in {} was made by Postgres {wanted}, which is not installed and could not be downloaded ({reason}): \
         install Postgres {wanted}, set TENANTRY_PG_BIN to its binaries, or start anew with --reset",
        directory.display()
    )]
    NoMatchingBinaries {
        directory: PathBuf,
        wanted: u32,
        reason: String,
    },

    #[error("TENANTRY_PG_BIN is {}, {problem}: set it to the directory of `initdb` and `postgres`, or unset it", directory.display())]
    BadPgBin { directory: PathBuf, problem: String },

    #[error(
        "{} is not empty and was not made by tenantry: choose an empty or new directory with --data-dir",
        directory.display()
    )]
    NotOurs { directory: PathBuf },

    #[error("{} is in use by another tenantry ({owner}): stop that one, or choose another directory with --data-dir", directory.display())]
    InUse { directory: PathBuf, owner: String },

    #[error("{} belongs to another user (uid {owner}): run as that user, or choose another directory with --data-dir", directory.display())]
    OtherOwner { directory: PathBuf, owner: u32 },

    #[error(
        "{} cannot be reached by the user that runs Postgres (uid {uid}, because Postgres refuses to run as root): \
         make its parent directories searchable, or choose another directory with --data-dir",
        directory.display()
    )]
    Unreachable { directory: PathBuf, uid: u32 },

    #[error("the cluster in {} is damaged ({problem}): start anew with --reset", directory.display())]
    Damaged { directory: PathBuf, problem: String },

    #[error("`initdb` could not make a new cluster in {}, see its output: {output}", directory.display())]
    InitFailed { directory: PathBuf, output: String },

    #[error("Postgres did not start ({problem}); the end of its log, {}, says:\n{tail}", log.display())]
    StartFailed {
        problem: String,
        log: PathBuf,
        tail: String,
    },

    #[error(
        "there is no pg_dump beside the server's binaries in {}: install Postgres' client programs \
         (`apt-get install postgresql-client-{major}`, `brew install postgresql@{major}`), or set TENANTRY_PG_BIN to a \
         directory that has it",
        directory.display()
    )]
    NoDump { directory: PathBuf, major: u32 },

    #[error("pg_dump failed: {output}")]
    DumpFailed { output: String },

    #[error("Postgres (process {pid}) did not stop within {} s: kill it by hand", limit.as_secs())]
    NotStopped { pid: i32, limit: Duration },

    #[error("cannot {action} {} ({error}): check the directory, its permissions and the free space", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        /// Not a `source`, because the message tells it.
        error: io::Error,
    },
}

/// Why a database URL is refused. No message repeats a part of the URL that may be, or hold, the password.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseUrlError {
    #[error(
        "the database URL cannot be read: write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE, \
         with special characters percent-encoded"
    )]
    Malformed,

    #[error(
        "the database URL names no host: write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    )]
    NoHost,

    #[error("the database URL has an invalid value for `{option}`")]
    InvalidValue { option: &'static str },

    #[error(
        "the database URL has the option `{option}`, which tenantry does not support: remove it"
    )]
    Unsupported { option: &'static str },

    #[error(
        "the database URL has an unknown option: correct it (and percent-encode special characters in the password)"
    )]
    UnknownOption,

    #[error(
        "sslmode=verify-ca needs sslrootcert=FILE, the certificate authority to trust: add it, or use sslmode=verify-full"
    )]
    NoRootCertificate,

    #[error(
        "sslrootcert=system needs sslmode=verify-full, because anybody can get a certificate from a public authority"
    )]
    WeakMode,

    #[error("the root certificates in {} cannot be used: {reason}", path.display())]
    RootCertificates { path: PathBuf, reason: String },

    #[error(
        "the system's root certificates cannot be used ({reason}): set sslrootcert=FILE in the database URL"
    )]
    SystemCertificates { reason: String },
}

/// Turns an I/O error into [`ClusterError::File`], with what was being done and to which path.
pub(super) fn file<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> ClusterError + 'a {
    move |error| ClusterError::File {
        action,
        path: path.to_owned(),
        error,
    }
}
