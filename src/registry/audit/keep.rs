//! How long entries are kept.

use std::time::Duration;

use tokio_postgres::types::Type;

use crate::registry::{Registry, RegistryError};

/// Held by the replica that removes entries.
const REMOVING: i64 = 0x6175_6469_7400_0001;

const EVERY: Duration = Duration::from_hours(1);

/// Entries removed by one transaction, so that none takes long.
const BATCH: i64 = 5000;

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
            let count = transaction
                .execute_typed(
                    "delete from tenantry.audit_log where (at, id) in ( \
                       select at, id from tenantry.audit_log where at < now() - make_interval(days => $1) \
                       order by at, id limit $2)",
                    &[(&days, Type::INT4), (&BATCH, Type::INT8)],
                )
                .await?;
            transaction.commit().await?;
            removed += count;
            if count == 0 {
                return Ok(removed);
            }
        }
    }
}
