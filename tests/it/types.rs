//! Every type of Postgres: its values, its operators, and what it says of bad input.

mod indexes;
mod operators;
mod values;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tokio_postgres::Client;

use crate::harness::database::names;
use crate::harness::{Caller, Service};

/// Tables with a column of each type, and what their operators mean.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/types")
}

/// The service of those tables.
fn service() -> &'static Service {
    static SHARED: OnceLock<Service> = OnceLock::new();
    SHARED.get_or_init(|| Service::dev(&["--tenant-sql", folder().to_str().unwrap()]))
}

/// A tenant of that service, and psql with the path of its requests.
async fn tenant() -> (Caller, Client) {
    let owner = service().sign_up("types").await;
    let psql = service().psql().await;
    let (schema, _) = names(&psql, owner.subdomain()).await;
    let path = format!("set search_path = {schema}, extensions; set timezone = 'UTC'");
    psql.batch_execute(&path).await.unwrap();
    (owner, psql)
}
