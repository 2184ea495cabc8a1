//! The types that operators' fields about tenants have.

use async_graphql::{Context, Error, InputObject, Object, Scalar, ScalarType, SimpleObject, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::{Platform, into_error};
use crate::names::MemberRole;
use crate::registry::{Filter, Page, Purged, Sort, TenantRecord, TenantStatus};

/// A whole number of up to 64 bits, as a string: JavaScript's numbers lose digits.
pub(super) struct BigInt(pub(super) i64);

#[Scalar]
impl ScalarType for BigInt {
    fn parse(value: Value) -> async_graphql::InputValueResult<Self> {
        match &value {
            Value::String(text) => Ok(Self(text.parse()?)),
            Value::Number(number) if number.is_i64() => {
                Ok(Self(number.as_i64().unwrap_or_default()))
            }
            _ => Err(async_graphql::InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A tenant, as operators see it.
#[derive(SimpleObject)]
pub(super) struct ManagedTenant {
    id: Uuid,
    name: String,
    subdomain: String,
    /// Former subdomains, which still lead here.
    redirects: Vec<String>,
    status: TenantStatus,
    suspended_at: Option<OffsetDateTime>,
    suspension_reason: Option<String>,
    deleted_at: Option<OffsetDateTime>,
    /// Until then a deleted tenant is kept for certain.
    purge_after: Option<OffsetDateTime>,
    /// Its tables are being dropped: there is no way back.
    purging: bool,
    /// The addresses of its owners.
    owners: Vec<String>,
    /// How many members it has.
    users: BigInt,
    /// What its tables and indexes take; null while somebody has them locked.
    bytes: Option<BigInt>,
    /// An estimate of its rows.
    rows: Option<BigInt>,
    /// When somebody who belongs to it last sent a request, to about a minute.
    last_activity_at: Option<OffsetDateTime>,
    created_at: OffsetDateTime,
    /// The last migration of the app's tables.
    app_version: i32,
    /// The last migration of the service's own.
    base_version: i32,
    /// Its Postgres schema.
    schema: String,
    /// Its Postgres role.
    role: String,
}

impl From<TenantRecord> for ManagedTenant {
    fn from(tenant: TenantRecord) -> Self {
        Self {
            id: tenant.id.0,
            name: tenant.name,
            subdomain: tenant.subdomain.to_string(),
            redirects: tenant.redirects,
            status: tenant.status,
            suspended_at: tenant.suspended_at,
            suspension_reason: tenant.suspension_reason,
            deleted_at: tenant.deleted_at,
            purge_after: tenant.purge_after,
            purging: tenant.purging,
            owners: tenant.owners,
            users: BigInt(tenant.users),
            bytes: tenant.bytes.map(BigInt),
            rows: tenant.rows.map(BigInt),
            last_activity_at: tenant.last_activity_at,
            created_at: tenant.created_at,
            app_version: tenant.version.app,
            base_version: tenant.version.base,
            schema: tenant.schema.to_string(),
            role: tenant.role.to_string(),
        }
    }
}

/// Which tenants are wanted.
#[derive(InputObject)]
pub(super) struct ManagedTenantFilter {
    status: Option<Vec<TenantStatus>>,
    /// Part of the name, of the subdomain or of an owner's address.
    search: Option<String>,
}

impl From<ManagedTenantFilter> for Filter {
    fn from(filter: ManagedTenantFilter) -> Self {
        Self {
            statuses: filter.status.unwrap_or_default(),
            search: filter.search,
        }
    }
}

/// In which order. For BYTES and ROWS every tenant is measured.
#[derive(InputObject, Default)]
pub(super) struct ManagedTenantOrder {
    pub(super) by: Sort,
    #[graphql(default)]
    pub(super) descending: bool,
}

/// A page of tenants.
pub(super) struct ManagedTenantConnection {
    page: Page,
    filter: Filter,
}

impl ManagedTenantConnection {
    pub(super) fn new(page: Page, filter: Filter) -> Self {
        Self { page, filter }
    }
}

#[Object]
impl ManagedTenantConnection {
    async fn nodes(&self) -> Vec<ManagedTenant> {
        let tenants = self.page.tenants.iter();
        tenants.map(|(tenant, _)| tenant.clone().into()).collect()
    }

    async fn has_next_page(&self) -> bool {
        self.page.has_more
    }

    /// For `after` of the next page, in the same order.
    async fn end_cursor(&self) -> Option<&str> {
        self.page.tenants.last().map(|(_, cursor)| cursor.as_str())
    }

    /// How many there are in all.
    #[graphql(complexity = 50)]
    async fn total_count(&self, context: &Context<'_>) -> Result<BigInt, Error> {
        let platform = context.data::<Platform>()?;
        let count = platform.registry.count_tenants(&self.filter).await;
        Ok(BigInt(count.map_err(into_error)?))
    }
}

/// A tenant that is no more.
#[derive(SimpleObject)]
pub(super) struct PurgedTenant {
    id: Uuid,
    name: String,
    subdomain: String,
}

impl From<Purged> for PurgedTenant {
    fn from(purged: Purged) -> Self {
        Self {
            id: purged.id.0,
            name: purged.name,
            subdomain: purged.subdomain,
        }
    }
}

/// A tenant to be made, and its owner.
#[derive(InputObject)]
pub(super) struct CreateTenantInput {
    pub(super) name: String,
    /// Made of the name when left out.
    pub(super) subdomain: Option<String>,
    pub(super) owner_name: String,
    pub(super) owner_email: String,
    /// When left out nobody knows one, and the owner has the password reset to log in.
    #[graphql(secret)]
    pub(super) owner_password: Option<String>,
}

/// Where to, as what, for how long and why.
#[derive(InputObject)]
pub(super) struct SupportTenantInput {
    /// The tenant's subdomain or id.
    pub(super) tenant: String,
    /// VIEWER when left out, who can change nothing.
    pub(super) role: Option<MemberRole>,
    /// 30 when left out, 480 at most.
    pub(super) minutes: Option<u16>,
    /// The tenant's owner reads it.
    pub(super) reason: String,
}

/// A visit at a tenant.
#[derive(SimpleObject)]
pub(super) struct SupportSession {
    /// For the header `Authorization: Bearer <accessToken>`, at the tenant's address.
    pub(super) access_token: String,
    pub(super) expires_at: OffsetDateTime,
    pub(super) url: String,
}
