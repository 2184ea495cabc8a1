//! A tenant as operators see it.

use time::OffsetDateTime;
use tokio_postgres::Row;

use crate::migrate::SchemaVersion;
use crate::names::{RoleName, SchemaName, Subdomain, TenantId};
use crate::registry::{RegistryError, TenantStatus};

/// One tenant with all that is known of it.
#[derive(Debug, Clone)]
pub(crate) struct TenantRecord {
    pub(crate) id: TenantId,
    pub(crate) name: String,
    pub(crate) subdomain: Subdomain,
    pub(crate) schema: SchemaName,
    pub(crate) role: RoleName,
    pub(crate) status: TenantStatus,
    pub(crate) version: SchemaVersion,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) suspended_at: Option<OffsetDateTime>,
    pub(crate) suspension_reason: Option<String>,
    pub(crate) deleted_at: Option<OffsetDateTime>,
    /// Until then a deleted tenant is kept.
    pub(crate) purge_after: Option<OffsetDateTime>,
    pub(crate) purging: bool,
    pub(crate) last_activity_at: Option<OffsetDateTime>,
    pub(crate) owners: Vec<String>,
    pub(crate) users: i64,
    /// Names that lead to this tenant still.
    pub(crate) redirects: Vec<String>,
    /// None while the tables are locked, as by a migration.
    pub(crate) bytes: Option<i64>,
    /// An estimate.
    pub(crate) rows: Option<i64>,
}

/// When somebody of a tenant `t` last sent a request, to about a minute; a log-in is known at once.
macro_rules! last_activity {
    () => {
        "greatest((select a.last_at from tenantry.activity a where a.tenant_id = t.id), \
           (select max(s.rotated_at) from tenantry.sessions s where s.tenant_id = t.id))"
    };
}
pub(super) use last_activity;

/// The columns that [`TenantRecord::from_row`] reads, of a tenant `t`. The sizes are the costly part, so that
/// they are measured for the rows of a page and no others.
macro_rules! record_columns {
    () => {
        concat!(
            "t.id, t.name, t.subdomain, t.schema_name, t.role_name, t.status, t.base_version, t.app_version, t.migrations, \
         t.created_at, t.suspended_at, t.suspension_reason, t.deleted_at, t.purge_after, t.purging, \
         ", last_activity!(), " as last_at, \
         array(select o.email from tenantry.memberships m join tenantry.accounts o on o.id = m.account_id \
           where m.tenant_id = t.id and m.role = 'owner' order by o.email) as owners, \
         (select count(*) from tenantry.memberships m where m.tenant_id = t.id) as users, \
         array(select r.subdomain from tenantry.redirections r where r.tenant_id = t.id and r.until > now() \
           order by r.subdomain) as redirects, size.bytes, size.live_rows"
        )
    };
}
pub(super) use record_columns;

impl TenantRecord {
    pub(super) fn from_row(row: &Row) -> Result<Self, RegistryError> {
        Ok(Self {
            id: TenantId(row.try_get("id")?),
            name: row.try_get("name")?,
            subdomain: Subdomain::parse(row.try_get("subdomain")?)?,
            schema: SchemaName::parse(row.try_get::<_, String>("schema_name")?)?,
            role: RoleName::parse(row.try_get::<_, String>("role_name")?)?,
            status: row.try_get::<_, &str>("status")?.parse()?,
            version: SchemaVersion {
                base: row.try_get("base_version")?,
                app: row.try_get("app_version")?,
                digest: row.try_get("migrations")?,
            },
            created_at: row.try_get("created_at")?,
            suspended_at: row.try_get("suspended_at")?,
            suspension_reason: row.try_get("suspension_reason")?,
            deleted_at: row.try_get("deleted_at")?,
            purge_after: row.try_get("purge_after")?,
            purging: row.try_get("purging")?,
            last_activity_at: row.try_get("last_at")?,
            owners: row.try_get("owners")?,
            users: row.try_get("users")?,
            redirects: row.try_get("redirects")?,
            bytes: row.try_get("bytes")?,
            rows: row.try_get("live_rows")?,
        })
    }
}
