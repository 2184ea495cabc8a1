//! Whose address a request was sent to; at the host of all tenants, the token says.

use std::sync::Arc;

use super::{Guard, Site, bearer, nobody_here, token};
use crate::error::Failure;
use crate::names::{Subdomain, TenantId};
use crate::oidc::Tenants;
use crate::registry::{Place, Tenant};

impl Guard {
    /// Whose address a name is.
    pub(crate) fn site(&self, host: &str) -> Site {
        self.hosts.site(host)
    }

    /// The tenant that is asked for, whatever its status; none for the service itself.
    pub(super) async fn whose(
        &self,
        site: &Site,
        authorization: Option<&str>,
    ) -> Result<Option<Arc<Tenant>>, Failure> {
        let tenant = match site {
            Site::Platform => return Ok(None),
            Site::Tenant(subdomain) => return self.at(subdomain).await.map(Some),
            Site::Domain(domain) => self.directory.find_by_domain(domain).await?,
            Site::Api => return self.meant_by(authorization).await.map(Some),
            Site::Unknown => None,
        };
        tenant.map(Some).ok_or_else(nobody_here)
    }

    async fn at(&self, subdomain: &Subdomain) -> Result<Arc<Tenant>, Failure> {
        match self.directory.look(subdomain).await? {
            Place::Tenant(tenant) => Ok(tenant),
            Place::Moved(to) => Err(self.moved(&to)),
            Place::Free => Err(nobody_here()),
        }
    }

    /// The tenant that a token names. Whether it may be believed is seen afterwards, as at the tenant's own host.
    async fn meant_by(&self, authorization: Option<&str>) -> Result<Arc<Tenant>, Failure> {
        let refused = |message| Err(Failure::unauthenticated(message));
        let Some(header) = authorization else {
            return refused("send a token: it says which tenant is meant");
        };
        let text = bearer(header)?;
        let Some(bearer) = self.foreign.verify(text).await? else {
            let Some(id) = token::tenant_of(text) else {
                return refused("the access token is not valid, or names no tenant");
            };
            let found = self.directory.find_by_id(id).await?;
            return found.ok_or_else(nobody_here);
        };
        match &bearer.tenants {
            Tenants::Named(names) if names.len() == 1 => self.named(&names[0]).await,
            Tenants::Named(_) => refused(
                "the token names several tenants: ask at the address of the one that is meant",
            ),
            Tenants::Unnamed => {
                refused("the token names no tenant: ask at the address of the one that is meant")
            }
        }
    }

    /// What looks like an id is one, whatever somebody called their subdomain.
    async fn named(&self, name: &str) -> Result<Arc<Tenant>, Failure> {
        if let Ok(id) = name.parse() {
            let found = self.directory.find_by_id(TenantId(id)).await?;
            return found.ok_or_else(nobody_here);
        }
        let subdomain = Subdomain::parse(name).map_err(|_| nobody_here())?;
        self.at(&subdomain).await
    }
}
