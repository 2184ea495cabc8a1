//! Opening the registry: its own migrations where they may run, the request login, the extensions the app needs.

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Transaction};

use super::audit::Backlog;
use super::guesses::Guesses;
use super::known::{self, FilesError};
use super::login::{self, LoginError, RequestLogin};
use super::shared::SharedTables;
use super::{Hasher, Registry, RegistryError};
use crate::error::postgres_reason;
use crate::migrate::{self, LoadError, MigrationError, MigrationSet, Migrations};
use crate::names::{NameError, SchemaName};
use crate::postgres::Database;
use crate::sql::Ident;

/// Serializes replicas that start at the same moment. Any number will do, if only it is always the same.
const OPENING: i64 = 0x7465_6e61_6e74_7279;

/// The oldest release that has all the service uses (public schemas closed by default, `merge`).
const OLDEST_POSTGRES: i32 = 150_000;

/// Whether opening may migrate the registry and the tables that tenants share. An empty database gets both in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upgrade {
    Run,
    Refuse,
}

/// Why the registry cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("cannot use the database: {0}")]
    Connection(#[from] RegistryError),
    #[error("cannot make a connection pool: {0}")]
    Pool(#[from] deadpool_postgres::BuildError),
    #[error("Postgres {0} is too old: 15 or newer is needed")]
    TooOld(String),
    #[error("cannot set the registry up: {}", postgres_reason(.0))]
    Postgres(#[from] tokio_postgres::Error),
    #[error("the registry's migrations are broken: {0}")]
    Load(#[from] LoadError),
    #[error("cannot migrate the registry: {0}")]
    Migration(#[from] MigrationError),
    #[error(
        "the registry's tables are of an older release (version {found}, and this program's are {wanted}):          bring them up to date with `tenantry migrate`, or start with --migrate"
    )]
    Behind { found: i32, wanted: i32 },
    #[error(
        "the registry's tables are of a newer release (version {found}, and this program's are {wanted}): use that one"
    )]
    Ahead { found: i32, wanted: i32 },
    #[error("cannot migrate the tables that tenants share: {0}")]
    Shared(MigrationError),
    #[error(
        "{pending} migrations of the tables that tenants share have not run: run `tenantry migrate`, or start with --migrate"
    )]
    SharedBehind { pending: usize },
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Login(#[from] LoginError),
    #[error("bad name: {0}")]
    Name(#[from] NameError),
    #[error(
        "the migrations ask for the extension {name}, and the owner cannot create it ({reason}): \
         install its package, or create it in the schema \"extensions\" as a superuser"
    )]
    Extension { name: String, reason: String },
}

impl Registry {
    /// Makes the registry, or brings it up to date, in one transaction that replicas enter one after the other.
    ///
    /// Nothing has changed when the app's files are not those that the fleet has run.
    pub(crate) async fn open(
        database: Database,
        login: RequestLogin,
        migrations: &Migrations,
        upgrade: Upgrade,
    ) -> Result<Self, OpenError> {
        let pool = super::pool(&database)?;
        let mut connection = super::checkout(&pool).await?;
        let transaction = connection.transaction().await?;
        lock(&transaction).await?;
        check_version(&transaction).await?;
        let upgrade = make_tables(&transaction, upgrade).await?;
        check_files(&transaction, migrations, upgrade).await?;
        let (request_role, request_password) = login::ensure(&transaction, login).await?;
        let users_table = users_table(&transaction, migrations).await?;
        create_extensions(&transaction, migrations).await?;
        if let Some(set) = &migrations.shared {
            SharedTables::open(&transaction, set, upgrade).await?;
        }
        let shared = SharedTables::find(transaction.client()).await?;
        transaction.commit().await?;
        drop(connection);
        Ok(Self {
            database,
            backlog: Backlog::start(pool.clone()),
            pool,
            hasher: Hasher::new(),
            guesses: Guesses::new(),
            request_role,
            request_password,
            users_table,
            spare_taken: Notify::new(),
            shared: ArcSwap::from_pointee(shared),
        })
    }
}

/// The registry's own tables. Says whether the shared ones may be migrated, too.
async fn make_tables(
    transaction: &Transaction<'_>,
    upgrade: Upgrade,
) -> Result<Upgrade, OpenError> {
    let set = MigrationSet::registry()?;
    let wanted = set.version();
    let found = version(transaction.client()).await?;
    let upgrade = found.map_or(Upgrade::Run, |_| upgrade);
    match (found.unwrap_or_default(), upgrade) {
        (found, Upgrade::Refuse) if found < wanted => {
            return Err(OpenError::Behind { found, wanted });
        }
        (found, Upgrade::Refuse) if found > wanted => {
            tracing::warn!(
                found,
                wanted,
                "the registry's tables are of a newer release"
            );
            return Ok(upgrade);
        }
        (found, Upgrade::Run) if found > wanted => {
            return Err(OpenError::Ahead { found, wanted });
        }
        _ => {}
    }
    if found.is_none() {
        let create = "create schema if not exists tenantry";
        transaction.batch_execute(create).await?;
    }
    let schema = SchemaName::parse("tenantry")?;
    migrate::run(transaction, &schema, &set).await?;
    Ok(upgrade)
}

/// The version of the registry's tables; none where there are none.
pub(crate) async fn version(client: &Client) -> Result<Option<i32>, tokio_postgres::Error> {
    let known = "select to_regclass('tenantry.migration_history') is not null";
    let known = client.query_typed_one(known, &[]).await?;
    if !known.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let last = "select max(version)::int4 from tenantry.migration_history";
    client.query_typed_one(last, &[]).await?.try_get(0)
}

/// Files that were edited are nobody's. Older ones do for a replica that is about to be replaced.
async fn check_files(
    transaction: &Transaction<'_>,
    migrations: &Migrations,
    upgrade: Upgrade,
) -> Result<(), FilesError> {
    match known::check(transaction.client(), migrations).await {
        Err(error @ FilesError::Gone(_)) if upgrade == Upgrade::Refuse => {
            tracing::warn!("{error}");
            Ok(())
        }
        outcome => outcome,
    }
}

/// Lets one replica at a time change what is there once for all tenants.
pub(super) async fn lock(transaction: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
    let statement = "select pg_advisory_xact_lock($1)";
    transaction
        .query_typed_one(statement, &[(&OPENING, Type::INT8)])
        .await
        .map(|_| ())
}

async fn check_version(transaction: &Transaction<'_>) -> Result<(), OpenError> {
    let row = transaction
        .query_typed_one(
            "select current_setting('server_version_num')::int4, current_setting('server_version')",
            &[],
        )
        .await?;
    if row.try_get::<_, i32>(0)? < OLDEST_POSTGRES {
        return Err(OpenError::TooOld(row.try_get(1)?));
    }
    Ok(())
}

/// Decided once for all tenants, so that an app that grows a `users` table of its own is told, not obeyed.
async fn users_table(
    transaction: &Transaction<'_>,
    migrations: &Migrations,
) -> Result<Ident, OpenError> {
    let row = transaction
        .query_typed_one(
            "update tenantry.settings set users_table = coalesce(users_table, $1) returning users_table",
            &[(&migrations.users_table, Type::TEXT)],
        )
        .await?;
    Ok(Ident::new(row.try_get(0)?))
}

/// Extensions live in one schema that every tenant's search path ends with: their functions are shared code.
pub(super) async fn create_extensions(
    transaction: &Transaction<'_>,
    migrations: &Migrations,
) -> Result<(), OpenError> {
    transaction
        .batch_execute(
            "create schema if not exists extensions; grant usage on schema extensions to public",
        )
        .await?;
    for name in &migrations.extensions {
        let known = transaction
            .query_one(
                "select (select extnamespace::regnamespace::text from pg_extension where extname = $1), \
                 exists (select from pg_available_extensions where name = $1)",
                &[name],
            )
            .await?;
        if let Some(home) = known.try_get::<_, Option<String>>(0)? {
            if !["extensions", "pg_catalog"].contains(&home.as_str()) {
                tracing::warn!(
                    "the extension {name} is in the schema {home}, which tenants do not see: \
                     alter extension \"{name}\" set schema extensions"
                );
            }
            continue;
        }
        // Dumps name extensions that the tables do without (pg_stat_statements, pg_cron); a migration that does
        // need one says so when it runs.
        if !known.try_get::<_, bool>(1)? {
            tracing::warn!(
                "the migrations ask for the extension {name}, and its package is not installed: going on without"
            );
            continue;
        }
        let quoted = name.replace('"', "\"\"");
        transaction
            .batch_execute(&format!(
                "create extension \"{quoted}\" schema extensions cascade"
            ))
            .await
            .map_err(|error| OpenError::Extension {
                name: name.clone(),
                reason: postgres_reason(&error),
            })?;
    }
    Ok(())
}
