//! Tenants' own domains: claimed, proven by a record in the DNS, and given up.

use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{OwnerTransaction, Registry, RegistryError};
use crate::error::{Code, Failure};
use crate::names::{DomainName, TenantId};

/// The most domains of one tenant.
const MOST: i64 = 50;

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

    fn from_row(row: &Row) -> Result<Self, RegistryError> {
        Ok(Self {
            name: DomainName::parse(row.try_get(0)?)?,
            token: row.try_get(1)?,
            verified: row.try_get(2)?,
        })
    }
}

impl Registry {
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
            "update tenantry.domains set verified_at = coalesce(verified_at, now()) \
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
