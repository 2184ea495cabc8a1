//! HTTP: the routes, and nothing that is not about HTTP.

mod audit;
mod client;
mod cookies;
mod cors;
mod endpoint;
mod export;
mod graphiql;
mod health;
mod moved;
mod news;
mod platform;
mod proof;
mod server;
mod transport;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::middleware::from_fn_with_state;
use axum::response::{Redirect, Response};
use axum::routing::{any, get};
use tokio::sync::{Semaphore, watch};

pub(crate) use audit::Audit;
pub(crate) use client::{Network, Proxies};
pub(crate) use cookies::CookiePolicy;
pub(crate) use cors::PageOrigin;
pub(crate) use export::AT_ONCE as EXPORTS_AT_ONCE;
pub(crate) use news::News;
pub(crate) use server::serve;

use crate::apis::Apis;
use crate::compile::Compiler;
use crate::domains::Watch;
use crate::guard::{Admission, Guard};
use crate::limits::{Addresses, Limits};
use crate::registry::{Directory, PAGES, Registry, Stock};
use crate::session::Lanes;

/// Who may look at the schema by introspection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Introspection {
    /// Everybody: the schema is the same for all tenants, and says nothing of their data.
    Public,
    /// Those who are logged in.
    Members,
    Off,
}

/// What requests need, and what is done beside them.
pub(crate) struct Service {
    pub(crate) guard: Arc<Guard>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) apis: Apis,
    pub(crate) compiler: Compiler,
    pub(crate) lanes: Lanes,
    pub(crate) platform: crate::platform::Schema,
    /// The service's own part of every tenant's API, and what its fields need.
    pub(crate) own_schema: crate::service::Schema,
    pub(crate) environment: Arc<crate::service::Environment>,
    pub(crate) introspection: Introspection,
    pub(crate) cookies: CookiePolicy,
    /// Whose pages may call the API, beside those of the host that is asked.
    pub(crate) origins: Vec<PageOrigin>,
    /// What one operation may ask for, where the tenant has no limits of its own.
    pub(crate) limits: Limits,
    /// Who is believed about where a request comes from.
    pub(crate) proxies: Proxies,
    /// The workspaces that are kept ready for sign-ups.
    pub(crate) stock: Stock,
    /// Counts requests that come without a token.
    pub(crate) addresses: Addresses,
    /// Places for those who fetch archives.
    pub(crate) exports: Arc<Semaphore>,
    pub(crate) audit: Audit,
    /// For how many days entries of the audit log are kept; for ever when 0.
    pub(crate) audit_days: u32,
    /// What `GraphiQL` is told of while it is open; nothing but in `dev`.
    pub(crate) news: Option<watch::Receiver<News>>,
    /// Looks after the domains of tenants.
    pub(crate) watch: Watch,
}

/// The path of the API.
const GRAPHQL: &str = "/graphql";

/// All other routes.
fn router(service: Arc<Service>) -> Router {
    let pages = Router::new()
        .route("/", get(async || Redirect::temporary("/graphiql")))
        .merge(graphiql::router())
        .layer(from_fn_with_state(Arc::clone(&service), moved::pages));
    let news = match &service.news {
        Some(news) => news::router(news.clone()),
        None => Router::new(),
    };
    Router::new()
        .route("/graphiql/config.json", get(graphiql_config))
        .route("/exports/{token}", any(export::archive))
        .route(&format!("{PAGES}{{name}}"), get(proof::page))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .merge(pages)
        .merge(news)
        .with_state(service)
}

/// Tells `GraphiQL` whether it stands at a tenant.
async fn graphiql_config(State(service): State<Arc<Service>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let host = host(&parts.uri, &parts.headers);
    match service.guard.admit(host, None).await {
        Ok(Admission::Platform(_)) => graphiql::config(None, None),
        Ok(Admission::Tenant(context)) => {
            let schema = service
                .news
                .as_ref()
                .map(|news| news.borrow().schema.clone());
            graphiql::config(Some(context.tenant().subdomain.as_str()), schema)
        }
        Err(failure) => {
            let client = service.proxies.client(&parts);
            transport::refused(transport::Media::Json, &client, failure.into())
        }
    }
}

/// The host that is asked: of the request line where it has one (HTTP/2 does), else of the header.
fn host<'h>(uri: &'h Uri, headers: &'h HeaderMap) -> Option<&'h str> {
    uri.host().or_else(|| header(headers, &header::HOST))
}

/// A header's text; none when it is missing or not ASCII.
fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).map(HeaderValue::to_str)?.ok()
}
