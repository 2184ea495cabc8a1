//! Why there is no baseline.

use std::path::PathBuf;

use crate::catalog::{Comparison, Difference};
use crate::error::{Failure, postgres_reason};
use crate::migrate::LoadError;
use crate::names::NameError;
use crate::postgres::{ClusterError, ConnectError};
use crate::registry::OpenError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum SquashError {
    #[error(transparent)]
    Impossible(#[from] Impossible),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Connection(#[from] ConnectError),
    #[error("Postgres answered: {}", postgres_reason(.0))]
    Postgres(#[from] tokio_postgres::Error),
    #[error("bad name: {0}")]
    Name(#[from] NameError),
    #[error("the files do not run: {0}")]
    Files(String),
    #[error("cannot write to {}: {source}", path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
}

/// These files are not to be replaced by one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Impossible {
    #[error(
        "what the files make cannot be told from their tables alone, as pg_dump and the SQL of `tenantry diff` do it; \
         nothing was written. With a baseline:\n  {}", .0.join("\n  ")
    )]
    Unlike(Vec<String>),
    #[error("what pg_dump writes of the tables does not run, so that nothing was written: {0}")]
    Fails(String),
    #[error("what pg_dump writes of the tables cannot be read, so that nothing was written: {0}")]
    Unreadable(LoadError),
    #[error(
        "a baseline would not fill tables as the files do; nothing was written. Otherwise are: {}", .0.join(", ")
    )]
    Contents(Vec<String>),
    #[error("the files do not make the same tables each time; nothing was written:\n  {}", .0.join("\n  "))]
    Unsteady(Vec<String>),
    #[error(
        "the files fill these columns with other values at each sign-up (the time, a random key): {}. With a baseline, \
         all new tenants would get the values of today. If that does no harm, say --freeze-values; keys and secrets that \
         nobody else may know belong into seed.sql", .0.join(", ")
    )]
    Changing(Vec<String>),
    #[error(
        "the files change tables that all tenants share, which no tenant's baseline can: move that to the files of \
         shared tables"
    )]
    Shared,
    #[error("the service's own table of users would be called otherwise with a baseline")]
    OtherUsers,
}

impl Impossible {
    pub(super) fn unlike(comparison: &Comparison) -> Self {
        Self::Unlike(sentences(comparison))
    }

    pub(super) fn unsteady(comparison: &Comparison) -> Self {
        Self::Unsteady(sentences(comparison))
    }
}

fn sentences(comparison: &Comparison) -> Vec<String> {
    let differences = comparison.differences.iter();
    differences.map(Difference::sentence).collect()
}

impl SquashError {
    /// What went wrong with a schema that was made by a baseline.
    pub(super) fn of_baseline(self) -> Self {
        match self {
            Self::Files(reason) => Impossible::Fails(reason).into(),
            other => other,
        }
    }
}

/// Of the registry, when it makes a schema.
impl From<Failure> for SquashError {
    fn from(failure: Failure) -> Self {
        Self::Files(failure.reason())
    }
}
