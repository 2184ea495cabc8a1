//! What the fields of accounts take and answer.

use async_graphql::{ComplexObject, Context, Enum, Error, ID, InputObject, SimpleObject};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::guard::PlatformIdentity;
use crate::names::{MemberRole, SessionId, UserId};
use crate::platform::{Platform, into_error};
use crate::registry::SessionRow;

/// An address and a password.
#[derive(InputObject)]
pub(super) struct LogInInput {
    pub(super) email: String,
    #[graphql(secret)]
    pub(super) password: String,
    /// Has the browser keep the tokens in cookies that scripts cannot read, instead of answering with them.
    #[graphql(default)]
    pub(super) cookie: bool,
}

#[derive(InputObject)]
pub(super) struct RefreshSessionInput {
    #[graphql(secret)]
    pub(super) refresh_token: Option<String>,
}

#[derive(InputObject)]
pub(super) struct ResetPasswordInput {
    #[graphql(secret)]
    pub(super) token: String,
    /// The new one: at least 10 characters.
    #[graphql(secret)]
    pub(super) password: String,
    /// Has the browser keep the tokens in cookies that scripts cannot read, instead of answering with them.
    #[graphql(default)]
    pub(super) cookie: bool,
}

#[derive(InputObject)]
pub(super) struct ChangePasswordInput {
    #[graphql(secret)]
    pub(super) old_password: String,
    /// At least 10 characters.
    #[graphql(secret)]
    pub(super) new_password: String,
}

/// The address to be, and the password.
#[derive(InputObject)]
pub(super) struct RequestEmailChangeInput {
    pub(super) email: String,
    #[graphql(secret)]
    pub(super) password: String,
}

/// A session at the base domain.
#[derive(SimpleObject)]
pub(super) struct AccountSession {
    /// Goes into the header `Authorization: Bearer …`. Null when cookies keep the tokens.
    pub(super) access_token: Option<String>,
    /// Goes to `refreshSession`, once. Null when cookies keep the tokens.
    pub(super) refresh_token: Option<String>,
    /// Seconds until the access token expires.
    pub(super) expires_in: u64,
    pub(super) account: Account,
}

/// A session at a tenant.
#[derive(SimpleObject)]
pub(super) struct TenantSession {
    /// Where the tokens are good.
    pub(super) url: String,
    pub(super) access_token: String,
    /// Goes to the mutation `refreshSession` at that address, once.
    pub(super) refresh_token: String,
    /// Seconds until the access token expires.
    pub(super) expires_in: u64,
}

/// A person, who may be a member of any number of tenants.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct Account {
    pub(super) id: Uuid,
    pub(super) email: String,
    pub(super) name: String,
}

#[ComplexObject]
impl Account {
    /// Where the person is a member. The suspended ones cannot be entered.
    async fn tenants(&self, context: &Context<'_>) -> Result<Vec<Membership>, Error> {
        let platform = context.data::<Platform>()?;
        let rows = platform.registry.tenants_of(UserId(self.id)).await;
        let rows = rows.map_err(|error| into_error(error.into()))?;
        let memberships = rows.into_iter().map(|(name, subdomain, role)| Membership {
            url: platform.public_url.of_tenant(&subdomain),
            subdomain: subdomain.to_string(),
            name,
            role: role.into(),
        });
        Ok(memberships.collect())
    }

    /// Sessions that go on, here and at tenants, the last used ones first.
    async fn sessions(&self, context: &Context<'_>) -> Result<Vec<Session>, Error> {
        let platform = context.data::<Platform>()?;
        let rows = platform.registry.sessions_of(UserId(self.id)).await;
        let rows = rows.map_err(|error| into_error(error.into()))?;
        let current = match context.data::<PlatformIdentity>()? {
            PlatformIdentity::Account { session, .. } => Some(*session),
            _ => None,
        };
        Ok(rows
            .into_iter()
            .map(|row| Session::from(row, current))
            .collect())
    }
}

/// That a person belongs to a tenant.
#[derive(SimpleObject)]
pub(super) struct Membership {
    pub(super) name: String,
    pub(super) subdomain: String,
    pub(super) url: String,
    pub(super) role: Role,
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "MemberRole")]
pub(super) enum Role {
    Owner,
    Admin,
    Member,
    Viewer,
}

impl From<MemberRole> for Role {
    fn from(role: MemberRole) -> Self {
        match role {
            MemberRole::Owner => Self::Owner,
            MemberRole::Admin => Self::Admin,
            MemberRole::Member => Self::Member,
            MemberRole::Viewer => Self::Viewer,
        }
    }
}

/// What goes on from a log-in until a log-out.
#[derive(SimpleObject)]
pub(super) struct Session {
    pub(super) id: ID,
    /// Whether it is the one that asks.
    pub(super) current: bool,
    /// The subdomain of the tenant; null for the base domain.
    pub(super) tenant: Option<String>,
    pub(super) created_at: String,
    pub(super) last_used_at: String,
    pub(super) address: Option<String>,
    pub(super) user_agent: Option<String>,
}

impl Session {
    pub(super) fn from(row: SessionRow, current: Option<SessionId>) -> Self {
        let text = |at: std::time::SystemTime| {
            OffsetDateTime::from(at)
                .format(&Rfc3339)
                .unwrap_or_default()
        };
        Self {
            id: row.id.0.into(),
            current: current == Some(row.id),
            tenant: row.subdomain,
            created_at: text(row.created_at),
            last_used_at: text(row.last_used_at),
            address: row.address.map(|address| address.to_string()),
            user_agent: row.user_agent,
        }
    }
}
