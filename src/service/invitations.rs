//! Invitations to a tenant: sent by mail, listed, taken back.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::ServiceContext;
use crate::error::{Code, Failure};
use crate::mail::{Mail, MailKind};
use crate::names::{EmailAddress, MemberRole};
use crate::registry::{Invitation, audit};

#[derive(Default)]
pub(crate) struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// Invites somebody by mail. Who is invited again gets a new token, and the old one is good for nothing.
    async fn invite_member(
        &self,
        context: &Context<'_>,
        input: InviteMemberInput,
    ) -> Result<TenantInvitation, Failure> {
        let service = ServiceContext::of(context)?;
        let actor = service.actor(MemberRole::Admin)?;
        let email = EmailAddress::parse(&input.email)
            .map_err(|error| Failure::bad_input("email", error.to_string()))?;
        if !service.environment().mailer.sends() {
            let message = "this service sends no mail: its operator has to name a webhook for that";
            return Err(Failure::new(Code::Conflict, message));
        }
        let (invitation, token) = service
            .environment()
            .registry
            .invite(
                service.transaction().await?,
                service.tenant(),
                actor,
                &email,
                input.role,
            )
            .await?;
        record(service, "inviteMember", &invitation).await?;
        let tenant = service.tenant();
        service.mail(Mail {
            id: Uuid::now_v7(),
            kind: MailKind::Invitation,
            to: invitation.email.clone(),
            tenant_id: Some(tenant.id.0),
            tenant: Some(tenant.name.clone()),
            url: service
                .environment()
                .public_url
                .of_tenant(&tenant.subdomain),
            token: Some(token.as_str().to_owned()),
            domain: None,
            email: None,
            expires_at: invitation.expires_at,
        });
        Ok(invitation.into())
    }

    /// Takes an invitation back.
    async fn revoke_invitation(
        &self,
        context: &Context<'_>,
        id: Uuid,
    ) -> Result<TenantInvitation, Failure> {
        let service = ServiceContext::of(context)?;
        let actor = service.actor(MemberRole::Admin)?;
        let invitation = service
            .environment()
            .registry
            .revoke_invitation(service.transaction().await?, service.tenant(), actor, id)
            .await?;
        record(service, "revokeInvitation", &invitation).await?;
        Ok(invitation.into())
    }
}

/// On `CurrentTenant`.
pub(super) struct Invitations;

#[Object]
impl Invitations {
    /// Invitations that have not been answered, the newest first; for admins. 100 of them at most.
    async fn invitations(
        &self,
        context: &Context<'_>,
        first: Option<u32>,
        offset: Option<u32>,
    ) -> Result<Vec<TenantInvitation>, Failure> {
        let service = ServiceContext::of(context)?;
        service.at_least(MemberRole::Admin)?;
        let first = first.unwrap_or(100).min(100).into();
        let offset = offset.unwrap_or(0).into();
        let registry = &service.environment().registry;
        let transaction = service.transaction().await?;
        let all = registry
            .invitations(transaction, service.tenant(), first, offset)
            .await?;
        Ok(all.into_iter().map(TenantInvitation::from).collect())
    }
}

async fn record(
    service: &ServiceContext,
    action: &str,
    invitation: &Invitation,
) -> Result<(), Failure> {
    let details = json!({
        "id": invitation.id,
        "email": invitation.email,
        "role": invitation.role.as_str(),
    });
    service.record(audit::Kind::Access, action, details).await
}

#[derive(InputObject)]
struct InviteMemberInput {
    email: String,
    /// What they will be; only owners make owners.
    role: MemberRole,
}

/// Somebody who has been asked to join.
#[derive(SimpleObject)]
struct TenantInvitation {
    id: Uuid,
    email: String,
    role: MemberRole,
    /// Null for a machine's, and for somebody who is gone.
    invited_by: Option<Uuid>,
    created_at: OffsetDateTime,
    expires_at: OffsetDateTime,
}

impl From<Invitation> for TenantInvitation {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email,
            role: invitation.role,
            invited_by: invitation.invited_by.map(|user| user.0),
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        }
    }
}
