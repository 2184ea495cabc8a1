//! Logging in: an e-mail address and a password, for one tenant.

use tokio_postgres::types::Type;

use super::{Registry, RegistryError};
use crate::error::Failure;
use crate::names::{EmailAddress, MemberRole, TenantId, UserId};

/// A member who proved to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoggedIn {
    pub(crate) user: UserId,
    pub(crate) role: MemberRole,
}

impl Registry {
    /// Logs a member of the tenant in.
    ///
    /// An unknown address, a wrong password and a membership elsewhere get the same answer after the same work,
    /// so that nobody learns who has an account.
    pub(crate) async fn log_in(
        &self,
        tenant: TenantId,
        email: &str,
        password: &str,
    ) -> Result<LoggedIn, Failure> {
        let account = self.account(tenant, email).await?;
        let (hash, member) = match account {
            Some(account) => (Some(account.password_hash), account.member),
            None => (None, None),
        };
        let matches = self.hasher.verify(password, hash).await?;
        match member {
            Some(member) if matches => Ok(member),
            _ => Err(Failure::unauthenticated("wrong email or password")),
        }
    }

    async fn account(
        &self,
        tenant: TenantId,
        email: &str,
    ) -> Result<Option<Account>, RegistryError> {
        // Not an address is nobody's address; asked all the same, for the sake of time.
        let email = EmailAddress::parse(email);
        let email = email.as_ref().map_or("", EmailAddress::as_str);
        let row = self
            .connection()
            .await?
            .query_typed_opt(
                "select a.id, a.password_hash, m.role from tenantry.accounts a \
                 left join tenantry.memberships m on m.account_id = a.id and m.tenant_id = $1 \
                 where lower(a.email) = lower($2)",
                &[(&tenant.0, Type::UUID), (&email, Type::TEXT)],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let user = UserId(row.try_get(0)?);
        let role: Option<MemberRole> = row
            .try_get::<_, Option<&str>>(2)?
            .map(str::parse)
            .transpose()?;
        Ok(Some(Account {
            password_hash: row.try_get(1)?,
            member: role.map(|role| LoggedIn { user, role }),
        }))
    }
}

struct Account {
    password_hash: String,
    member: Option<LoggedIn>,
}
