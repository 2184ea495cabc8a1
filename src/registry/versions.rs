//! The schema versions that the fleet is at.

use std::collections::BTreeMap;

use super::tenant::select_tenants;
use super::{Registry, RegistryError, Tenant};
use crate::postgres::Database;

impl Registry {
    /// A tenant of each version, from the oldest to the newest, and how many are of it; deleted ones do not count.
    pub(crate) async fn of_each_version(&self) -> Result<Vec<(Tenant, usize)>, RegistryError> {
        let statement = select_tenants!("where status <> 'deleted' order by id");
        let connection = self.connection().await?;
        let mut versions = BTreeMap::new();
        for row in connection.query_typed(statement, &[]).await? {
            let tenant = Tenant::from_row(&row)?;
            let entry = versions.entry(tenant.version).or_insert((tenant, 0));
            entry.1 += 1;
        }
        Ok(versions.into_values().collect())
    }
}

/// The last version of the app's migrations that any tenant of a database has; 0 where there is none.
pub(crate) async fn newest_version(database: &Database) -> anyhow::Result<i32> {
    let (client, _) = database.connect().await?;
    let statement = "select to_regclass('tenantry.tenants') is not null";
    let known = client.query_typed_one(statement, &[]).await?;
    if !known.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let statement = "select coalesce(max(app_version), 0) from tenantry.tenants";
    let row = client.query_typed_one(statement, &[]).await?;
    Ok(row.try_get(0)?)
}
