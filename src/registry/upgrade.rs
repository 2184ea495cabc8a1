//! Brings tenants to the latest version, one transaction each: what `dev` does at its start.

use super::tenant::select_tenants;
use super::{Registry, RegistryError, Tenant};
use crate::migrate::{self, MigrationError, Migrations};
use crate::names::Subdomain;

/// Why a tenant stays behind.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpgradeError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("tenant {subdomain} cannot be migrated: {source}")]
    Migration {
        subdomain: Subdomain,
        source: MigrationError,
    },
}

impl Registry {
    /// Runs what has not run yet in every tenant's schema, and records the version.
    ///
    /// Files that changed after they ran are an error.
    pub(crate) async fn migrate_all(&self, migrations: &Migrations) -> Result<(), UpgradeError> {
        let rows = self
            .connection()
            .await?
            .query(
                select_tenants!("where status <> 'deleted' order by subdomain"),
                &[],
            )
            .await
            .map_err(RegistryError::from)?;
        for row in &rows {
            self.upgrade(migrations, &Tenant::from_row(row)?).await?;
        }
        Ok(())
    }

    async fn upgrade(&self, migrations: &Migrations, tenant: &Tenant) -> Result<(), UpgradeError> {
        let failed = |source| UpgradeError::Migration {
            subdomain: tenant.subdomain.clone(),
            source,
        };
        let mut connection = self.connection().await?;
        let transaction = connection
            .transaction()
            .await
            .map_err(RegistryError::from)?;
        for set in [&migrations.base, &migrations.app] {
            migrate::run(&transaction, &tenant.schema, set)
                .await
                .map_err(failed)?;
        }
        let protected = self.protect_views(&transaction, &tenant.schema).await;
        protected.map_err(|error| failed(error.into()))?;
        let version = migrations.version();
        if version != tenant.version {
            transaction
                .execute(
                    "update tenantry.tenants set base_version = $2, app_version = $3 where id = $1",
                    &[&tenant.id.0, &version.base, &version.app],
                )
                .await
                .map_err(RegistryError::from)?;
        }
        transaction.commit().await.map_err(RegistryError::from)?;
        Ok(())
    }
}
