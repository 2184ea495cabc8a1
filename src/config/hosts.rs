//! Where tenants are found, beside their subdomains.

use std::net::SocketAddr;

use clap::Args;

#[derive(Debug, Clone, Args)]
pub(crate) struct HostFlags {
    /// The host of all tenants, where the token says which one is meant; `api` of the base domain when
    /// left out.
    #[arg(long, env = "TENANTRY_API_HOST", value_name = "HOST")]
    pub(crate) api_host: Option<String>,

    /// The name server that is asked for proofs of tenants' own domains, in place of this machine's.
    #[arg(long, env = "TENANTRY_DNS_SERVER", value_name = "ADDRESS:PORT")]
    pub(crate) dns_server: Option<SocketAddr>,
}
