//! Host header to site: the service itself, a tenant, or nobody we know.

use std::fmt;

use crate::names::Subdomain;

/// Whose address a request was sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Site {
    Platform,
    Tenant(Subdomain),
    Unknown,
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
