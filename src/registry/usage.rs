//! What tenants have stored: measured off the way of requests, by one of all replicas.

use std::time::{Duration, SystemTime};

use tokio_postgres::types::Type;

use super::{InTransaction, Registry, RegistryError};
use crate::names::TenantId;

/// Held by the replica that measures.
const MEASURING: i64 = 0x7573_6167_6500_0001;

const EVERY: Duration = Duration::from_mins(1);

/// What a tenant has stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) bytes: i64,
    pub(crate) measured_at: SystemTime,
}

impl Registry {
    /// Measures all tenants every minute; goes on for ever. `limit` is for those without one of their own.
    pub(crate) async fn keep_measuring(&self, limit: Option<u64>) {
        let mut rounds = tokio::time::interval(EVERY);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            if let Err(error) = self.measure(limit).await {
                tracing::warn!(%error, "what tenants have stored cannot be measured");
            }
        }
    }

    /// Does nothing while another replica measures.
    pub(super) async fn measure(&self, limit: Option<u64>) -> Result<(), RegistryError> {
        let limit = limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await?;
        // Tables that are being changed are not waited for; there will be another minute.
        let patience = "set local lock_timeout = '2s'; set local statement_timeout = '50s'";
        transaction.batch_execute(patience).await?;
        let statement = "select pg_try_advisory_xact_lock($1)";
        let lock = transaction.query_typed_one(statement, &[(&MEASURING, Type::INT8)]);
        if lock.await?.try_get::<_, bool>(0)? {
            let statement = "select tenantry.measure($1)";
            transaction
                .query_typed(statement, &[(&limit, Type::INT8)])
                .await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// What a tenant had stored when it was last measured; none when it has not been yet.
    pub(crate) async fn usage(
        &self,
        transaction: &impl InTransaction,
        tenant: TenantId,
    ) -> Result<Option<Usage>, RegistryError> {
        let statement = "select bytes, measured_at from tenantry.usage where tenant_id = $1";
        let client = transaction.client();
        let row = client
            .query_typed_opt(statement, &[(&tenant.0, Type::UUID)])
            .await?;
        let read = |row: tokio_postgres::Row| {
            Ok(Usage {
                bytes: row.try_get(0)?,
                measured_at: row.try_get(1)?,
            })
        };
        row.map(read).transpose()
    }
}
