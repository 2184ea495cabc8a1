//! Transactions of the owner: for what changes the shared tables.

use std::ops::Deref;

use deadpool_postgres::Object;
use tokio_postgres::Client;

use super::{Registry, RegistryError};
pub(crate) use crate::postgres::InTransaction;

impl InTransaction for deadpool_postgres::Transaction<'_> {
    fn client(&self) -> &Client {
        (**self).client()
    }
}

impl InTransaction for OwnerTransaction {
    fn client(&self) -> &Client {
        self
    }
}

/// A transaction that owns its connection, and so may be held by anybody for any time.
///
/// Dropped before its end, as by a cancelled request, it closes the connection: Postgres undoes what there was.
#[derive(Debug)]
pub(crate) struct OwnerTransaction {
    /// None once it has ended.
    connection: Option<Object>,
}

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl Registry {
    /// Begins a transaction, whose statements do not wait for long.
    pub(crate) async fn begin(&self, access: Access) -> Result<OwnerTransaction, RegistryError> {
        let begin = match access {
            Access::Read => "begin read only; set local statement_timeout = '10s'",
            Access::Write => {
                "begin; set local lock_timeout = '5s'; set local statement_timeout = '30s'"
            }
        };
        self.transaction(begin).await
    }

    /// The transaction that some statements begin.
    pub(super) async fn transaction(&self, begin: &str) -> Result<OwnerTransaction, RegistryError> {
        let transaction = OwnerTransaction {
            connection: Some(self.connection().await?),
        };
        transaction.batch_execute(begin).await?;
        Ok(transaction)
    }
}

impl Deref for OwnerTransaction {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.connection.as_ref().expect("taken by its end only")
    }
}

impl Drop for OwnerTransaction {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(Object::take(connection));
        }
    }
}

impl OwnerTransaction {
    pub(crate) async fn commit(self) -> Result<(), RegistryError> {
        self.end("commit").await
    }

    pub(crate) async fn roll_back(self) -> Result<(), RegistryError> {
        self.end("rollback").await
    }

    /// The connection goes back to its pool only when the server has said that nothing is open.
    async fn end(mut self, how: &str) -> Result<(), RegistryError> {
        self.batch_execute(how).await?;
        drop(self.connection.take());
        Ok(())
    }
}
