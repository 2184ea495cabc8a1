//! Accounts: proved by an e-mail address and a password, at a tenant or at the base domain.

use tokio_postgres::types::Type;

use super::{Registry, RegistryError};
use crate::error::Failure;
use crate::names::{EmailAddress, MemberRole, TenantId, UserId};

/// Somebody who proved to be the owner of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoggedIn {
    pub(crate) account: UserId,
    /// At the tenant; none at the base domain.
    pub(crate) role: Option<MemberRole>,
}

impl Registry {
    /// Finds out who has this address and this password: a member of the tenant, or anybody at the base domain.
    ///
    /// An unknown address, a wrong password and a membership elsewhere get the same answer after the same work,
    /// so that nobody learns who has an account.
    pub(crate) async fn log_in(
        &self,
        tenant: Option<TenantId>,
        email: &str,
        password: &str,
    ) -> Result<LoggedIn, Failure> {
        let account = self.account(tenant, email).await?;
        let (hash, person) = match account {
            Some((hash, person)) => (Some(hash), Some(person)),
            None => (None, None),
        };
        let matches = self.hasher.verify(password, hash).await?;
        match person {
            Some(person) if matches && (person.role.is_some() || tenant.is_none()) => Ok(person),
            _ => Err(Failure::unauthenticated("wrong email or password")),
        }
    }

    async fn account(
        &self,
        tenant: Option<TenantId>,
        email: &str,
    ) -> Result<Option<(String, LoggedIn)>, RegistryError> {
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
                &[
                    (&tenant.map(|tenant| tenant.0), Type::UUID),
                    (&email, Type::TEXT),
                ],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let role: Option<&str> = row.try_get(2)?;
        let person = LoggedIn {
            account: UserId(row.try_get(0)?),
            role: role.map(str::parse).transpose()?,
        };
        Ok(Some((row.try_get(1)?, person)))
    }
}
