//! Operators who were let into the tenant: its admins see them, and its owners send them away.

use async_graphql::{Context, Object, SimpleObject};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::ServiceContext;
use crate::error::Failure;
use crate::names::MemberRole;
use crate::registry::{SupportAccess, audit};

/// What `currentTenant` says of them.
#[derive(Default)]
pub(super) struct SupportAccesses;

#[Object]
impl SupportAccesses {
    /// When operators of the service were let into this tenant, as what and why: the latest hundred. For admins.
    async fn support_accesses(
        &self,
        context: &Context<'_>,
    ) -> Result<Vec<TenantSupportAccess>, Failure> {
        let service = ServiceContext::of(context)?;
        service.at_least(MemberRole::Admin)?;
        let registry = &service.environment().registry;
        let transaction = service.transaction().await?;
        let accesses = registry
            .support_accesses(transaction, service.tenant().id)
            .await?;
        Ok(accesses
            .into_iter()
            .map(TenantSupportAccess::from)
            .collect())
    }
}

#[derive(Default)]
pub(crate) struct SupportMutation;

#[Object]
impl SupportMutation {
    /// Sends an operator away: the access is over at once. For owners.
    async fn end_support_access(
        &self,
        context: &Context<'_>,
        id: Uuid,
    ) -> Result<Option<TenantSupportAccess>, Failure> {
        let service = ServiceContext::of(context)?;
        service.at_least(MemberRole::Owner)?;
        // The owner's word: neither operators who were let in as one, nor machines, have it.
        service.account()?;
        let registry = &service.environment().registry;
        let transaction = service.transaction().await?;
        let ended = registry.end_support_access(transaction, service.tenant().id, id, "owner");
        let Some(access) = ended.await? else {
            return Ok(None);
        };
        let details = json!({"id": id, "operator": access.operator});
        service
            .record(audit::Kind::Access, "endSupportAccess", details)
            .await?;
        Ok(Some(access.into()))
    }
}

/// An operator who was let into the tenant.
#[derive(SimpleObject)]
struct TenantSupportAccess {
    id: Uuid,
    /// Who it was.
    operator: String,
    /// What the operator could do.
    role: MemberRole,
    reason: String,
    created_at: OffsetDateTime,
    /// When it is over by itself.
    expires_at: OffsetDateTime,
    /// When it was last made use of, to about a minute.
    last_used_at: Option<OffsetDateTime>,
    /// When somebody ended it before.
    ended_at: Option<OffsetDateTime>,
    ended_by: Option<String>,
}

impl From<SupportAccess> for TenantSupportAccess {
    fn from(access: SupportAccess) -> Self {
        let SupportAccess {
            id,
            operator,
            role,
            reason,
            created_at,
            expires_at,
            last_used_at,
            ended_at,
            ended_by,
        } = access;
        Self {
            id,
            operator,
            role,
            reason,
            created_at,
            expires_at,
            last_used_at,
            ended_at,
            ended_by,
        }
    }
}
