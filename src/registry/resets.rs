//! New passwords: by a one-time token that was sent to the account's address, or by the old one.

use std::time::SystemTime;

use tokio_postgres::types::Type;
use uuid::Uuid;

use super::audit::{self, Actor, Entry, Kind};
use super::sessions::{self, Which};
use super::{Access, InTransaction, LoggedIn, Password, Registry, RegistryError};
use crate::error::{Code, Failure};
use crate::names::{EmailAddress, MemberRole, SessionId, TenantId, UserId};
use crate::request::RequestInfo;
use crate::secret::Secret;

/// By which people and scanners for leaked secrets know what it is.
const PREFIX: &str = "tnp_";

/// How long a token may wait to be used.
const LIFETIME_SECONDS: f64 = 3600.0;

/// Resets of one account that wait at the same time: so many mails an hour, and no more.
const PENDING: i64 = 5;

/// What there is to send.
#[derive(Debug)]
pub(crate) struct Reset {
    pub(crate) email: EmailAddress,
    pub(crate) token: Secret,
    pub(crate) expires_at: SystemTime,
}

/// Whose password is to change.
struct Owner {
    account: UserId,
    role: Option<MemberRole>,
    email: EmailAddress,
    name: String,
}

impl Registry {
    /// A token for the owner of an address, if there is such an account (at the tenant), and not too many wait already.
    pub(crate) async fn begin_reset(
        &self,
        tenant: Option<TenantId>,
        email: &str,
        client: &RequestInfo,
    ) -> Result<Option<Reset>, RegistryError> {
        let Ok(email) = EmailAddress::parse(email) else {
            return Ok(None);
        };
        let token = Secret::random(PREFIX);
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await?;
        let row = transaction
            .query_typed_opt(
                "with expired as ( \
                   delete from tenantry.password_resets where token_hash in ( \
                     select token_hash from tenantry.password_resets where expires_at < now() order by expires_at \
                     limit 20 for update skip locked) \
                 ) \
                 insert into tenantry.password_resets (token_hash, account_id, tenant_id, expires_at) \
                 select $1, a.id, $2, now() + make_interval(secs => $4) from tenantry.accounts a \
                 where lower(a.email) = lower($3) \
                   and ($2 is null or exists ( \
                     select from tenantry.memberships m where m.account_id = a.id and m.tenant_id = $2)) \
                   and (select count(*) from tenantry.password_resets r \
                        where r.account_id = a.id and r.expires_at > now()) < $5 \
                 returning account_id, expires_at",
                &[
                    (&&token.hash()[..], Type::BYTEA),
                    (&tenant.map(|tenant| tenant.0), Type::UUID),
                    (&email.as_str(), Type::TEXT),
                    (&LIFETIME_SECONDS, Type::FLOAT8),
                    (&PENDING, Type::INT8),
                ],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let account = UserId(row.try_get(0)?);
        let expires_at = row.try_get(1)?;
        let entry = entry(
            tenant,
            Actor::Anonymous,
            "requestPasswordReset",
            account,
            client,
        );
        audit::record(&transaction, &entry).await?;
        transaction.commit().await?;
        Ok(Some(Reset {
            email,
            token,
            expires_at,
        }))
    }

    /// Sets the password by a one-time token, and ends all sessions of the account.
    pub(crate) async fn reset_password(
        &self,
        tenant: Option<TenantId>,
        token: &str,
        password: &str,
        client: &RequestInfo,
    ) -> Result<LoggedIn, Failure> {
        let refused =
            || Failure::unauthenticated("the token is not valid (any more): ask for a new one");
        let token = Secret::received(token);
        let owner = self.owner_of(&token, tenant).await?.ok_or_else(refused)?;
        let Owner {
            account,
            role,
            email,
            name,
        } = owner;
        let password = Password::choose(password, &email, &name)?;
        let hash = self.hasher.hash(password).await?;
        let used = self.use_reset(&token, account, &hash, tenant, client);
        if !used.await? {
            return Err(refused());
        }
        Ok(LoggedIn { account, role })
    }

    /// The hash of a password to be, for somebody who knows the old one.
    pub(crate) async fn check_new_password(
        &self,
        account: UserId,
        old: &str,
        new: &str,
        client: &RequestInfo,
    ) -> Result<String, Failure> {
        let (email, name) = self.own_profile(account).await?;
        let new = Password::choose(new, &email, &name)?;
        self.check_password(email.as_str(), ("oldPassword", old), client)
            .await?;
        self.hasher.hash(new).await
    }

    /// Whether whoever has logged in knows the password, too; with the field that it came by.
    pub(super) async fn check_password(
        &self,
        email: &str,
        (field, password): (&'static str, &str),
        client: &RequestInfo,
    ) -> Result<(), Failure> {
        let known = self.log_in(None, email, password, client).await;
        known.map(drop).map_err(|failure| match failure.code {
            Code::Unauthenticated => Failure::bad_input(field, "this is not your password"),
            _ => failure,
        })
    }

    /// The address and the name of somebody who has logged in.
    pub(super) async fn own_profile(
        &self,
        account: UserId,
    ) -> Result<(EmailAddress, String), Failure> {
        let profile = self.profile(account).await?;
        profile.ok_or_else(|| Failure::unauthenticated("there is no such account any more"))
    }

    /// Sets another password for somebody who knows the old one. All other sessions of the account end.
    pub(crate) async fn change_password(
        &self,
        (account, session): (UserId, SessionId),
        old: &str,
        new: &str,
        client: &RequestInfo,
    ) -> Result<usize, Failure> {
        let hash = self.check_new_password(account, old, new, client).await?;
        let change = async {
            let transaction = self.begin(Access::Write).await?;
            let actor = Actor::User(account, None);
            let entry = entry(None, actor, "changePassword", account, client);
            audit::record(&transaction, &entry).await?;
            let ended = set_password(&transaction, account, &hash, Which::AllBut(session)).await?;
            transaction.commit().await?;
            Ok::<_, RegistryError>(ended)
        };
        Ok(change.await?)
    }

    /// The address and the name of an account.
    pub(crate) async fn profile(
        &self,
        account: UserId,
    ) -> Result<Option<(EmailAddress, String)>, RegistryError> {
        let row = self
            .connection()
            .await?
            .query_typed_opt(
                "select email, name from tenantry.accounts where id = $1",
                &[(&account.0, Type::UUID)],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let email = EmailAddress::parse(row.try_get(0)?)?;
        Ok(Some((email, row.try_get(1)?)))
    }

    async fn owner_of(
        &self,
        token: &Secret,
        tenant: Option<TenantId>,
    ) -> Result<Option<Owner>, RegistryError> {
        let row = self
            .connection()
            .await?
            .query_typed_opt(
                "select a.id, a.email, a.name, m.role from tenantry.password_resets r \
                 join tenantry.accounts a on a.id = r.account_id \
                 left join tenantry.memberships m on m.account_id = a.id and m.tenant_id = $2 \
                 where r.token_hash = $1 and r.expires_at > now() and ($2 is null or m.role is not null)",
                &[
                    (&&token.hash()[..], Type::BYTEA),
                    (&tenant.map(|tenant| tenant.0), Type::UUID),
                ],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let role: Option<&str> = row.try_get(3)?;
        Ok(Some(Owner {
            account: UserId(row.try_get(0)?),
            email: EmailAddress::parse(row.try_get(1)?)?,
            name: row.try_get(2)?,
            role: role.map(str::parse).transpose()?,
        }))
    }

    /// Whether the token was still there: of two who use it at once, one comes too late.
    async fn use_reset(
        &self,
        token: &Secret,
        account: UserId,
        password_hash: &str,
        tenant: Option<TenantId>,
        client: &RequestInfo,
    ) -> Result<bool, RegistryError> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await?;
        let used = transaction
            .execute_typed(
                "delete from tenantry.password_resets where token_hash = $1",
                &[(&&token.hash()[..], Type::BYTEA)],
            )
            .await?;
        if used == 0 {
            return Ok(false);
        }
        transaction
            .execute_typed(
                "delete from tenantry.password_resets where account_id = $1",
                &[(&account.0, Type::UUID)],
            )
            .await?;
        set_password(&transaction, account, password_hash, Which::All).await?;
        // The token came by mail.
        transaction
            .execute_typed(
                "update tenantry.accounts set email_verified_at = coalesce(email_verified_at, now()) where id = $1",
                &[(&account.0, Type::UUID)],
            )
            .await?;
        let entry = entry(
            tenant,
            Actor::User(account, None),
            "resetPassword",
            account,
            client,
        );
        audit::record(&transaction, &entry).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// Sets the password, and ends the sessions that began with the old one, and changes of the address that were asked for by it.
/// Returns how many sessions there were.
pub(crate) async fn set_password(
    transaction: &impl InTransaction,
    account: UserId,
    hash: &str,
    ended: Which,
) -> Result<usize, RegistryError> {
    transaction
        .client()
        .execute_typed(
            "with changes as (delete from tenantry.email_changes where account_id = $1) \
             update tenantry.accounts set password_hash = $2, updated_at = now() where id = $1",
            &[(&account.0, Type::UUID), (&hash, Type::TEXT)],
        )
        .await?;
    sessions::end(transaction, account, ended).await
}

fn entry(
    tenant: Option<TenantId>,
    actor: Actor,
    action: &str,
    account: UserId,
    client: &RequestInfo,
) -> Entry {
    let account: Uuid = account.0;
    Entry {
        tenant,
        kind: Kind::Access,
        actor,
        request: Some(client.clone()),
        action: action.to_owned(),
        details: serde_json::json!({"account": account}),
        failed: None,
    }
}
