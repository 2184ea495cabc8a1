//! Names and ids, parsed once at the border into types that cannot be mixed up and that quote themselves.

mod domain;
mod subdomain;

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

pub(crate) use domain::{DomainName, DomainNameError};
pub(crate) use subdomain::{Subdomain, SubdomainError};

/// As many names are told where there may be hundreds.
const TOLD: usize = 10;

/// Names in a sentence: all of them, or the first ones and how many there are besides.
pub(crate) fn brief(names: &[impl AsRef<str>]) -> String {
    let told: Vec<&str> = names.iter().take(TOLD).map(AsRef::as_ref).collect();
    let told = told.join(", ");
    match names.len().saturating_sub(TOLD) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

/// A tenant's id in the registry; what tokens and notifications carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TenantId(pub(crate) Uuid);

impl TenantId {
    /// What its schema and its role are called where nobody is to guess it, nor to want the same in the same moment.
    pub(crate) fn workspace_name(self) -> String {
        format!("tenant_{}", &self.0.simple().to_string()[20..])
    }
}

/// A person's id: the same in `tenantry.accounts` and in the `users` table of every tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct UserId(pub(crate) Uuid);

/// What a person has from a log-in until a log-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SessionId(pub(crate) Uuid);

/// The id of a key that a machine calls one tenant with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ApiKeyId(pub(crate) Uuid);

/// The id of somebody who runs the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct OperatorId(pub(crate) Uuid);

macro_rules! displayed_ids {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

displayed_ids!(TenantId, UserId, ApiKeyId, OperatorId);

/// The schema that holds a tenant's tables; chosen at sign-up and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SchemaName(String);

/// A Postgres role: a tenant's own, or the one that request connections log in as.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RoleName(String);

macro_rules! postgres_name {
    ($name:ident) => {
        impl $name {
            /// Takes any name Postgres itself could hold: 1 to 63 bytes without NUL.
            pub(crate) fn parse(name: impl Into<String>) -> Result<Self, NameError> {
                let name = name.into();
                if name.is_empty() || name.len() > MAX_POSTGRES_NAME || name.contains('\0') {
                    return Err(NameError::PostgresName);
                }
                Ok(Self(name))
            }

            /// The bare name, for parameters and for comparing with the catalog.
            pub(crate) fn as_str(&self) -> &str {
                &self.0
            }

            /// The name as a quoted identifier, safe inside SQL text.
            pub(crate) fn quoted(&self) -> String {
                self.in_quotes().to_string()
            }

            /// The same, written where it is wanted without a string of its own.
            pub(crate) fn in_quotes(&self) -> impl fmt::Display {
                Quoted(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

postgres_name!(SchemaName);
postgres_name!(RoleName);

/// `NAMEDATALEN - 1`: longer names would be cut off silently, and two of them could meet.
const MAX_POSTGRES_NAME: usize = 63;

/// A name in double quotes, those inside of it doubled.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for (index, part) in self.0.split('"').enumerate() {
            f.write_str(if index > 0 { "\"\"" } else { "" })?;
            f.write_str(part)?;
        }
        f.write_str("\"")
    }
}

/// An e-mail address, trimmed, with a lower-case domain; the local part is kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct EmailAddress(String);

impl EmailAddress {
    /// Checks only what every deliverable address fulfils (RFC 5321 sizes, one `@`, a dotted domain):
    /// whether somebody reads mail there, only a mail can tell.
    pub(crate) fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(NameError::EmailAddress)?;
        let domain = domain.to_lowercase();
        // Postgres compares addresses in lower case, which makes an i of İ: that would be another one's address.
        let poses = |c: char| !c.is_ascii() && c.to_lowercase().any(|lower| lower.is_ascii());
        let plain = |part: &str| {
            !part.chars().any(|c| {
                c.is_whitespace() || c.is_control() || "@<>()[],;:\\\"".contains(c) || poses(c)
            })
        };
        let fits = !local.is_empty() && local.len() <= 64 && text.len() <= 254;
        let dotted = domain.contains('.')
            && domain
                .split('.')
                .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
        if fits && dotted && plain(local) && plain(&domain) {
            Ok(Self(format!("{local}@{domain}")))
        } else {
            Err(NameError::EmailAddress)
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What people call an organization or themselves: any text of 1 to 200 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct DisplayName(String);

impl DisplayName {
    pub(crate) fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        let fits = !text.is_empty() && text.chars().count() <= 200;
        if fits && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::DisplayName)
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What somebody may do in a tenant.
// From the least to the most, so that comparing reads `role >= MemberRole::Admin`.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    async_graphql::Enum,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[graphql(name = "TenantRole")]
pub(crate) enum MemberRole {
    /// Reads, and changes nothing.
    Viewer,
    /// Works with the data.
    Member,
    /// Manages the tenant, its owners excepted.
    Admin,
    /// May do everything.
    Owner,
}

impl MemberRole {
    /// The word used in the registry, in tokens and as `app.role`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }
}

impl FromStr for MemberRole {
    type Err = NameError;

    fn from_str(word: &str) -> Result<Self, NameError> {
        match word {
            "owner" => Ok(Self::Owner),
            "admin" => Ok(Self::Admin),
            "member" => Ok(Self::Member),
            "viewer" => Ok(Self::Viewer),
            _ => Err(NameError::Role),
        }
    }
}

/// Why a text is not the name that it was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    #[error("a Postgres name has 1 to 63 bytes")]
    PostgresName,
    #[error("this is not an e-mail address")]
    EmailAddress,
    #[error("a name has 1 to 200 characters on one line")]
    DisplayName,
    #[error("a role is one of owner, admin, member and viewer")]
    Role,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_doubles_quotes() {
        let schema = SchemaName::parse("a\"; drop schema b; --").unwrap();
        assert_eq!(schema.quoted(), "\"a\"\"; drop schema b; --\"");
    }

    #[test]
    fn postgres_names_fit_into_63_bytes() {
        assert!(RoleName::parse("x".repeat(63)).is_ok());
        assert!(RoleName::parse("x".repeat(64)).is_err());
        assert!(RoleName::parse("ü".repeat(32)).is_err());
        assert!(SchemaName::parse("").is_err());
        assert!(SchemaName::parse("a\0b").is_err());
    }

    #[test]
    fn addresses_are_trimmed_and_their_domain_is_lower_case() {
        let address = EmailAddress::parse("  Bill.L+x@Initech.TEST ").unwrap();
        assert_eq!(address.as_str(), "Bill.L+x@initech.test");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@initech.test", "x".repeat(65));
        let huge = format!("a@{}.test", "x".repeat(254));
        for bad in [
            "",
            "@",
            "bill",
            "bill@",
            "@initech.test",
            "bill@initech",
            "a b@initech.test",
            "a@b@initech.test",
            "bill@initech..test",
            "bill@-initech.test",
            "bill@initech.test\0",
            "<bill@initech.test>",
            "bill\n@initech.test",
            "b\u{130}ll@initech.test", // in lower case bill's address, to Postgres
            "mi\u{212a}e@initech.test",
            &long,
            &huge,
        ] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn display_names_are_one_line() {
        assert_eq!(DisplayName::parse(" Initech ").unwrap().as_str(), "Initech");
        for bad in ["", "  ", "a\nb", "a\0b", &"x".repeat(201)] {
            assert!(DisplayName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn roles_survive_the_way_to_the_registry_and_back() {
        for role in [
            MemberRole::Owner,
            MemberRole::Admin,
            MemberRole::Member,
            MemberRole::Viewer,
        ] {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("root".parse::<MemberRole>().is_err());
    }
}
