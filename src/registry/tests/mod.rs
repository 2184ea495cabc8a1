//! The registry against a real Postgres.

mod activity;
mod audit;
mod copy;
mod directory;
mod drift;
mod guesses;
mod isolation;
mod lifecycle;
mod log_in;
mod members;
mod open;
mod shared;
mod shared_copies;
mod sign_up;
mod spares;
mod transaction;

use tokio_postgres::Client;

use super::Look;
use crate::catalog::Workspace;
use crate::names::{RoleName, SchemaName};
use crate::testing::Replica;

/// These workspaces, whichever way they came, are what the migrations make. Each role is called as its schema is.
async fn assert_alike(replica: &Replica, schemas: &[&SchemaName]) {
    let workspace = |schema: &&SchemaName| Workspace {
        schema: (*schema).clone(),
        role: RoleName::parse(schema.as_str()).unwrap(),
    };
    let workspaces: Vec<_> = schemas.iter().map(workspace).collect();
    let (registry, migrations) = (&replica.registry, &replica.migrations);
    let wanted = registry.reference(migrations).await.unwrap().fingerprint;
    let looks = registry.fingerprints(migrations, &workspaces, 2).await;
    let wanted = vec![Look::Found(wanted); schemas.len()];
    assert_eq!(looks.unwrap(), wanted, "{schemas:?}");
}

/// The first column of the first row, as text.
async fn scalar(client: &Client, statement: &str) -> String {
    for message in client.simple_query(statement).await.unwrap() {
        if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
            return row.get(0).unwrap_or("null").to_owned();
        }
    }
    panic!("no row: {statement}")
}

/// The SQLSTATE that a statement fails with.
async fn sqlstate(client: &Client, statement: &str) -> String {
    let error = client.simple_query(statement).await.expect_err(statement);
    error.code().unwrap().code().to_owned()
}
