//! Reads documents of issuers by HTTP: small ones, within seconds, from exactly where they are.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CACHE_CONTROL};
use reqwest::redirect::Policy;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use url::Url;

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The largest document; key sets have a few kilobytes.
const LARGEST: usize = 512 << 10;

/// Asks issuers.
#[derive(Clone)]
pub(super) struct Fetcher(reqwest::Client);

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("no answer: {}", reason(.0))]
    Http(#[from] reqwest::Error),
    #[error("the answer has the status {0}")]
    Status(u16),
    #[error("the answer is larger than {LARGEST} bytes")]
    Large,
    #[error("the answer is not what it should be: {0}")]
    Json(#[from] serde_json::Error),
}

impl Fetcher {
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has cipher suites for TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self(client))
    }

    /// The document, and for how long it may be kept, if the answer says so.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        url: &Url,
    ) -> Result<(T, Option<Duration>), FetchError> {
        let request = self.0.get(url.clone()).header(ACCEPT, "application/json");
        let mut response = request.send().await?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let kept = response.headers().get(CACHE_CONTROL);
        let kept = kept.and_then(|value| max_age(value.to_str().ok()?));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > LARGEST {
                return Err(FetchError::Large);
            }
            body.extend_from_slice(&chunk);
        }
        Ok((serde_json::from_slice(&body)?, kept))
    }
}

/// `public, max-age=600` (RFC 9111, §5.2.2.1).
fn max_age(header: &str) -> Option<Duration> {
    let directives = header
        .split(',')
        .filter_map(|one| one.trim().split_once('='));
    let mut ages = directives.filter(|(name, _)| name.eq_ignore_ascii_case("max-age"));
    let (_, seconds) = ages.next()?;
    Some(Duration::from_secs(seconds.trim_matches('"').parse().ok()?))
}

/// reqwest's own text leaves out what lies beneath.
fn reason(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_is_read_from_among_the_directives() {
        for (header, seconds) in [
            ("max-age=600", Some(600)),
            ("public, Max-Age=60, must-revalidate", Some(60)),
            ("max-age=\"5\"", Some(5)),
            ("no-store", None),
            ("max-age=soon", None),
            ("max-age=99999999999999999999", None),
            ("", None),
        ] {
            assert_eq!(
                max_age(header),
                seconds.map(Duration::from_secs),
                "{header}"
            );
        }
    }
}
