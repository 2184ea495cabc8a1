//! Host header to site: the service itself, a tenant, or nobody we know.

use std::fmt;

use crate::names::{DomainName, Subdomain};

/// Whose address a request was sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Site {
    Platform,
    /// Of all tenants: the token says which one is meant.
    Api,
    Tenant(Subdomain),
    /// Perhaps a tenant's own.
    Domain(DomainName),
    Unknown,
}

/// The names that requests are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hosts {
    base_domain: BaseDomain,
    api: DomainName,
}

/// Why a host cannot be the one for all tenants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiHostError {
    #[error(
        "the host for all tenants is a host name without scheme and port, like api.example.com"
    )]
    Name,
    #[error("the host for all tenants cannot be {0}, which is somebody else's")]
    Taken(DomainName),
}

impl Hosts {
    /// `api` of the base domain, unless another host is named, serves those whose token names their tenant.
    pub(crate) fn new(base_domain: BaseDomain, api: Option<&str>) -> Result<Self, ApiHostError> {
        let own = format!("api.{base_domain}");
        let name = api.unwrap_or(&own);
        let api = DomainName::parse(name).map_err(|_| ApiHostError::Name)?;
        let taken = match base_domain.site(name) {
            Site::Tenant(subdomain) => !subdomain.is_reserved(),
            Site::Platform => true,
            Site::Api | Site::Domain(_) | Site::Unknown => false,
        };
        if taken {
            return Err(ApiHostError::Taken(api));
        }
        Ok(Self { base_domain, api })
    }

    pub(crate) fn base_domain(&self) -> &BaseDomain {
        &self.base_domain
    }

    /// Whose address a Host header names.
    pub(crate) fn site(&self, host: &str) -> Site {
        let site = self.base_domain.site(host);
        if site == Site::Platform {
            return site;
        }
        // Only names that no tenant can have as a subdomain are worth another look.
        if matches!(&site, Site::Tenant(subdomain) if !subdomain.is_reserved()) {
            return site;
        }
        match host_name(host).map(DomainName::parse) {
            Some(Ok(name)) if name == self.api => Site::Api,
            Some(Ok(name)) if site == Site::Unknown && !self.base_domain.contains(&name) => {
                Site::Domain(name)
            }
            _ => site,
        }
    }
}

/// The domain under which every tenant has a subdomain: `example.com`, or `localhost`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseDomain(Box<str>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a base domain is a host name without scheme and port, like example.com or localhost")]
pub(crate) struct BaseDomainError;

impl BaseDomain {
    pub(crate) fn parse(text: &str) -> Result<Self, BaseDomainError> {
        let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
        let label = |label: &str| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            (1..=63).contains(&label.len()) && label.bytes().all(plain)
        };
        if name.len() <= 189 && name.split('.').all(label) {
            Ok(Self(name.into_boxed_str())) // 253 bytes for a whole name, less a label and its dot
        } else {
            Err(BaseDomainError)
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a name is this domain, or below it.
    fn contains(&self, name: &DomainName) -> bool {
        let above = name.as_str().strip_suffix(&*self.0);
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    }

    /// Reads a Host header (RFC 9110 §7.2): `name[:port]` in any case, perhaps with the root's dot.
    pub(crate) fn site(&self, host: &str) -> Site {
        let Some(name) = host_name(host) else {
            return Site::Unknown;
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.eq_ignore_ascii_case(&self.0) {
            return Site::Platform;
        }
        let Some(split) = name.len().checked_sub(self.0.len()) else {
            return Site::Unknown;
        };
        let (Some(labels), Some(domain)) = (name.get(..split), name.get(split..)) else {
            return Site::Unknown;
        };
        match labels.strip_suffix('.') {
            // A label has no dot, so that a.b.example.com is nobody's.
            Some(label) if domain.eq_ignore_ascii_case(&self.0) => {
                Subdomain::parse(label).map_or(Site::Unknown, Site::Tenant)
            }
            _ => Site::Unknown,
        }
    }
}

impl fmt::Display for BaseDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name without its port; none for what is no `name[:port]`, as IPv6 literals.
fn host_name(host: &str) -> Option<&str> {
    match host.split_once(':') {
        None => Some(host),
        Some((name, port)) => port.bytes().all(|b| b.is_ascii_digit()).then_some(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(label: &str) -> Site {
        Site::Tenant(Subdomain::parse(label).unwrap())
    }

    #[test]
    fn hosts_lead_to_sites() {
        let base = BaseDomain::parse("Example.COM.").unwrap();
        for (host, site) in [
            ("example.com", Site::Platform),
            ("EXAMPLE.com:8080", Site::Platform),
            ("example.com.", Site::Platform),
            ("acme.example.com", tenant("acme")),
            ("ACME.example.COM.:443", tenant("acme")),
            ("acme.example.com:", tenant("acme")),
            ("a.acme.example.com", Site::Unknown),
            (".example.com", Site::Unknown),
            ("acmeexample.com", Site::Unknown),
            ("-.example.com", Site::Unknown),
            ("acme.example.com..", Site::Unknown),
            ("acme.example.org", Site::Unknown),
            ("acme", Site::Unknown),
            ("com", Site::Unknown),
            ("", Site::Unknown),
            (":8080", Site::Unknown),
            ("127.0.0.1:8080", Site::Unknown),
            ("[::1]:8080", Site::Unknown),
            ("::1", Site::Unknown),
            ("acme.example.com:80@evil.test", Site::Unknown),
            ("acme@example.com", Site::Unknown),
            ("ä.example.com", Site::Unknown),
            ("äxample.com", Site::Unknown),
            ("acme.example.com/graphql", Site::Unknown),
        ] {
            assert_eq!(base.site(host), site, "{host:?}");
        }
        let local = BaseDomain::parse("localhost").unwrap();
        assert_eq!(local.site("acme.localhost:8080"), tenant("acme"));
        assert_eq!(local.site("localhost:8080"), Site::Platform);
    }

    #[test]
    fn other_names_may_be_domains_of_tenants() {
        let base = || BaseDomain::parse("example.com").unwrap();
        let hosts = Hosts::new(base(), None).unwrap();
        let domain = |name| Site::Domain(DomainName::parse(name).unwrap());
        for (host, site) in [
            ("example.com", Site::Platform),
            ("api.example.com", Site::Api),
            ("API.example.com.:443", Site::Api),
            ("acme.example.com", tenant("acme")),
            ("www.example.com", tenant("www")), // reserved, so that nobody is there
            ("app.acme.com:8080", domain("app.acme.com")),
            ("APP.acme.com.", domain("app.acme.com")),
            ("notexample.com", domain("notexample.com")),
            ("example.com.evil.test", domain("example.com.evil.test")),
            ("a.acme.example.com", Site::Unknown),
            ("api.acme.example.com", Site::Unknown),
            ("127.0.0.1", Site::Unknown),
            ("[::1]:80", Site::Unknown),
            ("localhost", Site::Unknown),
            ("", Site::Unknown),
        ] {
            assert_eq!(hosts.site(host), site, "{host:?}");
        }
        let elsewhere = Hosts::new(base(), Some("gql.example.org")).unwrap();
        assert_eq!(elsewhere.site("gql.example.org:80"), Site::Api);
        assert_eq!(elsewhere.site("api.example.com"), tenant("api"));
        for (host, error) in [
            ("example.com", true),
            ("acme.example.com", true),
            ("api", true),
            ("https://api.example.com", true),
            ("mobile.example.com", false),
            ("api.acme.example.com", false),
        ] {
            assert_eq!(Hosts::new(base(), Some(host)).is_err(), error, "{host}");
        }
    }

    #[test]
    fn base_domains_are_host_names() {
        for bad in [
            "",
            ".",
            "https://example.com",
            "example.com:80",
            "a..b",
            "exa mple.com",
        ] {
            assert!(BaseDomain::parse(bad).is_err(), "{bad:?}");
        }
    }
}
