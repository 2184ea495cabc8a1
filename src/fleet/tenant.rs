//! One tenant's migrations: one transaction, which a rehearsal rolls back.
//!
//! It takes three network round trips and one more for each file after the first: one begins, locks the tenant and reads
//! its history, each file is one, and the last one checks, records and commits.

use std::time::Duration;

use futures_util::join;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::Behind;
use crate::migrate::{self, History, MigrationError, Migrations, SetName};
use crate::postgres::InTransaction;
use crate::registry::{Registry, record_files};

/// What stays the same from tenant to tenant.
pub(super) struct Env<'a> {
    pub(super) registry: &'a Registry,
    pub(super) migrations: &'a Migrations,
    /// How long a statement waits for a table: requests that come later wait behind it.
    pub(super) lock_timeout: Duration,
}

/// Whether what is done is to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Rehearsal,
    Migration,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Done {
    Migrated,
    /// Somebody else has, or the tenant is gone.
    NotBehind,
}

/// Why a tenant stays behind.
#[derive(Debug, thiserror::Error)]
pub(super) enum TenantError {
    #[error("{}", .1)]
    Migration(SetName, MigrationError),
    #[error(transparent)]
    History(#[from] MigrationError),
    #[error("{}", crate::error::postgres_reason(.0))]
    Postgres(#[from] tokio_postgres::Error),
}

/// Runs what has not run yet in a tenant's schema, unless it has meanwhile.
///
/// Afterwards the connection is outside of any transaction, or broken.
pub(super) async fn migrate_tenant(
    client: &Client,
    env: &Env<'_>,
    tenant: &Behind,
    mode: Mode,
) -> Result<Done, TenantError> {
    let outcome = try_migrate(client, env, tenant, mode).await;
    if !matches!(outcome, Ok(Done::Migrated)) {
        // Should it fail, then because there is no connection any more.
        let _ = client.batch_execute("rollback").await;
    }
    outcome
}

async fn try_migrate(
    client: &Client,
    env: &Env<'_>,
    tenant: &Behind,
    mode: Mode,
) -> Result<Done, TenantError> {
    let Some(history) = begin(client, env, tenant).await? else {
        return Ok(Done::NotBehind);
    };
    let transaction = Begun(client);
    let ran = migrate::run_pending(&transaction, &tenant.schema, env.migrations, history).await;
    ran.map_err(|(set, error)| TenantError::Migration(set, error))?;
    // What has been put off to the end is told now, when it can still be undone.
    let constraints = client.batch_execute("set constraints all immediate");
    let protected = env.registry.protect_views(&transaction, &tenant.schema);
    match mode {
        Mode::Rehearsal => {
            let undone = client.batch_execute("rollback");
            let (constraints, protected, undone) = join!(constraints, protected, undone);
            constraints.and(protected).and(undone)?;
        }
        Mode::Migration => {
            let recorded = record(client, env.migrations, tenant);
            let known = record_files(client, env.migrations);
            let committed = client.batch_execute("commit");
            let (constraints, protected, recorded, known, committed) =
                join!(constraints, protected, recorded, known, committed);
            constraints
                .and(protected)
                .and(recorded)
                .and(known)
                .and(committed)?;
        }
    }
    Ok(Done::Migrated)
}

/// A connection on which a transaction has begun.
struct Begun<'a>(&'a Client);

impl InTransaction for Begun<'_> {
    fn client(&self) -> &Client {
        self.0
    }
}

/// What a script may have left in the session, for the tenant before.
const CLEAN: &str = "close all; set session authorization default; reset all; unlisten *; \
    select pg_advisory_unlock_all(); discard temp; discard sequences";

/// A statement of a run that was killed ends, rather than hold its locks until it is done for nobody. Not every system
/// that Postgres runs on can tell; then it is refused, and no harm is done.
const WATCHED: &str = "set client_connection_check_interval = '1s'";

/// Locks the tenant's row, so that nobody else does the same, and reads what has run; none where nothing is to be done.
async fn begin(
    client: &Client,
    env: &Env<'_>,
    tenant: &Behind,
) -> Result<Option<History>, TenantError> {
    let opening = format!(
        "begin; set local lock_timeout = {lock_timeout}; set local statement_timeout = 0; \
         set local idle_in_transaction_session_timeout = 0; \
         select id from tenantry.tenants \
         where id = '{id}' and migrations <> {digest} and not purging for no key update; {history}",
        lock_timeout = env.lock_timeout.as_millis(),
        id = tenant.id,
        digest = env.migrations.version().digest,
        history = History::query(&tenant.schema, env.migrations),
    );
    let cleaned = client.batch_execute(CLEAN);
    let watched = client.batch_execute(WATCHED);
    let (cleaned, _, answer) = join!(cleaned, watched, client.simple_query(&opening));
    cleaned?;
    let messages = match answer {
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => {
            client.batch_execute("rollback").await?;
            if is_there(client, tenant).await? {
                return Err(error.into());
            }
            return Ok(None);
        }
        answer => answer?,
    };
    let mut history: Option<History> = None;
    for message in &messages {
        let SimpleQueryMessage::Row(row) = message else {
            continue;
        };
        match &mut history {
            Some(history) => history.add(row)?,
            None if row.len() == 1 => history = Some(History::default()),
            None => {}
        }
    }
    Ok(history)
}

/// Whether a tenant has not been purged.
async fn is_there(client: &Client, tenant: &Behind) -> Result<bool, tokio_postgres::Error> {
    let statement = "select from tenantry.tenants where id = $1 and not purging";
    let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&tenant.id.0, Type::UUID)];
    let row = client.query_typed_opt(statement, &parameters).await?;
    Ok(row.is_some())
}

/// The tenant's version. All replicas hear of it when it is committed.
async fn record(
    client: &Client,
    migrations: &Migrations,
    tenant: &Behind,
) -> Result<(), tokio_postgres::Error> {
    let version = migrations.version();
    let statement = "with mended as (delete from tenantry.migration_failures where tenant_id = $1) \
         update tenantry.tenants set base_version = $2, app_version = $3, migrations = $4 where id = $1";
    client
        .execute_typed(
            statement,
            &[
                (&tenant.id.0, Type::UUID),
                (&version.base, Type::INT4),
                (&version.app, Type::INT4),
                (&version.digest, Type::INT8),
            ],
        )
        .await?;
    Ok(())
}

impl TenantError {
    /// What Postgres said, if it was Postgres.
    pub(super) fn postgres(&self) -> Option<&tokio_postgres::Error> {
        match self {
            Self::Postgres(error) => Some(error),
            Self::Migration(_, error) | Self::History(error) => match error {
                MigrationError::Statement { source, .. } => Some(source),
                MigrationError::Postgres(error) => Some(error),
                MigrationError::History(_) => None,
            },
        }
    }

    /// Whether it may go well in a moment: somebody used a table, or the connection broke.
    pub(super) fn is_passing(&self) -> bool {
        let Some(error) = self.postgres() else {
            return false;
        };
        let Some(answer) = error.as_db_error() else {
            return error.is_closed() || std::error::Error::source(error).is_some();
        };
        let passing = [
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::ADMIN_SHUTDOWN,
        ];
        passing.contains(answer.code()) || is_catalog_race(answer)
    }
}

/// Migrations of two tenants have changed something that is not theirs alone, such as an extension, at the same moment.
fn is_catalog_race(answer: &DbError) -> bool {
    let in_catalog = answer.schema() == Some("pg_catalog");
    let overtaken = matches!(
        answer.routine(),
        Some("simple_heap_update" | "simple_heap_delete")
    );
    overtaken || in_catalog && *answer.code() == SqlState::UNIQUE_VIOLATION
}
