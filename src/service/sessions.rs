//! One's own sessions and password, at a tenant. What lets people in (`logIn`, …) is compiled, for the sake of `user`.

use async_graphql::{Context, InputObject, Object};
use serde_json::json;

use super::ServiceContext;
use crate::error::Failure;
use crate::registry::{Which, audit, end_sessions, set_password};

#[derive(Default)]
pub(crate) struct SessionMutation;

#[Object]
#[allow(clippy::unused_async, reason = "fields have to be")]
impl SessionMutation {
    /// Ends this session, and has the browser forget its cookies. Returns whether there was one.
    async fn log_out(&self, context: &Context<'_>) -> Result<bool, Failure> {
        let service = ServiceContext::of(context)?;
        let cookies = service.cookies();
        let found = match (service.identity().user(), service.session()) {
            (Some(account), Some(session)) => Some((account, session)),
            // The access token may have expired before; the refresh token says whose session it is.
            _ => match cookies.refresh() {
                Ok(token) => {
                    let guard = &service.environment().guard;
                    guard.session_of(Some(service.tenant().id), token).await?
                }
                Err(_) => None,
            },
        };
        cookies.clear();
        let Some((account, session)) = found else {
            return Ok(false);
        };
        let transaction = service.transaction().await?;
        service
            .record(audit::Kind::Access, "logOut", json!({"session": session.0}))
            .await?;
        Ok(end_sessions(transaction, account, Which::One(session)).await? > 0)
    }

    /// Ends all your sessions, at every tenant and at the base domain. Returns how many there were.
    async fn log_out_everywhere(&self, context: &Context<'_>) -> Result<usize, Failure> {
        let service = ServiceContext::of(context)?;
        let account = service.account()?;
        service.cookies().clear();
        let transaction = service.transaction().await?;
        service
            .record(audit::Kind::Access, "logOutEverywhere", json!({}))
            .await?;
        Ok(end_sessions(transaction, account, Which::All).await?)
    }

    /// Sets another password, and ends all your other sessions. Returns how many there were.
    async fn change_password(
        &self,
        context: &Context<'_>,
        input: ChangePasswordInput,
    ) -> Result<usize, Failure> {
        let service = ServiceContext::of(context)?;
        let account = service.account()?;
        let registry = &service.environment().registry;
        let (old, new) = (&input.old_password, &input.new_password);
        let hash = registry
            .check_new_password(account, old, new, service.client())
            .await?;
        let which = service.session().map_or(Which::All, Which::AllBut);
        let transaction = service.transaction().await?;
        service
            .record(audit::Kind::Access, "changePassword", json!({}))
            .await?;
        Ok(set_password(transaction, account, &hash, which).await?)
    }

    /// Has a token for `resetPassword` sent to the address, if a member has it. The answer is the same if none has.
    async fn request_password_reset(
        &self,
        context: &Context<'_>,
        email: String,
    ) -> Result<bool, Failure> {
        let service = ServiceContext::of(context)?;
        let tenant = Some(service.shared_tenant());
        service
            .environment()
            .resets
            .request(tenant, email, service.client())?;
        Ok(true)
    }
}

/// The old password, and the one to be.
#[derive(InputObject)]
struct ChangePasswordInput {
    #[graphql(secret)]
    old_password: String,
    /// At least 10 characters.
    #[graphql(secret)]
    new_password: String,
}
