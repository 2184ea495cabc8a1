//! Sessions: one transaction, bound to one tenant, on a pooled connection.
//!
//! A request's connection logs in as a role that can see nothing. The first statement of its
//! transaction makes it the tenant's, until the transaction ends:
//!
//! ```sql
//! select set_config('search_path', $1, true), set_config('role', $2, true), …;
//! <the operation's statement>
//! ```
//!
//! All of it is sent as one train of messages with one Sync, which makes it one transaction: one
//! network round trip, and one wake-up on each side. The server skips what follows an error. A
//! mutation has several statements, a `begin read write` before and a `commit` after them. Where
//! functions of the app may have run, the next transaction first throws away what they left in the
//! session.

mod answer;
mod audit;
mod connection;
mod error;
mod fixed;
mod lanes;
mod settings;
mod statements;
mod wire;
mod write_failure;

use deadpool::managed::Object;
use tokio::sync::OwnedSemaphorePermit;

use crate::error::Failure;
use crate::guard::TenantContext;
use crate::rows::Rows;
use crate::sql::Statement;
use connection::{Behind, Checkout, Opener, Transaction};
use error::SessionError;
use settings::Settings;

pub(crate) use audit::Note;
pub(crate) use connection::Preparing;
pub(crate) use error::Violation;
pub(crate) use lanes::{Lanes, LanesConfig};
pub(crate) use write_failure::WriteFailure;

/// Distinguishes one query from another on a connection; never reused in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct QueryId(u64);

impl QueryId {
    pub(crate) fn next() -> Self {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// A statement with a name to remember it by.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) id: QueryId,
    pub(crate) statement: Statement,
}

impl Query {
    pub(crate) fn new(statement: Statement) -> Self {
        Self {
            id: QueryId::next(),
            statement,
        }
    }
}

/// A connection on its way through one tenant's transaction.
struct Session<'a> {
    context: &'a TenantContext,
    connection: Checkout,
    /// Given back with the connection.
    _turn: OwnedSemaphorePermit,
    settings: Settings<'a>,
}

impl<'a> Session<'a> {
    fn new(
        context: &'a TenantContext,
        object: Object<Opener>,
        turn: OwnedSemaphorePermit,
        settings: Settings<'a>,
    ) -> Self {
        Self {
            context,
            connection: Checkout::new(object),
            _turn: turn,
            settings,
        }
    }

    /// Has the queries analysed anew.
    fn forget(&mut self, queries: &[&Query]) {
        let tenant = self.context.tenant().id;
        if let Some(connection) = self.connection.connection() {
            for query in queries {
                connection.forget(tenant, query.id);
            }
        }
    }

    /// Runs the queries one after the other, in a transaction of their own: all of them, or none.
    async fn transact(
        &mut self,
        transaction: &Transaction<'_>,
    ) -> Result<impl Iterator<Item = Rows> + use<>, Failed> {
        let (tenant, queries) = (self.context.tenant(), transaction.queries);
        for query in queries {
            tracing::debug!(
                tenant.subdomain = %tenant.subdomain,
                db.statement = query.statement.text,
                "statement"
            );
        }
        let connection = self.connection.connection().ok_or(SessionError::Closed)?;
        let exchange = async {
            let written = connection.write(&self.settings, tenant.id, transaction)?;
            let answer = connection.wire.exchange(written.before).await?;
            Ok((written, answer))
        };
        let (written, mut answer) = match exchange.await {
            Ok(exchanged) => exchanged,
            Err(broken) => {
                self.connection.close();
                return Err(SessionError::Broken(broken).into());
            }
        };
        let Some(error) = answer.error.take() else {
            connection.committed(transaction);
            return Ok(answer.into_rows().take(queries.len()));
        };
        let Some(statement) = answer.done.checked_sub(written.before) else {
            return Err(SessionError::Settings(error).into());
        };
        // It may be older than the tables; and what comes after it has not been prepared.
        let ids = queries.iter().map(|query| query.id);
        let entry = transaction.note.as_ref().map(|note| note.insert().id);
        for id in ids.chain(entry).skip(statement.min(queries.len())) {
            connection.forget(tenant.id, id);
        }
        let own = statement < queries.len();
        let error = match written.behind {
            Behind::Version if statement == queries.len() => SessionError::Outdated(error),
            Behind::Entry if statement == queries.len() => SessionError::of_entry(error),
            // Or COMMIT.
            _ => SessionError::Statement(error),
        };
        let statement = own.then_some(statement);
        Err(Failed { statement, error })
    }
}

/// A transaction that failed.
struct Failed {
    /// The statement that did; none when it was the transaction as a whole.
    statement: Option<usize>,
    error: SessionError,
}

impl From<SessionError> for Failed {
    fn from(error: SessionError) -> Self {
        Self {
            statement: None,
            error,
        }
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        SessionError::Refused(Box::new(failure)).into()
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        error.into_failure()
    }
}
