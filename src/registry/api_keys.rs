//! API keys: for machines, each good for one tenant and one role.

use time::OffsetDateTime;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::access::access_changed;
use super::members::{Actor, may_change};
use super::{OwnerTransaction, Registry, RegistryError, Tenant};
use crate::error::{Code, Failure};
use crate::names::{ApiKeyId, DisplayName, MemberRole, TenantId, UserId};
use crate::secret::Secret;

/// The most keys of one tenant.
const MOST: i64 = 100;

/// By which people and scanners for leaked secrets know what it is.
pub(crate) const KEY_PREFIX: &str = "tk_";

/// How much of a key is shown again: too little to be of use.
const SHOWN: usize = KEY_PREFIX.len() + 6;

/// A key, without the key itself.
#[derive(Debug, Clone)]
pub(crate) struct ApiKey {
    pub(crate) id: ApiKeyId,
    pub(crate) name: String,
    pub(crate) prefix: String,
    pub(crate) role: MemberRole,
    pub(crate) created_by: Option<UserId>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) expires_at: Option<OffsetDateTime>,
    pub(crate) last_used_at: Option<OffsetDateTime>,
}

/// What a new key is to be.
pub(crate) struct NewApiKey {
    pub(crate) name: DisplayName,
    pub(crate) role: MemberRole,
    pub(crate) expires_at: Option<OffsetDateTime>,
}

impl Registry {
    /// Makes a key, which nobody is told again. Nobody makes one that may do more than they themselves.
    pub(crate) async fn issue_api_key(
        &self,
        transaction: &OwnerTransaction,
        tenant: &Tenant,
        actor: Actor,
        new: NewApiKey,
    ) -> Result<(ApiKey, Secret), Failure> {
        let issuer = self.admit(transaction, tenant, actor).await?;
        may_change(issuer, new.role)?;
        if new
            .expires_at
            .is_some_and(|at| at <= OffsetDateTime::now_utc())
        {
            return Err(Failure::bad_input("expiresAt", "this is over already"));
        }
        let key = Secret::random(KEY_PREFIX);
        let row = transaction
            .query_typed_opt(
                "insert into tenantry.api_keys (id, tenant_id, name, role, prefix, key_hash, created_by, expires_at) \
                 select $1, $2, $3, $4, $5, $6, $7, $8 \
                 where (select count(*) from tenantry.api_keys where tenant_id = $2) < $9 \
                 returning id, name, prefix, role, created_by, created_at, expires_at, last_used_at",
                &[
                    (&Uuid::now_v7(), Type::UUID),
                    (&tenant.id.0, Type::UUID),
                    (&new.name.as_str(), Type::TEXT),
                    (&new.role.as_str(), Type::TEXT),
                    (&&key.as_str()[..SHOWN], Type::TEXT),
                    (&&key.hash()[..], Type::BYTEA),
                    (&actor.user.map(|user| user.0), Type::UUID),
                    (&new.expires_at, Type::TIMESTAMPTZ),
                    (&MOST, Type::INT8),
                ],
            )
            .await
            .map_err(RegistryError::from)?;
        let message = "a tenant has at most 100 keys: revoke some first";
        let row = row.ok_or_else(|| Failure::new(Code::Conflict, message))?;
        Ok((ApiKey::from_row(&row)?, key))
    }

    /// A tenant's keys, the newest first.
    pub(crate) async fn api_keys(
        &self,
        transaction: &OwnerTransaction,
        tenant: &Tenant,
    ) -> Result<Vec<ApiKey>, RegistryError> {
        let rows = transaction
            .query_typed(
                "select id, name, prefix, role, created_by, created_at, expires_at, last_used_at \
                 from tenantry.api_keys where tenant_id = $1 order by created_at desc, id",
                &[(&tenant.id.0, Type::UUID)],
            )
            .await?;
        rows.iter().map(ApiKey::from_row).collect()
    }

    /// Makes a key good for nothing, on all replicas.
    pub(crate) async fn revoke_api_key(
        &self,
        transaction: &OwnerTransaction,
        tenant: &Tenant,
        actor: Actor,
        id: ApiKeyId,
    ) -> Result<ApiKey, Failure> {
        let revoker = self.admit(transaction, tenant, actor).await?;
        let row = transaction
            .query_typed_opt(
                "delete from tenantry.api_keys where tenant_id = $1 and id = $2 \
                 returning id, name, prefix, role, created_by, created_at, expires_at, last_used_at",
                &[(&tenant.id.0, Type::UUID), (&id.0, Type::UUID)],
            )
            .await
            .map_err(RegistryError::from)?;
        let row = row.ok_or_else(|| Failure::bad_input("id", "there is no such key"))?;
        let key = ApiKey::from_row(&row)?;
        may_change(revoker, key.role)?;
        access_changed(transaction, &[tenant.id])
            .await
            .map_err(RegistryError::from)?;
        Ok(key)
    }

    /// The tenant's key with this hash.
    pub(crate) async fn api_key(
        &self,
        tenant: TenantId,
        hash: &[u8; 32],
    ) -> Result<Option<ApiKey>, RegistryError> {
        let row = self
            .connection()
            .await?
            .query_typed_opt(
                "select id, name, prefix, role, created_by, created_at, expires_at, last_used_at \
                 from tenantry.api_keys where key_hash = $1 and tenant_id = $2",
                &[(&&hash[..], Type::BYTEA), (&tenant.0, Type::UUID)],
            )
            .await?;
        row.as_ref().map(ApiKey::from_row).transpose()
    }

    /// Writes down that a key is in use.
    pub(crate) async fn api_key_used(&self, id: ApiKeyId) -> Result<(), RegistryError> {
        self.connection()
            .await?
            .execute_typed(
                "update tenantry.api_keys set last_used_at = now() where id = $1",
                &[(&id.0, Type::UUID)],
            )
            .await?;
        Ok(())
    }
}

impl ApiKey {
    fn from_row(row: &Row) -> Result<Self, RegistryError> {
        Ok(Self {
            id: ApiKeyId(row.try_get(0)?),
            name: row.try_get(1)?,
            prefix: row.try_get(2)?,
            role: row.try_get::<_, &str>(3)?.parse()?,
            created_by: row.try_get::<_, Option<Uuid>>(4)?.map(UserId),
            created_at: row.try_get(5)?,
            expires_at: row.try_get(6)?,
            last_used_at: row.try_get(7)?,
        })
    }
}
