//! Which issuers are trusted, for whom their tokens have to be, and what their claims are called.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use url::{Host, Url};

use super::ClaimPath;
use crate::names::MemberRole;

/// One issuer, as the operator describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssuerConfig {
    /// Exactly what its tokens have as `iss`.
    pub(crate) issuer: String,
    /// Where its keys are; found by `OpenID` Connect Discovery when left out.
    #[serde(default)]
    pub(crate) jwks_url: Option<String>,
    /// Tokens have to be for one of these.
    pub(crate) audience: Vec<String>,
    #[serde(default)]
    pub(crate) claims: ClaimPaths,
    /// What its roles are called here; with none, roles have to be called as ours are.
    #[serde(default)]
    pub(crate) roles: BTreeMap<String, MemberRole>,
    /// For tokens without a role that is known.
    #[serde(default)]
    pub(crate) default_role: Option<MemberRole>,
    /// Takes e-mail addresses for proven, though its tokens do not say so.
    #[serde(default)]
    pub(crate) trust_email: bool,
}

/// Where in a token what stands.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ClaimPaths {
    pub(crate) user: ClaimPath,
    pub(crate) email: ClaimPath,
    pub(crate) email_verified: ClaimPath,
    pub(crate) name: ClaimPath,
    pub(crate) audience: ClaimPath,
    /// The tenant's id or subdomain; without it, the host decides and membership is needed.
    pub(crate) tenant: Option<ClaimPath>,
    /// The role in the tenant; without it, the tenant's own list of members says.
    pub(crate) role: Option<ClaimPath>,
}

impl Default for ClaimPaths {
    fn default() -> Self {
        Self {
            user: ClaimPath::standard("sub"),
            email: ClaimPath::standard("email"),
            email_verified: ClaimPath::standard("email_verified"),
            name: ClaimPath::standard("name"),
            audience: ClaimPath::standard("aud"),
            tenant: None,
            role: None,
        }
    }
}

/// What is wrong with the description of an issuer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("the issuer {0:?} is named twice")]
    Twice(String),
    #[error("the issuer {0:?} is this service itself")]
    Own(String),
    #[error("the issuer {0:?} has no audience: any token of that issuer would be taken")]
    NoAudience(String),
    #[error("{0:?} is no https address (http is for this machine only)")]
    Url(String),
}

impl IssuerConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.audience.is_empty() || self.audience.iter().any(String::is_empty) {
            return Err(ConfigError::NoAudience(self.issuer.clone()));
        }
        // Without discovery the issuer is a mere name; some are no addresses.
        let url = self.jwks_url.as_deref().unwrap_or(&self.issuer);
        secure(url).map(drop)
    }
}

/// An address whose answers nobody on the way can change.
pub(super) fn secure(text: &str) -> Result<Url, ConfigError> {
    let wrong = || ConfigError::Url(text.to_owned());
    let url = Url::parse(text).map_err(|_| wrong())?;
    let here = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if here => Ok(url),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_the_machine() {
        for (url, good) in [
            ("https://example.com/keys", true),
            ("http://127.0.0.1:8080/keys", true),
            ("http://[::1]/keys", true),
            ("http://localhost:1/keys", true),
            ("http://example.com/keys", false),
            ("http://127.0.0.1.example.com/keys", false),
            ("http://localhost.example.com/keys", false),
            ("http://10.0.0.1/keys", false),
            ("file:///etc/passwd", false),
            ("ftp://localhost/keys", false),
            ("example.com", false),
            ("", false),
        ] {
            assert_eq!(secure(url).is_ok(), good, "{url}");
        }
    }

    #[test]
    fn a_slip_in_the_file_is_an_error() {
        let good = r#"{"issuer": "https://a.test/", "audience": ["api"],
            "claims": {"tenant": "https://a.test/tenant", "role": "realm_access.roles"},
            "roles": {"org:admin": "admin"}, "default_role": "viewer"}"#;
        let config: IssuerConfig = serde_json::from_str(good).unwrap();
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.claims.user.as_str(), "sub");
        assert_eq!(config.default_role, Some(MemberRole::Viewer));
        for (from, to) in [
            ("audience", "audiences"),
            ("\"tenant\"", "\"tennant\""),
            ("viewer", "guest"),
            ("\"https://a.test/tenant\"", "\"\""),
        ] {
            let bad = good.replace(from, to);
            assert!(serde_json::from_str::<IssuerConfig>(&bad).is_err(), "{bad}");
        }
        let none = good.replace(r#"["api"]"#, "[]");
        let none: IssuerConfig = serde_json::from_str(&none).unwrap();
        assert!(matches!(none.check(), Err(ConfigError::NoAudience(_))));
    }
}
