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

mod error;
mod param;
mod pool;

use std::sync::Arc;

use deadpool_postgres::Object;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use crate::error::Failure;
use crate::guard::{Identity, TenantContext};
use crate::plan::Bindings;
use crate::sql::Statement;

pub(crate) use error::SessionError;
pub(crate) use pool::{Sessions, SessionsConfig};

/// A connection on its way through one tenant's transaction.
pub(crate) struct Session<'a> {
    context: &'a TenantContext,
    connection: Checkout,
    settings: Settings,
}

/// What makes a transaction a tenant's.
struct Settings {
    search_path: String,
    role: String,
    tenant: String,
    user: String,
    member_role: &'static str,
    statement_timeout: Arc<str>,
}

impl Settings {
    const SQL: &str = "select set_config('search_path', $1, true), set_config('role', $2, true), \
         set_config('app.tenant_id', $3, true), set_config('app.user_id', $4, true), \
         set_config('app.role', $5, true), set_config('statement_timeout', $6, true)";

    fn new(context: &TenantContext, statement_timeout: Arc<str>) -> Self {
        let tenant = context.tenant();
        let (user, member_role) = match context.identity() {
            Identity::Anonymous => (String::new(), ""),
            Identity::Member { user, role } => (user.to_string(), role.as_str()),
        };
        Self {
            search_path: format!("{}, extensions", tenant.schema.quoted()),
            role: tenant.role.as_str().to_owned(),
            tenant: tenant.id.to_string(),
            user,
            member_role,
            statement_timeout,
        }
    }

    fn params<'s>(&'s self, statement_timeout: &'s &'s str) -> [(&'s (dyn ToSql + Sync), Type); 6] {
        [
            (&self.search_path, Type::TEXT),
            (&self.role, Type::TEXT),
            (&self.tenant, Type::TEXT),
            (&self.user, Type::TEXT),
            (&self.member_role, Type::TEXT),
            (statement_timeout, Type::TEXT),
        ]
    }
}

impl Session<'_> {
    /// Runs one statement that reads, in a transaction of its own.
    pub(crate) async fn read(
        mut self,
        statement: &Statement,
        bindings: &Bindings,
    ) -> Result<Vec<Row>, Failure> {
        let params: Vec<_> = statement
            .params
            .iter()
            .filter_map(|id| bindings.params.get(id.0))
            .map(|param| (param as &(dyn ToSql + Sync), Type::UNKNOWN))
            .collect();
        tracing::debug!(
            tenant.subdomain = %self.context.tenant().subdomain,
            db.statement = statement.text,
            "statement"
        );
        let client = self.connection.begin()?;
        let statement_timeout = &*self.settings.statement_timeout;
        let settings = self.settings.params(&statement_timeout);
        // Polled in this order, and sent when first polled: the server gets all of it at once.
        let (begin, settings, rows, commit) = futures_util::join!(
            client.batch_execute("begin read only"),
            client.query_typed(Settings::SQL, &settings),
            client.query_typed(&statement.text, &params),
            client.batch_execute("commit"),
        );
        // Once COMMIT has been answered the connection is outside of any transaction, and all
        // settings were local to that one.
        if commit.is_ok() {
            self.connection.is_clean();
        }
        begin
            .and(settings.map(drop))
            .map_err(|error| SessionError::Settings(error).into_failure())?;
        let rows = rows.map_err(|error| SessionError::Statement(error).into_failure())?;
        commit.map_err(|error| SessionError::Statement(error).into_failure())?;
        Ok(rows)
    }
}

/// A connection that goes back to its pool only when it is known to be clean.
///
/// Dropped in the middle of a transaction (a client hung up, a limit ran out, a panic), it is
/// brought to its end in the background, or closed.
struct Checkout {
    connection: Option<Object>,
    dirty: bool,
}

impl Checkout {
    fn new(connection: Object) -> Self {
        Self {
            connection: Some(connection),
            dirty: false,
        }
    }

    /// The client, for a transaction that starts now.
    fn begin(&mut self) -> Result<&deadpool_postgres::ClientWrapper, Failure> {
        self.dirty = true;
        self.connection
            .as_deref()
            .ok_or_else(|| Failure::internal("a session was used twice"))
    }

    fn is_clean(&mut self) {
        self.dirty = false;
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take().filter(|_| self.dirty) {
            pool::finish(connection);
        }
    }
}
