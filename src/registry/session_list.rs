//! What a person sees of her own sessions and memberships, and how she ends the former.

use std::net::IpAddr;
use std::time::SystemTime;

use tokio_postgres::types::Type;

use super::audit::{self, Actor, Entry, Kind};
use super::sessions::{Which, end};
use super::{Registry, RegistryError};
use crate::names::{MemberRole, SessionId, Subdomain, TenantId, UserId};
use crate::request::RequestInfo;

/// One session of an account.
#[derive(Debug)]
pub(crate) struct SessionRow {
    pub(crate) id: SessionId,
    /// Of the tenant; none at the base domain.
    pub(crate) subdomain: Option<String>,
    pub(crate) created_at: SystemTime,
    pub(crate) last_used_at: SystemTime,
    pub(crate) address: Option<IpAddr>,
    pub(crate) user_agent: Option<String>,
}

impl Registry {
    /// The sessions of an account that go on, those used last first.
    pub(crate) async fn sessions_of(
        &self,
        account: UserId,
    ) -> Result<Vec<SessionRow>, RegistryError> {
        let rows = self
            .connection()
            .await?
            .query_typed(
                "select s.id, t.subdomain, s.created_at, s.rotated_at, s.address, s.user_agent \
                 from tenantry.sessions s left join tenantry.tenants t on t.id = s.tenant_id \
                 where s.account_id = $1 and s.expires_at > now() order by s.rotated_at desc limit 100",
                &[(&account.0, Type::UUID)],
            )
            .await?;
        let read = |row: &tokio_postgres::Row| {
            Ok(SessionRow {
                id: SessionId(row.try_get(0)?),
                subdomain: row.try_get(1)?,
                created_at: row.try_get(2)?,
                last_used_at: row.try_get(3)?,
                address: row.try_get(4)?,
                user_agent: row.try_get(5)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Name, subdomain and role: where an account is a member.
    pub(crate) async fn tenants_of(
        &self,
        account: UserId,
    ) -> Result<Vec<(String, Subdomain, MemberRole)>, RegistryError> {
        let rows = self
            .connection()
            .await?
            .query_typed(
                "select t.name, t.subdomain, m.role from tenantry.memberships m \
                 join tenantry.tenants t on t.id = m.tenant_id \
                 where m.account_id = $1 and t.status <> 'deleted' order by t.name, t.subdomain limit 1000",
                &[(&account.0, Type::UUID)],
            )
            .await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let role: &str = row.try_get(2)?;
            found.push((
                row.try_get(0)?,
                Subdomain::parse(row.try_get(1)?)?,
                role.parse()?,
            ));
        }
        Ok(found)
    }

    /// Ends sessions of an account, and says so in the audit log of where that was asked for.
    pub(crate) async fn end_sessions(
        &self,
        (tenant, account): (Option<TenantId>, UserId),
        which: Which,
        (action, client): (&str, &RequestInfo),
    ) -> Result<usize, RegistryError> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await?;
        let entry = Entry {
            tenant,
            kind: Kind::Access,
            actor: Actor::User(account, None),
            request: Some(client.clone()),
            action: action.to_owned(),
            details: serde_json::json!({}),
            failed: None,
        };
        audit::record(&transaction, &entry).await?;
        let ended = end(&transaction, account, which).await?;
        transaction.commit().await?;
        Ok(ended)
    }
}
