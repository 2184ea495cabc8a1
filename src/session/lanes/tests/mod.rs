//! Lanes on a real Postgres.

mod prepared;
mod residue;
mod turns;
mod viewers;

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::guard::Admission;
use crate::names::TenantId;
use crate::plan::Bindings;
use crate::sql::{Layout, Statement};
use crate::testing::{Replica, TestDatabase};

fn query(text: &str) -> Query {
    Query::new(Statement {
        text: text.to_owned(),
        params: Vec::new(),
        layout: Layout::Flat,
        runs_functions: true,
    })
}

/// One lane with one connection.
fn narrow(database: &TestDatabase, replica: &Replica, preparing: Preparing) -> Lanes {
    let (user, password) = replica.registry.request_login().unwrap();
    let config = LanesConfig {
        lanes: NonZeroUsize::MIN,
        connections_per_lane: NonZeroUsize::MIN,
        preparing,
        wait: Duration::from_secs(5),
        statement_timeout: Duration::from_secs(7),
        lifetime: Duration::from_mins(1),
        idle: Duration::from_mins(1),
    };
    let login = database.database.with_login(user.as_str(), password);
    Lanes::new(Arc::clone(&replica.registry), &login, Vec::new(), &config).unwrap()
}

async fn admit(replica: &Replica, subdomain: &str) -> TenantContext {
    let host = format!("{subdomain}.localhost");
    match replica.guard.admit(Some(&host), None).await.unwrap() {
        Admission::Tenant(context) => context,
        Admission::Platform(_) => panic!("not the platform"),
    }
}

/// Reads one integer.
async fn read(lanes: &Lanes, context: &TenantContext, query: &Query) -> Result<i32, Failure> {
    let rows = lanes.read(context, query, &Bindings::default()).await?;
    let bytes = rows.first().and_then(|row| row.column(0)).unwrap();
    Ok(i32::from_be_bytes(bytes.try_into().unwrap()))
}
