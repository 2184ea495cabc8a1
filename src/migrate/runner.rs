//! Runs migrations with refinery, inside a transaction that the caller begins and commits.

use std::collections::HashMap;
use std::pin::pin;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, join};
use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use refinery_core::{Migration, Runner, Target};
use tokio_postgres::error::{ErrorPosition, SqlState};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::file::{Body, SchemaState, ScriptFile};
use super::script::{CopyIn, Step};
use super::{MigrationSet, history};
use crate::error::postgres_reason;
use crate::names::SchemaName;
use crate::postgres::InTransaction;

/// Why a schema could not be migrated; written for the author of the migration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MigrationError {
    #[error("{file}, line {line}: {reason} (in: {excerpt})")]
    Statement {
        file: String,
        line: u32,
        excerpt: String,
        reason: String,
        source: tokio_postgres::Error,
    },
    /// The history and the files contradict each other.
    #[error("{0}")]
    History(String),
    /// Something that was made would be there once for all tenants.
    #[error("{0}")]
    Outside(String),
    #[error("{}", postgres_reason(.0))]
    Postgres(#[from] tokio_postgres::Error),
}

impl MigrationError {
    /// Whether Postgres has refused a statement of a file, and is there to be asked again.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self, Self::Statement { source, .. } if source.as_db_error().is_some())
    }
}

/// Runs what has not run yet. Any error leaves the transaction fit for nothing but a rollback.
pub(crate) async fn run(
    transaction: &impl InTransaction,
    schema: &SchemaName,
    set: &MigrationSet,
) -> Result<(), MigrationError> {
    drive(transaction.client(), schema, set, None, Target::Latest).await
}

/// `known` is what has run, where somebody has looked already.
pub(super) async fn drive(
    client: &Client,
    schema: &SchemaName,
    set: &MigrationSet,
    known: Option<Vec<Migration>>,
    to: Target,
) -> Result<(), MigrationError> {
    let migrations: Vec<Migration> = set
        .files
        .iter()
        .map(|file| file.migration.clone())
        .collect();
    let scripts = set
        .files
        .iter()
        .filter_map(|file| Some((file.migration.sql()?, &file.script)));
    let table = format!("{}.{}", schema.quoted(), set.history);
    let mut target = Driven {
        client,
        schema,
        set,
        scripts: scripts.collect(),
        state: SchemaState::InUse,
        assertion: Driven::assert_migrations_table_query(&table),
        known,
        failure: None,
    };
    let mut runner = Runner::new(&migrations).set_target(to);
    runner.set_migration_table_name(table);
    let outcome = Box::pin(runner.run_async(&mut target)).await;
    match (outcome, target.failure) {
        (Ok(_), _) => Ok(()),
        (Err(_), Some(failure)) => Err(failure),
        (Err(error), None) => Err(MigrationError::History(format!(
            "{error}: a file that has run must not change; undo the change and put it into a new file \
             (or start anew, with `dev --reset`)"
        ))),
    }
}

/// Runs one script in a schema, as migrations run.
pub(crate) async fn run_script(
    transaction: &impl InTransaction,
    schema: &SchemaName,
    script: &ScriptFile,
) -> Result<(), MigrationError> {
    run_body(transaction.client(), schema, script, SchemaState::InUse).await
}

/// The settings travel together with the first statements.
pub(super) async fn run_body(
    client: &Client,
    schema: &SchemaName,
    script: &ScriptFile,
    state: SchemaState,
) -> Result<(), MigrationError> {
    let enter = enter(client, schema);
    match script.body(state) {
        Body::Whole(text) => {
            let (entered, ran) = join!(enter, client.batch_execute(text));
            entered?;
            ran.map_err(|error| {
                let before = text.chars().take(position(&error).unwrap_or(0) as usize);
                let newlines = before.filter(|c| *c == '\n').count();
                let line = u32::try_from(newlines + 1).unwrap_or(u32::MAX);
                failed(script, line, "the service's own SQL", error)
            })
        }
        Body::Steps(steps) => {
            let run = async {
                for step in steps {
                    let ran = run_step(client, step).await;
                    ran.map_err(|(completed, error)| step_failed(script, step, completed, error))?;
                }
                Ok(())
            };
            let (entered, ran) = join!(enter, run);
            entered?;
            ran
        }
    }
}

/// The error of a step, of which `completed` statements were done, with its place in the file.
pub(super) fn step_failed(
    script: &ScriptFile,
    step: &Step,
    completed: usize,
    error: tokio_postgres::Error,
) -> MigrationError {
    let place = step.locate(completed, position(&error));
    failed(script, place.line, place.excerpt, error)
}

fn failed(
    script: &ScriptFile,
    line: u32,
    excerpt: &str,
    source: tokio_postgres::Error,
) -> MigrationError {
    let mut reason = postgres_reason(&source);
    if let Some(advice) = advice(&source) {
        reason.push_str(" · ");
        reason.push_str(advice);
    }
    MigrationError::Statement {
        file: script.name.clone(),
        line,
        excerpt: excerpt.to_owned(),
        reason,
        source,
    }
}

/// What the author can do about a statement that a transaction is in the way of.
pub(crate) fn advice(error: &tokio_postgres::Error) -> Option<&'static str> {
    let code = error.code()?;
    if [
        SqlState::ACTIVE_SQL_TRANSACTION,
        SqlState::INVALID_TRANSACTION_TERMINATION,
    ]
    .contains(code)
    {
        return Some(
            "such a statement needs a file of its own that begins with the line \"-- tenantry: no transaction\"",
        );
    }
    (*code == SqlState::UNSAFE_NEW_ENUM_VALUE_USAGE).then_some(
        "what uses a new value of an enum belongs into a file after the one that adds it",
    )
}

/// Lets unqualified names mean the schema, until the transaction ends.
///
/// Before every script, because scripts made by `pg_dump` change these settings for those that follow them.
pub(crate) async fn enter(
    client: &Client,
    schema: &SchemaName,
) -> Result<(), tokio_postgres::Error> {
    let search_path = format!("{}, extensions", schema.quoted());
    client
        .query_typed(
            "select set_config('search_path', $1, true), set_config('role', 'none', true), \
             set_config('row_security', 'on', true)",
            &[(&search_path, Type::TEXT)],
        )
        .await?;
    Ok(())
}

/// An error comes with the number of statements that were completed before it.
pub(super) async fn run_step(
    client: &Client,
    step: &Step,
) -> Result<(), (usize, tokio_postgres::Error)> {
    let mut completed = 0;
    let outcome = match step {
        Step::Sql(batch) => run_batch(client, batch.text(), &mut completed).await,
        Step::CopyIn(copy) => copy_in(client, copy).await,
    };
    outcome.map_err(|error| (completed, error))
}

async fn run_batch(
    client: &Client,
    text: &str,
    completed: &mut usize,
) -> Result<(), tokio_postgres::Error> {
    let mut messages = pin!(client.simple_query_raw(text).await?);
    while let Some(message) = messages.next().await {
        if let SimpleQueryMessage::CommandComplete(_) = message? {
            *completed += 1;
        }
    }
    Ok(())
}

async fn copy_in(client: &Client, copy: &CopyIn) -> Result<(), tokio_postgres::Error> {
    let mut sink = pin!(client.copy_in(&copy.statement).await?);
    sink.send(Bytes::copy_from_slice(copy.data.as_bytes()))
        .await?;
    sink.finish().await?;
    Ok(())
}

/// The character (from 1) of the text that Postgres points at; none when it points into a function's body.
pub(super) fn position(error: &tokio_postgres::Error) -> Option<u32> {
    match error.as_db_error()?.position()? {
        ErrorPosition::Original(character) => Some(*character),
        ErrorPosition::Internal { .. } => None,
    }
}

/// What refinery drives: a schema, in a transaction, and the parsed form of each text that refinery will hand over.
struct Driven<'a> {
    client: &'a Client,
    schema: &'a SchemaName,
    set: &'a MigrationSet,
    scripts: HashMap<&'a str, &'a ScriptFile>,
    /// In use, until its history says otherwise.
    state: SchemaState,
    /// What refinery makes the history table with.
    assertion: String,
    /// What has run, where somebody has looked already; so the table is there, too.
    known: Option<Vec<Migration>>,
    /// Refinery lends its cause out only by reference; the error itself waits here.
    failure: Option<MigrationError>,
}

/// Tells refinery to stop.
#[derive(Debug, thiserror::Error)]
#[error("the migration failed")]
struct Stopped;

impl Driven<'_> {
    async fn step(&self, query: &str) -> Result<(), MigrationError> {
        match self.scripts.get(query) {
            Some(script) => run_body(self.client, self.schema, script, self.state).await,
            None if self.known.is_some() && query == self.assertion => Ok(()),
            // Refinery's own: the history table and its rows.
            None => Ok(self.client.batch_execute(query).await?),
        }
    }

    /// A file and its row of the history go out together, where nothing waits for the server between them.
    async fn steps(&self, queries: &[&str]) -> Result<(), MigrationError> {
        if let [text, row] = queries
            && let Some(script) = self.scripts.get(text)
            && script.body(self.state).is_one_message()
        {
            let ran = run_body(self.client, self.schema, script, self.state);
            let (ran, noted) = join!(ran, self.client.batch_execute(row));
            ran?;
            return Ok(noted?);
        }
        for query in queries {
            self.step(query).await?;
        }
        Ok(())
    }

    /// A new schema has the baseline's, when there is one, and its tables.
    async fn history(&mut self, query: &str) -> Result<Vec<Migration>, MigrationError> {
        let ran = match self.known.take() {
            Some(known) => known,
            None => self.read_history(query).await?,
        };
        let ran = match &self.set.baseline {
            Some(baseline) if self.state == SchemaState::New => {
                let history = self.set.history;
                baseline.run(self.client, self.schema, history).await?
            }
            _ => ran,
        };
        self.set.refuse_gone(&ran)?;
        Ok(ran)
    }

    async fn read_history(&mut self, query: &str) -> Result<Vec<Migration>, MigrationError> {
        let rows = self.client.query_typed(query, &[]).await?;
        if rows.is_empty() {
            self.state = SchemaState::New;
        }
        rows.iter().map(applied).collect()
    }

    fn stop(&mut self, failure: MigrationError) -> Stopped {
        self.failure = Some(failure);
        Stopped
    }
}

impl AsyncTransaction for Driven<'_> {
    type Error = Stopped;

    async fn execute<'q, T: Iterator<Item = &'q str> + Send + 'q>(
        &'q mut self,
        queries: T,
    ) -> Result<usize, Stopped> {
        let queries: Vec<&str> = queries.collect();
        match self.steps(&queries).await {
            Ok(()) => Ok(queries.len()),
            Err(failure) => Err(self.stop(failure)),
        }
    }
}

impl AsyncQuery<Vec<Migration>> for Driven<'_> {
    async fn query<'q>(&'q mut self, query: &'q str) -> Result<Vec<Migration>, Stopped> {
        let history = self.history(query).await;
        history.map_err(|failure| self.stop(failure))
    }
}

impl AsyncMigrate for Driven<'_> {}

fn applied(row: &tokio_postgres::Row) -> Result<Migration, MigrationError> {
    let (version, name): (i32, &str) = (row.try_get(0)?, row.try_get(1)?);
    let (applied_on, checksum): (&str, &str) = (row.try_get(2)?, row.try_get(3)?);
    history::applied(&version.to_string(), name, applied_on, checksum)
}
