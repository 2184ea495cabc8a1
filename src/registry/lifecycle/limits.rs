//! The limits that a tenant has of its own, in place of those of all.

use serde_json::{Map, Value, json};
use tokio_postgres::types::Type;

use super::{By, TenantRef, failed, tenant_row};
use crate::error::Failure;
use crate::limits::Limit;
use crate::names::TenantId;
use crate::registry::Registry;

/// A limit with its new value; none takes it away, so that the one of all counts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NewLimit {
    pub(crate) limit: Limit,
    pub(crate) value: Option<u64>,
}

impl NewLimit {
    /// Postgres holds no more digits than that.
    pub(crate) fn checked(value: u64) -> Option<u64> {
        (1..=10_u64.pow(18) - 1).contains(&value).then_some(value)
    }
}

impl Registry {
    /// The limits of its own that a tenant has after these changes; without any, as they are. All replicas know of them as
    /// soon as they are committed.
    pub(crate) async fn change_limits(
        &self,
        by: &By,
        tenant: &TenantRef,
        changes: &[NewLimit],
    ) -> Result<Map<String, Value>, Failure> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await.map_err(failed)?;
        let patience = "set local lock_timeout = '5s'";
        transaction.batch_execute(patience).await.map_err(failed)?;
        let statement =
            "select id, limits from tenantry.tenants where id = $1 or subdomain = $2 for update";
        let row = tenant_row(&*transaction, statement, tenant).await?;
        let id = TenantId(row.try_get(0).map_err(failed)?);
        let Value::Object(mut limits) = row.try_get(1).map_err(failed)? else {
            return Err(Failure::internal("a tenant's limits are no object"));
        };
        let before = limits.clone();
        for NewLimit { limit, value } in changes {
            match value {
                Some(value) => limits.insert(limit.name().to_owned(), json!(value)),
                None => limits.remove(limit.name()),
            };
        }
        if limits != before {
            let update = "update tenantry.tenants set limits = $2 where id = $1";
            let after = Value::Object(limits.clone());
            let parameters = [(&id.0 as _, Type::UUID), (&after as _, Type::JSONB)];
            let updated = transaction.execute_typed(update, &parameters).await;
            updated.map_err(failed)?;
            let details = json!({"from": before, "to": limits});
            by.record(&transaction, id, "changeTenantLimits", details)
                .await?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(limits)
    }
}
