//! The fleet: a private Postgres with as many tenants as are wanted, kept from run to run.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rand::distr::{Alphanumeric, SampleString as _};
use serde_json::json;
use tenantry::postgres::{Cluster, ClusterOptions, Database};
use tenantry::sql::Ident;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::common::CONTENT;
use crate::service::{BASE_DOMAIN, Service};

/// The settings of `tenantry dev`, with a cache that holds the fleet, and without vacuum's noise.
const SETTINGS: [(&str, &str); 3] = [
    ("shared_buffers", "2GB"),
    ("max_wal_size", "4GB"),
    ("autovacuum", "off"),
];

/// Tenants that are made at the same time.
const AT_ONCE: usize = 4;

pub(crate) struct Fleet {
    cluster: Cluster,
    /// The superuser's connection.
    pub(crate) client: Client,
    pub(crate) secret: String,
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) directory: PathBuf,
    serve_flags: Vec<String>,
}

/// A tenant and its owner's token.
pub(crate) struct Tenant {
    pub(crate) subdomain: String,
    pub(crate) schema: Ident,
    pub(crate) role: Ident,
    pub(crate) token: String,
}

impl Fleet {
    /// Starts Postgres and brings the number of tenants up to `count`, of which `filled` have rows and are asked.
    pub(crate) async fn open(
        directory: &Path,
        (count, filled): (usize, usize),
        serve_flags: &str,
    ) -> anyhow::Result<Self> {
        let cluster = Cluster::start(ClusterOptions {
            data_dir: directory.to_owned(),
            reset: false,
            settings: SETTINGS
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
        })
        .await?;
        let (server, _) = Database::parse(&cluster.url("postgres"))?.connect().await?;
        let known = "select from pg_database where datname = 'bench'";
        if server.query_opt(known, &[]).await?.is_none() {
            server.batch_execute("create database bench").await?;
        }
        let (client, _) = Database::parse(&cluster.url("bench"))?.connect().await?;
        let mut fleet = Self {
            cluster,
            client,
            secret: Alphanumeric.sample_string(&mut rand::rng(), 48),
            tenants: Vec::new(),
            directory: directory.to_owned(),
            serve_flags: serve_flags.split_whitespace().map(str::to_owned).collect(),
        };
        let is_new = fleet.sign_up(count).await?;
        if fleet.fill(filled).await? || is_new {
            eprintln!("vacuum");
            fleet.client.batch_execute("vacuum analyze").await?;
        }
        fleet.client.batch_execute("checkpoint").await?;
        fleet.tenants = tenants(&fleet.client, &fleet.secret, filled.min(count)).await?;
        Ok(fleet)
    }

    /// So many of those that have rows, or all.
    pub(crate) fn first(&self, count: usize) -> &[Tenant] {
        &self.tenants[..count.min(self.tenants.len())]
    }

    pub(crate) async fn service(&self) -> anyhow::Result<Service> {
        let log = self.directory.join("service.log");
        Service::start(&self.url(), &self.secret, &self.serve_flags, &log).await
    }

    /// By the socket, as one connects to a server on the same machine.
    pub(crate) fn url(&self) -> String {
        let socket = self.cluster.socket_url("bench");
        socket.unwrap_or_else(|| self.cluster.url("bench"))
    }

    /// Signs the missing tenants up, by the service itself. True when there were some.
    async fn sign_up(&self, count: usize) -> anyhow::Result<bool> {
        let service = self.service().await?;
        let rows = self
            .client
            .query("select subdomain from tenantry.tenants", &[])
            .await?;
        let known: std::collections::HashSet<String> = rows.iter().map(|row| row.get(0)).collect();
        let missing: Vec<_> = (1..=count)
            .map(subdomain)
            .filter(|name| !known.contains(name))
            .collect();
        let progress = Progress::new("sign-ups", missing.len());
        stream::iter(missing.iter().map(|name| service.sign_up(name)))
            .buffer_unordered(AT_ONCE)
            .inspect(|_| progress.step())
            .try_collect::<()>()
            .await?;
        service.stop().await?;
        Ok(!missing.is_empty())
    }

    /// Fills those of the first tenants that are still empty. True when there were some.
    async fn fill(&self, count: usize) -> anyhow::Result<bool> {
        self.client
            .batch_execute(
                "create table if not exists public.filled (schema_name text primary key)",
            )
            .await?;
        let empty = "select schema_name from (select schema_name from tenantry.tenants where subdomain like 'bench-%' \
                                              order by created_at limit $1) as wanted \
                     where schema_name not in (select schema_name from public.filled)";
        let rows = self.client.query(empty, &[&i64::try_from(count)?]).await?;
        let progress = Progress::new("tenants filled", rows.len());
        let database = Database::parse(&self.url())?;
        let fill = |schema: String| {
            let database = &database;
            async move {
                let (mut client, _) = database.connect().await?;
                let transaction = client.transaction().await?;
                transaction
                    .execute("insert into public.filled values ($1)", &[&schema])
                    .await?;
                let path = "select set_config('search_path', quote_ident($1), true)";
                transaction.execute(path, &[&schema]).await?;
                transaction.batch_execute(CONTENT).await?;
                anyhow::Ok(transaction.commit().await?)
            }
        };
        stream::iter(rows.iter().map(|row| fill(row.get(0))))
            .buffer_unordered(AT_ONCE)
            .inspect(|_| progress.step())
            .try_collect::<()>()
            .await?;
        Ok(!rows.is_empty())
    }

    pub(crate) async fn close(self) -> anyhow::Result<()> {
        Ok(self.cluster.stop().await?)
    }
}

fn subdomain(number: usize) -> String {
    format!("bench-{number}")
}

impl Tenant {
    pub(crate) fn host(&self) -> String {
        format!("{}.{BASE_DOMAIN}", self.subdomain)
    }
}

async fn tenants(client: &Client, secret: &str, count: usize) -> anyhow::Result<Vec<Tenant>> {
    let select = "select id, subdomain, schema_name, role_name, account_id \
                  from tenantry.tenants join tenantry.memberships on tenant_id = id \
                  where subdomain like 'bench-%' order by tenants.created_at limit $1";
    let key = EncodingKey::from_secret(secret.as_bytes());
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let tenant = |row: tokio_postgres::Row| {
        let (id, account): (Uuid, Uuid) = (row.get("id"), row.get("account_id"));
        let claims = json!({
            "iss": "tenantry", "sub": account, "tid": id, "role": "owner",
            "iat": now, "exp": now + 24 * 3600,
        });
        anyhow::Ok(Tenant {
            subdomain: row.get("subdomain"),
            schema: Ident::new(row.get("schema_name")),
            role: Ident::new(row.get("role_name")),
            token: jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)?,
        })
    };
    let rows = client.query(select, &[&i64::try_from(count)?]).await?;
    rows.into_iter().map(tenant).collect()
}

/// Counts on standard error.
struct Progress {
    what: &'static str,
    total: usize,
    done: std::cell::Cell<usize>,
}

impl Progress {
    fn new(what: &'static str, total: usize) -> Self {
        Self {
            what,
            total,
            done: std::cell::Cell::new(0),
        }
    }

    fn step(&self) {
        self.done.set(self.done.get() + 1);
        if self.done.get().is_multiple_of(50) || self.done.get() == self.total {
            eprintln!("{}: {} of {}", self.what, self.done.get(), self.total);
        }
    }
}
