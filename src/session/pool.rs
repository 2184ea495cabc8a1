//! The connections that sessions run on.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};

use super::{Checkout, Session, Settings};
use crate::error::Failure;
use crate::guard::TenantContext;
use crate::postgres::Database;

/// How long a connection whose request is gone may take to come to its end.
const FINISH: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub(crate) struct SessionsConfig {
    pub(crate) connections: usize,
    /// How long a request waits for a connection.
    pub(crate) wait: Duration,
    pub(crate) statement_timeout: Duration,
}

/// Opens sessions.
pub(crate) struct Sessions {
    pool: Pool,
    statement_timeout: Arc<str>,
}

impl Sessions {
    /// `database` has the request login: a role that sees nothing.
    pub(crate) fn new(
        database: &Database,
        config: &SessionsConfig,
    ) -> Result<Self, deadpool_postgres::BuildError> {
        // Sessions vouch for the connections they give back.
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(database.config().clone(), database.tls(), recycling);
        let pool = Pool::builder(manager)
            .max_size(config.connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(config.wait))
            .create_timeout(Some(Duration::from_secs(10)))
            .build()?;
        let statement_timeout = config.statement_timeout.as_millis().to_string().into();
        Ok(Self {
            pool,
            statement_timeout,
        })
    }

    /// Opens a session for the context's tenant. There is no other way to one.
    pub(crate) async fn open<'a>(
        &self,
        context: &'a TenantContext,
    ) -> Result<Session<'a>, Failure> {
        let connection = self.pool.get().await.map_err(refused)?;
        Ok(Session {
            context,
            connection: Checkout::new(connection),
            settings: Settings::new(context, Arc::clone(&self.statement_timeout)),
        })
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

fn refused(error: PoolError) -> Failure {
    // No connection in time, or none to be had: another try may find one.
    Failure::overloaded(1).with_log(error)
}

/// Brings a connection to the end of its transaction, or closes it.
///
/// Answers come in the order of the questions: once ROLLBACK has been answered, everything sent
/// before it is over, and nothing of the tenant is left.
pub(super) fn finish(connection: Object) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        drop(Object::take(connection));
        return;
    };
    runtime.spawn(async move {
        let rolled_back = tokio::time::timeout(FINISH, connection.batch_execute("rollback")).await;
        if !matches!(rolled_back, Ok(Ok(()))) {
            // Closing the socket ends the backend at its next look; the statement timeout ends it anyway.
            drop(Object::take(connection));
        }
    });
}
