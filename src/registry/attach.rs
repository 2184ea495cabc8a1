//! The registry of a database that a service uses already: for commands beside it, which change nothing by starting.

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use super::audit::Backlog;
use super::guesses::Guesses;
use super::shared::SharedTables;
use super::{Hasher, Registry, RegistryError};
use crate::error::postgres_reason;
use crate::migrate::{LoadError, MigrationSet};
use crate::names::{NameError, RoleName};
use crate::postgres::Database;
use crate::sql::Ident;

/// Why the registry cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttachError {
    #[error("cannot use the database: {0}")]
    Connection(#[from] RegistryError),
    #[error("cannot make a connection pool: {0}")]
    Pool(#[from] deadpool_postgres::BuildError),
    #[error("there is no registry in this database: `tenantry serve` (or `dev`) makes one")]
    Missing,
    #[error(
        "the registry is of another release (its version is {found}, this program's is {wanted}): \
         use the program that `tenantry serve` runs as, or bring it up to date with `tenantry migrate`"
    )]
    OtherRelease { found: i32, wanted: i32 },
    #[error("cannot read the registry: {}", postgres_reason(.0))]
    Postgres(#[from] tokio_postgres::Error),
    #[error("the registry's migrations are broken: {0}")]
    Load(#[from] LoadError),
    #[error("bad name: {0}")]
    Name(#[from] NameError),
}

impl Registry {
    /// Uses the registry as it is.
    pub(crate) async fn attach(database: Database) -> Result<Self, AttachError> {
        let pool = super::pool(&database)?;
        let connection = super::checkout(&pool).await?;
        let found = super::open::version(&connection).await?;
        let found = found.ok_or(AttachError::Missing)?;
        let wanted = MigrationSet::registry()?.version();
        if found != wanted {
            return Err(AttachError::OtherRelease { found, wanted });
        }
        let statement = "select request_role, request_password, users_table from tenantry.settings";
        let row = connection.query_typed_opt(statement, &[]).await?;
        let row = row.ok_or(AttachError::Missing)?;
        let request_role = RoleName::parse(row.try_get::<_, String>(0)?)?;
        let users_table: Option<String> = row.try_get(2)?;
        let shared = SharedTables::find(&connection).await?;
        Ok(Self {
            request_role,
            request_password: row.try_get(1)?,
            users_table: Ident::new(&users_table.ok_or(AttachError::Missing)?),
            shared: ArcSwap::from_pointee(shared),
            hasher: Hasher::new(),
            guesses: Guesses::new(),
            spare_taken: Notify::new(),
            database,
            backlog: Backlog::start(pool.clone()),
            pool,
        })
    }
}
