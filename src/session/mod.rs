//! Sessions: one transaction, bound to one tenant, on a pooled connection.
//!
//! A request's connection logs in as a role that can see nothing. The first statement of its
//! transaction makes it the tenant's, until the transaction ends:
//!
//! ```sql
//! begin read only;
//! select set_config('search_path', $1, true), set_config('role', $2, true), …;
//! <the operation's statement>;
//! commit;
//! ```
//!
//! All four are sent at once and take one network round trip. If any of the first fails, the third
//! does too: outside of the transaction the role sees nothing, and a failed transaction runs nothing.

mod connection;
mod error;
mod lanes;
mod param;
mod settings;
mod statements;

use deadpool::managed::Object;
use futures_util::{TryStreamExt as _, join};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row};

use crate::error::Failure;
use crate::guard::TenantContext;
use crate::plan::{Bindings, Bound};
use crate::sql::Statement;
use connection::{Checkout, Connection, Opener};
use error::SessionError;
use settings::Settings;
use statements::Way;

pub(crate) use connection::Preparing;
pub(crate) use lanes::{Lanes, LanesConfig};

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
    settings: Settings,
}

impl<'a> Session<'a> {
    fn new(context: &'a TenantContext, object: Object<Opener>, settings: Settings) -> Self {
        Self {
            context,
            connection: Checkout::new(object),
            settings,
        }
    }

    /// Runs one query that reads, in a transaction of its own.
    async fn read(&mut self, query: &Query, bindings: &Bindings) -> Result<Vec<Row>, SessionError> {
        let tenant = self.context.tenant();
        tracing::debug!(
            tenant.subdomain = %tenant.subdomain,
            db.statement = query.statement.text,
            "statement"
        );
        let connection = self.connection.begin().ok_or(SessionError::Closed)?;
        let way = match &mut connection.prepared {
            Some(prepared) => prepared.statements.way(tenant.id, query.id),
            None => Way::Unnamed,
        };
        let answers = transact(connection, &self.settings, way, &query.statement, bindings).await;
        // Once COMMIT has been answered the connection is outside of any transaction, and all
        // settings were local to that one.
        if answers.commit.is_ok() {
            self.connection.is_clean();
        }
        self.remember(query, &answers);
        answers
            .begin
            .and(answers.settings)
            .map_err(SessionError::Settings)?;
        let rows = answers.rows.map_err(SessionError::Statement)?;
        answers.commit.map_err(SessionError::Statement)?;
        Ok(rows)
    }

    /// Keeps what was prepared, and forgets what failed: it may be older than the tables.
    fn remember(&mut self, query: &Query, answers: &Answers) {
        let tenant = self.context.tenant().id;
        let Some(prepared) = self.connection.prepared() else {
            return;
        };
        if answers.rows.is_err() {
            prepared.statements.forget(tenant, query.id);
        } else if let Some(Ok(statement)) = &answers.prepared {
            prepared
                .statements
                .keep(tenant, query.id, statement.clone());
        }
    }
}

/// What came back, part by part.
struct Answers {
    begin: Result<(), Error>,
    settings: Result<(), Error>,
    prepared: Option<Result<tokio_postgres::Statement, Error>>,
    rows: Result<Vec<Row>, Error>,
    commit: Result<(), Error>,
}

/// Sends the whole transaction at once. The parts are polled in this order, and sent when first
/// polled; the server works them off one after the other.
async fn transact(
    connection: &Connection,
    settings: &Settings,
    way: Way,
    statement: &Statement,
    bindings: &Bindings,
) -> Answers {
    let client = &connection.client;
    let values: Vec<&Bound> = statement
        .params
        .iter()
        .filter_map(|id| bindings.params.get(id.0))
        .collect();
    let begin = client.batch_execute("begin read only");
    let settings = settings.apply(connection);
    let commit = client.batch_execute("commit");
    let unnamed = async {
        let typed: Vec<(&(dyn ToSql + Sync), Type)> = values
            .iter()
            .map(|value| (*value as _, Type::UNKNOWN))
            .collect();
        client.query_typed(&statement.text, &typed).await
    };
    let (begin, settings, prepared, rows, commit) = match way {
        Way::Prepared(known) => {
            let rows = async {
                client
                    .query_raw(&known, values.iter().copied())
                    .await?
                    .try_collect()
                    .await
            };
            let (begin, settings, rows, commit) = join!(begin, settings, rows, commit);
            (begin, settings, None, rows, commit)
        }
        Way::Unnamed => {
            let (begin, settings, rows, commit) = join!(begin, settings, unnamed, commit);
            (begin, settings, None, rows, commit)
        }
        Way::Prepare => {
            let types = vec![Type::UNKNOWN; values.len()];
            let prepare = client.prepare_typed(&statement.text, &types);
            let (begin, settings, prepared, rows, commit) =
                join!(begin, settings, prepare, unnamed, commit);
            (begin, settings, Some(prepared), rows, commit)
        }
    };
    Answers {
        begin,
        settings,
        prepared,
        rows,
        commit,
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        error.into_failure()
    }
}
