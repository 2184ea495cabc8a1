//! A domain name of somebody else's, as it stands in a Host header and in the DNS.

use std::fmt;

/// A host name of at least two labels, in lower case and without the root's dot: `app.acme.com`.
/// Names of other alphabets are in their ASCII form, `xn--…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct DomainName(Box<str>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a domain is a host name without scheme, port and path, like app.example.com")]
pub(crate) struct DomainNameError;

impl DomainName {
    /// Takes a name as the DNS has it (RFC 1123, §2.1), in any case.
    pub(crate) fn parse(text: &str) -> Result<Self, DomainNameError> {
        let name = text.strip_suffix('.').unwrap_or(text);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(plain)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let (_, top) = name.rsplit_once('.').ok_or(DomainNameError)?;
        // What ends in a number is an IPv4 address, or means to be one.
        let numeric = top.bytes().all(|b| b.is_ascii_digit());
        if name.len() > 253 || numeric || !name.split('.').all(label) {
            return Err(DomainNameError);
        }
        Ok(Self(name.to_ascii_lowercase().into_boxed_str()))
    }

    /// Takes a name as people write it, in any alphabet.
    pub(crate) fn parse_written(text: &str) -> Result<Self, DomainNameError> {
        match url::Host::parse(text.trim()) {
            Ok(url::Host::Domain(name)) => Self::parse(&name),
            _ => Err(DomainNameError),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_names_of_hosts() {
        for (text, expected) in [
            ("app.acme.com", "app.acme.com"),
            ("App.ACME.com.", "app.acme.com"),
            ("xn--mller-kva.de", "xn--mller-kva.de"),
            ("1.example.com", "1.example.com"),
        ] {
            assert_eq!(DomainName::parse(text).unwrap().as_str(), expected);
        }
        let written = DomainName::parse_written(" App.Müller.DE ").unwrap();
        assert_eq!(written.as_str(), "app.xn--mller-kva.de");
        let long = format!("{}.com", "a".repeat(64));
        let longer = format!("{}com", "a.".repeat(126));
        for bad in [
            "",
            ".",
            "acme",
            "acme.",
            "acme..com",
            ".acme.com",
            "-a.com",
            "a-.com",
            "a_b.com",
            "127.0.0.1",
            "1.2",
            "[::1]",
            "acme.com:80",
            "https://acme.com",
            "acme.com/x",
            "a b.com",
            "acme.com\0",
            "*.acme.com",
            &long,
            &longer,
        ] {
            assert!(DomainName::parse(bad).is_err(), "{bad:?}");
            assert!(DomainName::parse_written(bad).is_err(), "{bad:?}");
        }
    }
}
