//! What has not run yet in a tenant's schema, as far as one transaction goes.

use std::fmt;

use refinery_core::Target;

use super::runner::drive;
use super::{
    AutocommitFile, History, MigrationError, Migrations, NewValue, SchemaVersion, SetName,
};
use crate::names::SchemaName;
use crate::postgres::InTransaction;

/// How far a tenant's schema has come.
#[derive(Debug)]
pub(crate) struct Ran<'a> {
    pub(crate) version: SchemaVersion,
    /// What is to run once the transaction has been committed.
    pub(crate) next: Option<Stop<'a>>,
}

/// A file that a transaction ends before.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stop<'a> {
    /// It runs without one.
    Autocommit(AutocommitFile<'a>),
    /// It needs what the files before it have committed.
    NewValue(NewValue<'a>),
}

impl<'a> Stop<'a> {
    pub(crate) fn name(&self) -> &'a str {
        match self {
            Self::Autocommit(file) => file.name(),
            Self::NewValue(file) => file.name(),
        }
    }

    pub(super) fn version(&self) -> i32 {
        match self {
            Self::Autocommit(file) => file.version(),
            Self::NewValue(file) => file.version(),
        }
    }
}

/// Why.
impl fmt::Display for Stop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Autocommit(_) => f.write_str("it runs without a transaction"),
            Self::NewValue(value) => value.fmt(f),
        }
    }
}

/// Why files did not run.
#[derive(Debug)]
pub(crate) enum Unrun<'a> {
    Failed(SetName, MigrationError),
    /// They would, had what comes before this one been committed.
    NotYet(NewValue<'a>),
}

/// Runs what has not run yet in a tenant's schema, whose history has been read: where nothing is pending it asks
/// nothing, and a file of SQL without rows takes one network round trip. It ends before the first file that runs
/// without a transaction, and before `until`.
pub(crate) async fn run_pending<'a>(
    transaction: &impl InTransaction,
    schema: &SchemaName,
    migrations: &'a Migrations,
    history: &History,
    until: Option<NewValue<'a>>,
) -> Result<Ran<'a>, Unrun<'a>> {
    let client = transaction.client();
    let alone = migrations.next_autocommit(history).map(Stop::Autocommit);
    let stops = alone.into_iter().chain(until.map(Stop::NewValue));
    let next = stops.min_by_key(Stop::version);
    let version = migrations.version_before(next, history);
    for (name, set) in migrations.sets() {
        let known = Some(history.of(name));
        let stop = next.filter(|_| name == SetName::App);
        let to = stop.map_or(Target::Latest, |file| Target::Version(file.version() - 1));
        if let Err(error) = drive(client, schema, set, known, to).await {
            let value = migrations.new_value(&error, history);
            return Err(value.map_or(Unrun::Failed(name, error), Unrun::NotYet));
        }
    }
    Ok(Ran { version, next })
}
