//! Reads a database URL (or libpq's `keyword=value` form), including the TLS options that tokio-postgres does not know.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::Write;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::error::DatabaseUrlError;
use super::pairs::Pairs;

/// Which certificates of the server are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trust {
    /// Any: the connection is encrypted, but the server may be anybody.
    Anyone,
    /// Those that an authority in this file issued, whatever host they name.
    Chain(PathBuf),
    /// Those that an authority issued for the host that we connect to.
    ChainAndHost(Roots),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Roots {
    System,
    File(PathBuf),
}

/// Options of libpq that would be ignored otherwise; they are safe to name in a message.
const UNSUPPORTED: &[&str] = &[
    "client_encoding",
    "fallback_application_name",
    "gssencmode",
    "gsslib",
    "krbsrvname",
    "passfile",
    "replication",
    "require_auth",
    "requirepeer",
    "service",
    "sslcert",
    "sslcertmode",
    "sslcompression",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslpassword",
    "sslsni",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
];

/// Options that tokio-postgres may find fault with.
const KNOWN: &[&str] = &[
    "channel_binding",
    "connect_timeout",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "port",
    "sslnegotiation",
    "target_session_attrs",
    "tcp_user_timeout",
];

/// Splits a URL into what tokio-postgres knows and whom we trust.
pub(super) fn parse(text: &str) -> Result<(Config, Trust), DatabaseUrlError> {
    let text = text.trim();
    let mut ours = TlsOptions::default();
    let rest = match query_of(text) {
        Some((address, query)) => format!("{address}?{}", ours.take_from_query(query)?),
        None if is_url(text) => text.to_owned(),
        None => ours.take_from_pairs(text)?,
    };
    let mut config: Config = rest.parse().map_err(|error| refusal(&error))?;
    if config.get_hosts().is_empty() {
        // TLS needs a name to ask for; an address is one.
        for address in config.get_hostaddrs().to_vec() {
            config.host(address.to_string());
        }
    }
    if config.get_hosts().is_empty() {
        return Err(DatabaseUrlError::NoHost);
    }
    let (mode, trust) = ours.decide()?;
    // As in libpq, a local socket needs no TLS, whatever the mode.
    let is_local = config
        .get_hosts()
        .iter()
        .all(|host| matches!(host, Host::Unix(_)));
    config.ssl_mode(if is_local { SslMode::Disable } else { mode });
    Ok((config, trust))
}

/// `sslmode` and `sslrootcert` as given.
#[derive(Debug, Default)]
struct TlsOptions {
    mode: Option<String>,
    root: Option<String>,
}

impl TlsOptions {
    /// Takes an option if it is one of ours.
    fn take(
        &mut self,
        key: &str,
        value: impl FnOnce() -> Option<String>,
    ) -> Result<bool, DatabaseUrlError> {
        let place = match key {
            "sslmode" => &mut self.mode,
            "sslrootcert" => &mut self.root,
            _ => {
                return match UNSUPPORTED.iter().find(|option| **option == key) {
                    Some(option) => Err(DatabaseUrlError::Unsupported { option }),
                    None => Ok(false),
                };
            }
        };
        *place =
            Some(value().ok_or(DatabaseUrlError::Malformed)?).filter(|value| !value.is_empty());
        Ok(true)
    }

    /// Takes our options and returns the others, as they were.
    fn take_from_query(&mut self, query: &str) -> Result<String, DatabaseUrlError> {
        let mut rest = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or(DatabaseUrlError::Malformed)?;
            let key = decode(key).ok_or(DatabaseUrlError::Malformed)?;
            if !self.take(&key, || decode(value).map(Cow::into_owned))? {
                rest.push(part);
            }
        }
        Ok(rest.join("&"))
    }

    /// Takes our options and returns the others, quoted anew.
    fn take_from_pairs(&mut self, text: &str) -> Result<String, DatabaseUrlError> {
        let mut rest = String::new();
        let mut pairs = Pairs(text);
        while let Some((key, value)) = pairs.next().ok_or(DatabaseUrlError::Malformed)? {
            if !self.take(key, || Some(value.clone()))? {
                let value = value.replace('\\', r"\\").replace('\'', r"\'");
                // Writing to a string cannot fail.
                let _ = write!(rest, "{key}='{value}' ");
            }
        }
        Ok(rest)
    }

    /// libpq's rules, except that `verify-full` without `sslrootcert` trusts the system's authorities.
    /// <https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-SSLMODE-STATEMENTS>
    fn decide(self) -> Result<(SslMode, Trust), DatabaseUrlError> {
        let root = self.root.map(|root| match &*root {
            "system" => Roots::System,
            path => Roots::File(PathBuf::from(path)),
        });
        let is_system = root == Some(Roots::System);
        let default = if is_system { "verify-full" } else { "prefer" };
        let mode = self.mode.as_deref().unwrap_or(default);
        match (mode, root) {
            ("verify-full", root) => Ok((
                SslMode::Require,
                Trust::ChainAndHost(root.unwrap_or(Roots::System)),
            )),
            ("disable" | "allow" | "prefer" | "require" | "verify-ca", Some(Roots::System)) => {
                Err(DatabaseUrlError::WeakMode)
            }
            ("disable", _) => Ok((SslMode::Disable, Trust::Anyone)),
            // `allow` differs only in what is tried first.
            ("allow" | "prefer", _) => Ok((SslMode::Prefer, Trust::Anyone)),
            ("require" | "verify-ca", Some(Roots::File(path))) => {
                Ok((SslMode::Require, Trust::Chain(path)))
            }
            ("require", None) => Ok((SslMode::Require, Trust::Anyone)),
            ("verify-ca", None) => Err(DatabaseUrlError::NoRootCertificate),
            _ => Err(DatabaseUrlError::InvalidValue { option: "sslmode" }),
        }
    }
}

fn is_url(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

/// The part of a URL before the query, and the query. As for tokio-postgres, all up to the first `@` is the login.
fn query_of(text: &str) -> Option<(&str, &str)> {
    if !is_url(text) {
        return None;
    }
    let after_login = text.find('@').unwrap_or(0);
    let query = after_login + text[after_login..].find('?')?;
    Some((&text[..query], &text[query + 1..]))
}

fn decode(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

/// Only words from our own lists get into the message: tokio-postgres' may quote a part of a mistyped password.
fn refusal(error: &tokio_postgres::Error) -> DatabaseUrlError {
    let reason = error.source().map(ToString::to_string).unwrap_or_default();
    let quoted = reason.split('`').nth(1).unwrap_or_default();
    if reason.starts_with("unknown option") {
        return DatabaseUrlError::UnknownOption;
    }
    match KNOWN.iter().find(|option| **option == quoted) {
        Some(option) => DatabaseUrlError::InvalidValue { option },
        None => DatabaseUrlError::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(text: &str) -> (SslMode, Trust) {
        let (config, trust) = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        (config.get_ssl_mode(), trust)
    }

    #[test]
    fn every_sslmode_in_both_forms() {
        let ca = || PathBuf::from("/my ca.pem");
        for (options, mode, trust) in [
            (vec![], SslMode::Prefer, Trust::Anyone),
            (vec!["sslmode=disable"], SslMode::Disable, Trust::Anyone),
            (vec!["sslmode=allow"], SslMode::Prefer, Trust::Anyone),
            (vec!["sslmode=prefer"], SslMode::Prefer, Trust::Anyone),
            (vec!["sslmode=require"], SslMode::Require, Trust::Anyone),
            (
                vec!["sslmode=require", "CA"],
                SslMode::Require,
                Trust::Chain(ca()),
            ),
            (
                vec!["CA", "sslmode=verify-ca"],
                SslMode::Require,
                Trust::Chain(ca()),
            ),
            (
                vec!["sslmode=verify-full"],
                SslMode::Require,
                Trust::ChainAndHost(Roots::System),
            ),
            (
                vec!["sslrootcert=system"],
                SslMode::Require,
                Trust::ChainAndHost(Roots::System),
            ),
            (
                vec!["sslmode=verify-full", "CA"],
                SslMode::Require,
                Trust::ChainAndHost(Roots::File(ca())),
            ),
        ] {
            let query = options.join("&").replace("CA", "sslrootcert=/my%20ca.pem");
            let url = format!("postgresql://ada:secret@db.test/app?connect_timeout=3&{query}");
            assert_eq!(tls(&url), (mode, trust.clone()), "{url}");
            let pairs = options
                .join(" ")
                .replace("CA", "sslrootcert = '/my ca.pem'");
            let pairs = format!("host=db.test {pairs} user=ada connect_timeout=3");
            assert_eq!(tls(&pairs), (mode, trust), "{pairs}");
            assert_eq!(parse(&pairs).unwrap().0.get_user(), Some("ada"));
        }
    }

    #[test]
    fn weak_or_impossible_modes_are_refused() {
        for (options, expected) in [
            ("sslmode=verify-ca", "needs sslrootcert=FILE"),
            (
                "sslmode=require&sslrootcert=system",
                "needs sslmode=verify-full",
            ),
            (
                "sslmode=verify-ca&sslrootcert=system",
                "needs sslmode=verify-full",
            ),
            ("sslmode=always", "invalid value for `sslmode`"),
            (
                "sslcert=/me.pem",
                "`sslcert`, which tenantry does not support",
            ),
            (
                "connect_timeout=soon",
                "invalid value for `connect_timeout`",
            ),
        ] {
            let refused = parse(&format!("postgres://db.test/?{options}")).unwrap_err();
            assert!(
                refused.to_string().contains(expected),
                "{options}: {refused}"
            );
        }
    }

    #[test]
    fn keeps_awkward_logins_whole() {
        let (config, _) =
            parse("postgresql://ada:p%3Fa%26ss@db.test:6543/app?sslmode=disable").unwrap();
        assert_eq!(config.get_password(), Some(&b"p?a&ss"[..]));
        assert_eq!(config.get_ports(), [6543]);
        let (config, _) = parse("postgresql://ada:se?sslmode=x@db.test/app").unwrap();
        assert_eq!(config.get_password(), Some(&b"se?sslmode=x"[..]));
        let (config, _) =
            parse(r"host=db.test password='it\'s a \\ sslmode=disable' user=a\ b").unwrap();
        assert_eq!(
            config.get_password(),
            Some(&br"it's a \ sslmode=disable"[..])
        );
        assert_eq!(config.get_user(), Some("a b"));
        assert_eq!(config.get_ssl_mode(), SslMode::Prefer);
    }

    #[test]
    fn local_sockets_need_no_tls_and_addresses_are_hosts() {
        assert_eq!(
            tls("host=/var/run/postgresql sslmode=require"),
            (SslMode::Disable, Trust::Anyone)
        );
        let (config, _) = parse("hostaddr=10.0.0.7 sslmode=require").unwrap();
        assert_eq!(config.get_hosts(), [Host::Tcp("10.0.0.7".to_owned())]);
    }

    #[test]
    fn no_message_shows_the_password() {
        for text in [
            "postgres://ada:hush@hush/hush?hush=hush@db.test/app",
            "postgres://ada:x@hush/y?hush=1",
            "postgres://ada:x@[hush",
            "postgres://ada:hush@db.test:hush/app",
            "postgres://ada:hush@db.test/app?sslmode=hush",
            "postgres://ada:hush@db.test/app?hush",
            "mysql://ada:hush@db.test/app",
            "host=db.test password=my hush=hush",
            "host=db.test password=my hush",
            "host=db.test password='hush",
            "host=db.test port=hush",
            "password=hush",
            "hush",
        ] {
            let refused = parse(text).expect_err(text);
            let shown = format!("{refused} {refused:?}");
            assert!(!shown.contains("hush"), "{text}: {shown}");
        }
    }
}
