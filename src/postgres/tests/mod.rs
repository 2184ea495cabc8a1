//! Real clusters in temporary directories.

mod crash;
mod lifecycle;
mod root;
mod tls;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::unistd::Pid;
use tempfile::TempDir;

use super::running;
use super::{Cluster, ClusterError, ClusterOptions, Database};

/// A directory that the account of the server may enter when the tests run as root.
fn open_directory() -> TempDir {
    directory_with_mode(0o755)
}

fn directory_with_mode(mode: u32) -> TempDir {
    tempfile::Builder::new()
        .permissions(Permissions::from_mode(mode))
        .tempdir()
        .unwrap()
}

fn options(data_dir: &Path) -> ClusterOptions {
    ClusterOptions {
        data_dir: data_dir.to_owned(),
        reset: false,
        settings: vec![],
    }
}

async fn start(data_dir: &Path) -> Cluster {
    try_start(data_dir)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

async fn try_start(data_dir: &Path) -> Result<Cluster, ClusterError> {
    Cluster::start(options(data_dir)).await
}

/// The first column of the first row.
async fn ask(cluster: &Cluster, sql: &str) -> String {
    let database = Database::parse(&cluster.url("postgres")).unwrap();
    let (client, _connection) = database.connect().await.unwrap();
    client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn run(cluster: &Cluster, sql: &str) {
    let database = Database::parse(&cluster.url("postgres")).unwrap();
    let (client, _connection) = database.connect().await.unwrap();
    client.batch_execute(sql).await.unwrap();
}

/// Makes a table and flushes it: without synchronous commits, a killed server may lose its last moments.
async fn make_table_kept(cluster: &Cluster) {
    run(cluster, "create table kept as select 'committed' as state").await;
    run(cluster, "checkpoint").await;
}

/// Postgres' own data directory.
fn server_data(data_dir: &Path) -> PathBuf {
    data_dir.join("server/data").canonicalize().unwrap()
}

fn server_pid(data_dir: &Path) -> Pid {
    running::find(&server_data(data_dir)).expect("a server runs")
}

async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(20), "never {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
