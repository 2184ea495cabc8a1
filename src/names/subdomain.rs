//! A tenant's subdomain: one DNS label, chosen by the customer or derived from the organization's name.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use any_ascii::any_ascii;

/// One lower-case DNS label of 1 to 63 letters, digits and inner hyphens (RFC 1035 §2.3.1, RFC 1123 §2.1).
///
/// Labels with `--` at the third and fourth place are left to internationalized names (RFC 5891 §4.2.3.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Subdomain(Box<str>);

impl Subdomain {
    /// Reads a label as it stands in a host name or in the registry; upper case is folded, as DNS does.
    pub(crate) fn parse(text: &str) -> Result<Self, SubdomainError> {
        let bytes = text.as_bytes();
        if bytes.is_empty() || bytes.len() > 63 {
            return Err(SubdomainError::Length);
        }
        if !bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'-')
        {
            return Err(SubdomainError::Characters);
        }
        if bytes.starts_with(b"-") || bytes.ends_with(b"-") || bytes.get(2..4) == Some(b"--") {
            return Err(SubdomainError::Hyphens);
        }
        Ok(Self(text.to_ascii_lowercase().into_boxed_str()))
    }

    /// Reads a label that a new tenant asks for: as [`Subdomain::parse`], and not reserved.
    pub(crate) fn claim(text: &str) -> Result<Self, SubdomainError> {
        let subdomain = Self::parse(text.trim())?;
        if subdomain.is_reserved() {
            return Err(SubdomainError::Reserved);
        }
        Ok(subdomain)
    }

    /// Makes a label of an organization's name: `Müller & Söhne GmbH` becomes `muller-sohne-gmbh`.
    pub(crate) fn derive(organization: &str) -> Result<Self, SubdomainError> {
        let mut label = String::new();
        for c in any_ascii(organization).chars() {
            match c {
                c if c.is_ascii_alphanumeric() => label.push(c.to_ascii_lowercase()),
                '\'' | '`' => {} // O'Reilly is one word
                // Never a second hyphen in a row, so that `--` cannot come up at all.
                _ if label.is_empty() || label.ends_with('-') => {}
                _ => label.push('-'),
            }
        }
        label.truncate(63); // ASCII only: every byte is a boundary
        match Self::claim(label.trim_end_matches('-')) {
            Err(SubdomainError::Reserved) => Err(SubdomainError::Reserved),
            other => other.map_err(|_| SubdomainError::NotDerivable),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the label is kept for the service and its operators.
    pub(crate) fn is_reserved(&self) -> bool {
        static WORDS: LazyLock<HashSet<&str>> =
            LazyLock::new(|| RESERVED.split_ascii_whitespace().collect());
        WORDS.contains(self.as_str())
    }

    /// The schema and role name to try first: `tenant_` and the label with `_` for `-`, at most 63 bytes.
    pub(crate) fn workspace_name(&self) -> String {
        let mut name = format!("tenant_{}", self.0.replace('-', "_"));
        name.truncate(63);
        name
    }
}

impl fmt::Display for Subdomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text cannot be a tenant's subdomain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SubdomainError {
    #[error("a subdomain has 1 to 63 characters")]
    Length,
    #[error("a subdomain has only the letters a to z, digits and hyphens")]
    Characters,
    #[error(
        "a subdomain neither starts nor ends with a hyphen, nor has two of them at its third place"
    )]
    Hyphens,
    #[error("this subdomain is reserved")]
    Reserved,
    #[error("no subdomain can be made of the organization's name: please choose one")]
    NotDerivable,
}

/// Labels that a customer could use to pose as the service, or that mail, browsers and certificate
/// authorities give a meaning to (RFC 2142).
const RESERVED: &str = "
    about abuse account accounts acme-challenge admin administrator api app apps assets auth autoconfig
    autodiscover backup beta billing blog broadcasthost cdn community console contact control dashboard db
    demo dev developer developers dns docs download downloads email example extensions feedback files forum
    ftp git graphiql graphql health healthz help home hostmaster id images imap img info internal invite
    isatap jobs legal live local localdomain localhost log-in login logout mail mailer-daemon marketing media
    metrics mobile monitor monitoring mta-sts mx news no-reply nobody noc noreply ns ns1 ns2 ns3 ns4 oauth
    oidc openid ops owner partner partners pay payment payments platform pop pop3 portal postgres postmaster
    preview pricing privacy prod production proxy public readyz register registry root sales sandbox search
    secure security server service services sftp shop sign-in sign-up signin signup smtp sql ssh ssl ssladmin
    sslwebmaster sso stage staging static stats status store support sysadmin system team tenant tenantry
    tenants terms test tls tracking trust update updates upload uploads usenet user users uucp vpn web webhook
    webhooks webmail webmaster wpad ws wss www www1 www2
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_follow_dns() {
        for good in ["a", "acme", "acme-2", "4711", "a--b", &"x".repeat(63)] {
            assert_eq!(Subdomain::parse(good).unwrap().as_str(), good);
        }
        assert_eq!(Subdomain::parse("AcMe").unwrap().as_str(), "acme");
        for (bad, why) in [
            ("", SubdomainError::Length),
            (&*"x".repeat(64), SubdomainError::Length),
            ("a_b", SubdomainError::Characters),
            ("a.b", SubdomainError::Characters),
            ("müller", SubdomainError::Characters),
            ("a\"b", SubdomainError::Characters),
            ("-a", SubdomainError::Hyphens),
            ("a-", SubdomainError::Hyphens),
            ("-", SubdomainError::Hyphens),
            ("xn--mller-kva", SubdomainError::Hyphens),
        ] {
            assert_eq!(Subdomain::parse(bad), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn reserved_labels_cannot_be_claimed_in_any_spelling() {
        for reserved in ["www", "API", " graphql ", "signup"] {
            assert_eq!(
                Subdomain::claim(reserved),
                Err(SubdomainError::Reserved),
                "{reserved}"
            );
        }
        assert_eq!(Subdomain::claim(" acme ").unwrap().as_str(), "acme");
    }

    #[test]
    fn labels_are_derived_from_names_in_any_script() {
        for (organization, label) in [
            ("Initech", "initech"),
            ("Müller & Söhne GmbH", "muller-sohne-gmbh"),
            ("O'Reilly  Media, Inc.", "oreilly-media-inc"),
            ("Ünïcødé", "unicode"),
            ("Газпром", "gazprom"),
            ("  --A--B--  ", "a-b"),
        ] {
            assert_eq!(Subdomain::derive(organization).unwrap().as_str(), label);
        }
        let long = Subdomain::derive(&"long name ".repeat(20)).unwrap();
        assert!(long.as_str().len() <= 63 && !long.as_str().ends_with('-'));
        assert_eq!(Subdomain::derive("!?"), Err(SubdomainError::NotDerivable));
        assert_eq!(Subdomain::derive("Admin"), Err(SubdomainError::Reserved));
    }

    #[test]
    fn workspace_names_fit_into_postgres() {
        let short = Subdomain::parse("big-corp").unwrap();
        assert_eq!(short.workspace_name(), "tenant_big_corp");
        let long = Subdomain::parse(&"x".repeat(63)).unwrap();
        assert_eq!(long.workspace_name().len(), 63);
    }
}
