//! Members who come with a token from elsewhere: found, or taken in at their first arrival.

use tokio_postgres::Transaction;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::audit::{self, Actor, Entry, Kind};
use super::password::NOBODYS;
use super::{InTransaction, Provisioning, Registry, RegistryError, Tenant};
use crate::error::{Code, Failure};
use crate::names::{DisplayName, EmailAddress, MemberRole, TenantId, UserId};

/// How often an arrival is tried again when the same person has come twice in the same moment.
const ATTEMPTS: usize = 3;

/// Somebody of whom a trusted issuer vouches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) subject: &'a str,
    /// Only if the issuer has made sure that it is theirs.
    pub(crate) email: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
    /// Whether the issuer says that they belong to the tenant.
    pub(crate) named: bool,
    /// What the issuer says they are there.
    pub(crate) role: Option<MemberRole>,
}

/// Who they are at the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) user: UserId,
    pub(crate) role: MemberRole,
}

/// An account that the person has, or may get.
struct Account {
    id: UserId,
    email: EmailAddress,
    name: DisplayName,
    known: bool,
}

impl Registry {
    /// The member of a tenant that somebody is; whom the tenant lets in becomes one, once.
    pub(crate) async fn arrive(
        &self,
        tenant: &Tenant,
        arrival: Arrival<'_>,
    ) -> Result<Arrived, Failure> {
        if let Some(member) = self.recognize(tenant.id, arrival).await? {
            return Ok(member);
        }
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.try_arrive(tenant, arrival).await {
                Err(ArrivalError::Postgres(error))
                    if is_collision(&error) && attempts < ATTEMPTS => {}
                outcome => return outcome.map_err(ArrivalError::into_failure),
            }
        }
    }

    async fn recognize(
        &self,
        tenant: TenantId,
        arrival: Arrival<'_>,
    ) -> Result<Option<Arrived>, RegistryError> {
        let row = self
            .connection()
            .await?
            .query_typed_opt(
                "select m.account_id, m.role from tenantry.external_identities i \
                 join tenantry.memberships m on m.account_id = i.account_id and m.tenant_id = $3 \
                 where i.issuer = $1 and i.subject = $2",
                &[
                    (&arrival.issuer, Type::TEXT),
                    (&arrival.subject, Type::TEXT),
                    (&tenant.0, Type::UUID),
                ],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Arrived {
            user: UserId(row.try_get(0)?),
            role: row.try_get::<_, &str>(1)?.parse()?,
        }))
    }

    /// All of it or none of it. Who comes second waits for the first one's rows, and finds them.
    async fn try_arrive(
        &self,
        tenant: &Tenant,
        arrival: Arrival<'_>,
    ) -> Result<Arrived, ArrivalError> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await?;
        transaction
            .batch_execute("set local lock_timeout = '5s'; set local statement_timeout = '30s'")
            .await?;
        let account = account(&transaction, arrival).await?;
        let role = match membership(&transaction, tenant.id, account.id).await? {
            Membership::Is(role) => role,
            Membership::Was => return Err(ArrivalError::stranger()),
            Membership::None => {
                let rules = Provisioning::of(transaction.client(), tenant.id).await?;
                let role = rules
                    .and_then(|rules| rules.admit(arrival, &account.email))
                    .ok_or_else(ArrivalError::stranger)?;
                self.take_in(&transaction, tenant, &account, role).await?;
                role
            }
        };
        transaction
            .execute_typed(
                "insert into tenantry.external_identities (issuer, subject, account_id) values ($1, $2, $3) \
                 on conflict (issuer, subject) do nothing",
                &[
                    (&arrival.issuer, Type::TEXT),
                    (&arrival.subject, Type::TEXT),
                    (&account.id.0, Type::UUID),
                ],
            )
            .await?;
        let details = serde_json::json!({
            "issuer": arrival.issuer, "email": account.email.as_str(), "role": role.as_str(),
        });
        let entry = Entry {
            tenant: Some(tenant.id),
            kind: Kind::Access,
            actor: Actor::User(account.id, Some(role)),
            request: None,
            action: "arriveByToken".to_owned(),
            details,
            failed: None,
        };
        audit::record(&transaction, &entry).await?;
        transaction.commit().await?;
        Ok(Arrived {
            user: account.id,
            role,
        })
    }

    /// Makes the account where there is none, and its owner a member, in the registry and at the tenant.
    async fn take_in(
        &self,
        transaction: &Transaction<'_>,
        tenant: &Tenant,
        account: &Account,
        role: MemberRole,
    ) -> Result<(), ArrivalError> {
        let (id, email) = (account.id.0, account.email.as_str());
        let (name, role) = (account.name.as_str(), role.as_str());
        if !account.known {
            transaction
                .execute_typed(
                    "insert into tenantry.accounts (id, email, name, password_hash, email_verified_at) \
                     values ($1, $2, $3, $4, now())",
                    &[
                        (&id, Type::UUID),
                        (&email, Type::TEXT),
                        (&name, Type::TEXT),
                        (&NOBODYS, Type::TEXT),
                    ],
                )
                .await?;
        }
        transaction
            .execute_typed(
                "insert into tenantry.memberships (account_id, tenant_id, role) values ($1, $2, $3)",
                &[
                    (&id, Type::UUID),
                    (&tenant.id.0, Type::UUID),
                    (&role, Type::TEXT),
                ],
            )
            .await?;
        let path = format!("{}, extensions", tenant.schema.quoted());
        transaction
            .query_typed(
                "select set_config('search_path', $1, true), set_config('app.tenant_id', $2, true), \
                 set_config('app.user_id', $3, true), set_config('app.role', $4, true)",
                &[
                    (&path, Type::TEXT),
                    (&tenant.id.to_string(), Type::TEXT),
                    (&id.to_string(), Type::TEXT),
                    (&role, Type::TEXT),
                ],
            )
            .await?;
        let insert = format!(
            "insert into {}.{} (id, email, name, role) values ($1, $2, $3, $4) \
             on conflict (id) do update set email = excluded.email, role = excluded.role, updated_at = now()",
            tenant.schema.quoted(),
            self.users_table
        );
        transaction
            .execute_typed(
                &insert,
                &[
                    (&id, Type::UUID),
                    (&email, Type::TEXT),
                    (&name, Type::TEXT),
                    (&role, Type::TEXT),
                ],
            )
            .await?;
        Ok(())
    }
}

/// The account that the person has had before, or that has their address; else the one that they may get.
async fn account(
    transaction: &Transaction<'_>,
    arrival: Arrival<'_>,
) -> Result<Account, ArrivalError> {
    let email = arrival.email.map(EmailAddress::parse);
    let email = email.and_then(Result::ok);
    let text = email.as_ref().map(EmailAddress::as_str);
    let row = transaction
        .query_typed_opt(
            "select a.id, a.email, a.name, i.account_id is not null or a.email_verified_at is not null \
             from tenantry.accounts a \
             left join tenantry.external_identities i on i.account_id = a.id and i.issuer = $1 and i.subject = $2 \
             where i.account_id is not null or lower(a.email) = lower($3) \
             order by i.account_id is null limit 1",
            &[
                (&arrival.issuer, Type::TEXT),
                (&arrival.subject, Type::TEXT),
                (&text, Type::TEXT),
            ],
        )
        .await?;
    if let Some(row) = row {
        // Whoever signed up with this address may be somebody else, who knows the account's password.
        if !row.try_get::<_, bool>(3)? {
            return Err(ArrivalError::refused(
                "there is an account with this e-mail address already: reset its password once, which \
                 proves that it is yours",
            ));
        }
        let name: String = row.try_get(2)?;
        return Ok(Account {
            id: UserId(row.try_get(0)?),
            email: EmailAddress::parse(row.try_get(1)?).map_err(RegistryError::from)?,
            name: DisplayName::parse(&name).map_err(RegistryError::from)?,
            known: true,
        });
    }
    let Some(email) = email else {
        return Err(ArrivalError::refused(
            "you are no member of this tenant, and the token has no verified e-mail address to become one by",
        ));
    };
    let local = email.as_str().split('@').next().unwrap_or_default();
    let name = arrival.name.map(DisplayName::parse).and_then(Result::ok);
    let name = name.map_or_else(|| DisplayName::parse(local), Ok);
    Ok(Account {
        id: UserId(Uuid::now_v7()),
        name: name.map_err(RegistryError::from)?,
        email,
        known: false,
    })
}

enum Membership {
    Is(MemberRole),
    Was,
    None,
}

async fn membership(
    transaction: &Transaction<'_>,
    tenant: TenantId,
    account: UserId,
) -> Result<Membership, RegistryError> {
    let row = transaction
        .query_typed_one(
            "select (select role from tenantry.memberships where tenant_id = $1 and account_id = $2), \
             exists (select from tenantry.former_members where tenant_id = $1 and account_id = $2)",
            &[(&tenant.0, Type::UUID), (&account.0, Type::UUID)],
        )
        .await?;
    Ok(match row.try_get::<_, Option<&str>>(0)? {
        Some(role) => Membership::Is(role.parse()?),
        None if row.try_get(1)? => Membership::Was,
        None => Membership::None,
    })
}

#[derive(Debug, thiserror::Error)]
enum ArrivalError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    #[error("{0}")]
    Refused(Failure),
}

impl ArrivalError {
    fn refused(message: &'static str) -> Self {
        Self::Refused(Failure::new(Code::Forbidden, message))
    }

    fn stranger() -> Self {
        Self::refused("you are no member of this tenant")
    }

    fn into_failure(self) -> Failure {
        match self {
            Self::Refused(failure) => failure,
            Self::Registry(error) => error.into(),
            Self::Postgres(error) => match error.as_db_error().and_then(|db| db.constraint()) {
                Some("tenantry_users_email_key") => Failure::new(
                    Code::Forbidden,
                    "another user of this tenant has this e-mail address",
                ),
                _ => RegistryError::from(error).into(),
            },
        }
    }
}

/// Whether somebody else has written the same row in the same moment.
fn is_collision(error: &tokio_postgres::Error) -> bool {
    let constraint = error.as_db_error().and_then(|db| db.constraint());
    let ours = ["accounts_email_key", "memberships_pkey"];
    error.code() == Some(&SqlState::UNIQUE_VIOLATION)
        && constraint.is_some_and(|name| ours.contains(&name))
}
