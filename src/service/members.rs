//! Members of a tenant: who they are, and what they may do.

use async_graphql::{Context, Object, SimpleObject};
use serde_json::json;
use uuid::Uuid;

use super::ServiceContext;
use crate::error::Failure;
use crate::names::{MemberRole, UserId};
use crate::registry::{Member, audit};

#[derive(Default)]
pub(crate) struct MemberMutation;

#[Object]
impl MemberMutation {
    /// Gives a member another role. Admins can neither change owners nor make any, and one owner always stays.
    async fn change_member_role(
        &self,
        context: &Context<'_>,
        user_id: Uuid,
        role: MemberRole,
    ) -> Result<TenantMember, Failure> {
        let service = ServiceContext::of(context)?;
        let actor = service.actor(MemberRole::Admin)?;
        let registry = &service.environment().registry;
        let transaction = service.transaction().await?;
        let member = registry
            .change_role(transaction, service.tenant(), actor, UserId(user_id), role)
            .await?;
        let details = json!({"userId": user_id, "email": member.email, "role": role.as_str()});
        service
            .record(audit::Kind::Access, "changeMemberRole", details)
            .await?;
        Ok(member.into())
    }
}

/// Somebody who belongs to the tenant.
#[derive(SimpleObject)]
struct TenantMember {
    /// The same as that of the row in the tenant's table of users.
    user_id: Uuid,
    email: String,
    name: String,
    role: MemberRole,
}

impl From<Member> for TenantMember {
    fn from(member: Member) -> Self {
        Self {
            user_id: member.user.0,
            email: member.email,
            name: member.name,
            role: member.role,
        }
    }
}
