//! `/healthz`: the process answers. `/readyz`: so does its database, and news of tenants arrive.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::Service;

pub(super) async fn alive() -> &'static str {
    "ok\n"
}

pub(super) async fn ready(State(service): State<Arc<Service>>) -> (StatusCode, &'static str) {
    match service.registry.ping().await {
        Ok(()) if service.directory.is_listening() => (StatusCode::OK, "ready\n"),
        Ok(()) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "not listening for changes of tenants\n",
        ),
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the database does not answer\n",
        ),
    }
}
