//! Serves the page at `/graphiql` out of the binary, under a Content-Security-Policy that keeps it on its origin.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use serde_json::json;

/// A file that the build script embedded.
struct File {
    name: &'static str,
    /// Weak, because it stands for both encodings.
    etag: &'static str,
    plain: &'static [u8],
    gzip: Option<&'static [u8]>,
}

// `FROM_CDN`, `INDEX` and `ASSETS`: the bundled page, or the one that needed no npm.
include!(concat!(env!("OUT_DIR"), "/graphiql.rs"));

/// The page and its assets. `/graphiql/config.json` depends on the tenant: see [`config`].
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/graphiql", get(index))
        .route("/graphiql/", get(index))
        .route("/graphiql/assets/{*path}", get(asset))
}

/// What the page asks first: whose API stands at this origin. No tenant means the platform's own API. The schema is
/// named where the page is told of a new one.
pub(crate) fn config(tenant: Option<&str>, schema: Option<String>) -> Response {
    let site = if tenant.is_some() {
        "tenant"
    } else {
        "platform"
    };
    let mut config = json!({ "site": site, "tenant": tenant, "introspection": true });
    if let Some(schema) = schema {
        config["schema"] = schema.into();
    }
    let body = config.to_string();
    let mut response = Response::new(Body::from(body));
    set(&mut response, CONTENT_TYPE, "application/json");
    set(&mut response, CACHE_CONTROL, "no-store");
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

async fn index(headers: HeaderMap) -> Response {
    serve(&INDEX, &headers, "no-cache")
}

async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    // The names of bundled assets hold a hash of their content; those of the page's bare sources don't.
    let caching = if FROM_CDN {
        "no-cache"
    } else {
        "public, max-age=31536000, immutable"
    };
    match ASSETS.iter().find(|file| file.name == path) {
        Some(file) => serve(file, &headers, caching),
        None => with_status(StatusCode::NOT_FOUND),
    }
}

fn serve(file: &'static File, headers: &HeaderMap, caching: &'static str) -> Response {
    let mut response = if is_current(headers, file.etag) {
        with_status(StatusCode::NOT_MODIFIED)
    } else {
        let packed = file.gzip.filter(|_| accepts_gzip(headers));
        let mut response = Response::new(Body::from(packed.unwrap_or(file.plain)));
        set(&mut response, CONTENT_TYPE, content_type(file.name));
        if packed.is_some() {
            set(&mut response, CONTENT_ENCODING, "gzip");
        }
        response
    };
    set(&mut response, ETAG, file.etag);
    set(&mut response, CACHE_CONTROL, caching);
    set(&mut response, VARY, "accept-encoding");
    // On assets too: a worker lives under the policy of its own response.
    set(&mut response, CONTENT_SECURITY_POLICY, policy(FROM_CDN));
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut response, REFERRER_POLICY, "same-origin");
    response
}

/// Monaco writes `style` elements and attributes, hence `'unsafe-inline'` there. Scripts are files of this
/// origin; the CDN page adds the CDN, its workers (a `blob:` that imports from there), and the hash of one inline import map.
const fn policy(from_cdn: bool) -> &'static str {
    if from_cdn {
        "default-src 'none'; \
         script-src 'self' https://esm.sh 'sha256-1HmYqCbkOaEcFtsym51En2CIAr0tyfTqVJbxahREnr4='; \
         style-src 'self' https://esm.sh 'unsafe-inline'; worker-src 'self' blob: https://esm.sh; connect-src 'self'; \
         font-src 'self' data: https://esm.sh; img-src 'self' data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    } else {
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self'; \
         connect-src 'self'; font-src 'self' data:; img-src 'self' data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "ttf" => "font/ttf",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// RFC 9110, 13.1.2: by the weak comparison, in which `W/` doesn't matter.
fn is_current(headers: &HeaderMap, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim_start_matches("W/").to_owned();
    members(headers, &IF_NONE_MATCH).any(|tag| tag == "*" || opaque(tag) == opaque(etag))
}

/// RFC 9110, 12.5.3: `gzip` is listed, and not with the weight zero that refuses it.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    members(headers, &ACCEPT_ENCODING).any(|member| {
        let (coding, weight) = member.split_once(';').unwrap_or((member, ""));
        let weight = weight
            .trim()
            .strip_prefix("q=")
            .and_then(|q| q.parse::<f32>().ok());
        coding.trim().eq_ignore_ascii_case("gzip") && weight.is_none_or(|q| q > 0.0)
    })
}

/// The members of a header whose value is a comma-separated list, over all its lines.
fn members<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

fn with_status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    use axum::body::to_bytes;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest as _, Sha256};

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    fn header<'a>(response: &'a Response, name: &HeaderName) -> &'a str {
        response
            .headers()
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }

    fn is_script(name: &str) -> bool {
        content_type(name).starts_with("text/javascript")
    }

    async fn body(response: Response) -> Vec<u8> {
        to_bytes(response.into_body(), usize::MAX)
            .await
            .expect("a body in memory")
            .to_vec()
    }

    #[tokio::test]
    async fn the_page_names_only_assets_that_exist() {
        let page = String::from_utf8(body(index(HeaderMap::new()).await).await).expect("UTF-8");
        let named: Vec<_> = page
            .split("\"/graphiql/assets/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(named.iter().any(|name| is_script(name)), "{page}");
        for name in named {
            let response = asset(Path(name.to_owned()), HeaderMap::new()).await;
            assert_eq!(response.status(), StatusCode::OK, "{name}");
            assert_ne!(
                header(&response, &CONTENT_TYPE),
                "application/octet-stream",
                "{name}"
            );
        }
    }

    #[tokio::test]
    async fn every_response_carries_the_policy() {
        let script = ASSETS
            .iter()
            .find(|file| is_script(file.name))
            .expect("a script");
        for response in [
            index(HeaderMap::new()).await,
            asset(Path(script.name.to_owned()), HeaderMap::new()).await,
        ] {
            let policy = header(&response, &CONTENT_SECURITY_POLICY);
            assert!(
                policy.starts_with("default-src 'none'; script-src 'self'"),
                "{policy}"
            );
            assert_eq!(header(&response, &X_CONTENT_TYPE_OPTIONS), "nosniff");
        }
        assert!(
            !policy(false).contains("http"),
            "the bundled page stays on its origin"
        );
    }

    #[tokio::test]
    async fn what_the_browser_has_is_not_sent_again() {
        let etag = INDEX.etag;
        for known in [etag, "\"other\", *", etag.trim_start_matches("W/")] {
            let response = index(headers(&[(IF_NONE_MATCH, known)])).await;
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert!(body(response).await.is_empty());
        }
        let response = index(headers(&[(IF_NONE_MATCH, "W/\"0\"")])).await;
        assert_eq!(response.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn unknown_assets_are_not_found() {
        for path in ["", "nothing.js", "../index.html", "index.html"] {
            assert_eq!(
                asset(Path(path.to_owned()), HeaderMap::new())
                    .await
                    .status(),
                StatusCode::NOT_FOUND,
                "{path}"
            );
        }
    }

    #[tokio::test]
    async fn gzip_is_sent_to_those_who_take_it() {
        for (accepted, expected) in [
            ("gzip, br", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("br", false),
        ] {
            assert_eq!(
                accepts_gzip(&headers(&[(ACCEPT_ENCODING, accepted)])),
                expected,
                "{accepted}"
            );
        }
        for file in ASSETS.iter().filter(|file| file.gzip.is_some()) {
            let packed = asset(
                Path(file.name.to_owned()),
                headers(&[(ACCEPT_ENCODING, "gzip")]),
            )
            .await;
            assert_eq!(header(&packed, &CONTENT_ENCODING), "gzip");
            assert!(
                body(packed).await.starts_with(&[0x1f, 0x8b]),
                "{}",
                file.name
            );
            let plain = asset(Path(file.name.to_owned()), HeaderMap::new()).await;
            assert_eq!(header(&plain, &CONTENT_ENCODING), "");
            assert_eq!(body(plain).await, file.plain);
        }
    }

    #[tokio::test]
    async fn the_configuration_tells_tenant_and_platform_apart() {
        let tenant = body(config(Some("acme"), None)).await;
        assert_eq!(
            tenant,
            br#"{"site":"tenant","tenant":"acme","introspection":true}"#
        );
        let platform = body(config(None, None)).await;
        assert_eq!(
            platform,
            br#"{"site":"platform","tenant":null,"introspection":true}"#
        );
        let told = body(config(Some("acme"), Some("a1".to_owned()))).await;
        assert_eq!(
            told,
            br#"{"site":"tenant","tenant":"acme","introspection":true,"schema":"a1"}"#
        );
    }

    fn import_map() -> &'static str {
        let page = include_str!("../../graphiql/cdn.html");
        let (_, rest) = page
            .split_once("<script type=\"importmap\">")
            .expect("an import map");
        rest.split_once("</script>").expect("its end").0
    }

    #[test]
    fn the_policy_of_the_cdn_page_admits_its_import_map() {
        let hash = STANDARD.encode(Sha256::digest(import_map()));
        assert!(
            policy(true).contains(&format!("'sha256-{hash}'")),
            "expected 'sha256-{hash}'"
        );
    }

    #[test]
    fn the_cdn_page_has_the_versions_of_the_lock_file() {
        let lock: serde_json::Value =
            serde_json::from_str(include_str!("../../graphiql/package-lock.json")).expect("JSON");
        let page = include_str!("../../graphiql/cdn.html");
        let mut checked = 0;
        for address in page.split("https://esm.sh/").skip(1) {
            let Some(at) = address[1..].find('@').map(|at| at + 1) else {
                continue;
            };
            let (name, version) = (
                &address[..at],
                address[at + 1..]
                    .split(['"', '?', '/'])
                    .next()
                    .unwrap_or_default(),
            );
            assert_eq!(
                lock["packages"][format!("node_modules/{name}")]["version"],
                version,
                "{name}"
            );
            checked += 1;
        }
        assert!(checked > 10, "{checked} addresses");
    }
}
