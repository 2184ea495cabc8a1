//! The session's cookies: host-only, out of scripts' reach, and of no use to pages of other hosts.

use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};

use super::cors::PageOrigin;
use crate::guard::{CookieChange, Cookies, Origin, Scheme, Secret};

/// Tells which page sent a request (Fetch Metadata Request Headers).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The only path that needs the refresh token.
const REFRESH_PATH: &str = "/graphql";

/// How the cookies are called and how long they live. By https the prefixes have browsers refuse cookies that somebody on the network, or
/// another subdomain, slips in (RFC 6265bis, section 4.1.3).
#[derive(Debug, Clone)]
pub(crate) struct CookiePolicy {
    access: &'static str,
    refresh: &'static str,
    /// What https adds to each.
    secure: &'static str,
    /// How long a browser keeps a refresh token.
    session_seconds: u64,
    /// Pages that may act for whoever is logged in, as the host's own do.
    trusted: Vec<PageOrigin>,
}

impl CookiePolicy {
    pub(crate) fn new(scheme: Scheme, session: Duration, trusted: Vec<PageOrigin>) -> Self {
        let (access, refresh, secure) = match scheme {
            Scheme::Https => (
                "__Host-tenantry-access",
                "__Secure-tenantry-refresh",
                "; Secure",
            ),
            Scheme::Http => ("tenantry-access", "tenantry-refresh", ""),
        };
        Self {
            access,
            refresh,
            secure,
            session_seconds: session.as_secs(),
            trusted,
        }
    }

    /// The cookies that came with a request, and the access token among them.
    pub(super) fn read(&self, parts: &Parts, host: Option<&str>) -> (Cookies, Option<Secret>) {
        let mut cookies = Cookies::default();
        let mut access = None;
        for line in parts.headers.get_all(header::COOKIE) {
            let pairs = line.to_str().unwrap_or_default().split(';');
            for (name, value) in pairs.filter_map(|pair| pair.trim().split_once('=')) {
                if name == self.access {
                    access = Some(Secret(value.to_owned()));
                } else if name == self.refresh {
                    cookies.refresh = Some(Secret(value.to_owned()));
                }
            }
        }
        cookies.origin = self.origin(parts, host);
        (cookies, access)
    }

    /// Forged requests are kept out three times over: `SameSite`, JSON that pages of other hosts may not send unasked,
    /// and what the browser says of the page. Pages of other tenants are of the same site, so the first is not enough.
    fn origin(&self, parts: &Parts, host: Option<&str>) -> Origin {
        let origin = parts.headers.get(header::ORIGIN);
        if origin.is_some_and(|origin| self.trusted.iter().any(|page| page.is(origin))) {
            return Origin::Own;
        }
        let site = super::header(&parts.headers, &SEC_FETCH_SITE).unwrap_or("none");
        let own_page = match origin {
            None => true,
            Some(origin) => origin
                .to_str()
                .is_ok_and(|origin| host.is_some_and(|host| self.is_own(origin, host))),
        };
        if own_page && matches!(site, "none" | "same-origin") {
            Origin::Own
        } else {
            Origin::Foreign
        }
    }

    /// Whether an origin is that of the host the request was sent to. A proxy may end TLS, so that only https demands
    /// its scheme.
    fn is_own(&self, origin: &str, host: &str) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else {
            return false;
        };
        let port = match scheme {
            "https" => ":443",
            "http" if self.secure.is_empty() => ":80",
            _ => return false,
        };
        let bare = |host: &str| host.strip_suffix(port).unwrap_or(host).to_ascii_lowercase();
        bare(authority) == bare(host)
    }

    /// The `Set-Cookie` headers of an answer.
    pub(super) fn changed(&self, cookies: &Cookies) -> Vec<HeaderValue> {
        let change = cookies.take_change();
        change.map_or_else(Vec::new, |change| self.write(&change))
    }

    fn write(&self, change: &CookieChange) -> Vec<HeaderValue> {
        let (access, access_seconds, refresh, refresh_seconds) = match change {
            CookieChange::Keep(granted) => (
                granted.access.as_str(),
                granted.expires_in,
                granted.refresh.as_str(),
                self.session_seconds,
            ),
            CookieChange::Clear => ("", 0, "", 0),
        };
        let Self { secure, .. } = self;
        let texts = [
            format!(
                "{}={access}; Path=/; Max-Age={access_seconds}; HttpOnly; SameSite=Lax{secure}",
                self.access
            ),
            format!(
                "{}={refresh}; Path={REFRESH_PATH}; Max-Age={refresh_seconds}; HttpOnly; SameSite=Strict{secure}",
                self.refresh
            ),
        ];
        let values = texts.iter().map(|text| HeaderValue::from_str(text));
        values.flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::new(());
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request
                .headers_mut()
                .append(name, HeaderValue::from_str(value).unwrap());
        }
        request.into_parts().0
    }

    fn policy(scheme: Scheme) -> CookiePolicy {
        let trusted = vec!["https://app.example.com".parse().unwrap()];
        CookiePolicy::new(scheme, Duration::from_hours(1), trusted)
    }

    #[test]
    fn pages_of_other_hosts_are_foreign() {
        let host = Some("acme.example.com");
        let (own, foreign) = (Origin::Own, Origin::Foreign);
        for (headers, origin) in [
            (&[][..], own),
            (&[("origin", "https://acme.example.com")], own),
            (&[("origin", "https://ACME.example.com:443")], own),
            (
                &[
                    ("origin", "https://acme.example.com"),
                    ("sec-fetch-site", "same-origin"),
                ],
                own,
            ),
            (&[("sec-fetch-site", "none")], own),
            (&[("origin", "https://app.example.com")], own),
            (
                &[
                    ("origin", "https://app.example.com"),
                    ("sec-fetch-site", "same-site"),
                ],
                own,
            ),
            (&[("origin", "https://app.example.com:8443")], foreign),
            (&[("origin", "http://app.example.com")], foreign),
            (&[("origin", "http://acme.example.com")], foreign),
            (&[("origin", "https://globex.example.com")], foreign),
            (&[("origin", "https://example.com")], foreign),
            (&[("origin", "https://acme.example.com.evil.test")], foreign),
            (&[("origin", "https://acme.example.com:8443")], foreign),
            (&[("origin", "null")], foreign),
            (&[("origin", "")], foreign),
            (&[("sec-fetch-site", "same-site")], foreign),
            (&[("sec-fetch-site", "cross-site")], foreign),
            (
                &[
                    ("origin", "https://acme.example.com"),
                    ("sec-fetch-site", "same-site"),
                ],
                foreign,
            ),
        ] {
            let (cookies, _) = policy(Scheme::Https).read(&parts(headers), host);
            assert_eq!(cookies.origin, origin, "{headers:?}");
        }
        let dev = parts(&[("origin", "http://acme.localhost:8080")]);
        let names = policy(Scheme::Http);
        assert_eq!(names.read(&dev, Some("acme.localhost:8080")).0.origin, own);
        assert_eq!(
            names.read(&dev, Some("acme.localhost:8081")).0.origin,
            foreign
        );
    }

    #[test]
    fn cookies_are_found_among_others() {
        let line = "a=b; tenantry-access=A.B.C;tenantry-refresh=tnr_1; c";
        let (cookies, access) = policy(Scheme::Http).read(&parts(&[("cookie", line)]), None);
        assert_eq!(access, Some(Secret("A.B.C".into())));
        assert_eq!(cookies.refresh, Some(Secret("tnr_1".into())));
        // By https only the names that browsers protect.
        let (cookies, access) = policy(Scheme::Https).read(&parts(&[("cookie", line)]), None);
        assert_eq!((access, cookies.refresh), (None, None));
    }

    #[test]
    fn clearing_names_the_same_cookies() {
        let values = policy(Scheme::Https).write(&CookieChange::Clear);
        let texts: Vec<_> = values.iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(
            texts,
            [
                "__Host-tenantry-access=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure",
                "__Secure-tenantry-refresh=; Path=/graphql; Max-Age=0; HttpOnly; SameSite=Strict; Secure",
            ]
        );
    }
}
