//! Another address for an account: asked for with its password, and proven by a token that was sent there.

use std::time::SystemTime;

use serde_json::json;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};

use super::audit::{self, Actor, Entry, Kind};
use super::tenant::select_tenants;
use super::{Access, OwnerTransaction, Registry, RegistryError, Tenant};
use crate::error::{Code, Failure};
use crate::names::{EmailAddress, TenantId, UserId};
use crate::request::RequestInfo;
use crate::secret::Secret;

/// By which people and scanners for leaked secrets know what it is.
const PREFIX: &str = "tne_";

/// How long a token may wait to be used.
const LIFETIME_SECONDS: f64 = 3600.0;

/// Changes that wait at the same time, of one account as of one address: so many mails an hour, and no more.
const PENDING: i64 = 5;

/// What has been asked for.
#[derive(Debug)]
pub(crate) struct EmailChange {
    pub(crate) before: EmailAddress,
    pub(crate) after: EmailAddress,
    pub(crate) token: Secret,
    pub(crate) expires_at: SystemTime,
    /// Not to an address that somebody else has here, nor to one that has got enough mails.
    pub(crate) to_be_sent: bool,
}

/// What has been done.
#[derive(Debug)]
pub(crate) struct EmailChanged {
    pub(crate) before: String,
    pub(crate) after: String,
}

impl Registry {
    /// A token for another address. Neither the outcome nor the time tells whether there is an account with that one.
    pub(crate) async fn begin_email_change(
        &self,
        account: UserId,
        email: &str,
        password: &str,
        client: &RequestInfo,
    ) -> Result<EmailChange, Failure> {
        let after = EmailAddress::parse(email);
        let after = after.map_err(|error| Failure::bad_input("email", error.to_string()))?;
        let (before, _) = self.own_profile(account).await?;
        let place = ("password", password);
        self.check_password(before.as_str(), place, client).await?;
        if before.as_str().to_lowercase() == after.as_str().to_lowercase() {
            return Err(Failure::bad_input("email", "this is your address"));
        }
        let token = Secret::random(PREFIX);
        let transaction = self.begin(Access::Write).await?;
        let row = transaction
            .query_typed_opt(
                "with expired as ( \
                   delete from tenantry.email_changes where token_hash in ( \
                     select token_hash from tenantry.email_changes where expires_at < now() order by expires_at \
                     limit 20 for update skip locked) \
                 ), made as ( \
                   insert into tenantry.email_changes (token_hash, account_id, email, expires_at) \
                   select $1, $2, $3, now() + make_interval(secs => $4) \
                   where (select count(*) from tenantry.email_changes c \
                          where c.account_id = $2 and c.expires_at > now()) < $5 \
                   returning expires_at \
                 ) \
                 select expires_at, \
                   not exists (select from tenantry.accounts a where lower(a.email) = lower($3)) \
                   and (select count(*) from tenantry.email_changes c \
                        where lower(c.email) = lower($3) and c.expires_at > now()) < $5 \
                 from made",
                &[
                    (&&token.hash()[..], Type::BYTEA),
                    (&account.0, Type::UUID),
                    (&after.as_str(), Type::TEXT),
                    (&LIFETIME_SECONDS, Type::FLOAT8),
                    (&PENDING, Type::INT8),
                ],
            )
            .await
            .map_err(RegistryError::from)?;
        let row = row.ok_or_else(|| {
            let message = "you have asked for enough changes: confirm one, or wait for an hour";
            Failure::rate_limited(message, 600)
        })?;
        let entry = entry(None, "requestEmailChange", account, client);
        audit::record(&transaction, &entry).await?;
        let (expires_at, to_be_sent) = answer(&row)?;
        transaction.commit().await?;
        Ok(EmailChange {
            before,
            after,
            token,
            expires_at,
            to_be_sent,
        })
    }

    /// Gives the account the address that the token was sent to, here and in the tables of its tenants. Whatever else was sent to
    /// the old one is good for nothing any more.
    pub(crate) async fn change_email(
        &self,
        token: &str,
        client: &RequestInfo,
    ) -> Result<EmailChanged, Failure> {
        let token = Secret::received(token);
        let transaction = self.begin(Access::Write).await?;
        let row = transaction
            .query_typed_opt(
                "with used as ( \
                   delete from tenantry.email_changes where token_hash = $1 and expires_at > now() \
                   returning account_id, email \
                 ) \
                 select a.id, a.email, used.email from used join tenantry.accounts a on a.id = used.account_id \
                 for update of a",
                &[(&&token.hash()[..], Type::BYTEA)],
            )
            .await
            .map_err(RegistryError::from)?;
        let row = row.ok_or_else(|| {
            let message = "this token is not valid (any more): ask for a new one";
            Failure::bad_input("token", message)
        })?;
        let (account, before, after) = found(&row)?;
        transaction
            .execute_typed(
                "with changes as (delete from tenantry.email_changes where account_id = $1), \
                 resets as (delete from tenantry.password_resets where account_id = $1) \
                 update tenantry.accounts set email = $2, email_verified_at = now(), updated_at = now() where id = $1",
                &[(&account.0, Type::UUID), (&after.as_str(), Type::TEXT)],
            )
            .await
            .map_err(|error| taken(error.into()))?;
        let email = after.as_str();
        let values: [(&(dyn ToSql + Sync), Type); 1] = [(&email, Type::TEXT)];
        for tenant in tenants(&transaction, account).await? {
            let written = self.write_person(&transaction, &tenant, account, "email = $2", &values);
            written.await.map_err(taken)?;
            let entry = entry(Some(tenant.id), "confirmEmailChange", account, client);
            audit::record(&transaction, &entry).await?;
        }
        let entry = entry(None, "confirmEmailChange", account, client);
        audit::record(&transaction, &entry).await?;
        transaction.commit().await?;
        Ok(EmailChanged { before, after })
    }
}

/// In an order that is always the same, so that nobody waits for somebody who waits for them.
async fn tenants(
    transaction: &OwnerTransaction,
    account: UserId,
) -> Result<Vec<Tenant>, RegistryError> {
    let statement = select_tenants!(
        "where not purging and id in (select tenant_id from tenantry.memberships where account_id = $1) order by id"
    );
    let rows = transaction
        .query_typed(statement, &[(&account.0, Type::UUID)])
        .await?;
    rows.iter().map(Tenant::from_row).collect()
}

fn answer(row: &Row) -> Result<(SystemTime, bool), RegistryError> {
    Ok((row.try_get(0)?, row.try_get(1)?))
}

fn found(row: &Row) -> Result<(UserId, String, String), RegistryError> {
    Ok((UserId(row.try_get(0)?), row.try_get(1)?, row.try_get(2)?))
}

/// Whoever has got the token may know that the address is somebody's.
fn taken(error: RegistryError) -> Failure {
    match error {
        RegistryError::Postgres(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
            let message = "somebody else has this address by now, here or at a tenant of yours";
            Failure::new(Code::Conflict, message)
        }
        error => error.into(),
    }
}

fn entry(tenant: Option<TenantId>, action: &str, account: UserId, client: &RequestInfo) -> Entry {
    Entry {
        tenant,
        kind: Kind::Access,
        actor: Actor::User(account, None),
        request: Some(client.clone()),
        action: action.to_owned(),
        details: json!({"account": account.0}),
        failed: None,
    }
}
