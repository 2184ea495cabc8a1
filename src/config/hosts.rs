//! Where tenants are found, beside their subdomains.

use std::net::SocketAddr;

use clap::Args;

use crate::dns::DnsError;
use crate::domains::Domains;
use crate::http::PageOrigin;

#[derive(Debug, Clone, Args)]
pub(crate) struct HostFlags {
    /// The host of all tenants, where the token says which one is meant; `api` of the base domain when
    /// left out.
    #[arg(long, env = "TENANTRY_API_HOST", value_name = "HOST")]
    pub(crate) api_host: Option<String>,

    #[command(flatten)]
    pub(crate) proofs: ProofFlags,

    /// For how many days a domain of a tenant stays verified whose proof is gone; 0 for ever, and it is not looked for.
    #[arg(
        long,
        env = "TENANTRY_DOMAIN_DAYS",
        value_name = "DAYS",
        default_value_t = 14
    )]
    pub(crate) domain_days: u16,

    /// An origin, such as `https://app.example.com`, whose pages may call the API of every tenant, and with
    /// the cookies of whoever is logged in there; may be given several times. Pages of the tenant's own
    /// host need none.
    #[arg(
        long,
        env = "TENANTRY_CORS_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub(crate) cors_origin: Vec<PageOrigin>,
}

/// How proofs of tenants' own domains are looked for.
#[derive(Debug, Clone, Args)]
pub(crate) struct ProofFlags {
    /// The name server that is asked for proofs of tenants' own domains, in place of this machine's.
    #[arg(long, env = "TENANTRY_DNS_SERVER", value_name = "ADDRESS:PORT")]
    dns_server: Option<SocketAddr>,

    /// An HTTP proxy that fetches pages with such proofs, and sees to it that they come from outside; without
    /// one, the service fetches them from public addresses itself.
    #[arg(long, env = "TENANTRY_DOMAIN_PROXY", value_name = "ADDRESS:PORT")]
    domain_proxy: Option<SocketAddr>,
}

impl ProofFlags {
    pub(crate) fn domains(&self) -> Result<Domains, DnsError> {
        Domains::new(self.dns_server, self.domain_proxy)
    }
}
