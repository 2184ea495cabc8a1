//! One tenant's migrations: one transaction, which a rehearsal rolls back, unless files among them run without one.
//!
//! It takes three network round trips and one more for each file after the first: one begins, locks the tenant and reads
//! its history, each file is one, and the last one checks, records and commits.

use std::time::Duration;

use futures_util::join;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::{Behind, unfinished};
use crate::migrate::{
    self, AutocommitFile, History, MigrationError, Migrations, NewValue, SchemaVersion, SetName,
    Stop, Unrun,
};
use crate::names::Subdomain;
use crate::postgres::InTransaction;
use crate::registry::{Registry, record_files};

/// What stays the same from tenant to tenant.
#[derive(Clone, Copy)]
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
    /// As a part of a transaction that has begun, and which is to be committed or undone with all that is in it.
    /// Replicas hear of it from whoever commits.
    Joint,
}

impl Mode {
    fn begin(self) -> &'static str {
        match self {
            Self::Rehearsal | Self::Migration => "begin",
            Self::Joint => "savepoint tenant; set local tenantry.quiet = 'on'",
        }
    }

    fn commit(self) -> &'static str {
        match self {
            Self::Rehearsal => "rollback",
            Self::Migration => "commit",
            Self::Joint => "release savepoint tenant",
        }
    }

    /// May be done twice.
    fn undo(self) -> &'static str {
        match self {
            Self::Rehearsal | Self::Migration => "rollback",
            Self::Joint => "rollback to savepoint tenant",
        }
    }

    /// What a script may have left in the session, for the tenant before.
    fn clean(self) -> &'static str {
        match self {
            Self::Rehearsal | Self::Migration => {
                "close all; set session authorization default; reset all; unlisten *; \
                 select pg_advisory_unlock_all(); discard temp; discard sequences"
            }
            // Some of that, a transaction that is to be prepared must not do.
            Self::Joint => {
                "close all; set session authorization default; reset all; \
                 select pg_advisory_unlock_all(); discard temp; discard sequences"
            }
        }
    }
}

#[derive(Debug)]
pub(super) enum Done<'a> {
    Migrated,
    /// Somebody else has, or the tenant is gone.
    NotBehind,
    /// All that comes before this file, which takes a commit. Where that is not to be, perhaps not even that.
    UpTo(Stop<'a>),
}

/// Where one transaction begins and ends.
#[derive(Default, Clone, Copy)]
struct Part<'a> {
    /// Has run before it, and is still to be remembered.
    finished: Option<AutocommitFile<'a>>,
    /// Runs after it.
    until: Option<NewValue<'a>>,
}

/// What has become of it.
enum Outcome<'a> {
    Done(Done<'a>),
    /// It has to end earlier.
    NotYet(NewValue<'a>),
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
    #[error("its tables are gone: `tenantry diff {0}` says what helps")]
    Gone(Subdomain),
}

/// Runs what has not run yet in a tenant's schema, unless it has meanwhile: in one transaction, but for files that run
/// without one, and those that take what others have committed. A rehearsal ends before these: nobody could undo them.
///
/// Afterwards the connection is outside of any transaction, or broken.
pub(super) async fn migrate_tenant<'a>(
    client: &Client,
    env: &Env<'a>,
    tenant: &Behind,
    mode: Mode,
) -> Result<Done<'a>, TenantError> {
    let mut part = Part::default();
    loop {
        let outcome = try_migrate(client, env, tenant, mode, part).await;
        if !matches!(outcome, Ok(Outcome::Done(Done::Migrated | Done::UpTo(_)))) {
            // Should it fail, then because there is no connection any more.
            let _ = client.batch_execute(mode.undo()).await;
        }
        part = match outcome? {
            Outcome::NotYet(value) if mode == Mode::Joint => {
                return Ok(Done::UpTo(Stop::NewValue(value)));
            }
            Outcome::NotYet(value) => Part {
                until: Some(value),
                ..part
            },
            Outcome::Done(Done::UpTo(Stop::Autocommit(file))) if mode == Mode::Migration => {
                let ran = unfinished::run(client, env, tenant, file).await;
                ran.map_err(|error| TenantError::Migration(SetName::App, error))?;
                Part {
                    finished: Some(file),
                    until: None,
                }
            }
            Outcome::Done(Done::UpTo(Stop::NewValue(_))) if mode == Mode::Migration => {
                Part::default()
            }
            Outcome::Done(done) => return Ok(done),
        }
    }
}

/// One transaction.
async fn try_migrate<'a>(
    client: &Client,
    env: &Env<'a>,
    tenant: &Behind,
    mode: Mode,
    part: Part<'a>,
) -> Result<Outcome<'a>, TenantError> {
    let Some(mut history) = begin(client, env, tenant, mode).await? else {
        return Ok(Outcome::Done(Done::NotBehind));
    };
    let transaction = Begun(client);
    if let Some(file) = part.finished {
        file.record(&transaction, &tenant.schema, &mut history)
            .await?;
        unfinished::forget(client, tenant).await?;
    }
    let (schema, files) = (&tenant.schema, env.migrations);
    let ran = migrate::run_pending(&transaction, schema, files, &history, part.until).await;
    let ran = match ran {
        Ok(ran) => ran,
        Err(Unrun::NotYet(value)) => return Ok(Outcome::NotYet(value)),
        Err(Unrun::Failed(set, error)) => return Err(TenantError::Migration(set, error)),
    };
    // What has been put off to the end is told now, when it can still be undone.
    let constraints = client.batch_execute("set constraints all immediate");
    let protected = env.registry.protect_views(&transaction, &tenant.schema);
    let outside = migrate::refuse_outside(client);
    let recorded = async {
        match mode {
            Mode::Rehearsal => Ok(()),
            Mode::Migration | Mode::Joint => record(client, ran.version, tenant).await,
        }
    };
    let known = async {
        match (mode, &ran.next) {
            (Mode::Migration, None) => record_files(client, env.migrations).await,
            // Not all of them have run, or not to stay.
            _ => Ok(()),
        }
    };
    let committed = client.batch_execute(mode.commit());
    let (constraints, protected, outside, recorded, known, committed) =
        join!(constraints, protected, outside, recorded, known, committed);
    constraints.and(protected)?;
    outside.map_err(|error| TenantError::Migration(SetName::App, error))?;
    recorded.and(known).and(committed)?;
    Ok(Outcome::Done(ran.next.map_or(Done::Migrated, Done::UpTo)))
}

/// A connection on which a transaction has begun.
struct Begun<'a>(&'a Client);

impl InTransaction for Begun<'_> {
    fn client(&self) -> &Client {
        self.0
    }
}

/// A statement of a run that was killed ends, rather than hold its locks until it is done for nobody. Not every system
/// that Postgres runs on can tell; then it is refused, and no harm is done.
const WATCHED: &str = "set client_connection_check_interval = '1s'";

/// Locks the tenant's row, so that nobody else does the same, and reads what has run; none where nothing is to be done.
async fn begin(
    client: &Client,
    env: &Env<'_>,
    tenant: &Behind,
    mode: Mode,
) -> Result<Option<History>, TenantError> {
    let opening = format!(
        "{begin}; set local lock_timeout = {lock_timeout}; set local statement_timeout = 0; \
         set local idle_in_transaction_session_timeout = 0; \
         select id from tenantry.tenants \
         where id = '{id}' and migrations <> {digest} and not purging for no key update; {history}",
        begin = mode.begin(),
        lock_timeout = env.lock_timeout.as_millis(),
        id = tenant.id,
        digest = env.migrations.version().digest,
        history = History::query(&tenant.schema, env.migrations),
    );
    let cleaned = client.batch_execute(mode.clean());
    let watched = async {
        // Refused, it would end the transaction that all tenants share.
        if mode != Mode::Joint {
            let _ = client.batch_execute(WATCHED).await;
        }
    };
    let (cleaned, (), answer) = join!(cleaned, watched, client.simple_query(&opening));
    cleaned?;
    let messages = match answer {
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => {
            client.batch_execute(mode.undo()).await?;
            if is_there(client, tenant).await? {
                return Err(TenantError::Gone(tenant.subdomain.clone()));
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
    version: SchemaVersion,
    tenant: &Behind,
) -> Result<(), tokio_postgres::Error> {
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
                MigrationError::History(_) | MigrationError::Outside(_) => None,
            },
            Self::Gone(_) => None,
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
