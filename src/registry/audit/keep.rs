//! How long entries are kept.

use std::time::Duration;

use tokio_postgres::types::Type;

use crate::registry::{Registry, RegistryError};

/// Held by the replica that removes entries.
const REMOVING: i64 = 0x6175_6469_7400_0001;

const EVERY: Duration = Duration::from_hours(1);

/// Entries removed by one transaction, so that none takes long.
const BATCH: i64 = 5000;

const REMOVE: &str = "delete from tenantry.audit_log where (at, id) in (
    select at, id from tenantry.audit_log where at < now() - make_interval(days => $1) order by at, id limit $2)";

/// Tenant by tenant, as the index goes.
const REMOVE_CHANGES: &str = "with recursive tenants (id) as (
    (select c.tenant_id from tenantry.audit_changes c order by c.tenant_id limit 1)
    union all
    select (select c.tenant_id from tenantry.audit_changes c where c.tenant_id > t.id order by c.tenant_id limit 1)
    from tenants t where t.id is not null
  )
  delete from tenantry.audit_changes where ctid = any (array(
    select c.ctid from tenants t cross join lateral (
      select c.ctid from tenantry.audit_changes c
      where c.tenant_id = t.id and c.at < now() - make_interval(days => $1) order by c.at limit $2) c
    limit $2))";

impl Registry {
    /// Removes entries older than so many days, as one of all replicas; goes on for ever. After 0 days, none.
    pub(crate) async fn forget_old_entries(&self, days: u32) {
        if days == 0 {
            return std::future::pending().await;
        }
        let mut rounds = tokio::time::interval(EVERY);
        loop {
            rounds.tick().await;
            if let Err(error) = self.remove_entries(days).await {
                tracing::warn!(%error, "old entries of the audit log cannot be removed");
            }
        }
    }

    /// Returns how many there were.
    pub(in crate::registry) async fn remove_entries(
        &self,
        days: u32,
    ) -> Result<u64, RegistryError> {
        let days = i32::try_from(days).unwrap_or(i32::MAX);
        let mut removed = 0;
        loop {
            let mut connection = self.connection().await?;
            let transaction = connection.transaction().await?;
            let lock = "select pg_try_advisory_xact_lock($1)";
            let lock = transaction.query_typed_one(lock, &[(&REMOVING, Type::INT8)]);
            if !lock.await?.try_get::<_, bool>(0)? {
                return Ok(removed);
            }
            let parameters = [(&days as _, Type::INT4), (&BATCH as _, Type::INT8)];
            let mut count = 0;
            for remove in [REMOVE, REMOVE_CHANGES] {
                count += transaction.execute_typed(remove, &parameters).await?;
            }
            transaction.commit().await?;
            removed += count;
            if count == 0 {
                return Ok(removed);
            }
        }
    }
}
