//! What tenants have stored: measured off the way of requests, by one of all replicas.

use std::time::{Duration, Instant, SystemTime};

use tokio_postgres::types::Type;

use super::{InTransaction, Registry, RegistryError};
use crate::names::TenantId;

/// Held by the replica that measures.
const MEASURING: i64 = 0x7573_6167_6500_0001;

const EVERY: Duration = Duration::from_mins(1);

/// How many tenants are measured in a transaction.
const AT_ONCE: i32 = 25;

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
            if let Err(error) = self.measure_all(limit).await {
                tracing::warn!(%error, "what tenants have stored cannot be measured");
            }
        }
    }

    /// A few tenants at a time, with pauses: nobody waits for it. What another replica has measured just now is left out.
    async fn measure_all(&self, limit: Option<u64>) -> Result<(), RegistryError> {
        let begun = Instant::now();
        loop {
            let started = Instant::now();
            let age = EVERY / 2 + begun.elapsed();
            if self.measure(limit, age).await? < AT_ONCE {
                return Ok(());
            }
            // At most a quarter of one core.
            tokio::time::sleep(started.elapsed() * 3).await;
        }
    }

    /// Measures some of those whose measure is older than that. None while another replica measures.
    async fn measure(&self, limit: Option<u64>, age: Duration) -> Result<i32, RegistryError> {
        let limit = limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await?;
        // Tables that are being changed are not waited for; there will be another minute.
        let patience = "set local lock_timeout = '2s'; set local statement_timeout = '50s'";
        transaction.batch_execute(patience).await?;
        let statement = "select pg_try_advisory_xact_lock($1)";
        let lock = transaction.query_typed_one(statement, &[(&MEASURING, Type::INT8)]);
        if !lock.await?.try_get::<_, bool>(0)? {
            return Ok(0);
        }
        let statement = "select tenantry.measure($1, now() - make_interval(secs => $2), $3)";
        let row = transaction
            .query_typed_one(
                statement,
                &[
                    (&limit, Type::INT8),
                    (&age.as_secs_f64(), Type::FLOAT8),
                    (&AT_ONCE, Type::INT4),
                ],
            )
            .await?;
        transaction.commit().await?;
        Ok(row.try_get(0)?)
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
