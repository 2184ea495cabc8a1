//! A tenant as the registry holds it.

use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;

use tokio_postgres::Row;

use super::RegistryError;
use crate::limits::{Meter, Overrides};
use crate::migrate::SchemaVersion;
use crate::names::{DomainName, RoleName, SchemaName, Subdomain, TenantId};

/// One customer of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tenant {
    pub(crate) id: TenantId,
    pub(crate) name: String,
    pub(crate) subdomain: Subdomain,
    pub(crate) schema: SchemaName,
    pub(crate) role: RoleName,
    pub(crate) status: TenantStatus,
    pub(crate) version: SchemaVersion,
    /// The limits that it has of its own.
    pub(crate) limits: Overrides,
    /// It has stored more than it may.
    pub(crate) over_quota: bool,
    /// What it is doing on this replica; all copies of the tenant share it.
    pub(crate) meter: Arc<Meter>,
    /// When access was last taken away; tokens from before are checked.
    pub(crate) access_changed_at: Option<SystemTime>,
    /// Those that are verified.
    pub(crate) domains: Vec<DomainName>,
    /// Counts the changes of the row: of two copies, the greater one is newer.
    pub(crate) revision: i64,
}

/// Whether a tenant is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, async_graphql::Enum, clap::ValueEnum)]
pub(crate) enum TenantStatus {
    /// Requests are answered.
    Active,
    /// Requests are refused until an operator lifts the suspension.
    Suspended,
    /// The tenant is gone, as far as requests can tell.
    Deleted,
}

impl TenantStatus {
    /// The word in the registry.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }
}

impl FromStr for TenantStatus {
    type Err = RegistryError;

    fn from_str(word: &str) -> Result<Self, RegistryError> {
        match word {
            "active" => Ok(Self::Active),
            "suspended" => Ok(Self::Suspended),
            "deleted" => Ok(Self::Deleted),
            _ => Err(RegistryError::Status(word.to_owned())),
        }
    }
}

/// The columns that [`Tenant::from_row`] reads. A macro, so that statements stay constant texts.
macro_rules! select_tenants {
    ($rest:literal) => {
        concat!(
            "select id, name, subdomain, schema_name, role_name, status, base_version, app_version, limits, \
             revision, access_changed_at, over_quota, array(select d.domain from tenantry.domains d \
               where d.tenant_id = tenants.id and d.verified_at is not null), migrations \
             from tenantry.tenants ",
            $rest
        )
    };
}
pub(super) use select_tenants;

impl Tenant {
    pub(super) fn from_row(row: &Row) -> Result<Self, RegistryError> {
        Ok(Self {
            id: TenantId(row.try_get(0)?),
            name: row.try_get(1)?,
            subdomain: Subdomain::parse(row.try_get(2)?)?,
            schema: SchemaName::parse(row.try_get::<_, String>(3)?)?,
            role: RoleName::parse(row.try_get::<_, String>(4)?)?,
            status: row.try_get::<_, &str>(5)?.parse()?,
            version: SchemaVersion {
                base: row.try_get(6)?,
                app: row.try_get(7)?,
                digest: row.try_get(13)?,
            },
            limits: limits(row)?,
            revision: row.try_get(9)?,
            access_changed_at: row.try_get(10)?,
            over_quota: row.try_get(11)?,
            meter: Arc::default(),
            domains: domains(row)?,
        })
    }
}

fn domains(row: &Row) -> Result<Vec<DomainName>, RegistryError> {
    let names: Vec<&str> = row.try_get(12)?;
    let names = names.into_iter().map(DomainName::parse);
    Ok(names.collect::<Result<_, _>>()?)
}

fn limits(row: &Row) -> Result<Overrides, RegistryError> {
    let (limits, wrong) = Overrides::read(&row.try_get(8)?);
    for problem in wrong {
        let subdomain: &str = row.try_get(2)?;
        tracing::error!(
            tenant.subdomain = subdomain,
            problem,
            "a limit in the registry is wrong"
        );
    }
    Ok(limits)
}
