//! What can be changed about a tenant at any time, in one transaction.

use serde_json::{Value, json};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, Transaction};

use super::{By, TenantRecord, TenantRef, failed, not_now, tenant_row};
use crate::error::Failure;
use crate::names::{DisplayName, Subdomain, TenantId};
use crate::registry::{Registry, RegistryError, TenantStatus};

/// What an operator does with a tenant. Asking for what is so already changes nothing, and is no error.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Rename(DisplayName),
    /// Moves the tenant to another subdomain. The old one stays its own, and leads to the new one, for some days.
    Move {
        subdomain: Subdomain,
        redirect_days: u16,
    },
    Suspend(Reason),
    Resume,
    /// Takes the tenant away from everybody, and keeps its data for some days.
    Delete {
        keep_days: u16,
    },
    Restore,
}

impl Change {
    /// What the trail says: the field's name, and what was before.
    fn told(&self, before: &Current) -> (&'static str, Value) {
        match self {
            Self::Rename(name) => (
                "renameTenant",
                json!({"from": before.name, "to": name.as_str()}),
            ),
            Self::Move {
                subdomain,
                redirect_days,
            } => (
                "changeTenantSubdomain",
                json!({"from": before.subdomain, "to": subdomain.as_str(), "redirectDays": redirect_days}),
            ),
            Self::Suspend(reason) => ("suspendTenant", json!({"reason": reason.as_str()})),
            Self::Resume => ("resumeTenant", json!({})),
            Self::Delete { keep_days } => ("deleteTenant", json!({"keepDays": keep_days})),
            Self::Restore => ("restoreTenant", json!({})),
        }
    }
}

/// Why something is done: up to 500 characters, for those who read the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason(String);

impl Reason {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let text = text.trim();
        let plain = |c: char| !c.is_control() || c == '\n';
        if (1..=500).contains(&text.chars().count()) && text.chars().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Failure::bad_input(
                "reason",
                "a reason has 1 to 500 characters",
            ))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Registry {
    /// Changes a tenant. All replicas know of it as soon as it is committed.
    pub(crate) async fn change_tenant(
        &self,
        by: &By,
        tenant: &TenantRef,
        change: &Change,
    ) -> Result<TenantRecord, Failure> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await.map_err(failed)?;
        transaction
            .batch_execute("set local lock_timeout = '5s'; set local statement_timeout = '30s'")
            .await
            .map_err(failed)?;
        let current = Current::lock(&transaction, tenant).await?;
        current.permits(change)?;
        current.apply(&transaction, change).await?;
        let (action, details) = change.told(&current);
        by.record(&transaction, current.id, action, details).await?;
        transaction.commit().await.map_err(failed)?;
        drop(connection);
        self.tenant_record(&TenantRef::Id(current.id)).await
    }
}

/// What a change starts from; the row is locked until the transaction ends.
struct Current {
    id: TenantId,
    name: String,
    subdomain: String,
    schema: String,
    role: String,
    status: TenantStatus,
    purging: bool,
}

impl Current {
    async fn lock(transaction: &Transaction<'_>, tenant: &TenantRef) -> Result<Self, Failure> {
        let statement = "select id, subdomain, schema_name, role_name, status, purging, name \
             from tenantry.tenants where id = $1 or subdomain = $2 for update";
        let row = tenant_row(transaction, statement, tenant).await?;
        Ok(Self::read(&row)?)
    }

    fn read(row: &Row) -> Result<Self, RegistryError> {
        Ok(Self {
            id: TenantId(row.try_get(0)?),
            name: row.try_get(6)?,
            subdomain: row.try_get(1)?,
            schema: row.try_get(2)?,
            role: row.try_get(3)?,
            status: row.try_get::<_, &str>(4)?.parse()?,
            purging: row.try_get(5)?,
        })
    }

    fn permits(&self, change: &Change) -> Result<(), Failure> {
        match (self.status, change) {
            _ if self.purging => Err(not_now("this tenant is being purged: there is no way back")),
            (TenantStatus::Deleted, Change::Restore) => Ok(()),
            (TenantStatus::Deleted, Change::Delete { .. }) => {
                Err(not_now("this tenant is deleted already"))
            }
            (TenantStatus::Deleted, _) => Err(not_now("this tenant is deleted: restore it first")),
            (_, Change::Restore) => Err(not_now("this tenant is not deleted")),
            _ => Ok(()),
        }
    }

    async fn apply(&self, transaction: &Transaction<'_>, change: &Change) -> Result<(), Failure> {
        match change {
            Change::Rename(name) => {
                let statement = "update tenantry.tenants set name = $2 where id = $1";
                self.execute(transaction, statement, &[(&name.as_str(), Type::TEXT)])
                    .await
            }
            Change::Move {
                subdomain,
                redirect_days,
            } => self.relocate(transaction, subdomain, *redirect_days).await,
            Change::Suspend(reason) => {
                let statement = "update tenantry.tenants set status = 'suspended', \
                     suspended_at = coalesce(suspended_at, now()), suspension_reason = $2 where id = $1";
                self.execute(transaction, statement, &[(&reason.as_str(), Type::TEXT)])
                    .await
            }
            Change::Resume => {
                let statement = "update tenantry.tenants set status = 'active', suspended_at = null, \
                     suspension_reason = null where id = $1 and status = 'suspended'";
                self.execute(transaction, statement, &[]).await
            }
            Change::Delete { keep_days } => {
                let days = i32::from(*keep_days);
                let statement = "update tenantry.tenants set status = 'deleted', deleted_at = now(), \
                     purge_after = now() + make_interval(days => $2) where id = $1";
                self.execute(transaction, statement, &[(&days, Type::INT4)])
                    .await?;
                let statement = "select tenantry.close_workspace($1, $2)";
                self.workspace(transaction, statement).await
            }
            Change::Restore => {
                let statement = "update tenantry.tenants set deleted_at = null, purge_after = null, \
                     status = case when suspended_at is null then 'active' else 'suspended' end where id = $1";
                self.execute(transaction, statement, &[]).await?;
                let statement = "select tenantry.open_workspace($1, $2)";
                self.workspace(transaction, statement).await
            }
        }
    }

    /// The redirection is written after the move: a name that leads here already is given up by the move itself.
    async fn relocate(
        &self,
        transaction: &Transaction<'_>,
        to: &Subdomain,
        redirect_days: u16,
    ) -> Result<(), Failure> {
        if to.as_str() == self.subdomain {
            return Ok(());
        }
        let statement = "update tenantry.tenants set subdomain = $2 where id = $1";
        self.execute(transaction, statement, &[(&to.as_str(), Type::TEXT)])
            .await?;
        if redirect_days == 0 {
            return Ok(());
        }
        let days = i32::from(redirect_days);
        let statement = "insert into tenantry.redirections (tenant_id, subdomain, until) \
             values ($1, $2, now() + make_interval(days => $3)) \
             on conflict (subdomain) do update set tenant_id = excluded.tenant_id, until = excluded.until";
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&self.subdomain, Type::TEXT), (&days, Type::INT4)];
        self.execute(transaction, statement, &parameters).await
    }

    /// Runs a statement whose first parameter is the tenant's id.
    async fn execute(
        &self,
        transaction: &Transaction<'_>,
        statement: &str,
        more: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<(), Failure> {
        let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> = vec![(&self.id.0, Type::UUID)];
        parameters.extend_from_slice(more);
        let executed = transaction.execute_typed(statement, &parameters).await;
        executed.map(drop).map_err(failed)
    }

    /// Runs a statement about the tenant's schema and role.
    async fn workspace(
        &self,
        transaction: &Transaction<'_>,
        statement: &str,
    ) -> Result<(), Failure> {
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&self.schema, Type::TEXT), (&self.role, Type::TEXT)];
        let executed = transaction.query_typed(statement, &parameters).await;
        executed.map(drop).map_err(failed)
    }
}
