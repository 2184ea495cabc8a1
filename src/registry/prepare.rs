//! What files that are new need while the service runs: tried first, then done.

use std::sync::Arc;

use tokio_postgres::Transaction;

use super::known;
use super::open::{OpenError, Upgrade, create_extensions, lock};
use super::shared::{SHARED_SCHEMA, SharedTables};
use super::{Registry, RegistryError, Tenant};
use crate::error::postgres_reason;
use crate::migrate::{self, MigrationError, Migrations};

/// Why migrations cannot be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrepareError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("{}", postgres_reason(.0))]
    Postgres(#[from] tokio_postgres::Error),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

impl Registry {
    /// Makes what is there once for all tenants: extensions, and the tables that they share.
    pub(crate) async fn prepare(&self, migrations: &Migrations) -> Result<(), PrepareError> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await?;
        let shared = prepare(&transaction, migrations).await?;
        transaction.commit().await?;
        self.shared.store(Arc::new(shared));
        Ok(())
    }

    /// Does that and runs what has not run yet in a tenant's schema, in a transaction that is to be rolled back.
    /// Tells the schema of the tables that tenants would share.
    pub(crate) async fn rehearse(
        &self,
        transaction: &Transaction<'_>,
        migrations: &Migrations,
        tenant: &Tenant,
    ) -> Result<Option<&'static str>, PrepareError> {
        let shared = prepare(transaction, migrations).await?;
        for set in [&migrations.base, &migrations.app] {
            migrate::run(transaction, &tenant.schema, set).await?;
        }
        Ok(shared.map(|_| SHARED_SCHEMA))
    }
}

async fn prepare(
    transaction: &Transaction<'_>,
    migrations: &Migrations,
) -> Result<Option<SharedTables>, PrepareError> {
    // Whoever holds a table for longer is told of, rather than waited for.
    transaction
        .batch_execute("set local lock_timeout = '5s'")
        .await?;
    lock(transaction).await?;
    let checked = known::check(transaction.client(), migrations).await;
    checked.map_err(OpenError::from)?;
    create_extensions(transaction, migrations).await?;
    if let Some(set) = &migrations.shared {
        SharedTables::open(transaction, set, Upgrade::Run).await?;
    }
    Ok(SharedTables::find(transaction.client()).await?)
}
