//! The directory hears of changes made by others, and does not trust itself when it cannot.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::names::Subdomain;
use crate::registry::{Directory, TenantStatus};
use crate::testing::{TestDatabase, eventually};

fn name(text: &str) -> Subdomain {
    Subdomain::parse(text).unwrap()
}

async fn status(directory: &Directory, subdomain: &str) -> Option<TenantStatus> {
    directory
        .find(&name(subdomain))
        .await
        .unwrap()
        .map(|tenant| tenant.status)
}

/// How long it takes until the directory tells this status.
async fn until(directory: &Directory, subdomain: &str, wanted: Option<TenantStatus>) -> Duration {
    let start = Instant::now();
    while status(directory, subdomain).await != wanted {
        assert!(
            start.elapsed() < Duration::from_secs(1),
            "not {wanted:?} within a second"
        );
        sleep(Duration::from_millis(5)).await;
    }
    start.elapsed()
}

#[tokio::test]
async fn another_replicas_tenant_is_usable_at_once() {
    let test = TestDatabase::new().await;
    let (here, there) = (test.replica().await, test.replica().await);
    assert_eq!(status(&there.directory, "fresh").await, None);
    here.sign_up("fresh").await;
    assert_eq!(
        status(&there.directory, "fresh").await,
        Some(TenantStatus::Active)
    );
    assert_eq!(status(&there.directory, "www").await, None);
}

#[tokio::test]
async fn changes_arrive_within_a_second() {
    let test = TestDatabase::new().await;
    let (here, there) = (test.replica().await, test.replica().await);
    here.sign_up("acme").await;
    let psql = test.superuser().await;
    for directory in [&here.directory, &there.directory] {
        assert_eq!(status(directory, "acme").await, Some(TenantStatus::Active));
    }
    psql.batch_execute("update tenantry.tenants set status = 'suspended'")
        .await
        .unwrap();
    for directory in [&here.directory, &there.directory] {
        until(directory, "acme", Some(TenantStatus::Suspended)).await;
    }
    psql.batch_execute("update tenantry.tenants set status = 'active', subdomain = 'renamed'")
        .await
        .unwrap();
    until(&there.directory, "acme", None).await;
    assert_eq!(
        status(&there.directory, "renamed").await,
        Some(TenantStatus::Active)
    );
    psql.batch_execute("update tenantry.tenants set status = 'deleted'")
        .await
        .unwrap();
    until(&there.directory, "renamed", None).await;
}

#[tokio::test]
async fn a_dead_listener_is_replaced_and_nothing_is_missed() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    replica.sign_up("acme").await;
    assert_eq!(
        status(&replica.directory, "acme").await,
        Some(TenantStatus::Active)
    );
    let psql = test.superuser().await;
    psql.batch_execute(
        "select pg_terminate_backend(pid, 1000) from pg_stat_activity \
         where datname = current_database() and pid <> pg_backend_pid(); \
         update tenantry.tenants set status = 'suspended'",
    )
    .await
    .unwrap();
    until(&replica.directory, "acme", Some(TenantStatus::Suspended)).await;
    eventually(|| replica.directory.is_listening()).await;
    psql.batch_execute("update tenantry.tenants set status = 'active'")
        .await
        .unwrap();
    until(&replica.directory, "acme", Some(TenantStatus::Active)).await;
}

/// The worst case: the connection stands, but nothing comes through it any more.
#[tokio::test]
async fn a_stuck_listener_does_not_delay_a_suspension() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    replica.sign_up("acme").await;
    let psql = test.superuser().await;
    let listener = "select pid from pg_stat_activity where datname = current_database() and application_name = 'tenantry listener'";
    let pid = super::scalar(&psql, listener).await;
    stop(&pid);
    psql.batch_execute("update tenantry.tenants set status = 'suspended'")
        .await
        .unwrap();
    let waited = until(&replica.directory, "acme", Some(TenantStatus::Suspended)).await;
    go_on(&pid);
    assert!(
        waited > Duration::from_millis(100),
        "the notification came through: the test is void"
    );
    eventually(|| replica.directory.is_listening()).await;
}

fn stop(pid: &str) {
    signal(pid, nix::sys::signal::Signal::SIGSTOP);
}

fn go_on(pid: &str) {
    signal(pid, nix::sys::signal::Signal::SIGCONT);
}

fn signal(pid: &str, signal: nix::sys::signal::Signal) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.parse().unwrap()), signal).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_unknown_names_leaves_the_registry_usable() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let flood: Vec<_> = (0..2000)
        .map(|n| {
            let directory = Arc::clone(&replica.directory);
            tokio::spawn(async move {
                directory
                    .find(&name(&format!("nobody-{n}")))
                    .await
                    .is_ok_and(|found| found.is_none())
            })
        })
        .collect();
    let start = Instant::now();
    replica.sign_up("in-between").await;
    println!("sign-up during the flood: {:?}", start.elapsed());
    assert_eq!(
        status(&replica.directory, "in-between").await,
        Some(TenantStatus::Active)
    );
    let mut answered = 0;
    for request in flood {
        answered += usize::from(request.await.unwrap());
    }
    assert!(answered > 100, "{answered}");
}
