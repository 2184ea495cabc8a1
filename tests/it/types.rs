//! Every type of Postgres: its values, its operators, and what it says of bad input.

mod indexes;
mod nearness;
mod operators;
mod values;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tokio_postgres::Client;

use crate::harness::database::{names, scalar};
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

/// Extensions are made once, before anybody signs up; all tenants share their types and operators.
#[tokio::test]
async fn tenants_that_sign_up_at_once_share_the_extensions() {
    let (one, two) = tokio::join!(tenant(), tenant());
    for (caller, _) in [one, two] {
        let query = "{
            texts(where: {email: {eq: \"ADA@example.com\"}, title: {similarTo: \"quick brown fox\"}}) { totalCount }
            machines(where: {path: {descendantOf: \"top\"}}) { totalCount }
        }";
        let data = caller.query(query).await.data();
        assert_eq!(data["texts"]["totalCount"], 1);
        assert_eq!(data["machines"]["totalCount"], 2);
    }
    let psql = service().psql().await;
    let homes = "select string_agg(distinct n.nspname, ' ') from pg_extension e
                 join pg_namespace n on n.oid = e.extnamespace where e.extname <> 'plpgsql'";
    assert_eq!(scalar(&psql, homes).await.unwrap(), "extensions");
}
