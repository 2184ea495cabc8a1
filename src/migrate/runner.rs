//! Runs migrations with refinery, inside a transaction that the caller begins and commits.

use std::collections::HashMap;
use std::pin::pin;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use refinery_core::{Migration, Runner};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio_postgres::error::ErrorPosition;
use tokio_postgres::types::Type;
use tokio_postgres::{SimpleQueryMessage, Transaction};

use super::MigrationSet;
use super::file::{Body, ScriptFile};
use super::script::{CopyIn, Step};
use crate::error::postgres_reason;
use crate::names::SchemaName;

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
    #[error("{}", postgres_reason(.0))]
    Postgres(#[from] tokio_postgres::Error),
}

/// Runs what has not run yet. Any error leaves the transaction fit for nothing but a rollback.
pub(crate) async fn run(
    transaction: &Transaction<'_>,
    schema: &SchemaName,
    set: &MigrationSet,
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
    let mut target = Target {
        transaction,
        schema,
        scripts: scripts.collect(),
        failure: None,
    };
    let mut runner = Runner::new(&migrations);
    runner.set_migration_table_name(format!("{}.{}", schema.quoted(), set.history));
    let outcome = runner.run_async(&mut target).await;
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
    transaction: &Transaction<'_>,
    schema: &SchemaName,
    script: &ScriptFile,
) -> Result<(), MigrationError> {
    enter(transaction, schema).await?;
    let failed =
        |line: u32, excerpt: &str, source: tokio_postgres::Error| MigrationError::Statement {
            file: script.name.clone(),
            line,
            excerpt: excerpt.to_owned(),
            reason: postgres_reason(&source),
            source,
        };
    match &script.body {
        Body::Whole(text) => transaction.batch_execute(text).await.map_err(|error| {
            let before = text.chars().take(position(&error).unwrap_or(0) as usize);
            let newlines = before.filter(|c| *c == '\n').count();
            failed(
                u32::try_from(newlines + 1).unwrap_or(u32::MAX),
                "the service's own SQL",
                error,
            )
        })?,
        Body::Steps(steps) => {
            for step in steps {
                run_step(transaction, step)
                    .await
                    .map_err(|(completed, error)| {
                        let place = step.locate(completed, position(&error));
                        failed(place.line, place.excerpt, error)
                    })?;
            }
        }
    }
    Ok(())
}

/// Lets unqualified names mean the schema, until the transaction ends.
///
/// Before every script, because scripts made by `pg_dump` change these settings for those that follow them.
async fn enter(
    transaction: &Transaction<'_>,
    schema: &SchemaName,
) -> Result<(), tokio_postgres::Error> {
    let search_path = format!("{}, extensions", schema.quoted());
    transaction
        .query_typed(
            "select set_config('search_path', $1, true), set_config('role', 'none', true), \
             set_config('row_security', 'on', true)",
            &[(&search_path, Type::TEXT)],
        )
        .await?;
    Ok(())
}

/// An error comes with the number of statements that were completed before it.
async fn run_step(
    transaction: &Transaction<'_>,
    step: &Step,
) -> Result<(), (usize, tokio_postgres::Error)> {
    let mut completed = 0;
    let outcome = match step {
        Step::Sql(batch) => run_batch(transaction, batch.text(), &mut completed).await,
        Step::CopyIn(copy) => copy_in(transaction, copy).await,
    };
    outcome.map_err(|error| (completed, error))
}

async fn run_batch(
    transaction: &Transaction<'_>,
    text: &str,
    completed: &mut usize,
) -> Result<(), tokio_postgres::Error> {
    let mut messages = pin!(transaction.client().simple_query_raw(text).await?);
    while let Some(message) = messages.next().await {
        if let SimpleQueryMessage::CommandComplete(_) = message? {
            *completed += 1;
        }
    }
    Ok(())
}

async fn copy_in(
    transaction: &Transaction<'_>,
    copy: &CopyIn,
) -> Result<(), tokio_postgres::Error> {
    let mut sink = pin!(transaction.copy_in(&copy.statement).await?);
    sink.send(Bytes::copy_from_slice(copy.data.as_bytes()))
        .await?;
    sink.finish().await?;
    Ok(())
}

/// The character (from 1) of the text that Postgres points at; none when it points into a function's body.
fn position(error: &tokio_postgres::Error) -> Option<u32> {
    match error.as_db_error()?.position()? {
        ErrorPosition::Original(character) => Some(*character),
        ErrorPosition::Internal { .. } => None,
    }
}

/// What refinery drives: a transaction, and the parsed form of each text that refinery will hand over.
struct Target<'a> {
    transaction: &'a Transaction<'a>,
    schema: &'a SchemaName,
    scripts: HashMap<&'a str, &'a ScriptFile>,
    /// Refinery lends its cause out only by reference; the error itself waits here.
    failure: Option<MigrationError>,
}

/// Tells refinery to stop.
#[derive(Debug, thiserror::Error)]
#[error("the migration failed")]
struct Stopped;

impl Target<'_> {
    async fn step(&self, query: &str) -> Result<(), MigrationError> {
        match self.scripts.get(query) {
            Some(script) => run_script(self.transaction, self.schema, script).await,
            // Refinery's own: the history table and its rows.
            None => Ok(self.transaction.batch_execute(query).await?),
        }
    }

    async fn history(&self, query: &str) -> Result<Vec<Migration>, MigrationError> {
        let rows = self.transaction.query_typed(query, &[]).await?;
        rows.iter().map(applied).collect()
    }

    fn stop(&mut self, failure: MigrationError) -> Stopped {
        self.failure = Some(failure);
        Stopped
    }
}

impl AsyncTransaction for Target<'_> {
    type Error = Stopped;

    async fn execute<'q, T: Iterator<Item = &'q str> + Send + 'q>(
        &'q mut self,
        queries: T,
    ) -> Result<usize, Stopped> {
        let mut count = 0;
        for query in queries {
            if let Err(failure) = self.step(query).await {
                return Err(self.stop(failure));
            }
            count += 1;
        }
        Ok(count)
    }
}

impl AsyncQuery<Vec<Migration>> for Target<'_> {
    async fn query<'q>(&'q mut self, query: &'q str) -> Result<Vec<Migration>, Stopped> {
        let history = self.history(query).await;
        history.map_err(|failure| self.stop(failure))
    }
}

impl AsyncMigrate for Target<'_> {}

fn applied(row: &tokio_postgres::Row) -> Result<Migration, MigrationError> {
    let (version, name): (i32, String) = (row.try_get(0)?, row.try_get(1)?);
    let (applied_on, checksum): (String, String) = (row.try_get(2)?, row.try_get(3)?);
    match (
        OffsetDateTime::parse(&applied_on, &Rfc3339),
        checksum.parse(),
    ) {
        (Ok(applied_on), Ok(checksum)) => {
            Ok(Migration::applied(version, name, applied_on, checksum))
        }
        _ => Err(MigrationError::History(format!(
            "the history entry of version {version} is unreadable"
        ))),
    }
}
