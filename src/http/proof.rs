//! The page by which a tenant's verified domain goes on proving that it leads here.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::Service;
use crate::guard::Site;

/// For verified domains only: whoever merely claims one has to bring a proof that is not ours.
pub(super) async fn page(State(service): State<Arc<Service>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let host = super::host(&parts.uri, &parts.headers).unwrap_or_default();
    let Site::Domain(name) = service.guard.site(host) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let client = service.proxies.client(&parts);
    if service.addresses.arrive(client.ip).is_err() {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    match service.registry.verified_domain(&name).await {
        Ok(Some(domain)) if domain.page_path() == parts.uri.path() => {
            let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            (kind, format!("{}\n", domain.record_value())).into_response()
        }
        Ok(_) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(%error, "whether a domain is verified is not known");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
