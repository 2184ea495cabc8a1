//! Connections of requests: opened with the request login, given back only when clean.

use std::num::NonZeroUsize;
use std::time::Duration;

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use deadpool_postgres::{ClientWrapper, ManagerConfig, RecyclingMethod};
use tokio_postgres::types::Type;
use tokio_postgres::{Error, Statement};

use super::Settings;
use super::statements::Statements;
use crate::postgres::Database;

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

pub(super) struct Connection {
    pub(super) client: ClientWrapper,
    /// None behind a pooler.
    pub(super) prepared: Option<Prepared>,
}

/// What a connection has prepared on the server.
pub(super) struct Prepared {
    pub(super) settings: Statement,
    pub(super) statements: Statements,
}

/// Opens connections for a pool, and judges whether one may be used again.
pub(super) struct Opener {
    manager: deadpool_postgres::Manager,
    preparing: Preparing,
    lifetime: Duration,
}

impl Opener {
    pub(super) fn new(database: &Database, preparing: Preparing, lifetime: Duration) -> Self {
        // Sessions vouch for what they give back.
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let mut config = database.config().clone();
        // Poolers know no such startup parameter: there the login itself must have these settings.
        if let Preparing::Statements(_) = preparing {
            let given = config.get_options().unwrap_or_default();
            let options = format!("{given} {PRINTING}");
            config.options(options);
        }
        let manager = deadpool_postgres::Manager::from_config(config, database.tls(), recycling);
        Self {
            manager,
            preparing,
            lifetime,
        }
    }
}

impl managed::Manager for Opener {
    type Type = Connection;
    type Error = Error;

    async fn create(&self) -> Result<Connection, Error> {
        let client = self.manager.create().await?;
        let prepared = match self.preparing {
            Preparing::Nothing => None,
            Preparing::Statements(capacity) => Some(Prepared {
                settings: client
                    .prepare_typed(Settings::SQL, &[Type::TEXT; 6])
                    .await?,
                statements: Statements::new(capacity),
            }),
        };
        Ok(Connection { client, prepared })
    }

    /// Backends remember every table they ever touched: an old one is let go.
    async fn recycle(
        &self,
        connection: &mut Connection,
        metrics: &Metrics,
    ) -> RecycleResult<Error> {
        if connection.client.is_closed() {
            return Err(RecycleError::message("closed"));
        }
        if metrics.age() > self.lifetime {
            return Err(RecycleError::message("at the end of its life"));
        }
        Ok(())
    }
}

/// A connection that goes back to its pool only when it is known to be clean.
///
/// Dropped in the middle of a transaction (a client hung up, a limit ran out, a panic), it is
/// brought to its end in the background, or closed.
pub(super) struct Checkout {
    object: Option<managed::Object<Opener>>,
    dirty: bool,
}

impl Checkout {
    pub(super) fn new(object: managed::Object<Opener>) -> Self {
        Self {
            object: Some(object),
            dirty: false,
        }
    }

    /// The connection, for a transaction that starts now.
    pub(super) fn begin(&mut self) -> Option<&mut Connection> {
        self.dirty = true;
        self.object.as_deref_mut()
    }

    /// What the connection has prepared; none behind a pooler.
    pub(super) fn prepared(&mut self) -> Option<&mut Prepared> {
        self.object.as_deref_mut()?.prepared.as_mut()
    }

    /// The end of the transaction has been seen.
    pub(super) fn is_clean(&mut self) {
        self.dirty = false;
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        if let Some(object) = self.object.take().filter(|_| self.dirty) {
            finish(object);
        }
    }
}

/// Brings a connection to the end of its transaction, or closes it.
///
/// Answers come in the order of the questions: once ROLLBACK has been answered, everything sent
/// before it is over, and nothing of the tenant is left.
fn finish(object: managed::Object<Opener>) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        drop(managed::Object::take(object));
        return;
    };
    runtime.spawn(async move {
        let rollback = object.client.batch_execute("rollback");
        if !matches!(tokio::time::timeout(FINISH, rollback).await, Ok(Ok(()))) {
            // The backend notices the closed socket, and ends what it is doing.
            drop(managed::Object::take(object));
        }
    });
}
