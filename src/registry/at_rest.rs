//! A tenant's catalog while no migration is at work on it.

use tokio_postgres::types::Type;

use super::transaction::OwnerTransaction;
use super::{Registry, RegistryError, Tenant};
use crate::migrate::SchemaVersion;

/// Both histories are written by whoever migrates the tenant, until its end: that of a transaction
/// that is prepared, too. What is seen is what there is once they are locked.
const BEGIN: &str = "begin isolation level repeatable read read only; \
     set local lock_timeout = '2s'; set local statement_timeout = '10s'; ";

const VERSION: &str =
    "select base_version, app_version, migrations from tenantry.tenants where id = $1";

impl Registry {
    /// A transaction in which the tenant's tables are those of the version that comes with it, and
    /// stay so until it ends.
    pub(crate) async fn at_rest(
        &self,
        tenant: &Tenant,
    ) -> Result<(OwnerTransaction, SchemaVersion), RegistryError> {
        let schema = tenant.schema.quoted();
        let histories = format!(
            "lock table {schema}.tenantry_base_history, {schema}.tenantry_app_history in share mode"
        );
        let transaction = self.transaction(&format!("{BEGIN}{histories}")).await?;
        let row = transaction
            .query_typed_one(VERSION, &[(&tenant.id.0, Type::UUID)])
            .await?;
        let version = SchemaVersion {
            base: row.try_get(0)?,
            app: row.try_get(1)?,
            digest: row.try_get(2)?,
        };
        Ok((transaction, version))
    }
}
