//! `currentTenant`: the tenant that is asked, as its members see it.

use async_graphql::{Context, MergedObject, Object, SimpleObject};
use uuid::Uuid;

use super::ServiceContext;
use super::api_keys::ApiKeys;
use super::audit_log::AuditFields;
use super::domains::TenantDomains;
use super::invitations::Invitations;
use super::limits::LimitFields;
use super::provisioning::TenantArrivals;
use super::support::SupportAccesses;
use crate::error::Failure;
use crate::names::MemberRole;
use crate::registry::TenantStatus;

#[derive(Default)]
pub(crate) struct TenantQuery;

#[Object]
#[expect(clippy::unused_async, reason = "that is what resolvers are")]
impl TenantQuery {
    /// The tenant whose API this is.
    async fn current_tenant(&self, context: &Context<'_>) -> Result<CurrentTenant, Failure> {
        let facts = TenantFacts::of(ServiceContext::of(context)?)?;
        Ok(CurrentTenant(
            facts,
            AuditFields,
            LimitFields,
            Invitations,
            TenantDomains,
            TenantArrivals,
            ApiKeys,
            SupportAccesses,
        ))
    }
}

/// A workspace of one organization.
// Put together of one object for each topic; what takes more than a look at the context has a file of its own.
#[derive(MergedObject)]
struct CurrentTenant(
    TenantFacts,
    AuditFields,
    LimitFields,
    Invitations,
    TenantDomains,
    TenantArrivals,
    ApiKeys,
    SupportAccesses,
);

#[derive(SimpleObject)]
struct TenantFacts {
    id: Uuid,
    /// What the organization is called.
    name: String,
    /// The first label of its address.
    subdomain: String,
    /// Where its API and its editor are.
    url: String,
    status: TenantStatus,
    /// What you may do in it.
    role: MemberRole,
}

impl TenantFacts {
    fn of(service: &ServiceContext) -> Result<Self, Failure> {
        let tenant = service.tenant();
        let url = &service.environment().public_url;
        Ok(Self {
            id: tenant.id.0,
            name: tenant.name.clone(),
            subdomain: tenant.subdomain.to_string(),
            url: url.of_tenant(&tenant.subdomain),
            status: tenant.status,
            role: service.at_least(MemberRole::Viewer)?,
        })
    }
}
