//! The tenant's own domains, for its admins: `addDomain`, then a record in the DNS or a page, then `verifyDomain`.

use async_graphql::{Context, Object, SimpleObject};
use serde_json::json;

use super::ServiceContext;
use crate::error::Failure;
use crate::guard::Site;
use crate::names::{DomainName, MemberRole};
use crate::registry::{Domain, audit, domains};

/// The part of `currentTenant` that is about its domains.
pub(super) struct TenantDomains;

#[Object]
impl TenantDomains {
    /// Its own addresses, beside the one at the service. For admins.
    async fn domains(&self, context: &Context<'_>) -> Result<Vec<TenantDomain>, Failure> {
        let service = ServiceContext::of(context)?;
        service.at_least(MemberRole::Admin)?;
        let transaction = service.transaction().await?;
        let found = domains::list(transaction, service.tenant().id).await?;
        Ok(found.into_iter().map(TenantDomain::from).collect())
    }
}

#[derive(Default)]
pub(crate) struct DomainMutation;

#[Object]
impl DomainMutation {
    /// Claims an address of the tenant's own, as `app.example.com`. It is used once it is verified.
    async fn add_domain(
        &self,
        context: &Context<'_>,
        name: String,
    ) -> Result<TenantDomain, Failure> {
        let (service, name) = admin(context, &name)?;
        let transaction = service.transaction().await?;
        let domain = domains::add(transaction, service.tenant().id, &name).await?;
        record(service, "addDomain", &domain).await?;
        Ok(domain.into())
    }

    /// Looks for the record, or the page, that proves that the domain is the tenant's. From then on, requests to it
    /// reach the tenant.
    async fn verify_domain(
        &self,
        context: &Context<'_>,
        name: String,
    ) -> Result<TenantDomain, Failure> {
        let (service, name) = admin(context, &name)?;
        let (environment, tenant) = (service.environment(), service.tenant().id);
        let claimed = environment.registry.domain(tenant, &name).await?;
        let domain = claimed.ok_or_else(domains::unknown)?;
        if domain.verified {
            return Ok(domain.into());
        }
        environment.domains.prove(&domain).await?;
        let transaction = service.transaction().await?;
        let domain = domains::verified(transaction, tenant, &domain).await?;
        record(service, "verifyDomain", &domain).await?;
        Ok(domain.into())
    }

    /// Gives an address up, whether it is verified or not.
    async fn remove_domain(
        &self,
        context: &Context<'_>,
        name: String,
    ) -> Result<TenantDomain, Failure> {
        let (service, name) = admin(context, &name)?;
        let transaction = service.transaction().await?;
        let domain = domains::remove(transaction, service.tenant().id, &name).await?;
        record(service, "removeDomain", &domain).await?;
        Ok(domain.into())
    }
}

/// An admin's request about a domain.
fn admin<'a>(
    context: &Context<'a>,
    name: &str,
) -> Result<(&'a ServiceContext, DomainName), Failure> {
    let service = ServiceContext::of(context)?;
    service.at_least(MemberRole::Admin)?;
    Ok((service, parse(service, name)?))
}

/// An address of the tenant's own.
#[derive(SimpleObject)]
pub(super) struct TenantDomain {
    name: String,
    /// Whether requests to it reach the tenant.
    verified: bool,
    /// The TXT record that proves whose it is. It has to stay: it is looked for every day.
    record: TenantDomainRecord,
    /// A page that proves it as well, for as long as the domain leads to a server of your own.
    page: TenantDomainPage,
}

/// A page at the domain.
#[derive(SimpleObject)]
struct TenantDomainPage {
    url: String,
    /// A line of the page.
    value: String,
}

/// A TXT record to be set in the DNS.
#[derive(SimpleObject)]
struct TenantDomainRecord {
    name: String,
    value: String,
}

impl From<Domain> for TenantDomain {
    fn from(domain: Domain) -> Self {
        Self {
            record: TenantDomainRecord {
                name: domain.record_name(),
                value: domain.record_value(),
            },
            page: TenantDomainPage {
                url: domain.page_url(),
                value: domain.record_value(),
            },
            name: domain.name.to_string(),
            verified: domain.verified,
        }
    }
}

/// A name that could be a tenant's: not the service's own, nor one below its base domain.
fn parse(service: &ServiceContext, text: &str) -> Result<DomainName, Failure> {
    let name = DomainName::parse_written(text)
        .map_err(|error| Failure::bad_input("name", error.to_string()))?;
    match service.environment().guard.site(name.as_str()) {
        Site::Domain(name) => Ok(name),
        _ => Err(Failure::bad_input(
            "name",
            "this is an address of the service itself",
        )),
    }
}

async fn record(service: &ServiceContext, action: &str, domain: &Domain) -> Result<(), Failure> {
    let details = json!({"domain": domain.name.as_str()});
    service.record(audit::Kind::Access, action, details).await
}
