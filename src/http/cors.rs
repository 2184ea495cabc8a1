//! Pages of other origins: those that are named may read what the API answers, and act for whoever is logged in here.

use std::str::FromStr;
use std::time::Duration;

use axum::http::{HeaderValue, Method, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, Cors};
use url::Url;

use super::client::REQUEST_ID;
use super::transport::COMPLEXITY;

/// How long a browser need not ask again: the longest that any of them remembers.
const REMEMBERED: Duration = Duration::from_hours(24);

/// Where a page comes from, as browsers say it in the header `Origin` (RFC 6454): `https://app.example.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageOrigin(HeaderValue);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin is a scheme and a host, and a port where that is not the scheme's own, such as https://app.example.com; \
     neither patterns nor paths"
)]
pub(crate) struct PageOriginError;

impl FromStr for PageOrigin {
    type Err = PageOriginError;

    fn from_str(text: &str) -> Result<Self, PageOriginError> {
        let url = Url::parse(text.trim()).map_err(|_| PageOriginError)?;
        let is_page = matches!(url.scheme(), "http" | "https") && !text.contains('*');
        let origin = url.origin().ascii_serialization();
        // Nothing but the origin: neither user nor path.
        if !is_page || url.as_str().strip_suffix('/') != Some(&origin) {
            return Err(PageOriginError);
        }
        HeaderValue::from_str(&origin)
            .map(Self)
            .map_err(|_| PageOriginError)
    }
}

impl PageOrigin {
    /// Whether a request's header names it.
    pub(super) fn is(&self, header: &HeaderValue) -> bool {
        self.0 == header
    }
}

/// Tells browsers which pages may read answers (<https://fetch.spec.whatwg.org/#http-cors-protocol>).
pub(super) fn around<S>(api: S, origins: &[PageOrigin]) -> Cors<S> {
    let origins = origins.iter().map(|origin| origin.0.clone());
    Cors::new(api)
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        // With what a client library adds.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([REQUEST_ID, COMPLEXITY, header::RETRY_AFTER])
        .max_age(REMEMBERED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_exact() {
        for (text, origin) in [
            ("https://app.example.com", "https://app.example.com"),
            (" https://App.Example.com:443/ ", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://müller.example", "https://xn--mller-kva.example"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            let parsed: PageOrigin = text.parse().unwrap();
            assert!(parsed.is(&HeaderValue::from_static(origin)), "{text}");
        }
        for bad in [
            "",
            "*",
            "null",
            "app.example.com",
            "https://*.example.com",
            "https://app.example.com/path",
            "https://app.example.com/?",
            "https://app.example.com#",
            "https://user@app.example.com",
            "ftp://app.example.com",
            "file:///app",
            "data:text/html,x",
        ] {
            assert_eq!(bad.parse::<PageOrigin>(), Err(PageOriginError), "{bad}");
        }
    }
}
