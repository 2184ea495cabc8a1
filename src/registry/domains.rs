//! Tenants' own domains: claimed, proven by a record in the DNS or by a page, looked after, and given up.

use serde_json::json;
use time::OffsetDateTime;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::audit::{self, Actor, Entry, Kind};
use super::{Access, OwnerTransaction, Registry, RegistryError};
use crate::error::{Code, Failure};
use crate::names::{DomainName, Subdomain, TenantId};
use crate::secret::Secret;

/// The most domains of one tenant.
const MOST: i64 = 50;

/// Where pages with proofs are.
pub(crate) const PAGES: &str = "/.well-known/tenantry-domain-check/";

/// Domains that are looked at in one go.
const BATCH: i64 = 10;

/// A domain that a tenant claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Domain {
    pub(crate) name: DomainName,
    token: String,
    /// Whether requests to it reach the tenant.
    pub(crate) verified: bool,
}

impl Domain {
    /// Where in the DNS the proof is looked for.
    pub(crate) fn record_name(&self) -> String {
        format!("_tenantry.{}", self.name)
    }

    /// What has to stand there.
    pub(crate) fn record_value(&self) -> String {
        format!("tenantry-verification={}", self.token)
    }

    /// Where else it is looked for. Servers that tell what they were asked for do not tell the proof: the path is made of
    /// a hash of the token.
    pub(crate) fn page_path(&self) -> String {
        let hash = Secret::received(&self.token).hash();
        let name: String = hash[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{PAGES}{name}")
    }

    pub(crate) fn page_url(&self) -> String {
        format!("http://{}{}", self.name, self.page_path())
    }

    fn from_row(row: &Row) -> Result<Self, RegistryError> {
        Ok(Self {
            name: DomainName::parse(row.try_get(0)?)?,
            token: row.try_get(1)?,
            verified: row.try_get(2)?,
        })
    }
}

/// A verified domain whose proof is to be looked for again.
#[derive(Debug, Clone)]
pub(crate) struct DueDomain {
    pub(crate) tenant: TenantId,
    pub(crate) tenant_name: String,
    pub(crate) subdomain: Subdomain,
    pub(crate) domain: Domain,
}

/// What has become of a domain whose proof was not found.
#[derive(Debug, Clone)]
pub(crate) enum Lost {
    /// For the first time: it is given up at this time.
    Now(OffsetDateTime),
    /// Not long enough.
    Before,
    /// Too long: requests to it do not reach the tenant any more.
    GivenUp,
}

impl Registry {
    /// Some of the verified domains that nobody has looked at for a day. No other replica gets the same ones.
    pub(crate) async fn due_domains(&self) -> Result<Vec<DueDomain>, RegistryError> {
        let statement = "with due as ( \
               select d.tenant_id, d.domain from tenantry.domains d join tenantry.tenants t on t.id = d.tenant_id \
               where d.verified_at is not null and t.status <> 'deleted' \
                 and coalesce(d.checked_at, d.verified_at) < now() - interval '1 day' \
               order by coalesce(d.checked_at, d.verified_at) limit $1 for update of d skip locked) \
             update tenantry.domains d set checked_at = now() from due, tenantry.tenants t \
             where (d.tenant_id, d.domain) = (due.tenant_id, due.domain) and t.id = d.tenant_id \
             returning d.domain, d.token, true, d.tenant_id, t.name, t.subdomain";
        let connection = self.connection().await?;
        let rows = connection.query_typed(statement, &[(&BATCH, Type::INT8)]);
        let read = |row: &Row| {
            Ok(DueDomain {
                domain: Domain::from_row(row)?,
                tenant: TenantId(row.try_get(3)?),
                tenant_name: row.try_get(4)?,
                subdomain: Subdomain::parse(row.try_get(5)?)?,
            })
        };
        rows.await?.iter().map(read).collect()
    }

    /// Its proof is there.
    pub(crate) async fn domain_found(&self, due: &DueDomain) -> Result<(), RegistryError> {
        let statement = "update tenantry.domains set lost_at = null \
             where tenant_id = $1 and domain = $2 and lost_at is not null";
        let name = due.domain.name.as_str();
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&due.tenant.0, Type::UUID), (&name, Type::TEXT)];
        let connection = self.connection().await?;
        connection.execute_typed(statement, &parameters).await?;
        Ok(())
    }

    /// Its proof is not there. After so many days the domain is not the tenant's any more, which leaves a trail.
    pub(crate) async fn domain_lost(
        &self,
        due: &DueDomain,
        days: u16,
    ) -> Result<Option<Lost>, RegistryError> {
        let days = i32::from(days);
        let transaction = self.begin(Access::Write).await?;
        let name = due.domain.name.as_str();
        let statement = "with before as ( \
               select tenant_id, domain, lost_at from tenantry.domains \
               where tenant_id = $1 and domain = $2 and verified_at is not null for update) \
             update tenantry.domains d set lost_at = coalesce(d.lost_at, now()), \
               verified_at = case when d.lost_at < now() - make_interval(days => $3) then null else d.verified_at end \
             from before b where (d.tenant_id, d.domain) = (b.tenant_id, b.domain) \
             returning b.lost_at is null, d.verified_at is null, d.lost_at + make_interval(days => $3)";
        let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
            (&due.tenant.0, Type::UUID),
            (&name, Type::TEXT),
            (&days, Type::INT4),
        ];
        let row = transaction.query_typed_opt(statement, &parameters).await?;
        let Some(row) = row else { return Ok(None) };
        let lost = match (row.try_get(0)?, row.try_get(1)?) {
            (_, true) => Lost::GivenUp,
            (true, false) => Lost::Now(row.try_get(2)?),
            (false, false) => Lost::Before,
        };
        if matches!(lost, Lost::GivenUp) {
            let entry = Entry {
                tenant: Some(due.tenant),
                kind: Kind::Access,
                actor: Actor::Service,
                request: None,
                action: "unverifyDomain".to_owned(),
                details: json!({"domain": due.domain.name.as_str(), "days": days}),
                failed: None,
            };
            audit::record(&transaction, &entry).await?;
        }
        transaction.commit().await?;
        Ok(Some(lost))
    }

    /// The addresses of a tenant's owners.
    pub(crate) async fn owners(&self, tenant: TenantId) -> Result<Vec<String>, RegistryError> {
        let statement = "select a.email from tenantry.memberships m join tenantry.accounts a on a.id = m.account_id \
             where m.tenant_id = $1 and m.role = 'owner' order by a.email";
        let connection = self.connection().await?;
        let rows = connection
            .query_typed(statement, &[(&tenant.0, Type::UUID)])
            .await?;
        let owners = rows.iter().map(|row| row.try_get(0));
        Ok(owners.collect::<Result<_, _>>()?)
    }

    /// The verified domain of this name, whosever it is.
    pub(crate) async fn verified_domain(
        &self,
        name: &DomainName,
    ) -> Result<Option<Domain>, RegistryError> {
        let statement = "select domain, token, true from tenantry.domains where domain = $1 and verified_at is not null";
        let connection = self.connection().await?;
        let row = connection
            .query_typed_opt(statement, &[(&name.as_str(), Type::TEXT)])
            .await?;
        row.as_ref().map(Domain::from_row).transpose()
    }

    /// What a tenant claims, read by itself: nothing stays open while the DNS is asked.
    pub(crate) async fn domain(
        &self,
        tenant: TenantId,
        name: &DomainName,
    ) -> Result<Option<Domain>, RegistryError> {
        let row = self
            .connection()
            .await?
            .query_typed_opt(
                "select domain, token, verified_at is not null from tenantry.domains \
                 where tenant_id = $1 and domain = $2",
                &[(&tenant.0, Type::UUID), (&name.as_str(), Type::TEXT)],
            )
            .await?;
        row.as_ref().map(Domain::from_row).transpose()
    }
}

/// The domains of a tenant, by name.
pub(crate) async fn list(
    transaction: &OwnerTransaction,
    tenant: TenantId,
) -> Result<Vec<Domain>, RegistryError> {
    let rows = transaction
        .query_typed(
            "select domain, token, verified_at is not null from tenantry.domains where tenant_id = $1 order by domain",
            &[(&tenant.0, Type::UUID)],
        )
        .await?;
    rows.iter().map(Domain::from_row).collect()
}

/// Claims a domain; one that is claimed already stays as it is.
pub(crate) async fn add(
    transaction: &OwnerTransaction,
    tenant: TenantId,
    name: &DomainName,
) -> Result<Domain, Failure> {
    let token = Uuid::new_v4().simple().to_string();
    let row = transaction
        .query_typed_one(
            "select exists (select from tenantry.domains where domain = $2 and verified_at is not null and tenant_id <> $1), \
             (select count(*) from tenantry.domains where tenant_id = $1 and domain <> $2)",
            &[(&tenant.0, Type::UUID), (&name.as_str(), Type::TEXT)],
        )
        .await
        .map_err(RegistryError::from)?;
    if row.try_get(0).map_err(RegistryError::from)? {
        return Err(taken());
    }
    if row.try_get::<_, i64>(1).map_err(RegistryError::from)? >= MOST {
        let message = format!("a tenant has at most {MOST} domains");
        return Err(Failure::new(Code::Conflict, message));
    }
    let row = transaction
        .query_typed_one(
            "insert into tenantry.domains (tenant_id, domain, token) values ($1, $2, $3) \
             on conflict (tenant_id, domain) do update set token = domains.token \
             returning domain, token, verified_at is not null",
            &[
                (&tenant.0, Type::UUID),
                (&name.as_str(), Type::TEXT),
                (&token, Type::TEXT),
            ],
        )
        .await
        .map_err(RegistryError::from)?;
    Ok(Domain::from_row(&row)?)
}

/// Takes a domain for the tenant's own, once its record has been seen.
pub(crate) async fn verified(
    transaction: &OwnerTransaction,
    tenant: TenantId,
    domain: &Domain,
) -> Result<Domain, Failure> {
    let row = transaction
        .query_typed_opt(
            "update tenantry.domains set verified_at = coalesce(verified_at, now()), lost_at = null \
             where tenant_id = $1 and domain = $2 and token = $3 \
             returning domain, token, verified_at is not null",
            &[
                (&tenant.0, Type::UUID),
                (&domain.name.as_str(), Type::TEXT),
                (&domain.token, Type::TEXT),
            ],
        )
        .await;
    match row {
        Ok(Some(row)) => Ok(Domain::from_row(&row)?),
        Ok(None) => Err(unknown()),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Err(taken()),
        Err(error) => Err(RegistryError::from(error).into()),
    }
}

/// Gives a domain up, verified or not.
pub(crate) async fn remove(
    transaction: &OwnerTransaction,
    tenant: TenantId,
    name: &DomainName,
) -> Result<Domain, Failure> {
    let row = transaction
        .query_typed_opt(
            "delete from tenantry.domains where tenant_id = $1 and domain = $2 \
             returning domain, token, verified_at is not null",
            &[(&tenant.0, Type::UUID), (&name.as_str(), Type::TEXT)],
        )
        .await
        .map_err(RegistryError::from)?;
    Ok(Domain::from_row(&row.ok_or_else(unknown)?)?)
}

pub(crate) fn unknown() -> Failure {
    Failure::bad_input("name", "this tenant has no such domain: add it first")
}

fn taken() -> Failure {
    Failure::conflict("name", "this domain belongs to another tenant")
}
