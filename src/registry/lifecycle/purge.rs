//! The end of a tenant: its tables, its role and its rows in the registry are gone for good.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use tokio_postgres::Transaction;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::{By, TenantRef, failed, not_now, tenant_row};
use crate::error::Failure;
use crate::names::TenantId;
use crate::registry::{Registry, RegistryError, TenantStatus, locked_out};

/// Tables that one transaction drops at most; what depends on them takes locks, too.
const TABLES: i32 = 100;

/// How often somebody who still reads from a table is waited for, five seconds each.
const ATTEMPTS: u32 = 12;

/// What is no more.
#[derive(Debug, Clone)]
pub(crate) struct Purged {
    pub(crate) id: TenantId,
    pub(crate) name: String,
    pub(crate) subdomain: String,
}

impl Registry {
    /// Removes a deleted tenant and everything that only it had. Killed half-way, it goes on when it is run again;
    /// from its first step on, the tenant cannot be restored.
    pub(crate) async fn purge_tenant(
        &self,
        by: &By,
        tenant: &TenantRef,
    ) -> Result<Purged, Failure> {
        let doomed = self.doom(by, tenant).await?;
        let mut attempts = 0;
        loop {
            match self.purge_some(&doomed).await {
                Ok(true) => return Ok(doomed.purged),
                Ok(false) => {}
                Err(error) if is_lock(&error) && attempts < ATTEMPTS => {
                    attempts += 1;
                    sleep(Duration::from_millis(100)).await;
                }
                Err(RegistryError::Postgres(error)) => return Err(failed(error)),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Deleted tenants whose days are over, and those whose purge was interrupted.
    pub(crate) async fn expired_tenants(&self) -> Result<Vec<Purged>, Failure> {
        let statement = "select id, name, subdomain from tenantry.tenants \
             where status = 'deleted' and (purging or purge_after <= now()) order by deleted_at, id";
        let rows = self.connection().await?.query_typed(statement, &[]).await;
        let rows = rows.map_err(failed)?;
        let read = |row: &tokio_postgres::Row| {
            Ok(Purged {
                id: TenantId(row.try_get(0)?),
                name: row.try_get(1)?,
                subdomain: row.try_get(2)?,
            })
        };
        rows.iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(failed)
    }

    /// The first step: from here on there is no way back.
    async fn doom(&self, by: &By, tenant: &TenantRef) -> Result<Doomed, Failure> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await.map_err(failed)?;
        let statement = "select id, name, subdomain, schema_name, role_name, status from tenantry.tenants \
             where id = $1 or subdomain = $2 for update";
        let row = tenant_row(&*transaction, statement, tenant).await?;
        let status: TenantStatus = row.try_get::<_, &str>(5).map_err(failed)?.parse()?;
        if status != TenantStatus::Deleted {
            return Err(not_now(
                "only a deleted tenant can be purged: delete it first",
            ));
        }
        let id: Uuid = row.try_get(0).map_err(failed)?;
        let statement = "update tenantry.tenants set purging = true where id = $1 and not purging";
        let marked = transaction
            .execute_typed(statement, &[(&id, Type::UUID)])
            .await;
        marked.map_err(failed)?;
        let doomed = Doomed {
            purged: Purged {
                id: TenantId(id),
                name: row.try_get(1).map_err(failed)?,
                subdomain: row.try_get(2).map_err(failed)?,
            },
            schema: row.try_get(3).map_err(failed)?,
            role: row.try_get(4).map_err(failed)?,
        };
        let details = json!({"name": doomed.purged.name, "subdomain": doomed.purged.subdomain});
        by.record(&transaction, doomed.purged.id, "purgeTenant", details)
            .await?;
        transaction.commit().await.map_err(failed)?;
        Ok(doomed)
    }

    /// One transaction of the purge; true when nothing is left.
    async fn purge_some(&self, doomed: &Doomed) -> Result<bool, RegistryError> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await?;
        transaction
            .batch_execute("set local lock_timeout = '5s'; set local statement_timeout = '10min'")
            .await?;
        let statement = "select from tenantry.tenants where id = $1 and purging for update";
        let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&doomed.purged.id.0, Type::UUID)];
        if transaction
            .query_typed_opt(statement, &parameters)
            .await?
            .is_none()
        {
            return Ok(true); // somebody else was at it, too
        }
        let statement = "select tenantry.drop_tables($1, $2, $2)";
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&doomed.schema, Type::TEXT), (&TABLES, Type::INT4)];
        let left = transaction.query_typed_one(statement, &parameters).await?;
        let done = left.try_get::<_, i64>(0)? <= i64::from(TABLES);
        if done {
            doomed.end(&transaction).await?;
        }
        transaction.commit().await?;
        Ok(done)
    }
}

struct Doomed {
    purged: Purged,
    schema: String,
    role: String,
}

impl Doomed {
    /// The last step. Accounts that belong to no other tenant go with this one: nothing of a person is left behind,
    /// and the address is free to sign up again.
    async fn end(&self, transaction: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&self.schema, Type::TEXT), (&self.role, Type::TEXT)];
        let statement = "select tenantry.drop_workspace($1, $2)";
        transaction.query_typed(statement, &parameters).await?;
        // Locked first: a membership that somebody else is about to get is seen by the statement after it.
        let statement = "select a.id from tenantry.accounts a join tenantry.memberships m on m.account_id = a.id \
             where m.tenant_id = $1 order by a.id for update of a";
        let tenant: [(&(dyn ToSql + Sync), Type); 1] = [(&self.purged.id.0, Type::UUID)];
        let rows = transaction.query_typed(statement, &tenant).await?;
        let members = rows.iter().map(|row| row.try_get(0));
        let members: Vec<Uuid> = members.collect::<Result<_, _>>()?;
        let statement = "select tenantry.forget_shared_rows($1)";
        transaction.query_typed(statement, &tenant).await?;
        let statement = "delete from tenantry.tenants where id = $1";
        transaction.execute_typed(statement, &tenant).await?;
        let statement = "delete from tenantry.accounts a where a.id = any($1) \
             and not exists (select from tenantry.memberships m where m.account_id = a.id)";
        let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&members, Type::UUID_ARRAY)];
        transaction.execute_typed(statement, &parameters).await?;
        Ok(())
    }
}

fn is_lock(error: &RegistryError) -> bool {
    matches!(error, RegistryError::Postgres(error) if locked_out(error))
}
