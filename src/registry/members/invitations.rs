//! Invitations: a one-time token by mail, and what becomes of it.

use std::net::IpAddr;
use std::time::Duration;

use time::OffsetDateTime;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{Actor, Member, find, may_change, no_member};
use crate::error::{Code, Failure};
use crate::names::{DisplayName, EmailAddress, MemberRole, TenantId, UserId};
use crate::registry::access::access_changed;
use crate::registry::guesses::too_many;
use crate::registry::{OwnerTransaction, Password, Registry, RegistryError, Tenant};
use crate::secret::Secret;

/// For how long an invitation is good.
const LIFETIME: Duration = Duration::from_hours(7 * 24);

/// The most invitations of one tenant that nobody has answered: each is a mail.
const MOST_PENDING: i64 = 1000;

/// An invitation that has not been answered.
#[derive(Debug, Clone)]
pub(crate) struct Invitation {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    pub(crate) role: MemberRole,
    pub(crate) invited_by: Option<UserId>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) expires_at: OffsetDateTime,
}

/// Whoever accepts, as the tenant is to know them.
pub(crate) struct Acceptance<'a> {
    pub(crate) token: Secret,
    /// For a new account.
    pub(crate) name: Option<&'a str>,
    /// Of the account, new or not.
    pub(crate) password: &'a str,
    /// Where they are, for wrong passwords are counted.
    pub(crate) address: IpAddr,
}

impl Registry {
    /// Invites an address, again where need be: only the last token counts.
    pub(crate) async fn invite(
        &self,
        transaction: &OwnerTransaction,
        tenant: &Tenant,
        actor: Actor,
        email: &EmailAddress,
        role: MemberRole,
    ) -> Result<(Invitation, Secret), Failure> {
        let inviter = self.admit(transaction, tenant, actor).await?;
        may_change(inviter, role)?;
        let known = known(transaction, tenant, email).await?;
        if known.is_member {
            return Err(Failure::conflict(
                "email",
                "there is a member with this e-mail address",
            ));
        }
        match known.invited_as {
            Some(before) => may_change(inviter, before)?,
            None if known.pending >= MOST_PENDING => {
                return Err(Failure::new(
                    Code::Conflict,
                    "too many invitations wait for an answer",
                ));
            }
            None => {}
        }
        self.count_invitation(tenant.id, email)?;
        let token = Secret::random("tni_");
        let row = transaction
            .query_typed_one(
                "insert into tenantry.invitations (id, tenant_id, email, role, token_hash, invited_by, expires_at) \
                 values ($1, $2, $3, $4, $5, $6, $7) \
                 on conflict (tenant_id, lower(email)) do update set email = excluded.email, role = excluded.role, \
                   token_hash = excluded.token_hash, invited_by = excluded.invited_by, created_at = now(), \
                   expires_at = excluded.expires_at \
                 returning id, email, role, invited_by, created_at, expires_at",
                &[
                    (&Uuid::now_v7(), Type::UUID),
                    (&tenant.id.0, Type::UUID),
                    (&email.as_str(), Type::TEXT),
                    (&role.as_str(), Type::TEXT),
                    (&&token.hash()[..], Type::BYTEA),
                    (&actor.user.map(|user| user.0), Type::UUID),
                    (&(OffsetDateTime::now_utc() + LIFETIME), Type::TIMESTAMPTZ),
                ],
            )
            .await
            .map_err(RegistryError::from)?;
        Ok((Invitation::from_row(&row)?, token))
    }

    /// Those that can still be accepted, the newest first.
    pub(crate) async fn invitations(
        &self,
        transaction: &OwnerTransaction,
        tenant: &Tenant,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Invitation>, RegistryError> {
        let rows = transaction
            .query_typed(
                "select id, email, role, invited_by, created_at, expires_at from tenantry.invitations \
                 where tenant_id = $1 and expires_at > now() order by created_at desc, id limit $2 offset $3",
                &[
                    (&tenant.id.0, Type::UUID),
                    (&limit, Type::INT8),
                    (&offset, Type::INT8),
                ],
            )
            .await?;
        rows.iter().map(Invitation::from_row).collect()
    }

    /// Takes an invitation back.
    pub(crate) async fn revoke_invitation(
        &self,
        transaction: &OwnerTransaction,
        tenant: &Tenant,
        actor: Actor,
        id: Uuid,
    ) -> Result<Invitation, Failure> {
        let revoker = self.admit(transaction, tenant, actor).await?;
        let row = transaction
            .query_typed_opt(
                "delete from tenantry.invitations where tenant_id = $1 and id = $2 \
                 returning id, email, role, invited_by, created_at, expires_at",
                &[(&tenant.id.0, Type::UUID), (&id, Type::UUID)],
            )
            .await
            .map_err(RegistryError::from)?;
        let row = row.ok_or_else(|| Failure::bad_input("id", "there is no such invitation"))?;
        let invitation = Invitation::from_row(&row)?;
        may_change(revoker, invitation.role)?;
        Ok(invitation)
    }

    /// Makes whoever has the token a member: with a new account, or with the one that has the address already, whose
    /// password shows that it is theirs.
    pub(crate) async fn accept_invitation(
        &self,
        transaction: &OwnerTransaction,
        tenant: &Tenant,
        acceptance: Acceptance<'_>,
    ) -> Result<Member, Failure> {
        let hash = acceptance.token.hash();
        // Before anything is locked: passwords take their time.
        let (email, account) = invited(transaction, tenant, &hash).await?;
        let newcomer = self
            .newcomer(tenant.id, &email, account, &acceptance)
            .await?;
        // Whoever invited them may be removed in this moment, and the invitation with them.
        super::lock(transaction, tenant).await?;
        let row = transaction
            .query_typed_opt(
                "delete from tenantry.invitations where tenant_id = $1 and token_hash = $2 and expires_at > now() \
                 returning role",
                &[(&tenant.id.0, Type::UUID), (&&hash[..], Type::BYTEA)],
            )
            .await
            .map_err(RegistryError::from)?;
        let row = row.ok_or_else(not_valid)?;
        let role: &str = row.try_get(0).map_err(RegistryError::from)?;
        let role = role.parse().map_err(RegistryError::from)?;
        let user = self
            .join(transaction, tenant, &email, newcomer, role)
            .await?;
        let member = find(transaction, tenant, user).await?;
        member.ok_or_else(no_member)
    }

    /// Who accepts: the account's owner, by its password, or somebody new.
    async fn newcomer(
        &self,
        tenant: TenantId,
        email: &EmailAddress,
        account: Option<Account>,
        acceptance: &Acceptance<'_>,
    ) -> Result<Newcomer, Failure> {
        let password = acceptance.password;
        if let Some((user, name, hash)) = account {
            let place = Some(tenant);
            let attempt = self
                .guesses
                .begin(place, email.as_str(), acceptance.address)?;
            if let Some(wait) = attempt.wait {
                return Err(too_many(wait));
            }
            let turn = self.hasher.turn(Some(tenant)).await?;
            if !self.hasher.verify(turn, password, Some(hash)).await? {
                let message =
                    "there is an account with this e-mail address, and this is not its password";
                return Err(Failure::unauthenticated(message).with_field("password"));
            }
            attempt.succeed();
            return Ok(Newcomer {
                user: Some(user),
                name,
                password_hash: None,
            });
        }
        let name = DisplayName::parse(acceptance.name.unwrap_or_default())
            .map_err(|error| Failure::bad_input("name", error.to_string()))?;
        let password = Password::choose(password, email, name.as_str())?;
        Ok(Newcomer {
            user: None,
            name: name.as_str().to_owned(),
            password_hash: Some(self.hasher.hash(password).await?),
        })
    }

    /// Account, membership, and the row in the tenant's own table. Where that has a row with the address already, the
    /// new account becomes its person.
    pub(in crate::registry) async fn join(
        &self,
        transaction: &OwnerTransaction,
        tenant: &Tenant,
        email: &EmailAddress,
        newcomer: Newcomer,
        role: MemberRole,
    ) -> Result<UserId, Failure> {
        super::enter(transaction, tenant).await?;
        let users = format!("{}.{}", tenant.schema.quoted(), self.users_table);
        let user = if let Some(user) = newcomer.user {
            user.0
        } else {
            let select = format!("select id from {users} where lower(email) = lower($1)");
            let row = transaction
                .query_typed_opt(&select, &[(&email.as_str(), Type::TEXT)])
                .await
                .map_err(RegistryError::from)?;
            let known = row.map(|row| row.try_get(0)).transpose();
            known
                .map_err(RegistryError::from)?
                .unwrap_or_else(Uuid::now_v7)
        };
        let joined = transaction
            .query_typed_opt(
                "with account as ( \
                   insert into tenantry.accounts (id, email, name, password_hash, email_verified_at) \
                   select $1, $2, $3, $4, now() where $4 is not null \
                 ), verified as ( \
                   update tenantry.accounts set email_verified_at = now() where id = $1 and email_verified_at is null \
                 ), back as ( \
                   delete from tenantry.former_members where account_id = $1 and tenant_id = $5 returning 1 \
                 ) \
                 insert into tenantry.memberships (account_id, tenant_id, role) values ($1, $5, $6) \
                 on conflict do nothing returning (select count(*) from back)",
                &[
                    (&user, Type::UUID),
                    (&email.as_str(), Type::TEXT),
                    (&newcomer.name, Type::TEXT),
                    (&newcomer.password_hash, Type::TEXT),
                    (&tenant.id.0, Type::UUID),
                    (&role.as_str(), Type::TEXT),
                ],
            )
            .await
            .map_err(taken)?;
        let joined = joined.ok_or_else(|| {
            Failure::new(Code::Conflict, "you are a member of this tenant already")
        })?;
        // Whoever comes back has been told to be no member by replicas that keep such answers.
        if joined.try_get::<_, i64>(0).map_err(RegistryError::from)? > 0 {
            access_changed(transaction, &[tenant.id])
                .await
                .map_err(RegistryError::from)?;
        }
        let upsert = format!(
            "insert into {users} (id, email, name, role) values ($1, $2, $3, $4) \
             on conflict (id) do update set role = excluded.role, email = excluded.email, removed_at = null, \
               updated_at = now()"
        );
        transaction
            .execute_typed(
                &upsert,
                &[
                    (&user, Type::UUID),
                    (&email.as_str(), Type::TEXT),
                    (&newcomer.name, Type::TEXT),
                    (&role.as_str(), Type::TEXT),
                ],
            )
            .await
            .map_err(taken)?;
        Ok(UserId(user))
    }
}

/// Who joins: with the account that they have, or with a new one.
pub(in crate::registry) struct Newcomer {
    pub(in crate::registry) user: Option<UserId>,
    pub(in crate::registry) name: String,
    /// Of a new account.
    pub(in crate::registry) password_hash: Option<String>,
}

/// What is known of an address at the tenant.
struct Known {
    is_member: bool,
    invited_as: Option<MemberRole>,
    pending: i64,
}

async fn known(
    transaction: &OwnerTransaction,
    tenant: &Tenant,
    email: &EmailAddress,
) -> Result<Known, RegistryError> {
    let row = transaction
        .query_typed_one(
            "select exists (select from tenantry.memberships m join tenantry.accounts a on a.id = m.account_id \
               where m.tenant_id = $1 and lower(a.email) = lower($2)), \
             (select role from tenantry.invitations where tenant_id = $1 and lower(email) = lower($2)), \
             (select count(*) from tenantry.invitations where tenant_id = $1)",
            &[(&tenant.id.0, Type::UUID), (&email.as_str(), Type::TEXT)],
        )
        .await?;
    let role: Option<&str> = row.try_get(1)?;
    Ok(Known {
        is_member: row.try_get(0)?,
        invited_as: role.map(str::parse).transpose()?,
        pending: row.try_get(2)?,
    })
}

/// The account that an invited person has already: its id, its name, and the hash of its password.
type Account = (UserId, String, String);

/// Whom a token invites.
async fn invited(
    transaction: &OwnerTransaction,
    tenant: &Tenant,
    hash: &[u8],
) -> Result<(EmailAddress, Option<Account>), Failure> {
    let row = transaction
        .query_typed_opt(
            "select i.email, a.id, a.name, a.password_hash from tenantry.invitations i \
             left join tenantry.accounts a on lower(a.email) = lower(i.email) \
             where i.tenant_id = $1 and i.token_hash = $2 and i.expires_at > now()",
            &[(&tenant.id.0, Type::UUID), (&hash, Type::BYTEA)],
        )
        .await
        .map_err(RegistryError::from)?;
    let row = row.ok_or_else(not_valid)?;
    Ok(account_of(&row)?)
}

fn account_of(row: &Row) -> Result<(EmailAddress, Option<Account>), RegistryError> {
    let email = EmailAddress::parse(row.try_get(0)?)?;
    let account = match row.try_get(1)? {
        Some(id) => Some((UserId(id), row.try_get(2)?, row.try_get(3)?)),
        None => None,
    };
    Ok((email, account))
}

impl Invitation {
    fn from_row(row: &Row) -> Result<Self, RegistryError> {
        Ok(Self {
            id: row.try_get(0)?,
            email: row.try_get(1)?,
            role: row.try_get::<_, &str>(2)?.parse()?,
            invited_by: row.try_get::<_, Option<Uuid>>(3)?.map(UserId),
            created_at: row.try_get(4)?,
            expires_at: row.try_get(5)?,
        })
    }
}

/// The same for a token that never was, one that was used, one that was taken back and one that is too old.
fn not_valid() -> Failure {
    Failure::bad_input("token", "this invitation is not valid (any more)")
}

/// Two who accept at once, or an address that the tenant's table has for somebody else.
fn taken(error: tokio_postgres::Error) -> Failure {
    match error.code() {
        Some(code) if *code == tokio_postgres::error::SqlState::UNIQUE_VIOLATION => {
            Failure::new(Code::Conflict, "somebody else has this e-mail address here")
        }
        _ => RegistryError::from(error).into(),
    }
}
