//! The naive way as a web service: one pool for all tenants, `set search_path` for each request,
//! and statements prepared once on each connection. It knows one operation, and trusts everybody.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt as _;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use futures_util::{TryStreamExt as _, join};
use serde_json::Value;
use tenantry::postgres::Database;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::common::{self, Compiled};
use crate::fleet::Tenant;

struct Naive {
    pool: Pool,
    /// What a host's tenant is entered with.
    paths: HashMap<String, String>,
    compiled: Compiled,
    types: Vec<Type>,
}

/// Serves from this process until the handle is aborted. Returns the port too.
pub(crate) async fn serve(
    database: &Database,
    tenants: &[Tenant],
    compiled: Compiled,
    connections: usize,
) -> anyhow::Result<(u16, JoinHandle<std::io::Result<()>>)> {
    let recycling = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = Manager::from_config(database.config().clone(), database.tls(), recycling);
    let path = |tenant: &Tenant| format!("set search_path to {}", tenant.schema);
    let naive = Arc::new(Naive {
        pool: Pool::builder(manager).max_size(connections).build()?,
        paths: tenants
            .iter()
            .map(|tenant| (tenant.host(), path(tenant)))
            .collect(),
        types: vec![Type::UNKNOWN; compiled.statement.params.len()],
        compiled,
    });
    let app = Router::new()
        .route("/graphql", post(graphql))
        .with_state(naive);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let server = axum::serve(listener, app);
    Ok((port, tokio::spawn(server.into_future())))
}

async fn graphql(State(naive): State<Arc<Naive>>, headers: HeaderMap, body: Bytes) -> Response {
    match naive.answer(&headers, &body).await {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
    }
}

impl Naive {
    #[expect(
        clippy::disallowed_methods,
        reason = "the doors are those of the service's pools"
    )]
    async fn answer(&self, headers: &HeaderMap, body: &[u8]) -> anyhow::Result<Vec<u8>> {
        let host = headers.get(header::HOST).context("no host")?.to_str()?;
        let path = self.paths.get(host).context("no such tenant")?;
        let request: Value = serde_json::from_slice(body)?;
        let variables = request["variables"].as_object().context("no variables")?;
        let bindings = common::bind(&self.compiled.plan, variables)?;
        let client = self.pool.get().await?;
        let rows = async {
            let text = &self.compiled.statement.text;
            let statement = client.prepare_typed_cached(text, &self.types).await?;
            let params = &self.compiled.statement.params;
            let values = params
                .iter()
                .map(|id| common::Param(&bindings.params[id.0]));
            let rows = client.query_raw(&statement, values).await?;
            rows.try_collect::<Vec<Row>>().await
        };
        // Sent together, in this order.
        let (entered, rows) = join!(client.batch_execute(path), rows);
        entered?;
        common::encode(&self.compiled, &bindings, &common::rows(&rows?))
    }
}
