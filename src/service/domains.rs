//! The tenant's own domains, for its admins: `addDomain`, then a record in the DNS, then `verifyDomain`.

use async_graphql::{Context, Object, SimpleObject};
use serde_json::json;

use super::ServiceContext;
use crate::error::{Code, Failure};
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

    /// Looks for the record that proves that the domain is the tenant's. From then on, requests to it reach the
    /// tenant.
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
        let found = environment.dns.texts(&domain.record_name()).await;
        let texts = found.map_err(|error| {
            let message = "the DNS did not answer for this domain: try again later";
            let mut failure = Failure::new(Code::Overloaded, message).with_log(error);
            failure.details.retry_after = Some(5);
            failure
        })?;
        if !texts.contains(&domain.record_value()) {
            let message = format!(
                "there is no TXT record {} with the text {} yet: it may take a while to be seen",
                domain.record_name(),
                domain.record_value()
            );
            return Err(Failure::conflict("name", message));
        }
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
    /// The TXT record that proves whose it is. It may go once the domain is verified.
    record: TenantDomainRecord,
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
