//! `tenantry serve`: what it asks for before it starts, and how it stops.

use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::database::names;
use crate::harness::{Service, eventually, tenantry};

const SECRET: &str = "Qw7rT9zXc2Vb5nMk8Lp3Hg6Fd1Sa4JyUoEiRtWqZx0";

/// A complete configuration, but for what a test takes away or breaks.
fn serve() -> Command {
    let mut command = tenantry(&["serve", "--listen", "127.0.0.1:0"]);
    command
        .env("DATABASE_URL", Service::shared().dir().read("database-url"))
        .env("TENANTRY_BASE_DOMAIN", "localhost")
        .env("TENANTRY_JWT_SECRET", SECRET);
    command
}

/// What it says when it doesn't start.
fn refusal(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{command:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_missing_or_weak_secret_is_refused() {
    let missing = refusal(serve().env_remove("TENANTRY_JWT_SECRET"));
    assert!(missing.contains("--jwt-secret"), "{missing}");
    for weak in [
        "",
        "secret",
        &"x".repeat(64),
        "change-me-change-me-change-me-change-me",
    ] {
        let message = refusal(serve().env("TENANTRY_JWT_SECRET", weak));
        assert!(message.contains("secret"), "{weak:?}: {message}");
        assert!(
            weak.len() < 10 || !message.contains(weak),
            "the secret is in the message"
        );
    }
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    for (variable, value, expected) in [
        ("DATABASE_URL", None, "--database-url"),
        ("TENANTRY_BASE_DOMAIN", None, "--base-domain"),
        (
            "TENANTRY_BASE_DOMAIN",
            Some("https://example.com"),
            "base domain",
        ),
        (
            "DATABASE_URL",
            Some("mysql://root:hunter2@localhost/db"),
            "database url",
        ),
        (
            "DATABASE_URL",
            Some("postgres://root:hunter2@127.0.0.1:1/db"),
            "connect",
        ),
        ("TENANTRY_LISTEN", Some("here"), "--listen"),
    ] {
        let mut command = serve();
        if variable == "TENANTRY_LISTEN" {
            command = tenantry(&["serve"]);
            command
                .env("DATABASE_URL", "postgres://127.0.0.1:1/db")
                .env("TENANTRY_BASE_DOMAIN", "localhost");
        }
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
        let message = refusal(&mut command);
        assert!(
            message.to_lowercase().contains(expected),
            "{variable}={value:?}: {message}"
        );
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[tokio::test]
async fn health_and_readiness_need_no_tenant() {
    let service = Service::shared();
    let replica = Service::replica(&[]).await;
    for host in ["localhost", "acme.localhost", "10.0.0.7", "whatever.test"] {
        let caller = service.host(host);
        assert_eq!(caller.get("/healthz").await.text, "ok\n");
        let there = caller.at(&replica);
        let ready = async || (there.get("/readyz").await.status == 200).then_some(());
        eventually("the replica is ready", ready).await;
    }
}

/// A request that is being answered when the signal comes gets its answer; later ones get none.
#[tokio::test]
async fn a_stop_lets_requests_in_flight_finish() {
    let service = Service::shared();
    let mut replica = Service::replica(&[]).await;
    let owner = service.sign_up("flight").await.at(&replica);
    let psql = service.psql().await;
    let (schema, _) = names(&psql, owner.subdomain()).await;
    let lock = format!("begin; lock table {schema}.labels in access exclusive mode");
    psql.batch_execute(&lock).await.unwrap();
    let caller = owner.clone();
    let request = tokio::spawn(async move { caller.query("{ labels { totalCount } }").await });
    let watch = service.psql().await;
    eventually("the request waits for the lock", async || {
        let waiting = "select from pg_locks where not granted and relation = $1::text::regclass";
        let rows = watch
            .query(waiting, &[&format!("{schema}.labels")])
            .await
            .unwrap();
        (!rows.is_empty()).then_some(())
    })
    .await;

    replica.process().signal(Signal::SIGTERM);
    eventually("nobody listens any more", async || {
        let address = ("127.0.0.1", replica.port());
        tokio::net::TcpStream::connect(address)
            .await
            .is_err()
            .then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!request.is_finished());
    psql.batch_execute("rollback").await.unwrap();
    assert_eq!(request.await.unwrap().data()["labels"]["totalCount"], 4);
    assert!(replica.wait().success());
}
