//! Files that run without a transaction: statement by statement, so that a run that was cut short goes on where it was.

use std::collections::HashSet;
use std::time::Duration;

use refinery_core::Migration;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error};

use super::history::{self, version_of};
use super::runner::{run_step, step_failed};
use super::script::{Effect, Single};
use super::{History, MigrationError, MigrationFile, Migrations, SchemaVersion, SetName, Stop};
use crate::names::SchemaName;
use crate::postgres::InTransaction;

/// How long what is built concurrently waits for transactions that are older. It holds nobody up meanwhile.
const PATIENCE: Duration = Duration::from_mins(10);

/// A file of the app that has to run next in a schema, without a transaction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AutocommitFile<'a> {
    /// The table that remembers what has run.
    history: &'static str,
    file: &'a MigrationFile,
    statements: &'a [Single],
}

/// Where in a file a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// The statement has not been begun.
    Fresh,
    /// It was begun, and nobody knows what became of it.
    CutShort,
}

impl Migrations {
    /// The names of the files that run without a transaction.
    pub(crate) fn autocommit_files(&self) -> impl Iterator<Item = AutocommitFile<'_>> {
        let files = self.app.files.iter();
        files.filter_map(|file| AutocommitFile::of(self.app.history, file))
    }

    /// The first one that has not run yet.
    pub(super) fn next_autocommit(&self, history: &History) -> Option<AutocommitFile<'_>> {
        let mut files = self.autocommit_files();
        files.find(|file| {
            !history
                .versions(SetName::App)
                .any(|ran| ran == file.version())
        })
    }

    /// The version of a schema in which everything has run that comes before a file, if there is one.
    pub(super) fn version_before(
        &self,
        file: Option<Stop<'_>>,
        history: &History,
    ) -> SchemaVersion {
        let Some(file) = file else {
            return self.version();
        };
        let ran: HashSet<i32> = history.versions(SetName::App).collect();
        let before = |set: SetName, version: i32| {
            set == SetName::Base || version < file.version() || ran.contains(&version)
        };
        version_of(
            self.stamps()
                .filter(|stamp| before(stamp.set, stamp.version)),
        )
    }
}

impl<'a> AutocommitFile<'a> {
    fn of(history: &'static str, file: &'a MigrationFile) -> Option<Self> {
        let statements = file.script.alone.as_deref()?;
        Some(Self {
            history,
            file,
            statements,
        })
    }

    /// The file, as its author calls it.
    pub(crate) fn name(&self) -> &'a str {
        &self.file.script.name
    }

    pub(crate) fn version(&self) -> i32 {
        self.file.migration.version()
    }

    /// Tells this text from any other one under the same version.
    pub(crate) fn checksum(&self) -> u64 {
        self.file.migration.checksum()
    }

    /// How many statements it has.
    pub(crate) fn len(&self) -> usize {
        self.statements.len()
    }

    /// The statements that are to run when `done` of them are behind: settings hold for those that follow them.
    pub(crate) fn remaining(&self, done: usize) -> impl Iterator<Item = usize> + use<'a> {
        let statements = self.statements;
        (0..statements.len()).filter(move |at| {
            *at >= done || matches!(statements[*at].effect, Effect::Setting { .. })
        })
    }

    /// Lets unqualified names mean the schema, until `leave`.
    pub(crate) async fn enter(&self, client: &Client, schema: &SchemaName) -> Result<(), Error> {
        let search_path = format!("{}, extensions", schema.quoted());
        let settings = "select set_config('search_path', $1, false), set_config('role', 'none', false), \
             set_config('row_security', 'on', false), set_config('statement_timeout', '0', false)";
        client
            .query_typed(settings, &[(&search_path, Type::TEXT)])
            .await?;
        Ok(())
    }

    /// Leaves nothing of the file's settings behind.
    pub(crate) async fn leave(client: &Client) -> Result<(), Error> {
        client
            .batch_execute("reset all; discard temp; select pg_advisory_unlock_all()")
            .await
    }

    /// Runs one statement, for which `lock_timeout` is how long it may keep others waiting behind it.
    ///
    /// Whatever it leaves behind when it fails is removed; what an earlier, killed run has left, before.
    pub(crate) async fn run(
        &self,
        client: &Client,
        schema: &SchemaName,
        at: usize,
        start: Start,
        lock_timeout: Duration,
    ) -> Result<(), MigrationError> {
        let Single { step, effect } = &self.statements[at];
        self.limit_waiting(client, at, lock_timeout).await?;
        if tidy(client, schema, effect).await? == Found::Finished
            || start == Start::CutShort && is_done(client, schema, effect).await?
        {
            return Ok(());
        }
        let outcome = run_step(client, step).await;
        outcome.map_err(|(completed, error)| step_failed(&self.file.script, step, completed, error))
    }

    /// Removes what a failed statement has left.
    pub(crate) async fn clean_up(
        &self,
        client: &Client,
        schema: &SchemaName,
        at: usize,
    ) -> Result<(), Error> {
        let effect = &self.statements[at].effect;
        if let Effect::DetachPartition { .. } = effect {
            // It is as good as detached, and the next run finishes it.
            return Ok(());
        }
        tidy(client, schema, effect).await.map(|_| ())
    }

    async fn limit_waiting(
        &self,
        client: &Client,
        at: usize,
        lock_timeout: Duration,
    ) -> Result<(), Error> {
        let sets_it =
            |single: &Single| matches!(single.effect, Effect::Setting { lock_timeout: true });
        if self.statements[..=at].iter().any(sets_it) {
            return Ok(());
        }
        let limit = match self.statements[at].effect {
            Effect::Setting { .. } | Effect::Other => lock_timeout,
            _ => PATIENCE,
        };
        let limit = format!("{}ms", limit.as_millis());
        let setting = "select set_config('lock_timeout', $1, false)";
        client.query_typed(setting, &[(&limit, Type::TEXT)]).await?;
        Ok(())
    }

    /// Remembers that the file has run: in the schema, and in what is known of it.
    pub(crate) async fn record(
        &self,
        transaction: &impl InTransaction,
        schema: &SchemaName,
        history: &mut History,
    ) -> Result<(), MigrationError> {
        let migration = &self.file.migration;
        let (version, name, checksum) =
            (migration.version(), migration.name(), migration.checksum());
        let statement = format!(
            "insert into {}.{} (version, name, applied_on, checksum) values ($1, $2, $3, $4)",
            schema.quoted(),
            self.history
        );
        let (now, text) = history::now()?;
        let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
            (&version, Type::INT4),
            (&name, Type::VARCHAR),
            (&text, Type::VARCHAR),
            (&checksum.to_string(), Type::VARCHAR),
        ];
        if history.versions(SetName::App).any(|ran| ran == version) {
            return Ok(());
        }
        let client = transaction.client();
        client.execute_typed(&statement, &parameters).await?;
        history.push(
            SetName::App,
            Migration::applied(version, name.to_owned(), now, checksum),
        );
        Ok(())
    }
}

/// What there was of an earlier run.
#[derive(PartialEq, Eq)]
enum Found {
    /// Nothing that is in the way, or no longer.
    Nothing,
    /// The statement's work, which has been brought to its end.
    Finished,
}

/// Removes the invalid indexes that a statement of this effect leaves when it is cut short.
async fn tidy(client: &Client, schema: &SchemaName, effect: &Effect) -> Result<Found, Error> {
    let (statement, name) = match effect {
        Effect::CreateIndex(name) => (INVALID_INDEX, name),
        Effect::Reindex(name) => (INVALID_COPIES, name),
        Effect::DetachPartition { partition, finish } => {
            if !is_pending_detach(client, schema, partition).await? {
                return Ok(Found::Nothing);
            }
            client.batch_execute(finish).await?;
            return Ok(Found::Finished);
        }
        // An index that is half dropped waits for the statement to be run again.
        Effect::DropIndex(_) | Effect::Setting { .. } | Effect::Other => {
            return Ok(Found::Nothing);
        }
    };
    for row in look_up(client, statement, schema, name).await? {
        let drop: String = row.try_get(0)?;
        client.batch_execute(&drop).await?;
    }
    Ok(Found::Nothing)
}

/// Whether a statement that was begun, and cut short, had done its work.
async fn is_done(client: &Client, schema: &SchemaName, effect: &Effect) -> Result<bool, Error> {
    let (statement, name, wanted) = match effect {
        Effect::CreateIndex(name) => (INDEX, name, true),
        Effect::DropIndex(name) => (INDEX, name, false),
        Effect::DetachPartition { partition, .. } => (PARENT, partition, false),
        Effect::Reindex(_) | Effect::Setting { .. } | Effect::Other => return Ok(false),
    };
    let rows = look_up(client, statement, schema, name).await?;
    Ok(rows.is_empty() != wanted)
}

async fn is_pending_detach(
    client: &Client,
    schema: &SchemaName,
    partition: &str,
) -> Result<bool, Error> {
    let rows = look_up(client, PARENT, schema, partition).await?;
    rows.first().map_or(Ok(false), |row| row.try_get(0))
}

async fn look_up(
    client: &Client,
    statement: &str,
    schema: &SchemaName,
    name: &str,
) -> Result<Vec<tokio_postgres::Row>, Error> {
    client
        .query_typed(
            statement,
            &[(&schema.as_str(), Type::TEXT), (&name, Type::TEXT)],
        )
        .await
}

const INDEX: &str = "select from pg_class c join pg_namespace n on n.oid = c.relnamespace \
     where n.nspname = $1::text::name and c.relname = $2::text::name and c.relkind = 'i'";

const PARENT: &str = "select inhdetachpending from pg_inherits \
     join pg_class c on c.oid = inhrelid join pg_namespace n on n.oid = c.relnamespace \
     where n.nspname = $1::text::name and c.relname = $2::text::name";

/// The statements that drop them: with the tables' readers and writers at work.
const INVALID_INDEX: &str = "select format('drop index concurrently %I.%I', n.nspname, c.relname) \
     from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace \
     where not i.indisvalid and c.relkind = 'i' and n.nspname = $1::text::name and c.relname = $2::text::name";

/// Copies that `REINDEX CONCURRENTLY` makes, of one index or of all of a table's.
const INVALID_COPIES: &str = "select format('drop index concurrently %I.%I', n.nspname, c.relname) \
     from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace \
     where not i.indisvalid and c.relkind = 'i' and n.nspname = $1::text::name \
       and c.relname ~ '_cc(new|old)[0-9]*$' and i.indrelid in ( \
         select coalesce(x.indrelid, o.oid) from pg_class o left join pg_index x on x.indexrelid = o.oid \
         where o.relnamespace = n.oid and o.relname = $2::text::name)";
