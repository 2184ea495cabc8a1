//! Runs files statement by statement, and looks at what each one does.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, Transaction};

use super::drafts::{self, Draft};
use super::judge::{Report, Step};
use super::place::Place;
use super::rules::Rule;
use super::snapshot::{self, Mode, Oid, Snapshot};
use super::{Finding, LintError, Making, Subject};
use crate::migrate::{self, MigrationError, MigrationFile, Statement};
use crate::model::{Comment, introspect};
use crate::schema::Api;

/// Connects, and hands over what Postgres tells of while it works.
pub(super) async fn connect(
    subject: &Subject<'_>,
) -> Result<(Client, UnboundedReceiver<Report>), LintError> {
    let database = subject.database;
    let mut config = database.config().clone();
    config.application_name("tenantry lint");
    let (client, mut connection) = config.connect(database.tls()).await?;
    let (sender, reports) = unbounded_channel();
    tokio::spawn(async move {
        let mut messages = stream::poll_fn(|context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notice(notice) = message
                && let Some(report) = report(notice.message())
            {
                let _ = sender.send(report);
            }
        }
    });
    Ok((client, reports))
}

/// These messages are the same in every language.
fn report(message: &str) -> Option<Report> {
    let name = |rest: &str| Some(rest.strip_suffix('"')?.to_owned());
    if let Some(rest) = message.strip_prefix("verifying table \"") {
        return name(rest).map(Report::Verifies);
    }
    let rest = message.strip_prefix("validating foreign key constraint \"")?;
    name(rest).map(Report::LooksUp)
}

/// One transaction, in which files are run.
pub(super) struct Probe<'a> {
    subject: &'a Subject<'a>,
    transaction: &'a Transaction<'a>,
    reports: &'a mut UnboundedReceiver<Report>,
    /// The tables that are in use: those that were there before the transaction.
    existing: BTreeSet<Oid>,
    /// How things are now.
    now: Snapshot,
    /// What has been locked so that requests wait, and on which line first so hard.
    held: BTreeMap<Oid, (Mode, u32)>,
    /// What keeps the tables from being an API.
    clash: Option<String>,
}

impl<'a> Probe<'a> {
    pub(super) async fn begin(
        subject: &'a Subject<'a>,
        transaction: &'a Transaction<'a>,
        reports: &'a mut UnboundedReceiver<Report>,
    ) -> Result<Self, LintError> {
        migrate::enter(transaction.client(), subject.schema).await?;
        let now = snapshot::read(transaction, subject.schema).await?;
        let mut probe = Self {
            subject,
            transaction,
            reports,
            existing: now.relations.keys().copied().collect(),
            now,
            held: BTreeMap::new(),
            clash: None,
        };
        probe.clash = probe.find_clash().await?;
        Ok(probe)
    }

    /// What keeps the tables as they are now from being an API.
    pub(super) fn clash(&self) -> Option<&str> {
        self.clash.as_deref()
    }

    /// Runs a file. False when it fails: nothing can be run after it.
    pub(super) async fn run(
        &mut self,
        file: &MigrationFile,
        findings: &mut Vec<Finding>,
    ) -> Result<bool, LintError> {
        let statements = file.statements();
        let place = Place {
            file,
            statements: &statements,
        };
        let mut found = Vec::new();
        migrate::enter(self.transaction.client(), self.subject.schema).await?;
        for statement in &statements {
            if file.is_alone() {
                // What came before has been committed.
                self.held.clear();
            }
            let retry = may_meet_rows(statement);
            if retry {
                self.transaction.batch_execute("savepoint tried").await?;
            }
            if let Err(error) = statement.run(file.name(), self.transaction.client()).await {
                let required = match meets_rows(&error).filter(|_| retry) {
                    Some(table) => self.without_rows(file, statement, &table).await?,
                    None => Vec::new(),
                };
                if required.is_empty() {
                    found.push((statement, failure(error)?));
                }
                found.extend(required.into_iter().map(|draft| (statement, draft)));
                findings.extend(place.finish(found));
                return Ok(false);
            }
            if retry {
                self.transaction.batch_execute("release tried").await?;
            }
            if is_worth_a_look(statement) {
                let mut drafts = self.look(file, statement).await?;
                // Here it is run without that word, as it is in a transaction.
                if file.is_alone() && place.raw(statement).contains("concurrently") {
                    drafts.retain(|draft| !draft.rule.grows());
                }
                found.extend(drafts.into_iter().map(|draft| (statement, draft)));
            }
        }
        if file.is_alone() {
            self.held.clear();
        }
        if let Some(message) = self.find_outside().await? {
            let statement = place.that_makes(&message);
            let draft = Draft::plain(Rule::Fails, message);
            found.extend(statement.map(|statement| (statement, draft)));
            findings.extend(place.finish(found));
            return Ok(false);
        }
        self.now = snapshot::read(self.transaction, self.subject.schema).await?;
        found.retain(|(_, draft)| !self.keeps_its_name(draft));
        let clash = self.find_clash().await?;
        if let (None, Some(message)) = (&self.clash, &clash) {
            let statement = place.that_mentions(message);
            let message = format!("there would be no API: {message}");
            let draft = Draft::plain(Rule::NameClash, message);
            found.extend(statement.map(|statement| (statement, draft)));
        }
        self.clash = clash;
        findings.extend(place.finish(found));
        Ok(true)
    }

    /// What is wrong with a statement that has failed because there are rows: it is tried without them.
    async fn without_rows(
        &mut self,
        file: &MigrationFile,
        statement: &Statement,
        table: &str,
    ) -> Result<Vec<Draft>, LintError> {
        let back = self.transaction.batch_execute("rollback to tried");
        back.await?;
        let mut relations = self.now.relations.values();
        let Some(relation) = relations.find(|relation| relation.name == table) else {
            return Ok(Vec::new());
        };
        let empty = format!("truncate {} cascade", relation.sql);
        let client = self.transaction.client();
        if client.batch_execute(&empty).await.is_err() {
            return Ok(Vec::new());
        }
        self.now = snapshot::read(self.transaction, self.subject.schema).await?;
        if statement.run(file.name(), client).await.is_err() {
            return Ok(Vec::new());
        }
        let mut drafts = self.look(file, statement).await?;
        drafts.retain(|draft| draft.rule == Rule::RequiredColumn);
        Ok(drafts.into_iter().map(drafts::as_it_did_here).collect())
    }

    async fn look(
        &mut self,
        file: &MigrationFile,
        statement: &Statement,
    ) -> Result<Vec<Draft>, LintError> {
        let after = snapshot::read(self.transaction, self.subject.schema).await?;
        // The connection has handed them over before it answered the statement.
        let mut reports = Vec::new();
        while let Ok(report) = self.reports.try_recv() {
            reports.push(report);
        }
        let drafts = Step {
            statement,
            existing: &self.existing,
            before: &self.now,
            after: &after,
            reports: &reports,
            held: &self.held,
            alone: file.is_alone(),
        }
        .judge();
        for lock @ (oid, mode) in &after.locks {
            let harder = self.held.get(oid).is_none_or(|(held, _)| held < mode);
            let new = harder && !self.now.locks.contains(lock);
            if mode.blocks() && new && self.existing.contains(oid) {
                self.held.insert(*oid, (*mode, statement.line));
            }
        }
        self.now = after;
        Ok(drafts)
    }

    /// What would be in the way of the next tenant. Of the tables that tenants share nothing is.
    async fn find_outside(&self) -> Result<Option<String>, LintError> {
        if self.subject.api.is_none() {
            return Ok(None);
        }
        match migrate::refuse_outside(self.transaction.client()).await {
            Ok(()) => Ok(None),
            Err(MigrationError::Outside(message)) => Ok(Some(message)),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether what was renamed is called as before in the API, by a comment.
    fn keeps_its_name(&self, draft: &Draft) -> bool {
        let Some((table, column)) = &draft.renamed else {
            return false;
        };
        let mut relations = self.now.relations.values();
        let relation = relations.find(|relation| relation.sql == *table);
        let comment = relation.and_then(|relation| match column {
            None => relation.comment.as_deref(),
            Some(column) => {
                let mut columns = relation.columns.values();
                columns.find(|c| c.sql == *column)?.comment.as_deref()
            }
        });
        Comment::parse(comment).name.is_some()
    }

    async fn find_clash(&self) -> Result<Option<String>, LintError> {
        let Some(api) = &self.subject.api else {
            return Ok(None);
        };
        let Making {
            role,
            shared,
            hidden,
            options,
        } = api;
        let (schema, role) = (self.subject.schema.as_str(), role.as_str());
        // Old dumps read strings in another way.
        let usual = "set local standard_conforming_strings = on";
        self.transaction.batch_execute(usual).await?;
        let model = introspect(self.transaction, schema, *shared, Some(role), hidden).await;
        Ok(match model {
            Ok(model) => Api::new(model, (*options).clone())
                .err()
                .map(|e| e.to_string()),
            Err(crate::model::IntrospectionError::Declaration(error)) => Some(error.to_string()),
            Err(error) => return Err(error.into()),
        })
    }
}

/// Rows and comments change nothing that is looked at; dumps have thousands of them.
fn is_worth_a_look(statement: &Statement) -> bool {
    let plain_insert = statement.verb() == "INSERT" && !statement.says("SELECT");
    !plain_insert && !["COPY", "COMMENT", "SET"].contains(&statement.verb())
}

/// Whether it may add a column that rows have no value for. Savepoints of the file's own are none of these.
fn may_meet_rows(statement: &Statement) -> bool {
    ["ALTER", "DO"].contains(&statement.verb())
}

/// The table in whose rows there would be a null.
fn meets_rows(error: &MigrationError) -> Option<String> {
    let MigrationError::Statement { source, .. } = error else {
        return None;
    };
    let error = source.as_db_error()?;
    let null = *error.code() == SqlState::NOT_NULL_VIOLATION;
    error.table().filter(|_| null).map(str::to_owned)
}

fn failure(error: MigrationError) -> Result<Draft, LintError> {
    let MigrationError::Statement { reason, source, .. } = &error else {
        return Err(error.into());
    };
    // That somebody else is at work there says nothing about the file.
    if source.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) {
        return Err(error.into());
    }
    Ok(Draft::plain(Rule::Fails, format!("this fails: {reason}")))
}
