//! The guard: turns a request into a [`TenantContext`], or refuses it.

mod access;
mod cookies;
mod foreign;
mod host;
mod keys;
mod lookups;
mod refresh;
mod secret;
mod sessions;
mod token;
mod url;
mod verified;
mod whose;

use std::sync::Arc;

use crate::error::{Code, Failure};
use crate::names::{ApiKeyId, MemberRole, OperatorId, SessionId, Subdomain, UserId};
use crate::oidc::Issuers;
use crate::registry::audit::Actor;
use crate::registry::{
    Directory, OPERATOR_TOKEN, Place, Registry, SUPPORT_TOKEN, Tenant, TenantStatus,
};

use access::Access;
pub(crate) use cookies::{CookieChange, Cookies, Origin, Secret};
use foreign::Foreign;
pub(crate) use host::{BaseDomain, Hosts, Site};
use keys::Keys;
use lookups::Lookups;
pub(crate) use secret::JwtSecret;
pub(crate) use sessions::{Credentials, Granted};
pub(crate) use token::{ISSUER, Lifetimes, Tokens};
pub(crate) use url::{PublicUrl, Scheme};

/// One tenant, and on whose behalf it is asked: the only key to tenant data.
///
/// Its fields are private and nothing outside of this module makes one, so whoever holds one came past the guard.
#[derive(Debug, Clone)]
pub(crate) struct TenantContext {
    tenant: Arc<Tenant>,
    identity: Identity,
    session: Option<SessionId>,
}

impl TenantContext {
    pub(crate) fn tenant(&self) -> &Arc<Tenant> {
        &self.tenant
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The same person, at the tenant as it is by now.
    pub(crate) fn by_now(mut self, now: &Self) -> Self {
        if self.tenant.id == now.tenant.id {
            self.tenant = Arc::clone(&now.tenant);
        }
        self
    }

    /// The session that the request belongs to; none for those that the service has not begun itself.
    pub(crate) fn session(&self) -> Option<SessionId> {
        self.session
    }
}

/// Who sent the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    Anonymous,
    Member {
        user: UserId,
        role: MemberRole,
    },
    /// A machine, by one of the tenant's keys.
    ApiKey {
        key: ApiKeyId,
        role: MemberRole,
    },
    /// An operator of the service, whom the tenant let in for a while.
    Support {
        operator: OperatorId,
        role: MemberRole,
    },
}

impl Identity {
    /// What it may do; none for who has not logged in.
    pub(crate) fn role(&self) -> Option<MemberRole> {
        match self {
            Self::Anonymous => None,
            Self::Member { role, .. } | Self::ApiKey { role, .. } | Self::Support { role, .. } => {
                Some(*role)
            }
        }
    }

    /// The row among the tenant's users; keys and support have none.
    pub(crate) fn user(&self) -> Option<UserId> {
        match self {
            Self::Member { user, .. } => Some(*user),
            Self::Anonymous | Self::ApiKey { .. } | Self::Support { .. } => None,
        }
    }

    /// Whether it is the tenant's own: an operator who was let in is a guest.
    pub(crate) fn belongs(&self) -> bool {
        matches!(self, Self::Member { .. } | Self::ApiKey { .. })
    }

    /// What the audit log calls it.
    pub(crate) fn actor(&self) -> Actor {
        match *self {
            Self::Anonymous => Actor::Anonymous,
            Self::Member { user, role } => Actor::User(user, Some(role)),
            Self::ApiKey { key, role } => Actor::ApiKey(key, role),
            Self::Support { operator, role } => Actor::Support(operator, role),
        }
    }
}

/// Who sent a request to the base domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlatformIdentity {
    Anonymous,
    /// A person, who may belong to any number of tenants: the id is that of the user there.
    Account {
        account: UserId,
        session: SessionId,
    },
    Operator(OperatorId),
}

/// Where a request may go.
#[derive(Debug, Clone)]
pub(crate) enum Admission {
    /// To the service itself, at the base domain.
    Platform(PlatformIdentity),
    /// To one tenant.
    Tenant(TenantContext),
}

/// Checks every request before anything else sees it.
pub(crate) struct Guard {
    hosts: Hosts,
    registry: Arc<Registry>,
    directory: Arc<Directory>,
    tokens: Tokens,
    access: Access,
    foreign: Foreign,
    keys: Keys,
    /// Of operators, here and at tenants.
    lookups: Lookups,
}

impl Guard {
    pub(crate) fn new(
        hosts: Hosts,
        registry: Arc<Registry>,
        directory: Arc<Directory>,
        tokens: Tokens,
        issuers: Issuers,
    ) -> Self {
        Self {
            hosts,
            access: Access::new(Arc::clone(&registry)),
            foreign: Foreign::new(issuers, Arc::clone(&registry)),
            keys: Keys::new(Arc::clone(&registry)),
            lookups: Lookups::new(),
            registry,
            directory,
            tokens,
        }
    }

    /// Admits a request by its `Host` and `Authorization` headers. The tenant is checked before the token is read.
    pub(crate) async fn admit(
        &self,
        host: Option<&str>,
        authorization: Option<&str>,
    ) -> Result<Admission, Failure> {
        let site = host.map_or(Site::Unknown, |host| self.hosts.site(host));
        let Some(tenant) = self.whose(&site, authorization).await? else {
            return Ok(Admission::Platform(self.person(authorization).await?));
        };
        match tenant.status {
            TenantStatus::Active => {}
            // Those who look into why are let in, once it is seen below that they are who they say.
            TenantStatus::Suspended if is_support(authorization) => {}
            TenantStatus::Suspended => {
                return Err(Failure::new(
                    Code::TenantSuspended,
                    "this tenant is suspended",
                ));
            }
            TenantStatus::Deleted => return Err(nobody_here()),
        }
        let (identity, session) = match authorization {
            None => (Identity::Anonymous, None),
            Some(header) => self.member(&tenant, bearer(header)?).await?,
        };
        Ok(Admission::Tenant(TenantContext {
            tenant,
            identity,
            session,
        }))
    }

    /// Who is at the base domain. Few ask there, so that each session is looked up.
    async fn person(&self, authorization: Option<&str>) -> Result<PlatformIdentity, Failure> {
        let Some(header) = authorization else {
            return Ok(PlatformIdentity::Anonymous);
        };
        let token = bearer(header)?;
        if token.starts_with(OPERATOR_TOKEN) {
            return self.operator(token).await;
        }
        let (account, session) = self.tokens.verify_account(token)?;
        if !self.registry.has_session(account, session).await? {
            return Err(Failure::unauthenticated(
                "the session has ended: log in again",
            ));
        }
        Ok(PlatformIdentity::Account { account, session })
    }

    async fn member(
        &self,
        tenant: &Tenant,
        token: &str,
    ) -> Result<(Identity, Option<SessionId>), Failure> {
        if Keys::is_key(token) {
            return Ok((self.keys.identify(tenant, token).await?, None));
        }
        if token.starts_with(SUPPORT_TOKEN) {
            return Ok((self.visitor(tenant, token).await?, None));
        }
        if let Some(verified) = self.foreign.verify(token).await? {
            return Ok((self.foreign.identify(tenant, &verified).await?, None));
        }
        let claim = self.tokens.verify(token, tenant.id)?;
        let role = self.access.role(tenant, claim).await?.ok_or_else(|| {
            Failure::unauthenticated("the session has ended, or you are no member any more: log in")
        })?;
        let user = claim.user;
        Ok((Identity::Member { user, role }, claim.session))
    }

    /// An operator who was let into the tenant.
    async fn visitor(&self, tenant: &Tenant, token: &str) -> Result<Identity, Failure> {
        let over = || Failure::unauthenticated("this support access is over");
        let _turn = self.lookups.turn().await?;
        let visitor = self.registry.visitor(token).await?;
        let (place, operator, role) = visitor.ok_or_else(over)?;
        if place != tenant.id {
            let message = "the access token belongs to another tenant";
            return Err(Failure::new(Code::Forbidden, message));
        }
        Ok(Identity::Support { operator, role })
    }

    /// The operator at the base domain who has this token.
    async fn operator(&self, token: &str) -> Result<PlatformIdentity, Failure> {
        let _turn = self.lookups.turn().await?;
        let operator = self.registry.operator_of(token).await?;
        let operator = operator.ok_or_else(|| {
            Failure::unauthenticated("the session has ended: log in again, by operatorLogIn")
        })?;
        Ok(PlatformIdentity::Operator(operator))
    }

    /// The host to which a tenant's old one redirects.
    pub(crate) async fn moved_from(&self, host: Option<&str>) -> Option<String> {
        let Site::Tenant(subdomain) = self.hosts.site(host?) else {
            return None;
        };
        match self.directory.look(&subdomain).await {
            Ok(Place::Moved(to)) => self.moved(&to).details.moved_to,
            _ => None,
        }
    }

    fn moved(&self, to: &Subdomain) -> Failure {
        let host = format!("{to}.{}", self.hosts.base_domain());
        let message = format!("this tenant has moved to {host}");
        let mut failure = Failure::new(Code::TenantMoved, message);
        failure.details.moved_to = Some(host);
        failure
    }
}

/// Whether a token is meant to be an operator's who was let into a tenant.
fn is_support(authorization: Option<&str>) -> bool {
    let token = authorization.and_then(|header| bearer(header).ok());
    token.is_some_and(|token| token.starts_with(SUPPORT_TOKEN))
}

/// The token of an `Authorization: Bearer …` header (RFC 6750 §2.1).
fn bearer(header: &str) -> Result<&str, Failure> {
    match header.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Failure::unauthenticated(
            "the Authorization header is not of the form: Bearer <token>",
        )),
    }
}

/// The same for no such tenant, a deleted one and a foreign host.
fn nobody_here() -> Failure {
    Failure::new(Code::TenantNotFound, "there is no tenant at this address")
}

#[cfg(test)]
mod tests;
