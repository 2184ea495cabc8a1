//! Lanes on a real Postgres.

mod grants;
mod locks;
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
use crate::registry::SignedUp;
use crate::sql::{Layout, Statement};
use crate::testing::{Replica, TestDatabase, client};

fn query(text: &str) -> Query {
    Query::new(Statement {
        text: text.to_owned(),
        params: Vec::new(),
        layout: Layout::Flat,
        runs_functions: true,
        runs_anything: true,
    })
}

/// One lane with one connection.
fn narrow(database: &TestDatabase, replica: &Replica, preparing: Preparing) -> Lanes {
    let (user, password) = replica.registry.request_login().unwrap();
    let login = database.database.with_login(user.as_str(), password);
    let config = config(preparing);
    Lanes::new(Arc::clone(&replica.registry), &login, Vec::new(), &config).unwrap()
}

fn config(preparing: Preparing) -> LanesConfig {
    LanesConfig {
        lanes: NonZeroUsize::MIN,
        connections_per_lane: NonZeroUsize::MIN,
        preparing,
        wait: Duration::from_secs(5),
        statement_timeout: Duration::from_secs(7),
        lock_wait: Duration::from_secs(5),
        lifetime: Duration::from_mins(1),
        idle: Duration::from_mins(1),
    }
}

async fn admit(replica: &Replica, subdomain: &str) -> TenantContext {
    admit_by(replica, subdomain, None).await
}

/// By an Authorization header.
async fn admit_by(
    replica: &Replica,
    subdomain: &str,
    authorization: Option<&str>,
) -> TenantContext {
    let host = format!("{subdomain}.localhost");
    let admission = replica.guard.admit(Some(&host), authorization).await;
    match admission.unwrap() {
        Admission::Tenant(context) => context,
        Admission::Platform(_) => panic!("not the platform"),
    }
}

/// The Authorization header of somebody who has signed up.
async fn bearer(replica: &Replica, owner: &SignedUp) -> String {
    let granted = replica.guard.welcome(owner, &client()).await.unwrap();
    format!("Bearer {}", granted.access.as_str())
}

/// Reads one integer.
async fn read(lanes: &Lanes, context: &TenantContext, query: &Query) -> Result<i32, Failure> {
    let rows = lanes.read(context, query, &Bindings::default()).await?;
    let bytes = rows.first().and_then(|row| row.column(0)).unwrap();
    Ok(i32::from_be_bytes(bytes.try_into().unwrap()))
}
