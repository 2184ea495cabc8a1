//! Members who come with a token from elsewhere: found, or taken in at their first arrival.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::audit::{self, Actor, Entry, Kind};
use super::members::Newcomer;
use super::password::NOBODYS;
use super::{
    Access, OwnerTransaction, Provisioning, ProvisioningMode, Registry, RegistryError, Tenant,
};
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
    /// None for one that is yet to be made.
    known: Option<UserId>,
    email: EmailAddress,
    name: String,
}

impl Account {
    fn from_row(row: &Row) -> Result<Self, RegistryError> {
        Ok(Self {
            known: Some(UserId(row.try_get(0)?)),
            email: EmailAddress::parse(row.try_get(1)?)?,
            name: row.try_get(2)?,
        })
    }
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
                Err(failure) if failure.code == Code::Conflict && attempts < ATTEMPTS => {}
                outcome => return outcome,
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
    async fn try_arrive(&self, tenant: &Tenant, arrival: Arrival<'_>) -> Result<Arrived, Failure> {
        let transaction = self.begin(Access::Write).await?;
        let account = account(&transaction, arrival).await?;
        let membership = match account.known {
            Some(id) => membership(&transaction, tenant.id, id).await?,
            None => Membership::None,
        };
        let arrived = match (membership, account.known) {
            (Membership::Is(role), Some(user)) => Arrived { user, role },
            (state, user) => {
                let was = matches!(state, Membership::Was);
                let role = admitted(&transaction, tenant.id, arrival, &account.email, was).await?;
                let newcomer = Newcomer {
                    user,
                    name: account.name,
                    password_hash: user.is_none().then(|| NOBODYS.to_owned()),
                };
                let joined = self.join(&transaction, tenant, &account.email, newcomer, role);
                let user = joined.await?;
                Arrived { user, role }
            }
        };
        remember(&transaction, tenant.id, arrival, &account.email, arrived).await?;
        transaction.commit().await?;
        Ok(arrived)
    }
}

/// The role that somebody gets who is no member; an error for whom the tenant does not let in.
async fn admitted(
    transaction: &OwnerTransaction,
    tenant: TenantId,
    arrival: Arrival<'_>,
    email: &EmailAddress,
    was_a_member: bool,
) -> Result<MemberRole, Failure> {
    let rules = Provisioning::of(transaction, tenant).await?;
    let rules = rules.filter(|rules| rules.mode != ProvisioningMode::Off);
    let rules = rules.ok_or_else(stranger)?;
    let invited = transaction
        .query_typed_opt(
            "delete from tenantry.invitations \
             where tenant_id = $1 and lower(email) = lower($2) and expires_at > now() returning role",
            &[(&tenant.0, Type::UUID), (&email.as_str(), Type::TEXT)],
        )
        .await
        .map_err(RegistryError::from)?;
    if let Some(row) = invited {
        let role: &str = row.try_get(0).map_err(RegistryError::from)?;
        return Ok(role.parse().map_err(RegistryError::from)?);
    }
    if was_a_member {
        return Err(stranger());
    }
    rules.admit(arrival, email).ok_or_else(stranger)
}

/// Keeps who the person is to the issuer, and that they have come.
async fn remember(
    transaction: &OwnerTransaction,
    tenant: TenantId,
    arrival: Arrival<'_>,
    email: &EmailAddress,
    arrived: Arrived,
) -> Result<(), RegistryError> {
    transaction
        .execute_typed(
            "insert into tenantry.external_identities (issuer, subject, account_id) values ($1, $2, $3) \
             on conflict (issuer, subject) do nothing",
            &[
                (&arrival.issuer, Type::TEXT),
                (&arrival.subject, Type::TEXT),
                (&arrived.user.0, Type::UUID),
            ],
        )
        .await?;
    let details = serde_json::json!({
        "issuer": arrival.issuer, "email": email.as_str(), "role": arrived.role.as_str(),
    });
    let entry = Entry {
        tenant: Some(tenant),
        kind: Kind::Access,
        actor: Actor::User(arrived.user, Some(arrived.role)),
        request: None,
        action: "arriveByToken".to_owned(),
        details,
        failed: None,
    };
    audit::record(transaction, &entry).await
}

/// The account that the person has had before, or that has their address; else the one that they may get.
async fn account(transaction: &OwnerTransaction, arrival: Arrival<'_>) -> Result<Account, Failure> {
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
        .await
        .map_err(RegistryError::from)?;
    if let Some(row) = row {
        // Whoever signed up with this address may be somebody else, who knows the account's password.
        if !row.try_get::<_, bool>(3).map_err(RegistryError::from)? {
            return Err(refused(
                "there is an account with this e-mail address already: reset its password once, which \
                 proves that it is yours",
            ));
        }
        return Ok(Account::from_row(&row)?);
    }
    let Some(email) = email else {
        return Err(refused(
            "you are no member of this tenant, and the token has no verified e-mail address to become one by",
        ));
    };
    let local = email.as_str().split('@').next().unwrap_or_default();
    let name = arrival.name.map(DisplayName::parse).and_then(Result::ok);
    let name = name.map_or_else(|| DisplayName::parse(local), Ok);
    let name = name.map_err(RegistryError::from)?;
    Ok(Account {
        known: None,
        name: name.as_str().to_owned(),
        email,
    })
}

enum Membership {
    Is(MemberRole),
    Was,
    None,
}

async fn membership(
    transaction: &OwnerTransaction,
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

fn stranger() -> Failure {
    refused("you are no member of this tenant")
}

fn refused(message: &'static str) -> Failure {
    Failure::new(Code::Forbidden, message)
}
