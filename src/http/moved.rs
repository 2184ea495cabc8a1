//! The old address of a tenant leads to its new one, for as long as the redirection lasts.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;

use super::Service;

/// The same path at another host. It keeps the scheme that the client used (RFC 3986 §4.2), which the service behind
/// a proxy does not know, and the port.
pub(super) fn location(uri: &Uri, headers: &HeaderMap, moved_to: &str) -> Option<HeaderValue> {
    let port = super::host(uri, headers)?
        .split_once(':')
        .map(|(_, port)| port);
    let port = port
        .filter(|port| !port.is_empty())
        .map(|port| format!(":{port}"));
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    HeaderValue::try_from(format!("//{moved_to}{}{path}", port.unwrap_or_default())).ok()
}

/// In front of pages: those of a tenant that has moved are at its new address.
pub(super) async fn pages(
    State(service): State<Arc<Service>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let (uri, headers) = (request.uri(), request.headers());
    let asset = uri.path().starts_with("/graphiql/assets/"); // the same everywhere
    if !asset && let Some(host) = service.guard.moved_from(super::host(uri, headers)).await {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
        let headers = response.headers_mut();
        headers.extend(
            location(request.uri(), request.headers(), &host).map(|to| (header::LOCATION, to)),
        );
        // Somebody else may have the name one day.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return response;
    }
    next.run(request).await
}
