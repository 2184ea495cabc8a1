//! What migrations do to tables that are in use, found by running them in a schema of the version before.
//!
//! Rules that look at the text of a migration guess: whether a table is written anew depends on types, defaults and the
//! version of Postgres. So each statement is run, and what it did is read from the catalog (before and after it), from
//! the locks that it has left, and from what Postgres tells of whole tables that it reads. What a function or a `DO` block
//! does counts like the rest. Only tables that had been there before the transaction are in use.

mod allow;
mod changes;
mod drafts;
mod judge;
mod place;
mod probe;
mod report;
mod rules;
mod safer;
mod sizes;
mod snapshot;
mod words;

use serde::Serialize;

use crate::error::postgres_reason;
use crate::migrate::{self, MigrationError, MigrationFile, MigrationSet};
use crate::model::IntrospectionError;
use crate::names::{RoleName, SchemaName};
use crate::postgres::Database;
use crate::schema::Options;
use probe::Probe;

pub(crate) use report::{github, json, text};
pub(crate) use rules::{Level, Rule};
pub(crate) use sizes::Sizes;

/// Where files are run.
pub(crate) struct Subject<'a> {
    /// The owner's login.
    pub(crate) database: &'a Database,
    pub(crate) schema: &'a SchemaName,
    /// The files of the service's own tables there, which run before those of the app.
    pub(crate) base: Option<&'a MigrationSet>,
    /// What the tables become; none for those that tenants share, which are no API by themselves.
    pub(crate) api: Option<Making<'a>>,
}

/// How tables become an API.
pub(crate) struct Making<'a> {
    /// The tenant's role.
    pub(crate) role: &'a RoleName,
    /// The schema of shared tables.
    pub(crate) shared: Option<&'a str>,
    /// Tables that are no part of it.
    pub(crate) hidden: &'a [&'a str],
    pub(crate) options: &'a Options,
}

/// In which transactions files are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    /// Each in one of its own, for good: the tables of one file are in use when the next one runs.
    OneByOne,
    /// As a tenant is migrated, for good: all in one, but for those that run without a transaction.
    Together,
    /// All in one, which is rolled back.
    Rehearsed,
}

impl Course {
    /// The files of the next transaction, and the others.
    fn next(self, files: &[MigrationFile]) -> (&[MigrationFile], &[MigrationFile]) {
        let apart =
            |at: &usize| files[*at].is_alone() || needs_a_commit(&files[..*at], &files[*at]);
        let at = match (self, files) {
            (Self::Rehearsed, _) | (_, []) => files.len(),
            (Self::Together, [first, ..]) if !first.is_alone() => {
                (0..files.len()).find(apart).unwrap_or(files.len())
            }
            (Self::Together | Self::OneByOne, _) => 1,
        };
        files.split_at(at)
    }
}

/// Whether a file uses a value that one before it adds to an enum: that one is committed first.
fn needs_a_commit(before: &[MigrationFile], file: &MigrationFile) -> bool {
    before.iter().any(|earlier| file.names_a_value_of(earlier))
}

/// Something that a statement does to those who use the tables.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Finding {
    pub(crate) rule: Rule,
    pub(crate) level: Level,
    /// The file's name.
    pub(crate) file: String,
    /// Where the statement starts.
    pub(crate) line: u32,
    /// The statement's first line.
    pub(crate) excerpt: String,
    /// The table that it is about.
    pub(crate) table: Option<String>,
    /// What happens.
    pub(crate) message: String,
    /// The safer way, as SQL.
    pub(crate) safer: Option<String>,
}

/// Why files could not be looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LintError {
    #[error("{}", postgres_reason(.0))]
    Postgres(#[from] tokio_postgres::Error),
    #[error(transparent)]
    Migration(#[from] MigrationError),
    #[error(transparent)]
    Introspection(#[from] IntrospectionError),
    #[error("cannot read the catalog: {0}")]
    Catalog(serde_json::Error),
}

/// Runs the files in their order and says what is wrong with them. `before` is the last file that has run already.
pub(crate) async fn lint(
    subject: &Subject<'_>,
    before: Option<&str>,
    files: &[MigrationFile],
    course: Course,
) -> Result<Vec<Finding>, LintError> {
    let mut findings = find(subject, before, files, course).await?;
    if subject.api.is_none() {
        for finding in &mut findings {
            finding.safer = finding.safer.as_deref().map(safer::by_hand);
        }
    }
    Ok(findings)
}

async fn find(
    subject: &Subject<'_>,
    before: Option<&str>,
    files: &[MigrationFile],
    course: Course,
) -> Result<Vec<Finding>, LintError> {
    let (mut client, mut reports) = probe::connect(subject).await?;
    let mut findings = Vec::new();
    let mut rest = files;
    loop {
        let transaction = client.transaction().await?;
        // Nobody who uses the tables waits for long.
        transaction
            .batch_execute("set local lock_timeout = '500ms'")
            .await?;
        if let Some(base) = subject.base {
            migrate::run(&transaction, subject.schema, base).await?;
        }
        let mut probe = Probe::begin(subject, &transaction, &mut reports).await?;
        if let (true, Some(file), Some(clash)) = (rest.len() == files.len(), before, probe.clash())
        {
            findings.push(Finding::of_earlier_files(file, clash));
        }
        let (now, later) = course.next(rest);
        let mut apart = false;
        for (at, file) in now.iter().enumerate() {
            apart |= needs_a_commit(&now[..at], file);
            if !probe.run(file, &mut findings).await? {
                // Behind statements that are to be transactions by themselves, this may be why.
                if apart && course == Course::Rehearsed {
                    findings.retain(|finding| finding.rule != Rule::Fails);
                }
                return Ok(findings);
            }
            apart |= file.is_alone();
        }
        rest = later;
        // A later file may mend what an earlier one has done.
        if course == Course::Rehearsed && probe.clash().is_none() {
            findings.retain(|finding| finding.rule != Rule::NameClash);
        }
        drop(probe);
        if course == Course::Rehearsed {
            transaction.rollback().await?;
        } else {
            transaction.commit().await?;
        }
        if rest.is_empty() {
            return Ok(findings);
        }
    }
}

impl Finding {
    /// Nothing that comes later can be looked at for clashes.
    fn of_earlier_files(file: &str, clash: &str) -> Self {
        Self {
            rule: Rule::NameClash,
            level: Rule::NameClash.level(),
            file: file.to_owned(),
            line: 1,
            excerpt: String::new(),
            table: None,
            message: format!("there is no API of the tables so far: {clash}"),
            safer: None,
        }
    }
}

#[cfg(test)]
mod tests;
