//! Who becomes a member of a tenant by coming with a token from elsewhere: for the tenant to say.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::{Arrival, InTransaction, RegistryError};
use crate::error::Failure;
use crate::names::{EmailAddress, MemberRole, TenantId};

/// Whom a tenant takes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Provisioning {
    pub(crate) mode: ProvisioningMode,
    /// Of mail addresses, for the mode that goes by them.
    pub(crate) domains: Vec<String>,
    /// What people become when their token does not say.
    pub(crate) role: MemberRole,
}

/// Who becomes a member by logging in with a trusted issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
#[graphql(name = "TenantProvisioningMode")]
pub(crate) enum ProvisioningMode {
    /// Nobody: members are invited, and accept.
    Off,
    /// Those who have been invited, without another step.
    Invitation,
    /// Those whose mail addresses are in one of the domains.
    Domain,
    /// Everybody whose token names the tenant.
    Anyone,
}

impl ProvisioningMode {
    /// The word in the registry.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Invitation => "invitation",
            Self::Domain => "domain",
            Self::Anyone => "anyone",
        }
    }

    fn read(word: &str) -> Self {
        let all = [Self::Invitation, Self::Domain, Self::Anyone];
        let known = all.into_iter().find(|mode| mode.as_str() == word);
        known.unwrap_or(Self::Off)
    }
}

impl Provisioning {
    /// Of an active tenant; others take nobody in.
    pub(crate) async fn of(
        client: &Client,
        tenant: TenantId,
    ) -> Result<Option<Self>, RegistryError> {
        let row = client
            .query_typed_opt(
                "select provisioning, provisioning_domains, provisioning_role from tenantry.tenants \
                 where id = $1 and status = 'active'",
                &[(&tenant.0, Type::UUID)],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Self {
            mode: ProvisioningMode::read(row.try_get(0)?),
            domains: row.try_get(1)?,
            role: row.try_get::<_, &str>(2)?.parse()?,
        }))
    }

    pub(crate) async fn set(
        &self,
        transaction: &impl InTransaction,
        tenant: TenantId,
    ) -> Result<(), Failure> {
        if self.role == MemberRole::Owner {
            let message = "owners are made by owners: choose another role";
            return Err(Failure::bad_input("role", message));
        }
        if self.mode == ProvisioningMode::Domain && self.domains.is_empty() {
            let message = "name at least one domain of mail addresses";
            return Err(Failure::bad_input("domains", message));
        }
        let update = "update tenantry.tenants \
             set provisioning = $2, provisioning_domains = $3, provisioning_role = $4 where id = $1";
        transaction
            .client()
            .execute_typed(
                update,
                &[
                    (&tenant.0, Type::UUID),
                    (&self.mode.as_str(), Type::TEXT),
                    (&self.domains, Type::TEXT_ARRAY),
                    (&self.role.as_str(), Type::TEXT),
                ],
            )
            .await
            .map_err(RegistryError::from)?;
        Ok(())
    }

    /// The role that the person gets; none for whom the tenant does not let in.
    pub(super) fn admit(&self, arrival: Arrival<'_>, email: &EmailAddress) -> Option<MemberRole> {
        let domain = email.as_str().rsplit('@').next().unwrap_or_default();
        let mut domains = self.domains.iter();
        let admitted = match self.mode {
            ProvisioningMode::Off | ProvisioningMode::Invitation => false,
            ProvisioningMode::Domain => domains.any(|one| one.eq_ignore_ascii_case(domain)),
            ProvisioningMode::Anyone => arrival.named,
        };
        // Owners are made by owners.
        admitted.then(|| arrival.role.unwrap_or(self.role).min(MemberRole::Admin))
    }
}
