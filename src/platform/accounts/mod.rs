//! Accounts at the base domain: a person logs in once, sees where she is a member, and goes there.

mod types;

use std::sync::Arc;

use async_graphql::{Context, Error, Object};
use uuid::Uuid;

use super::{Platform, into_error};
use crate::error::{Code, Failure};
use crate::guard::{Cookies, Credentials, Granted, PlatformIdentity};
use crate::names::{SessionId, Subdomain, UserId};
use crate::registry::Which;
use crate::request::RequestInfo;
use types::{
    Account, AccountSession, ChangePasswordInput, LogInInput, RefreshSessionInput,
    RequestEmailChangeInput, ResetPasswordInput, TenantSession,
};

#[derive(Default)]
pub(crate) struct AccountQuery;

#[Object]
impl AccountQuery {
    /// Your account; null for whoever has not logged in here.
    #[graphql(complexity = "50 + child_complexity")]
    async fn account(&self, context: &Context<'_>) -> Result<Option<Account>, Error> {
        match context.data::<PlatformIdentity>()? {
            PlatformIdentity::Account { account, .. } => {
                find(context, *account).await.map(Some).map_err(into_error)
            }
            PlatformIdentity::Anonymous | PlatformIdentity::Operator(_) => Ok(None),
        }
    }
}

#[derive(Default)]
pub(crate) struct AccountMutation;

#[Object]
#[allow(clippy::unused_async, reason = "fields have to be")]
impl AccountMutation {
    /// Begins a session at the base domain, from where `enterTenant` leads to each tenant of yours.
    #[graphql(complexity = "200 + child_complexity")]
    async fn log_in(
        &self,
        context: &Context<'_>,
        input: LogInInput,
    ) -> Result<AccountSession, Error> {
        let credentials = Credentials::Password {
            email: &input.email,
            password: &input.password,
        };
        enter(context, credentials, input.cookie)
            .await
            .map_err(into_error)
    }

    /// Goes on with a session, with new tokens: each refresh token is good for one use. Left out, it is the cookie's.
    #[graphql(complexity = "50 + child_complexity")]
    async fn refresh_session(
        &self,
        context: &Context<'_>,
        input: Option<RefreshSessionInput>,
    ) -> Result<AccountSession, Error> {
        let token = input.and_then(|input| input.refresh_token);
        let cookies = context.data::<Arc<Cookies>>()?;
        let (credentials, cookie) = match &token {
            Some(token) => (Credentials::Refresh(token), false),
            None => (
                Credentials::Kept(cookies.refresh().map_err(into_error)?),
                true,
            ),
        };
        enter(context, credentials, cookie)
            .await
            .map_err(into_error)
    }

    /// Sets a new password with the token that was sent, ends all sessions of the account and begins a new one.
    #[graphql(complexity = "200 + child_complexity")]
    async fn reset_password(
        &self,
        context: &Context<'_>,
        input: ResetPasswordInput,
    ) -> Result<AccountSession, Error> {
        let credentials = Credentials::Reset {
            token: &input.token,
            password: &input.password,
        };
        enter(context, credentials, input.cookie)
            .await
            .map_err(into_error)
    }

    /// Begins a session at a tenant that you are a member of. The tokens are good at its address only.
    #[graphql(complexity = 100)]
    async fn enter_tenant(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The subdomain of the tenant.")] tenant: String,
    ) -> Result<TenantSession, Error> {
        let entered = enter_tenant(context, &tenant).await;
        entered.map_err(into_error)
    }

    /// Has a token for `resetPassword` sent to the address, if there is such an account. The answer is the same if there is
    /// none.
    #[graphql(complexity = 100)]
    async fn request_password_reset(
        &self,
        context: &Context<'_>,
        email: String,
    ) -> Result<bool, Error> {
        let (platform, client) = (context.data::<Platform>()?, context.data::<RequestInfo>()?);
        let requested = platform.resets.request(None, email, client);
        requested.map_err(into_error)?;
        Ok(true)
    }

    /// Ends this session, and has the browser forget its cookies.
    #[graphql(complexity = 50)]
    async fn log_out(&self, context: &Context<'_>) -> Result<bool, Error> {
        let cookies = context.data::<Arc<Cookies>>()?;
        let guard = &context.data::<Platform>()?.guard;
        let found = match (context.data::<PlatformIdentity>()?, cookies.refresh()) {
            (PlatformIdentity::Account { account, session }, _) => Some((*account, *session)),
            // The access token may have expired before; the refresh token says whose session it is.
            (_, Ok(token)) => guard.session_of(None, token).await.map_err(into_error)?,
            _ => None,
        };
        cookies.clear();
        let Some((account, session)) = found else {
            return Ok(false);
        };
        let ended = end(context, account, Which::One(session), "logOut").await;
        Ok(ended.map_err(into_error)? > 0)
    }

    /// Ends all your sessions, here and at every tenant. Returns how many there were.
    #[graphql(complexity = 50)]
    async fn log_out_everywhere(&self, context: &Context<'_>) -> Result<usize, Error> {
        let (account, _) = person(context).map_err(into_error)?;
        context.data::<Arc<Cookies>>()?.clear();
        let ended = end(context, account, Which::All, "logOutEverywhere").await;
        ended.map_err(into_error)
    }

    /// Ends one of your sessions. Returns whether there was such a session.
    #[graphql(complexity = 50)]
    async fn end_session(&self, context: &Context<'_>, id: Uuid) -> Result<bool, Error> {
        let (account, _) = person(context).map_err(into_error)?;
        let ended = end(context, account, Which::One(SessionId(id)), "endSession").await;
        Ok(ended.map_err(into_error)? > 0)
    }

    /// Sets another password, and ends all your other sessions. Returns how many there were.
    #[graphql(complexity = 200)]
    async fn change_password(
        &self,
        context: &Context<'_>,
        input: ChangePasswordInput,
    ) -> Result<usize, Error> {
        let (account, session) = person(context).map_err(into_error)?;
        let whose = (account, session);
        let (registry, client) = (
            &context.data::<Platform>()?.registry,
            context.data::<RequestInfo>()?,
        );
        let changed = registry
            .change_password(whose, &input.old_password, &input.new_password, client)
            .await;
        changed.map_err(into_error)
    }

    /// Has a token for `confirmEmailChange` sent to another address, which is to be yours, and the old one told. The answer is the
    /// same if somebody else has that address; then no token is sent.
    #[graphql(complexity = 200)]
    async fn request_email_change(
        &self,
        context: &Context<'_>,
        input: RequestEmailChangeInput,
    ) -> Result<bool, Error> {
        let (account, _) = person(context).map_err(into_error)?;
        let (platform, client) = (context.data::<Platform>()?, context.data::<RequestInfo>()?);
        let requested =
            platform
                .resets
                .request_email_change(account, &input.email, &input.password, client);
        requested.await.map_err(into_error)?;
        Ok(true)
    }

    /// Makes the address that the token was sent to the account's, at all of its tenants. Takes no session: the token is proof
    /// enough.
    #[graphql(complexity = 200)]
    async fn confirm_email_change(
        &self,
        context: &Context<'_>,
        #[graphql(secret)] token: String,
    ) -> Result<bool, Error> {
        let (platform, client) = (context.data::<Platform>()?, context.data::<RequestInfo>()?);
        let confirmed = platform.resets.confirm_email_change(&token, client);
        confirmed.await.map_err(into_error)?;
        Ok(true)
    }
}

fn person(context: &Context<'_>) -> Result<(UserId, SessionId), Failure> {
    match context.data::<PlatformIdentity>().map_err(missing)? {
        PlatformIdentity::Account { account, session } => Ok((*account, *session)),
        PlatformIdentity::Anonymous => Err(Failure::unauthenticated("log in here first")),
        PlatformIdentity::Operator(_) => Err(Failure::new(
            Code::Forbidden,
            "this is for people with an account, and you are here as an operator",
        )),
    }
}

/// What every request of the base domain has was not given to this one.
fn missing(error: Error) -> Failure {
    Failure::internal(error.message)
}

async fn enter(
    context: &Context<'_>,
    credentials: Credentials<'_>,
    cookie: bool,
) -> Result<AccountSession, Failure> {
    let platform = context.data::<Platform>().map_err(missing)?;
    let client = context.data::<RequestInfo>().map_err(missing)?;
    let cookies = context.data::<Arc<Cookies>>().map_err(missing)?;
    if cookie {
        cookies.own()?;
    }
    let (session, _, granted) = platform.guard.enter(None, credentials, client).await?;
    if cookie {
        cookies.keep(&granted);
    }
    let shown = (!cookie).then_some(&granted);
    Ok(AccountSession {
        access_token: shown.map(|granted| granted.access.as_str().to_owned()),
        refresh_token: shown.map(|granted| granted.refresh.as_str().to_owned()),
        expires_in: granted.expires_in,
        account: find(context, session.account).await?,
    })
}

async fn enter_tenant(context: &Context<'_>, subdomain: &str) -> Result<TenantSession, Failure> {
    let (account, _) = person(context)?;
    let platform = context.data::<Platform>().map_err(missing)?;
    let client = context.data::<RequestInfo>().map_err(missing)?;
    // No such tenant, and none of yours, look the same.
    let nowhere = || Failure::new(Code::Forbidden, "you are no member of such a tenant");
    let subdomain = Subdomain::parse(subdomain).map_err(|_| nowhere())?;
    let tenant = platform
        .directory
        .find(&subdomain)
        .await?
        .ok_or_else(nowhere)?;
    let role = platform.registry.role_of(tenant.id, account, None).await?;
    let role = role.ok_or_else(nowhere)?;
    let Granted {
        access,
        refresh,
        expires_in,
    } = platform
        .guard
        .begin_at(&tenant, account, role, "enterTenant", client)
        .await?;
    Ok(TenantSession {
        url: platform.public_url.of_tenant(&tenant.subdomain),
        access_token: access.as_str().to_owned(),
        refresh_token: refresh.as_str().to_owned(),
        expires_in,
    })
}

async fn end(
    context: &Context<'_>,
    account: UserId,
    which: Which,
    action: &str,
) -> Result<usize, Failure> {
    let platform = context.data::<Platform>().map_err(missing)?;
    let client = context.data::<RequestInfo>().map_err(missing)?;
    let registry = &platform.registry;
    Ok(registry
        .end_sessions((None, account), which, (action, client))
        .await?)
}

async fn find(context: &Context<'_>, account: UserId) -> Result<Account, Failure> {
    let platform = context.data::<Platform>().map_err(missing)?;
    let profile = platform.registry.profile(account).await?;
    let (email, name) =
        profile.ok_or_else(|| Failure::unauthenticated("there is no such account any more"))?;
    Ok(Account {
        id: account.0,
        email: email.as_str().to_owned(),
        name,
    })
}
