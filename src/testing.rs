//! What the tests of the control plane share: one private Postgres per run, and one database per test.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio_postgres::Client;

use crate::error::Code;
use crate::guard::{
    BaseDomain, Guard, Hosts, ISSUER, JwtSecret, Lifetimes, PublicUrl, Scheme, Tokens,
};
use crate::mail::Mailer;
use crate::migrate::Migrations;
use crate::oidc::Issuers;
use crate::platform::Platform;
use crate::postgres::Database;
use crate::registry::{Directory, NewTenant, Registry, RequestLogin, SignedUp, Upgrade};
use crate::request::RequestInfo;
use crate::resets::Resets;

/// The superuser's URL of a database of the shared cluster.
fn url(database: &str) -> String {
    static CLUSTER: OnceLock<u16> = OnceLock::new();
    let port = CLUSTER.get_or_init(start_cluster);
    format!("postgres://postgres@127.0.0.1:{port}/{database}")
}

/// Starts Postgres and a shell that stops it, and removes its files, as soon as this process is gone.
fn start_cluster() -> u16 {
    let home = tempfile::Builder::new()
        .prefix("tenantry-test-")
        .tempdir()
        .unwrap()
        .keep();
    let user = nix::unistd::Uid::effective()
        .is_root()
        .then(|| nix::unistd::User::from_name("postgres").unwrap().unwrap());
    if let Some(user) = &user {
        std::os::unix::fs::chown(&home, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let run = |program: PathBuf| {
        let mut command = Command::new(program);
        command.current_dir(&home);
        if let Some(user) = &user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    };
    let bin = binaries();
    let data = home.join("data");
    let initdb = run(bin.join("initdb"))
        .args([
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--no-sync",
            "--pgdata",
        ])
        .arg(&data)
        .output()
        .unwrap();
    assert!(
        initdb.status.success(),
        "{}",
        String::from_utf8_lossy(&initdb.stderr)
    );
    let settings = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\nmax_connections = 400\nfsync = off\n"
    );
    // Passwords count for the request login, so that a wrong one is noticed.
    let access = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
    let file = |name| {
        std::fs::OpenOptions::new()
            .append(true)
            .open(data.join(name))
            .unwrap()
    };
    file("postgresql.conf")
        .write_all(settings.as_bytes())
        .unwrap();
    std::fs::write(data.join("pg_hba.conf"), access).unwrap();
    let start = run(bin.join("pg_ctl"))
        .args(["--wait", "--silent", "--log=log", "--pgdata"])
        .arg(&data)
        .arg("start")
        .output()
        .unwrap();
    assert!(
        start.status.success(),
        "{}",
        std::fs::read_to_string(home.join("log")).unwrap_or_default()
    );
    #[expect(
        clippy::zombie_processes,
        reason = "it is there to outlive this process"
    )]
    let mut keeper = run("/bin/sh".into())
        .args([
            "-c",
            "cat >/dev/null; \"$1\" --mode=immediate --silent --pgdata data stop; rm -rf \"$PWD\"",
            "keeper",
        ])
        .arg(bin.join("pg_ctl"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    std::mem::forget(keeper.stdin.take()); // closed by the end of this process, and not before
    port
}

fn binaries() -> PathBuf {
    if let Some(given) = std::env::var_os("TENANTRY_PG_BIN") {
        return given.into();
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    found.sort();
    found
        .pop()
        .filter(|bin| Path::new(bin).join("initdb").exists())
        .expect("Postgres server binaries, or TENANTRY_PG_BIN")
}

/// Connects, and leaves the connection to its task.
pub(crate) async fn connect(database: &Database) -> Client {
    database.connect().await.unwrap().0
}

/// Connects as the superuser.
pub(crate) async fn superuser(database: &str) -> Client {
    connect(&Database::parse(&url(database)).unwrap()).await
}

/// A number that no other test has.
pub(crate) fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// An empty database of the test's own.
pub(crate) struct TestDatabase {
    pub(crate) name: String,
    pub(crate) database: Database,
}

impl TestDatabase {
    /// Owned by the superuser.
    pub(crate) async fn new() -> Self {
        let name = format!("test_{}", unique());
        superuser("postgres")
            .await
            .batch_execute(&format!("create database {name}"))
            .await
            .unwrap();
        let database = Database::parse(&url(&name)).unwrap();
        Self { name, database }
    }

    /// Owned by a user who may make roles, and nothing else.
    pub(crate) async fn of_ordinary_owner() -> Self {
        let name = format!("test_{}", unique());
        superuser("postgres")
            .await
            .batch_execute(&format!(
                "create role {name} login createrole password 'owner'; "
            ))
            .await
            .unwrap();
        superuser("postgres")
            .await
            .batch_execute(&format!("create database {name} owner {name}"))
            .await
            .unwrap();
        let database = Database::parse(&url(&name))
            .unwrap()
            .with_login(&name, "owner");
        Self { name, database }
    }

    /// Connects as the owner.
    pub(crate) async fn owner(&self) -> Client {
        connect(&self.database).await
    }

    pub(crate) async fn superuser(&self) -> Client {
        superuser(&self.name).await
    }

    pub(crate) async fn replica(&self) -> Replica {
        self.replica_with(Migrations::embedded().unwrap()).await
    }

    pub(crate) async fn replica_with(&self, migrations: Migrations) -> Replica {
        let registry = Registry::open(
            self.database.clone(),
            RequestLogin::Managed,
            &migrations,
            Upgrade::Run,
        );
        let registry = registry.await.unwrap();
        let registry = Arc::new(registry);
        let directory = Arc::new(Directory::start(Arc::clone(&registry)).await.unwrap());
        let secret = JwtSecret::parse("bYjA6lGq0X7vR2nPz4TfWm9sKc1hEu8dQiLo5xJtVaB3").unwrap();
        let lifetimes = Lifetimes {
            access: Duration::from_hours(1),
            session: Duration::from_hours(24),
        };
        let base_domain = BaseDomain::parse("localhost").unwrap();
        let guard = Arc::new(Guard::new(
            Hosts::new(base_domain.clone(), None).unwrap(),
            Arc::clone(&registry),
            Arc::clone(&directory),
            Tokens::new(&secret, lifetimes),
            Issuers::start(Vec::new(), ISSUER).unwrap(),
        ));
        let replica = Replica {
            registry,
            directory,
            guard,
            migrations: Arc::new(migrations),
            base_domain,
        };
        eventually(|| replica.directory.is_listening()).await;
        replica
    }
}

/// One process of the service, as far as the control plane goes.
pub(crate) struct Replica {
    pub(crate) registry: Arc<Registry>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) guard: Arc<Guard>,
    pub(crate) migrations: Arc<Migrations>,
    base_domain: BaseDomain,
}

impl Replica {
    pub(crate) fn platform(&self) -> Platform {
        Platform {
            registry: Arc::clone(&self.registry),
            directory: Arc::clone(&self.directory),
            guard: Arc::clone(&self.guard),
            migrations: Arc::new(ArcSwap::new(Arc::clone(&self.migrations))),
            resets: Resets::new(
                Arc::clone(&self.registry),
                Arc::new(Mailer::nowhere()),
                self.public_url(),
            ),
            public_url: self.public_url(),
        }
    }

    fn public_url(&self) -> PublicUrl {
        PublicUrl {
            scheme: Scheme::Http,
            base_domain: self.base_domain.clone(),
            port: Some(8080),
        }
    }

    /// Signs up `<subdomain>` with the owner `owner@<subdomain>.test`, password `demo-password`.
    pub(crate) async fn sign_up(&self, subdomain: &str) -> SignedUp {
        // Roles belong to the cluster: tests in other databases may want the same name at the same moment.
        for _ in 0..5 {
            let new = applicant(subdomain);
            match self.registry.sign_up(&self.migrations, new).await {
                Err(failure) if failure.code == Code::Internal => {}
                outcome => return outcome.unwrap(),
            }
        }
        panic!("no free name for {subdomain}")
    }

    /// A connection as a request would have it.
    pub(crate) async fn request_connection(&self) -> Client {
        let (user, password) = self.registry.request_login().unwrap();
        connect(&self.registry.database().with_login(user.as_str(), password)).await
    }
}

pub(crate) fn applicant(subdomain: &str) -> NewTenant {
    let email = format!("owner@{subdomain}.test");
    NewTenant::parse(
        &format!("{subdomain} Inc."),
        Some(subdomain),
        "Owner",
        &email,
        "demo-password",
    )
    .unwrap()
}

/// A request from an address of its own.
pub(crate) fn client() -> RequestInfo {
    RequestInfo {
        ip: std::net::Ipv4Addr::from_bits(0x0a00_0000 + unique()).into(),
        user_agent: Some("tests".into()),
        id: "test".into(),
    }
}

/// Waits for what has to come true within a second.
pub(crate) async fn eventually(mut check: impl FnMut() -> bool) {
    for _ in 0..100 {
        if check() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come true within a second");
}
