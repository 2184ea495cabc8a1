//! Addresses, as people type them.

use super::BaseDomain;
use crate::names::Subdomain;
use crate::secret::Secret;

/// How people reach the service from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl {
    pub(crate) scheme: Scheme,
    pub(crate) base_domain: BaseDomain,
    /// None for the scheme's own port.
    pub(crate) port: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl PublicUrl {
    /// The address of a tenant, without a path: `http://acme.localhost:8080`.
    pub(crate) fn of_tenant(&self, subdomain: &Subdomain) -> String {
        self.at(&format!("{subdomain}.{}", self.base_domain))
    }

    /// The address of the service itself.
    pub(crate) fn of_platform(&self) -> String {
        self.at(self.base_domain.as_str())
    }

    /// Where an archive is fetched.
    pub(crate) fn of_export(&self, token: &Secret) -> String {
        format!("{}/exports/{}", self.of_platform(), token.as_str())
    }

    fn at(&self, host: &str) -> String {
        let (scheme, own_port) = match self.scheme {
            Scheme::Http => ("http", 80),
            Scheme::Https => ("https", 443),
        };
        match self.port {
            Some(port) if port != own_port => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_leave_out_the_usual_port() {
        let url = |scheme, port| {
            let base_domain = BaseDomain::parse("example.com").unwrap();
            PublicUrl {
                scheme,
                base_domain,
                port,
            }
            .of_tenant(&Subdomain::parse("acme").unwrap())
        };
        assert_eq!(
            url(Scheme::Http, Some(8080)),
            "http://acme.example.com:8080"
        );
        assert_eq!(url(Scheme::Http, Some(80)), "http://acme.example.com");
        assert_eq!(url(Scheme::Https, None), "https://acme.example.com");
        assert_eq!(url(Scheme::Https, Some(80)), "https://acme.example.com:80");
    }
}
