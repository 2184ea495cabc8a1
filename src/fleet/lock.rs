//! One run at a time: a lock that goes with its connection, and a row that says whose it is.

use std::fmt;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::{Event, FleetError, Watch, atomic};
use crate::migrate::Migrations;
use crate::postgres::Database;
use crate::registry::Registry;

/// Any number will do, if only it is always the same.
const MIGRATING: i64 = 0x666c_6565_7400_0001;

/// How long to wait before the lock is tried once more.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What to do while another run is at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    UntilItIsDone,
    NotAtAll,
}

/// Who is at work.
#[derive(Debug, Clone)]
pub(crate) struct OtherRun {
    pub(crate) operator: String,
    pub(crate) host: String,
    pub(crate) pid: i32,
    pub(crate) application_name: String,
    /// In the session's time zone, for people.
    pub(crate) started_at: String,
}

impl OtherRun {
    /// Of five columns, the first of which is that one.
    pub(super) fn from_row(row: &Row, first: usize) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            operator: row.try_get(first)?,
            host: row.try_get(first + 1)?,
            pid: row.try_get(first + 2)?,
            application_name: row.try_get(first + 3)?,
            started_at: row.try_get(first + 4)?,
        })
    }
}

/// `ada at build-7 (process 4711, tenantry), since 2026-01-01 12:00:00+00`.
impl fmt::Display for OtherRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operator,
            host,
            pid,
            application_name,
            started_at,
        } = self;
        write!(
            f,
            "{operator} at {host} (process {pid}, {application_name}), since {started_at}"
        )
    }
}

/// The right to migrate, for as long as it lives.
pub(super) struct RunLock {
    client: Client,
    _connection: JoinHandle<()>,
    /// What [`Self::sign`] has written.
    run: Option<Uuid>,
}

impl RunLock {
    pub(super) async fn take(
        registry: &Registry,
        waiting: Waiting,
        watch: &impl Watch,
    ) -> Result<Self, FleetError> {
        let (client, connection) = connect(registry.database()).await?;
        if !try_lock(&client).await? {
            let other = other(&client).await?;
            if waiting == Waiting::NotAtAll {
                return Err(FleetError::AtWork(other));
            }
            watch.see(&Event::Waiting(other.as_ref()));
            // Asked again and again: who waits inside a statement holds a snapshot, and an index that the other
            // run builds concurrently would wait for its end.
            while !try_lock(&client).await? {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
        atomic::recover(&client).await?;
        Ok(Self {
            client,
            _connection: connection,
            run: None,
        })
    }

    /// A connection for the registry's own tables.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Says who is at work, and that those who said so before are not any more.
    pub(super) async fn sign(
        &mut self,
        migrations: &Migrations,
        behind: usize,
    ) -> Result<Uuid, tokio_postgres::Error> {
        let version = migrations.version();
        let pid = std::process::id().cast_signed();
        let behind = i32::try_from(behind).unwrap_or(i32::MAX);
        let row = self
            .client
            .query_typed_one(
                "with killed as (update tenantry.migration_runs set state = 'killed', finished_at = now() \
                   where state = 'running') \
                 insert into tenantry.migration_runs \
                   (operator, host, pid, base_version, app_version, migrations, behind) \
                 values ($1, $2, $3, $4, $5, $6, $7) returning id",
                &[
                    (&operator(), Type::TEXT),
                    (&host(), Type::TEXT),
                    (&pid, Type::INT4),
                    (&version.base, Type::INT4),
                    (&version.app, Type::INT4),
                    (&version.digest, Type::INT8),
                    (&behind, Type::INT4),
                ],
            )
            .await?;
        let run = row.try_get(0)?;
        self.run = Some(run);
        Ok(run)
    }

    /// Says how it went, where it was said that it began.
    pub(super) async fn release(
        self,
        migrated: usize,
        failed: usize,
    ) -> Result<(), tokio_postgres::Error> {
        let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let Some(run) = self.run else { return Ok(()) };
        self.client
            .execute_typed(
                "update tenantry.migration_runs set finished_at = now(), migrated = $2, failed = $3, \
                   state = case when $3 = 0 then 'done' else 'failed' end \
                 where id = $1",
                &[
                    (&run, Type::UUID),
                    (&count(migrated), Type::INT4),
                    (&count(failed), Type::INT4),
                ],
            )
            .await?;
        Ok(())
    }
}

/// Ends what a killed run has left, if nobody is at work: its tables are not to stay locked for as long as files are refused.
pub(crate) async fn settle(database: &Database) -> Result<(), FleetError> {
    let (client, _connection) = connect(database).await?;
    let statement = "select to_regclass('tenantry.migration_runs') is not null";
    let row = client.query_typed_one(statement, &[]).await?;
    if row.try_get(0)? && try_lock(&client).await? {
        atomic::recover(&client).await?;
    }
    Ok(())
}

/// The connection is idle for as long as the others work, and waits for as long as it takes.
async fn connect(database: &Database) -> Result<(Client, JoinHandle<()>), FleetError> {
    let (client, connection) = database.connect().await?;
    let patient = "set idle_session_timeout = 0; set statement_timeout = 0; set lock_timeout = 0";
    client.batch_execute(patient).await?;
    Ok((client, connection))
}

async fn try_lock(client: &Client) -> Result<bool, tokio_postgres::Error> {
    let lock = [(&MIGRATING as &(dyn ToSql + Sync), Type::INT8)];
    let statement = "select pg_try_advisory_lock($1)";
    client.query_typed_one(statement, &lock).await?.try_get(0)
}

/// Whether a run is at work right now.
pub(super) async fn is_held(client: &Client) -> Result<bool, tokio_postgres::Error> {
    let statement = "select exists (select from pg_locks where locktype = 'advisory' and granted and objsubid = 1 \
           and database = (select oid from pg_database where datname = current_database()) \
           and classid::int8 = $1 >> 32 and objid::int8 = $1 & 4294967295)";
    let lock = [(&MIGRATING as &(dyn ToSql + Sync), Type::INT8)];
    client.query_typed_one(statement, &lock).await?.try_get(0)
}

/// The run that holds the lock; none when it has only just begun, or has nothing to do.
pub(super) async fn other(client: &Client) -> Result<Option<OtherRun>, tokio_postgres::Error> {
    let statement = "select operator, host, pid, application_name, started_at::timestamptz(0)::text \
         from tenantry.migration_runs where state in ('running', 'committing') \
         order by started_at desc limit 1";
    let row = client.query_typed_opt(statement, &[]).await?;
    row.map(|row| OtherRun::from_row(&row, 0)).transpose()
}

/// The name of the system's user.
fn operator() -> String {
    let uid = nix::unistd::Uid::current();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        _ => uid.to_string(),
    }
}

fn host() -> String {
    let name = nix::unistd::gethostname();
    name.map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
