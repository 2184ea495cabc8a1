//! A Postgres that lives for a moment, and what migrations make in it.

pub(super) mod caretaker;

use std::path::Path;
use std::sync::Arc;

use super::dev;
use crate::apis::Apis;
use crate::migrate::Migrations;
use crate::postgres::{Cluster, ClusterOptions, Database};
use crate::registry::{NewTenant, Registry, RequestLogin, Upgrade};
use crate::schema::{Api, Options};
use caretaker::Caretaker;

/// Starts one for some work, and leaves nothing of it behind.
pub(super) async fn with<T>(
    work: impl AsyncFnOnce(Database) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    with_cluster(async |scratch: Scratch<'_>| work(scratch.database).await).await
}

/// What there is to work with.
pub(super) struct Scratch<'a> {
    pub(super) cluster: &'a Cluster,
    /// One of its databases.
    pub(super) database: Database,
    /// Has room for other files, too.
    pub(super) directory: &'a Path,
}

/// The same for work that is done on the whole cluster.
pub(super) async fn with_cluster<T>(
    work: impl AsyncFnOnce(Scratch<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let directory = dev::temporary_directory()?;
    let _caretaker = Caretaker::of(&directory);
    let done = on_cluster(&directory, work).await;
    let _ = std::fs::remove_dir_all(directory);
    done
}

async fn on_cluster<T>(
    directory: &Path,
    work: impl AsyncFnOnce(Scratch<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let cluster = Cluster::start(ClusterOptions {
        data_dir: directory.to_owned(),
        reset: false,
        settings: vec![("fsync".into(), "off".into())],
    })
    .await?;
    let done = match Database::parse(&cluster.url("postgres")) {
        Ok(database) => {
            let scratch = Scratch {
                cluster: &cluster,
                database,
                directory,
            };
            Box::pin(work(scratch)).await
        }
        Err(error) => Err(error.into()),
    };
    cluster.destroy().await?;
    done
}

/// Makes a tenant of that name, and the API of its tables.
pub(super) async fn api(
    database: &Database,
    migrations: &Migrations,
    name: &str,
) -> anyhow::Result<Arc<Api>> {
    let (database, login) = (database.clone(), RequestLogin::Managed);
    let registry = Registry::open(database, login, migrations, Upgrade::Run).await?;
    let registry = Arc::new(registry);
    let email = format!("owner@{name}.test");
    let tenant = NewTenant::parse("Reference", Some(name), "Owner", &email, "demo-password");
    let tenant = tenant.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    let signed_up = registry.sign_up(migrations, tenant).await;
    let tenant = signed_up.map_err(dev::explain)?.tenant;
    Ok(Apis::new(registry, options()).load(&tenant).await?)
}

/// Those of an API that is printed.
pub(super) fn options() -> Options {
    Options {
        service: crate::service::contribution(),
        ..Options::default()
    }
}
