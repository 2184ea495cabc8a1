//! `auditLog` at the base domain: what has been done at all tenants, for operators.

use async_graphql::{Context, Error, Object, SimpleObject};
use uuid::Uuid;

use super::operators::operator;
use super::{Platform, into_error};
use crate::error::Failure;
use crate::registry::TenantRef;
use crate::registry::audit::{Place, Recorded};
use crate::service::audit_log::{
    TenantAuditEntry, TenantAuditFilter, TenantAuditPageInfo, page_length,
};

#[derive(Default)]
pub(crate) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// What has been done at one tenant (its subdomain or id) or at all, the newest first. For operators.
    #[graphql(complexity = "50 + child_complexity")]
    async fn audit_log(
        &self,
        context: &Context<'_>,
        tenant: Option<String>,
        #[graphql(default = 50)] first: i32,
        after: Option<String>,
        #[graphql(name = "where")] filter: Option<TenantAuditFilter>,
    ) -> Result<AuditConnection, Error> {
        operator(context).map_err(into_error)?;
        let platform = context.data::<Platform>()?;
        let read = read(
            platform,
            tenant.as_deref(),
            first,
            after.as_deref(),
            filter.unwrap_or_default(),
        );
        read.await.map_err(into_error)
    }
}

async fn read(
    platform: &Platform,
    tenant: Option<&str>,
    first: i32,
    after: Option<&str>,
    filter: TenantAuditFilter,
) -> Result<AuditConnection, Failure> {
    let tenant = tenant.map(TenantRef::parse).transpose()?;
    let after = after.map(Place::parse).transpose()?;
    let (first, wanted) = (page_length(first)?, filter.into());
    let registry = &platform.registry;
    let page = registry.read_audit_log(tenant.as_ref(), None, wanted, after, first);
    let (entries, more) = page.await?;
    Ok(AuditConnection {
        page_info: TenantAuditPageInfo::new(&entries, more),
        nodes: entries.into_iter().map(AuditEntry::from).collect(),
    })
}

#[derive(SimpleObject)]
struct AuditConnection {
    nodes: Vec<AuditEntry>,
    page_info: TenantAuditPageInfo,
}

/// Something that was done, or that failed, and at which tenant.
#[derive(SimpleObject)]
struct AuditEntry {
    /// Null for what is about no tenant.
    tenant_id: Option<Uuid>,
    /// The tenant's subdomain today; null of a tenant that is no more.
    tenant: Option<String>,
    #[graphql(flatten)]
    entry: TenantAuditEntry,
}

impl From<Recorded> for AuditEntry {
    fn from(entry: Recorded) -> Self {
        Self {
            tenant_id: entry.tenant_id,
            tenant: entry.tenant.clone(),
            entry: entry.into(),
        }
    }
}
