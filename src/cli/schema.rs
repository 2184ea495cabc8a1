//! `tenantry schema`: the GraphQL schema of the migrations, from a Postgres that lives for a moment.

use std::sync::Arc;

use clap::Args;

use super::dev;
use crate::apis::Apis;
use crate::config::TenantSql;
use crate::postgres::{Cluster, ClusterOptions, Database};
use crate::registry::{NewTenant, Registry, RequestLogin, Upgrade};
use crate::schema::Options;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    tenant_sql: TenantSql,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let migrations = arguments.tenant_sql.load()?;
    let directory = dev::temporary_directory()?;
    let cluster = Cluster::start(ClusterOptions {
        data_dir: directory.clone(),
        reset: false,
        settings: vec![("fsync".into(), "off".into())],
    })
    .await?;
    let sdl = sdl(&cluster, migrations).await;
    cluster.destroy().await?;
    let _ = std::fs::remove_dir_all(directory);
    print!("{}", sdl?);
    Ok(())
}

/// Makes one tenant and prints what its API is.
async fn sdl(cluster: &Cluster, migrations: crate::migrate::Migrations) -> anyhow::Result<String> {
    let database = Database::parse(&cluster.url("postgres"))?;
    let login = RequestLogin::Managed;
    let registry = Registry::open(database, login, &migrations, Upgrade::Run).await?;
    let registry = Arc::new(registry);
    let tenant = NewTenant::parse(
        "Reference",
        Some("reference"),
        "Owner",
        "owner@reference.test",
        "demo-password",
    )
    .map_err(|failure| anyhow::anyhow!("{failure}"))?;
    let signed_up = registry
        .sign_up(&migrations, tenant)
        .await
        .map_err(dev::explain)?;
    let options = Options {
        service: crate::service::contribution(),
        ..Options::default()
    };
    let api = Apis::new(registry, options).load(&signed_up.tenant).await?;
    Ok(api.sdl())
}
