//! Members of a tenant: who they are, and what they may do.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use serde_json::json;
use uuid::Uuid;

use super::ServiceContext;
use crate::error::Failure;
use crate::names::{MemberRole, UserId};
use crate::registry::{Acceptance, Member, MemberActor, audit};
use crate::secret::Secret;

#[derive(Default)]
pub(crate) struct MemberMutation;

#[Object]
impl MemberMutation {
    /// Makes you a member, by the token that you were mailed. Log in then.
    async fn accept_invitation(
        &self,
        context: &Context<'_>,
        input: AcceptInvitationInput,
    ) -> Result<TenantMember, Failure> {
        let service = ServiceContext::of(context)?;
        let registry = &service.environment().registry;
        let acceptance = Acceptance {
            token: Secret::received(&input.token),
            name: input.name.as_deref(),
            password: &input.password,
            address: service.client().ip,
        };
        let transaction = service.transaction().await?;
        let member = registry
            .accept_invitation(transaction, service.tenant(), acceptance)
            .await?;
        // Nobody has logged in, but the token and the password have told who it is.
        let actor = audit::Actor::User(member.user, Some(member.role));
        let (kind, told) = (audit::Kind::Access, told(&member));
        service
            .record_by(actor, kind, "acceptInvitation", told)
            .await?;
        Ok(member.into())
    }

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
        record(service, "changeMemberRole", &member).await?;
        Ok(member.into())
    }

    /// Takes a member out of the tenant, at once. Their row in the table of users stays, for what refers to it.
    async fn remove_member(
        &self,
        context: &Context<'_>,
        user_id: Uuid,
    ) -> Result<TenantMember, Failure> {
        let service = ServiceContext::of(context)?;
        let actor = service.actor(MemberRole::Admin)?;
        remove(service, "removeMember", actor, UserId(user_id)).await
    }

    /// Takes you out of the tenant, at once. The last owner cannot leave.
    async fn leave_tenant(&self, context: &Context<'_>) -> Result<TenantMember, Failure> {
        let service = ServiceContext::of(context)?;
        let user = service.account()?;
        let actor = service.actor(MemberRole::Viewer)?;
        remove(service, "leaveTenant", actor, user).await
    }

    /// Makes a member an owner, and you an admin.
    async fn transfer_ownership(
        &self,
        context: &Context<'_>,
        user_id: Uuid,
    ) -> Result<TenantMember, Failure> {
        let service = ServiceContext::of(context)?;
        let owner = service.account()?;
        service.at_least(MemberRole::Owner)?;
        let registry = &service.environment().registry;
        let transaction = service.transaction().await?;
        let member = registry
            .transfer_ownership(transaction, service.tenant(), owner, UserId(user_id))
            .await?;
        record(service, "transferOwnership", &member).await?;
        Ok(member.into())
    }
}

async fn remove(
    service: &ServiceContext,
    action: &str,
    actor: MemberActor,
    user: UserId,
) -> Result<TenantMember, Failure> {
    let registry = &service.environment().registry;
    let transaction = service.transaction().await?;
    let member = registry
        .remove_member(transaction, service.tenant(), actor, user)
        .await?;
    record(service, action, &member).await?;
    Ok(member.into())
}

async fn record(service: &ServiceContext, action: &str, member: &Member) -> Result<(), Failure> {
    service
        .record(audit::Kind::Access, action, told(member))
        .await
}

/// What the audit log says of somebody.
fn told(member: &Member) -> serde_json::Value {
    json!({
        "userId": member.user.0,
        "email": member.email,
        "role": member.role.as_str(),
    })
}

#[derive(InputObject)]
struct AcceptInvitationInput {
    /// From the mail.
    #[graphql(secret)]
    token: String,
    /// What you are called, for a new account.
    name: Option<String>,
    /// Of your account, if there is one with the address that was invited, else for a new one: at least 10 characters.
    #[graphql(secret)]
    password: String,
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
