//! Accounts: proved by an e-mail address and a password, at a tenant or at the base domain.

use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::guesses::{EmailHash, too_many};
use super::{Registry, RegistryError};
use crate::error::Failure;
use crate::names::{EmailAddress, MemberRole, TenantId, UserId};
use crate::request::RequestInfo;

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
        client: &RequestInfo,
    ) -> Result<LoggedIn, Failure> {
        let proved = self.prove(tenant, email, password, client).await;
        proved.map(|(person, _)| person)
    }

    /// The same, with the password that it was: another one may be chosen before the person gets anything for it.
    pub(crate) async fn prove(
        &self,
        tenant: Option<TenantId>,
        email: &str,
        password: &str,
        client: &RequestInfo,
    ) -> Result<(LoggedIn, PasswordHash), Failure> {
        let attempt = self.guesses.begin(tenant, email, client.ip)?;
        if let Some(wait) = attempt.wait
            && !self.is_familiar(email, client.ip).await?
        {
            return Err(too_many(wait));
        }
        // The turn covers the look-up as well, so that a flood leaves the registry's connections to others.
        let turn = self.hasher.turn(tenant).await?;
        let Account {
            password_hash,
            person,
            attacked,
        } = self.account(tenant, email, &attempt.email).await?;
        let counted = attempt.suspicious || attacked;
        if counted
            && let Some(wait) = self.reserve_guess(&attempt).await?
            && !self.is_familiar(email, client.ip).await?
        {
            return Err(too_many(wait));
        }
        let proof = PasswordHash(password_hash.clone().unwrap_or_default());
        let matches = self.hasher.verify(turn, password, password_hash).await?;
        match person {
            Some(person) if matches && (person.role.is_some() || tenant.is_none()) => {
                if counted {
                    self.forgive_guesses(&attempt.email).await?;
                }
                attempt.succeed();
                Ok((person, proof))
            }
            _ => Err(Failure::unauthenticated("wrong email or password")),
        }
    }

    /// Whether a password still is the account's, once whoever is about to change it has done so.
    pub(crate) async fn has_password(
        &self,
        account: UserId,
        hash: &PasswordHash,
    ) -> Result<bool, RegistryError> {
        let statement =
            "select from tenantry.accounts where id = $1 and password_hash = $2 for share";
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&account.0, Type::UUID), (&hash.0, Type::TEXT)];
        let connection = self.connection().await?;
        let row = connection.query_typed_opt(statement, &parameters).await?;
        Ok(row.is_some())
    }

    async fn account(
        &self,
        tenant: Option<TenantId>,
        email: &str,
        hash: &EmailHash,
    ) -> Result<Account, RegistryError> {
        // Not an address is nobody's address; asked all the same, for the sake of time.
        let email = EmailAddress::parse(email);
        let email = email.as_ref().map_or("", EmailAddress::as_str);
        let row = self
            .connection()
            .await?
            .query_typed_one(
                "select a.id, a.password_hash, m.role, \
                   exists (select from tenantry.guesses g where g.email_hash = $3) \
                 from (select) one left join tenantry.accounts a on lower(a.email) = lower($2) \
                 left join tenantry.memberships m on m.account_id = a.id and m.tenant_id = $1",
                &[
                    (&tenant.map(|tenant| tenant.0), Type::UUID),
                    (&email, Type::TEXT),
                    (&&hash[..], Type::BYTEA),
                ],
            )
            .await?;
        let role: Option<&str> = row.try_get(2)?;
        let role = role.map(str::parse).transpose()?;
        let id: Option<Uuid> = row.try_get(0)?;
        Ok(Account {
            password_hash: row.try_get(1)?,
            person: id.map(|id| LoggedIn {
                account: UserId(id),
                role,
            }),
            attacked: row.try_get(3)?,
        })
    }
}

/// What is kept of a password, to see whether another one has been chosen. Not printed.
pub(crate) struct PasswordHash(String);

/// What belongs to an address of mail; an unknown one has neither password nor person.
struct Account {
    password_hash: Option<String>,
    person: Option<LoggedIn>,
    /// Whether guesses at it are counted in the database.
    attacked: bool,
}
