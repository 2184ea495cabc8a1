//! What the service is compared with: the same SQL sent by this process itself, without HTTP.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use futures_util::{TryStreamExt as _, join};
use rand::RngExt as _;
use tenantry::plan::Bindings;
use tenantry::postgres::Database;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row, Statement};

use crate::common::{self, Compiled};
use crate::fleet::Tenant;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One tenant, one statement, prepared once; rows are received and dropped.
    Limit,
    /// Any tenant on any connection: `set search_path` for the session, then a statement that was
    /// prepared once, in one round trip; rows are encoded as the service does it.
    Naive,
}

/// Connections that are ready to be measured.
pub(crate) struct Direct<'a> {
    mode: Mode,
    compiled: &'a Compiled,
    bindings: &'a [Bindings],
    connections: Vec<(Client, Statement)>,
    /// What makes a session each tenant's.
    paths: Vec<String>,
}

/// One run's requests: how long each of them took, in microseconds.
pub(crate) type Latencies = Vec<u32>;

impl<'a> Direct<'a> {
    pub(crate) async fn open(
        mode: Mode,
        database: &Database,
        tenants: &[Tenant],
        compiled: &'a Compiled,
        bindings: &'a [Bindings],
        connections: usize,
    ) -> anyhow::Result<Self> {
        let types = vec![Type::UNKNOWN; compiled.statement.params.len()];
        let first = &tenants[0];
        let connect = async || {
            let (client, _) = database.connect().await?;
            let (schema, role) = (&first.schema, &first.role);
            // The limit has the tenant's rights too; the naive mode has one role for all.
            let enter = match mode {
                Mode::Limit => format!("set search_path to {schema}; set role {role}"),
                Mode::Naive => format!("set search_path to {schema}"),
            };
            client.batch_execute(&enter).await?;
            let statement = client
                .prepare_typed(&compiled.statement.text, &types)
                .await?;
            anyhow::Ok((client, statement))
        };
        let path = |tenant: &Tenant| format!("set search_path to {}", tenant.schema);
        Ok(Self {
            mode,
            compiled,
            bindings,
            connections: try_join_all((0..connections).map(|_| connect())).await?,
            paths: tenants.iter().map(path).collect(),
        })
    }

    /// Asks for every tenant once on every connection, as hours of traffic would.
    pub(crate) async fn warm_up(&self) -> anyhow::Result<()> {
        let every = |connection| async move {
            for tenant in 0..self.paths.len() {
                self.ask(connection, tenant, &self.bindings[0]).await?;
            }
            anyhow::Ok(())
        };
        try_join_all(self.connections.iter().map(every)).await?;
        Ok(())
    }

    /// Asks on all connections for a while, for tenants drawn at random.
    pub(crate) async fn run(&self, duration: Duration) -> anyhow::Result<Latencies> {
        let end = Instant::now() + duration;
        let asker = |connection| async move {
            let mut latencies = Latencies::new();
            loop {
                let started = Instant::now();
                if started >= end {
                    return anyhow::Ok(latencies);
                }
                let tenant = rand::rng().random_range(0..self.paths.len());
                let bindings = &self.bindings[rand::rng().random_range(0..self.bindings.len())];
                self.ask(connection, tenant, bindings).await?;
                latencies.push(started.elapsed().as_micros().try_into()?);
            }
        };
        let all = try_join_all(self.connections.iter().map(asker)).await?;
        Ok(all.concat())
    }

    async fn ask(
        &self,
        (client, statement): &(Client, Statement),
        tenant: usize,
        bindings: &Bindings,
    ) -> anyhow::Result<()> {
        let ids = &self.compiled.statement.params;
        let values = ids.iter().map(|id| common::Param(&bindings.params[id.0]));
        let rows = async {
            let rows = client.query_raw(statement, values).await?;
            rows.try_collect::<Vec<Row>>().await
        };
        if self.mode == Mode::Limit {
            rows.await?;
            return Ok(());
        }
        let (entered, rows) = join!(client.batch_execute(&self.paths[tenant]), rows);
        entered?;
        std::hint::black_box(common::encode(
            self.compiled,
            bindings,
            &common::rows(&rows?),
        )?);
        Ok(())
    }
}
