//! Who becomes a member by logging in elsewhere, for the tenant's admins to say.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use serde_json::json;

use super::ServiceContext;
use crate::error::Failure;
use crate::names::{DomainName, MemberRole};
use crate::registry::{Provisioning, ProvisioningMode, audit};

/// The part of `currentTenant` that is about people who come with tokens of other issuers.
pub(super) struct TenantArrivals;

#[Object]
impl TenantArrivals {
    /// Who becomes a member by logging in with a trusted issuer. For admins.
    async fn provisioning(&self, context: &Context<'_>) -> Result<TenantProvisioning, Failure> {
        let service = ServiceContext::of(context)?;
        service.at_least(MemberRole::Admin)?;
        let transaction = service.transaction().await?;
        let found = Provisioning::of(transaction, service.tenant().id).await?;
        let found = found.ok_or_else(|| Failure::internal("the tenant is not active any more"))?;
        Ok(found.into())
    }
}

#[derive(Default)]
pub(crate) struct ProvisioningMutation;

#[Object]
impl ProvisioningMutation {
    /// Says who becomes a member by logging in with a trusted issuer.
    async fn set_provisioning(
        &self,
        context: &Context<'_>,
        input: TenantProvisioningInput,
    ) -> Result<TenantProvisioning, Failure> {
        let service = ServiceContext::of(context)?;
        service.actor(MemberRole::Admin)?;
        let domains = input.domains.unwrap_or_default().into_iter();
        let domains = domains.map(|text| {
            let name = DomainName::parse_written(&text);
            let name = name.map_err(|error| Failure::bad_input("domains", error.to_string()));
            Ok(name?.to_string())
        });
        let provisioning = Provisioning {
            mode: input.mode,
            domains: domains.collect::<Result<_, Failure>>()?,
            role: input.role.unwrap_or(MemberRole::Member),
        };
        let transaction = service.transaction().await?;
        provisioning.set(transaction, service.tenant().id).await?;
        let details = json!({
            "mode": provisioning.mode.as_str(), "domains": provisioning.domains, "role": provisioning.role.as_str(),
        });
        service
            .record(audit::Kind::Access, "setProvisioning", details)
            .await?;
        Ok(provisioning.into())
    }
}

/// Who becomes a member by logging in with a trusted issuer.
#[derive(InputObject)]
struct TenantProvisioningInput {
    mode: ProvisioningMode,
    /// Of mail addresses: `["example.com"]`. Anybody with such an address comes in.
    domains: Option<Vec<String>>,
    /// What they become when neither their token nor their invitation says; MEMBER when left out.
    role: Option<MemberRole>,
}

/// Who becomes a member by logging in with a trusted issuer.
#[derive(SimpleObject)]
pub(super) struct TenantProvisioning {
    mode: ProvisioningMode,
    /// Of mail addresses.
    domains: Vec<String>,
    /// What people become when neither their token nor their invitation says.
    role: MemberRole,
}

impl From<Provisioning> for TenantProvisioning {
    fn from(provisioning: Provisioning) -> Self {
        Self {
            mode: provisioning.mode,
            domains: provisioning.domains,
            role: provisioning.role,
        }
    }
}
