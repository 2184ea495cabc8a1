//! Connections of requests: opened with the request login, given back only when clean.

use std::io;
use std::num::NonZeroUsize;
use std::time::Duration;

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};

use super::answer::ServerError;
use super::audit::Note;
use super::fixed::{BEGIN, CLEAN, COMMIT, Fixed, UNTOUCHED};
use super::settings::Settings;
use super::statements::{Name, Statements, Way};
use super::wire::{Broken, Wire};
use super::{Query, QueryId};
use crate::guard::Identity;
use crate::names::{MemberRole, TenantId};
use crate::plan::Bindings;
use crate::postgres::{Database, StreamError};
use crate::sql::Statement;

/// How long a connection whose request is gone may take to come to its end.
const FINISH: Duration = Duration::from_secs(1);

/// How values print that leave Postgres as text, whatever the login's own settings are.
const PRINTING: &str = "-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601 \
     -c bytea_output=hex -c extra_float_digits=1";

/// What is kept on the server between transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preparing {
    /// So many statements on each connection.
    Statements(NonZeroUsize),
    /// Nothing: behind a pooler in transaction mode, the next transaction may run elsewhere.
    Nothing,
}

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

impl Access {
    /// The most that somebody may: viewers and strangers change nothing, whatever the operation is.
    pub(super) fn of(identity: &Identity) -> Self {
        if identity.role() >= Some(MemberRole::Member) {
            Self::Write
        } else {
            Self::Read
        }
    }
}

/// What is run after the settings.
pub(super) struct Transaction<'a> {
    pub(super) access: Access,
    pub(super) queries: &'a [&'a Query],
    pub(super) bindings: &'a Bindings,
    /// What the audit log is told, in a transaction that writes.
    pub(super) note: Option<Note<'a>>,
}

impl Transaction<'_> {
    /// Whether functions of the app may run in it: in what is written, they are triggers too.
    fn runs_functions(&self) -> bool {
        let mut queries = self.queries.iter();
        self.access == Access::Write || queries.any(|query| query.statement.runs_functions)
    }

    /// Whether those may prepare statements.
    fn runs_anything(&self) -> bool {
        let mut queries = self.queries.iter();
        self.runs_functions() && queries.any(|query| query.statement.runs_anything)
    }
}

/// A transaction that was written.
pub(super) struct Written {
    /// How many statements come before its own.
    pub(super) before: usize,
    pub(super) behind: Behind,
}

/// The statement that comes behind a transaction's own, before COMMIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    Nothing,
    /// Asks for the version of the tables.
    Version,
    /// The entry of the audit log, which asks for the version, too.
    Entry,
}

pub(super) struct Connection {
    pub(super) wire: Wire,
    /// None behind a pooler: there nothing is prepared.
    statements: Option<Statements>,
    /// Functions of the app have run since the session was last cleaned.
    untidy: bool,
    /// Statements may have been prepared by functions of the app since that was last looked at.
    suspect: bool,
    /// What the train under way has analysed: not to be relied on before it has come to a good end, as
    /// only that says that the tables were of the right version.
    unproven: Vec<(TenantId, QueryId)>,
}

impl Connection {
    /// Prepares the fixed statements, where statements may be prepared.
    async fn new(mut wire: Wire, preparing: Preparing) -> Result<Self, OpenError> {
        let statements = match preparing {
            Preparing::Nothing => None,
            Preparing::Statements(capacity) => {
                let (read, write) = (Settings::READ, Settings::WRITE);
                let fixed = [read, BEGIN, write, Settings::VERSION, COMMIT];
                for fixed in fixed.iter().chain(&CLEAN) {
                    wire.parse_texts(fixed.name, fixed.text, fixed.parameters)?;
                }
                wire.sync();
                if let Some(error) = wire.exchange(0).await?.error {
                    return Err(OpenError::Refused(error));
                }
                Some(Statements::new(capacity))
            }
        };
        Ok(Self {
            wire,
            statements,
            untidy: false,
            suspect: false,
            unproven: Vec::new(),
        })
    }

    /// Writes a whole transaction.
    ///
    /// Messages up to one Sync are a transaction by themselves, which is all that reading needs. For
    /// what writes, only the answer to a COMMIT says that it is done.
    pub(super) fn write(
        &mut self,
        settings: &Settings<'_>,
        tenant: TenantId,
        transaction: &Transaction<'_>,
    ) -> io::Result<Written> {
        if let Some(statements) = &mut self.statements {
            for (tenant, query) in self.unproven.drain(..) {
                statements.forget(tenant, query);
            }
            for name in statements.unwanted() {
                self.wire.close(&name)?;
            }
        }
        let mut before = 0;
        if self.suspect && self.statements.is_some() {
            before += 1;
            self.wire.parse("", UNTOUCHED)?;
            self.wire.execute_with("", [])?;
        }
        let mut run = |connection: &mut Self, fixed| {
            before += 1;
            let name = connection.fixed(fixed)?;
            connection.wire.execute_with(name, [])
        };
        let writes = transaction.access == Access::Write;
        if writes {
            run(self, &BEGIN)?;
        }
        // Behind a pooler the session is anybody's.
        if self.untidy || self.statements.is_none() {
            for clean in &CLEAN {
                run(self, clean)?;
            }
        }
        // What a transaction has cleaned is as it was when it is rolled back.
        self.untidy |= transaction.runs_functions();
        self.suspect |= transaction.runs_anything();
        let name = self.fixed(if writes {
            &Settings::WRITE
        } else {
            &Settings::READ
        })?;
        settings.apply(&mut self.wire, name)?;
        // What is written is not to be undone once it turns out to be of another version than was planned for.
        let mut asks_version = writes;
        for query in transaction.queries {
            asks_version |= self.query(tenant, query, transaction.bindings)?;
        }
        let behind = match &transaction.note {
            Some(note) if writes => {
                let insert = note.insert();
                let (name, _) = self.named(tenant, insert.id, &insert.text)?;
                note.apply(settings.context(), &mut self.wire, &name)?;
                Behind::Entry
            }
            _ if asks_version => {
                let name = self.fixed(&Settings::VERSION)?;
                settings.expect_version(&mut self.wire, name)?;
                Behind::Version
            }
            _ => Behind::Nothing,
        };
        if writes {
            let commit = self.fixed(&COMMIT)?;
            self.wire.execute_with(commit, [])?;
        }
        self.wire.sync();
        Ok(Written {
            before: before + 1,
            behind,
        })
    }

    /// The transaction has been committed.
    pub(super) fn committed(&mut self, transaction: &Transaction<'_>) {
        self.untidy = transaction.runs_functions();
        self.suspect = transaction.runs_anything();
        self.unproven.clear();
    }

    /// The name to execute the statement by.
    fn fixed(&mut self, fixed: &Fixed) -> io::Result<&'static str> {
        if self.statements.is_some() {
            return Ok(fixed.name);
        }
        self.wire.parse_texts("", fixed.text, fixed.parameters)?;
        Ok("")
    }

    /// True when it is analysed for that.
    fn query(&mut self, tenant: TenantId, query: &Query, bindings: &Bindings) -> io::Result<bool> {
        let Statement { text, params, .. } = &query.statement;
        let values = params.iter().filter_map(|id| bindings.params.get(id.0));
        let (name, analyses) = self.named(tenant, query.id, text)?;
        self.wire.execute(&name, values)?;
        Ok(analyses)
    }

    /// The name to execute a tenant's statement by, and whether it is analysed for that.
    fn named(&mut self, tenant: TenantId, id: QueryId, text: &str) -> io::Result<(Name, bool)> {
        let statements = self.statements.as_mut();
        let way = statements.map_or(Way::Unnamed, |statements| statements.way(tenant, id));
        let name = match way {
            Way::Prepared(name) => return Ok((name, false)),
            Way::Prepare(name) => name,
            Way::Unnamed => Name::default(),
        };
        self.wire.parse(&name, text)?;
        if self.statements.is_some() {
            self.unproven.push((tenant, id));
        }
        Ok((name, true))
    }

    /// Forgets what was prepared for a query that failed.
    pub(super) fn forget(&mut self, tenant: TenantId, query: QueryId) {
        if let Some(statements) = &mut self.statements {
            statements.forget(tenant, query);
        }
    }
}

/// Opens connections for a pool, and judges whether one may be used again.
pub(super) struct Opener {
    database: Database,
    preparing: Preparing,
    lifetime: Duration,
}

/// Why a connection could not be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the server refused: {0}")]
    Refused(Box<ServerError>),
}

impl Opener {
    pub(super) fn new(database: &Database, preparing: Preparing, lifetime: Duration) -> Self {
        // Poolers know no such startup parameter: there the login itself must have these settings.
        let database = match preparing {
            Preparing::Statements(_) => database.with_options(PRINTING),
            Preparing::Nothing => database.clone(),
        };
        Self {
            database,
            preparing,
            lifetime,
        }
    }
}

impl managed::Manager for Opener {
    type Type = Connection;
    type Error = OpenError;

    async fn create(&self) -> Result<Connection, OpenError> {
        let wire = Wire::new(self.database.stream().await?);
        Connection::new(wire, self.preparing).await
    }

    /// Backends remember every table they ever touched: an old one is let go.
    async fn recycle(
        &self,
        connection: &mut Connection,
        metrics: &Metrics,
    ) -> RecycleResult<OpenError> {
        if !connection.wire.is_alive() {
            return Err(RecycleError::message("closed"));
        }
        if metrics.age() > self.lifetime {
            return Err(RecycleError::message("at the end of its life"));
        }
        Ok(())
    }
}

/// A connection that goes back to its pool only when it is known to be clean: when the server has
/// said that it is ready and in no transaction.
///
/// Dropped in the middle of one (a client hung up, a limit ran out, a panic), it is brought to its
/// end in the background, or closed.
pub(super) struct Checkout(Option<managed::Object<Opener>>);

impl Checkout {
    pub(super) fn new(object: managed::Object<Opener>) -> Self {
        Self(Some(object))
    }

    pub(super) fn connection(&mut self) -> Option<&mut Connection> {
        self.0.as_deref_mut()
    }

    /// Closes it instead of giving it back.
    pub(super) fn close(&mut self) {
        self.0.take().map(managed::Object::take);
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        if let Some(object) = self.0.take().filter(|object| !object.wire.is_idle()) {
            finish(object);
        }
    }
}

/// Brings a connection to the end of its transaction, or closes it.
fn finish(mut object: managed::Object<Opener>) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        drop(managed::Object::take(object));
        return;
    };
    runtime.spawn(async move {
        let finished = tokio::time::timeout(FINISH, object.wire.finish()).await;
        if !matches!(finished, Ok(Ok(()))) {
            // The backend notices the closed socket, and ends what it is doing.
            drop(managed::Object::take(object));
        }
    });
}
