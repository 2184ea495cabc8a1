//! How sessions begin and go on: what a person shows, and the tokens that are given out for it.

use std::sync::Arc;

use uuid::Uuid;

use super::refresh::{RefreshText, RefreshToken};
use super::token::AccessToken;
use super::{Guard, Identity, TenantContext};
use crate::error::Failure;
use crate::names::{MemberRole, SessionId, TenantId, UserId};
use crate::registry::{LoggedIn, Refreshed, Session, SignedUp, Tenant, Which};
use crate::request::RequestInfo;

/// What somebody shows to get in.
#[derive(Clone, Copy)]
pub(crate) enum Credentials<'a> {
    Password {
        email: &'a str,
        password: &'a str,
    },
    /// The refresh token of a session here.
    Refresh(&'a str),
    /// The same, from a cookie.
    Kept(&'a str),
    /// The one-time token of a reset, and the password to be.
    Reset {
        token: &'a str,
        password: &'a str,
    },
}

/// The tokens of a session, new ones each time.
#[derive(Debug, Clone)]
pub(crate) struct Granted {
    pub(crate) access: AccessToken,
    pub(crate) refresh: RefreshText,
    /// Seconds until the access token expires.
    pub(crate) expires_in: u64,
}

impl Guard {
    /// Lets a member in, at a tenant where the request has been admitted already.
    pub(crate) async fn log_in(
        &self,
        context: &TenantContext,
        credentials: Credentials<'_>,
        client: &RequestInfo,
    ) -> Result<(TenantContext, Granted), Failure> {
        let tenant = Arc::clone(&context.tenant);
        let (session, role, granted) = self.enter(Some(tenant.id), credentials, client).await?;
        let role = role.ok_or_else(|| Failure::internal("a session without a role"))?;
        let user = session.account;
        let context = TenantContext {
            tenant,
            identity: Identity::Member { user, role },
            session: Some(session.id),
        };
        Ok((context, granted))
    }

    /// Lets a person in: at a tenant as its member, or at the base domain.
    pub(crate) async fn enter(
        &self,
        tenant: Option<TenantId>,
        credentials: Credentials<'_>,
        client: &RequestInfo,
    ) -> Result<(Session, Option<MemberRole>, Granted), Failure> {
        match credentials {
            Credentials::Password { email, password } => {
                let registry = &self.registry;
                let (LoggedIn { account, role }, hash) =
                    registry.prove(tenant, email, password, client).await?;
                let place = (tenant, role);
                let begun = self.begin(account, place, Some("logIn"), client).await?;
                // Whoever chooses another password ends the sessions that there are, and may not have seen this one.
                if !registry.has_password(account, &hash).await? {
                    let which = Which::One(begun.0.id);
                    let whose = (tenant, account);
                    registry
                        .end_sessions(whose, which, ("logIn", client))
                        .await?;
                    return Err(Failure::unauthenticated("wrong email or password"));
                }
                Ok(begun)
            }
            Credentials::Refresh(token) | Credentials::Kept(token) => {
                self.refresh(tenant, token, client).await
            }
            Credentials::Reset { token, password } => {
                self.reset(tenant, token, password, client).await
            }
        }
    }

    /// Whose session a refresh token belongs to.
    pub(crate) async fn session_of(
        &self,
        tenant: Option<TenantId>,
        token: &str,
    ) -> Result<Option<(UserId, SessionId)>, Failure> {
        match RefreshToken::parse(token) {
            Some(token) => Ok(self.registry.session_of(tenant, &token.hashes()).await?),
            None => Ok(None),
        }
    }

    /// The first session of a tenant's owner, who has just signed up.
    pub(crate) async fn welcome(
        &self,
        signed_up: &SignedUp,
        client: &RequestInfo,
    ) -> Result<Granted, Failure> {
        let place = (Some(signed_up.tenant.id), Some(MemberRole::Owner));
        let (_, _, granted) = self.begin(signed_up.owner, place, None, client).await?;
        Ok(granted)
    }

    /// Begins a session at a tenant for somebody who has proved to be its member elsewhere.
    pub(crate) async fn begin_at(
        &self,
        tenant: &Tenant,
        account: UserId,
        role: MemberRole,
        means: &str,
        client: &RequestInfo,
    ) -> Result<Granted, Failure> {
        let place = (Some(tenant.id), Some(role));
        let (_, _, granted) = self.begin(account, place, Some(means), client).await?;
        Ok(granted)
    }

    /// Begins a session for somebody who has proved to be whom they say: by `means` that the audit log knows nothing of yet.
    pub(super) async fn begin(
        &self,
        account: UserId,
        (tenant, role): (Option<TenantId>, Option<MemberRole>),
        means: Option<&str>,
        client: &RequestInfo,
    ) -> Result<(Session, Option<MemberRole>, Granted), Failure> {
        let session = Session {
            id: SessionId(Uuid::now_v7()),
            account,
            tenant,
        };
        let refresh = RefreshToken::random();
        let tokens = (&refresh.hashes(), self.tokens.lifetimes().session);
        let registry = &self.registry;
        registry
            .begin_session(&session, role, tokens, (means, client))
            .await?;
        let granted = self.grant(&session, role, refresh)?;
        Ok((session, role, granted))
    }

    async fn refresh(
        &self,
        tenant: Option<TenantId>,
        token: &str,
        client: &RequestInfo,
    ) -> Result<(Session, Option<MemberRole>, Granted), Failure> {
        let refused =
            || Failure::unauthenticated("the refresh token is not valid (any more): log in again");
        let token = RefreshToken::parse(token).ok_or_else(refused)?;
        let next = self.tokens.successor(&token)?;
        let lifetime = self.tokens.lifetimes().session;
        let refreshed = self
            .registry
            .refresh_session(tenant, &token.hashes(), &next.hashes(), lifetime, client)
            .await?;
        match refreshed {
            Refreshed::Renewed(session, role) => {
                let granted = self.grant(&session, role, next)?;
                Ok((session, role, granted))
            }
            Refreshed::Reused => {
                Err(refused().with_log("a refresh token was used again: its session has ended"))
            }
            Refreshed::Unknown | Refreshed::Expelled => Err(refused()),
        }
    }

    async fn reset(
        &self,
        tenant: Option<TenantId>,
        token: &str,
        password: &str,
        client: &RequestInfo,
    ) -> Result<(Session, Option<MemberRole>, Granted), Failure> {
        let registry = &self.registry;
        let LoggedIn { account, role } = registry
            .reset_password(tenant, token, password, client)
            .await?;
        self.begin(account, (tenant, role), None, client).await
    }

    fn grant(
        &self,
        session: &Session,
        role: Option<MemberRole>,
        refresh: RefreshToken,
    ) -> Result<Granted, Failure> {
        Ok(Granted {
            access: self.tokens.issue(session, role)?,
            refresh: refresh.into(),
            expires_in: self.tokens.lifetimes().access.as_secs(),
        })
    }
}
