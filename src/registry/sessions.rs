//! Sessions: begun by a log-in, kept alive by refresh tokens that are good for one use, and ended.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::access::access_changed;
use super::audit::{self, Actor, Entry, Kind};
use super::{InTransaction, Registry, RegistryError};
use crate::names::{MemberRole, SessionId, TenantId, UserId};
use crate::request::RequestInfo;

/// For how long the token before the last one still counts: another tab, or an answer that never came through.
const GRACE_SECONDS: f64 = 30.0;

/// Expired rows that go when a new one comes: more than one, so that they get fewer.
const TIDIED: i64 = 20;

/// Sessions of one account at the same time; those that were used least recently end.
const SESSIONS: i64 = 100;

/// What is kept of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenHashes {
    /// Of the part that all tokens of a session share.
    family: Vec<u8>,
    token: Vec<u8>,
}

impl TokenHashes {
    pub(crate) fn of(family: &[u8], token: &[u8]) -> Self {
        Self {
            family: Sha256::digest(family).to_vec(),
            token: Sha256::digest(token).to_vec(),
        }
    }
}

/// Whose a session is, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) account: UserId,
    /// None at the base domain.
    pub(crate) tenant: Option<TenantId>,
}

/// What became of a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refreshed {
    /// The session goes on; with the role that its owner has at the tenant now.
    Renewed(Session, Option<MemberRole>),
    /// No session here has or had the token.
    Unknown,
    /// The token was used before, so somebody has it who should not: the session has ended.
    Reused,
    /// Its owner is no member any more: the session has ended.
    Expelled,
}

impl Registry {
    /// Begins a session. How the person got in (`logIn`, `enterTenant`) is for the audit log; none where it has been told.
    pub(crate) async fn begin_session(
        &self,
        session: &Session,
        role: Option<MemberRole>,
        (hashes, lifetime): (&TokenHashes, Duration),
        (means, client): (Option<&str>, &RequestInfo),
    ) -> Result<(), RegistryError> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await?;
        insert(&transaction, session, hashes, lifetime, client).await?;
        if let Some(means) = means {
            audit::record(&transaction, &entry(session, role, means, client)).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Whose session has this refresh token, or had it just before.
    pub(crate) async fn session_of(
        &self,
        tenant: Option<TenantId>,
        hashes: &TokenHashes,
    ) -> Result<Option<(UserId, SessionId)>, RegistryError> {
        let row = self
            .connection()
            .await?
            .query_typed_opt(
                "select account_id, id from tenantry.sessions \
                 where family_hash = $1 and tenant_id is not distinct from $2 and $3 in (token_hash, previous_hash)",
                &[
                    (&hashes.family, Type::BYTEA),
                    (&tenant.map(|tenant| tenant.0), Type::UUID),
                    (&hashes.token, Type::BYTEA),
                ],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((UserId(row.try_get(0)?), SessionId(row.try_get(1)?))))
    }

    /// Whether a session at the base domain goes on.
    pub(crate) async fn has_session(
        &self,
        account: UserId,
        session: SessionId,
    ) -> Result<bool, RegistryError> {
        let row = self
            .connection()
            .await?
            .query_typed_opt(
                "select from tenantry.sessions \
                 where id = $1 and account_id = $2 and tenant_id is null and expires_at > now()",
                &[(&session.0, Type::UUID), (&account.0, Type::UUID)],
            )
            .await?;
        Ok(row.is_some())
    }

    /// Exchanges a refresh token for the next one.
    pub(crate) async fn refresh_session(
        &self,
        tenant: Option<TenantId>,
        presented: &TokenHashes,
        next: &TokenHashes,
        lifetime: Duration,
        client: &RequestInfo,
    ) -> Result<Refreshed, RegistryError> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await?;
        let row = transaction
            .query_typed_opt(
                "select s.id, s.account_id, m.role, s.token_hash = $3, \
                   coalesce(s.previous_hash = $3 and s.token_hash = $4, false) \
                     and s.rotated_at > now() - make_interval(secs => $5) \
                 from tenantry.sessions s left join tenantry.memberships m \
                   on m.account_id = s.account_id and m.tenant_id = s.tenant_id \
                 where s.family_hash = $1 and s.tenant_id is not distinct from $2 and s.expires_at > now() \
                 for no key update of s",
                &[
                    (&presented.family, Type::BYTEA),
                    (&tenant.map(|tenant| tenant.0), Type::UUID),
                    (&presented.token, Type::BYTEA),
                    (&next.token, Type::BYTEA),
                    (&GRACE_SECONDS, Type::FLOAT8),
                ],
            )
            .await?;
        let Some(row) = row else {
            return Ok(Refreshed::Unknown);
        };
        let session = Session {
            id: SessionId(row.try_get(0)?),
            account: UserId(row.try_get(1)?),
            tenant,
        };
        let role: Option<&str> = row.try_get(2)?;
        let role: Option<MemberRole> = role.map(str::parse).transpose()?;
        let (current, in_grace): (bool, bool) = (row.try_get(3)?, row.try_get(4)?);
        let outcome = if tenant.is_some() && role.is_none() {
            Refreshed::Expelled
        } else if current || in_grace {
            Refreshed::Renewed(session, role)
        } else {
            Refreshed::Reused
        };
        match outcome {
            Refreshed::Renewed(..) if current => {
                rotate(&transaction, session.id, next, lifetime, client).await?;
            }
            Refreshed::Renewed(..) | Refreshed::Unknown => {}
            Refreshed::Reused | Refreshed::Expelled => {
                end(&transaction, session.account, Which::One(session.id)).await?;
                let mut entry = entry(&session, role, "refreshSession", client);
                entry.failed = Some(crate::error::Code::Unauthenticated);
                audit::record(&transaction, &entry).await?;
            }
        }
        transaction.commit().await?;
        Ok(outcome)
    }
}

/// Which sessions of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    AllBut(SessionId),
    One(SessionId),
}

/// Ends sessions, and has the tokens that they gave out checked. Returns how many there were.
pub(crate) async fn end(
    transaction: &impl InTransaction,
    account: UserId,
    which: Which,
) -> Result<usize, RegistryError> {
    let (one, but) = match which {
        Which::All => (None, None),
        Which::AllBut(session) => (None, Some(session.0)),
        Which::One(session) => (Some(session.0), None),
    };
    let rows = transaction
        .client()
        .query_typed(
            "delete from tenantry.sessions where account_id = $1 and ($2 is null or id = $2) \
             and ($3 is null or id <> $3) returning tenant_id",
            &[
                (&account.0, Type::UUID),
                (&one, Type::UUID),
                (&but, Type::UUID),
            ],
        )
        .await?;
    let mut tenants = Vec::new();
    for row in &rows {
        tenants.extend(row.try_get::<_, Option<Uuid>>(0)?.map(TenantId));
    }
    tenants.sort_unstable();
    tenants.dedup();
    access_changed(transaction, &tenants).await?;
    Ok(rows.len())
}

async fn insert(
    transaction: &Transaction<'_>,
    session: &Session,
    hashes: &TokenHashes,
    lifetime: Duration,
    client: &RequestInfo,
) -> Result<(), tokio_postgres::Error> {
    transaction
        .execute_typed(
            "with expired as ( \
               delete from tenantry.sessions where id in ( \
                 select id from tenantry.sessions where expires_at < now() order by expires_at \
                 limit $9 for update skip locked) \
             ), surplus as ( \
               delete from tenantry.sessions where id in ( \
                 select id from tenantry.sessions where account_id = $2 order by rotated_at desc \
                 offset $10 for update skip locked) \
             ) \
             insert into tenantry.sessions \
               (id, account_id, tenant_id, family_hash, token_hash, expires_at, address, user_agent) \
             values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6), $7, $8)",
            &[
                (&session.id.0, Type::UUID),
                (&session.account.0, Type::UUID),
                (&session.tenant.map(|tenant| tenant.0), Type::UUID),
                (&hashes.family, Type::BYTEA),
                (&hashes.token, Type::BYTEA),
                (&lifetime.as_secs_f64(), Type::FLOAT8),
                (&client.ip, Type::INET),
                (&client.user_agent.as_deref(), Type::TEXT),
                (&TIDIED, Type::INT8),
                (&(SESSIONS - 1), Type::INT8),
            ],
        )
        .await?;
    Ok(())
}

async fn rotate(
    transaction: &Transaction<'_>,
    session: SessionId,
    next: &TokenHashes,
    lifetime: Duration,
    client: &RequestInfo,
) -> Result<(), tokio_postgres::Error> {
    transaction
        .execute_typed(
            "update tenantry.sessions set previous_hash = token_hash, token_hash = $2, rotated_at = now(), \
             expires_at = now() + make_interval(secs => $3), address = $4, user_agent = $5 where id = $1",
            &[
                (&session.0, Type::UUID),
                (&next.token, Type::BYTEA),
                (&lifetime.as_secs_f64(), Type::FLOAT8),
                (&client.ip, Type::INET),
                (&client.user_agent.as_deref(), Type::TEXT),
            ],
        )
        .await?;
    Ok(())
}

pub(super) fn entry(
    session: &Session,
    role: Option<MemberRole>,
    action: &str,
    client: &RequestInfo,
) -> Entry {
    Entry {
        tenant: session.tenant,
        kind: Kind::Access,
        actor: Actor::User(session.account, role),
        request: Some(client.clone()),
        action: action.to_owned(),
        details: serde_json::json!({"session": session.id.0}),
        failed: None,
    }
}
