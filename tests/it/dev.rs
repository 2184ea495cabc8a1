//! `tenantry dev`: one command, on one directory, through starts, stops and crashes.

mod watch;

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use crate::harness::process::runs;
use crate::harness::service::dev_command;
use crate::harness::{Caller, DataDir, Service, eventually, tenantry, within};

const REQUEST: &str = "{ viewer { email } projects { totalCount } }";

async fn assert_served(caller: &Caller) {
    let data = caller.query(REQUEST).await.data();
    assert!(data["viewer"]["email"].is_string(), "{data}");
}

/// The message of a start that fails.
fn refusal(dir: &DataDir, arguments: &[&str]) -> String {
    let output = dev_command(dir, arguments).output().unwrap();
    assert!(!output.status.success());
    assert!(!String::from_utf8_lossy(&output.stdout).contains("ready"));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let message = stderr.lines().find_map(|line| line.strip_prefix("error: "));
    message.unwrap_or_else(|| panic!("{stderr}")).to_owned()
}

/// Two demo tenants with data that look real.
#[tokio::test]
async fn the_demo_is_worth_looking_at() {
    let service = Service::shared();
    for (subdomain, owner) in [("acme", "Ada"), ("globex", "Grace")] {
        let caller = service.tenant(subdomain).owner().await;
        let counts =
            "{ viewer { name } users { totalCount } projects { totalCount } issues { totalCount }
            comments { totalCount } labels { totalCount } labelled: issueLabels { totalCount }
            done: issues(where: {status: {eq: DONE}}) { totalCount }
            unassigned: issues(where: {assignee: {name: {isNull: true}}}) { totalCount } }";
        let data = caller.query(counts).await.data();
        assert_eq!(data["viewer"]["name"], owner);
        for (what, least) in [
            ("users", 8),
            ("projects", 5),
            ("issues", 200),
            ("comments", 200),
            ("labels", 8),
            ("labelled", 200),
            ("done", 50),
        ] {
            let count = data[what]["totalCount"].as_i64().unwrap();
            assert!(count >= least, "{subdomain}: {count} {what}");
        }
    }
}

/// Prints a curl line that works as pasted.
#[tokio::test]
async fn the_printed_curl_line_works() {
    let dir = DataDir::new();
    let output = dir.join("out");
    let service = Service::dev_in(dir, &[]);
    let curl = service
        .printed()
        .iter()
        .find(|line| line.trim_start().starts_with("curl "));
    std::fs::write(&output, curl.unwrap()).unwrap();
    let answer = std::process::Command::new("sh").arg(&output).output();
    let answer = answer.unwrap();
    if answer.status.code() == Some(127) {
        return; // no curl on this machine
    }
    let answer = String::from_utf8(answer.stdout).unwrap();
    assert!(
        answer.contains("\"accessToken\":\"eyJ") && answer.contains("Ada"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_directory_in_use_and_a_port_in_use_are_refused() {
    let service = Service::shared();
    let message = refusal(service.dir(), &[]);
    assert!(message.contains("in use by another tenantry"), "{message}");
    let message = refusal(service.dir(), &["--reset"]);
    assert!(message.contains("in use by another tenantry"), "{message}");
    assert_served(&service.tenant("acme").owner().await).await;

    let dir = DataDir::new();
    let mut command = tenantry(&["dev", "--port", &service.port().to_string(), "--data-dir"]);
    let output = command.arg(dir.data()).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("choose another with --port"), "{message}");
    assert!(
        !dir.data().exists(),
        "it made a cluster before it found out"
    );
}

/// Stops cleanly, starts quickly, and keeps everything; until it is told to start anew.
#[tokio::test]
async fn a_stopped_service_comes_back_as_it_was() {
    let service = Service::dev(&[]);
    let owner = service.sign_up("kept").await;
    assert_served(&owner).await;
    let mut times = Vec::new();
    let mut service = Some(service);
    // Once in three is enough, as other tests want the machine too.
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGTERM] {
        let mut running = service.take().unwrap();
        let postgres = running.dir().postgres().unwrap();
        assert!(runs(postgres));
        running.process().signal(signal);
        assert!(running.wait().success(), "{signal}");
        assert!(!runs(postgres), "{signal}: Postgres was left running");
        let dir = running.stop();
        assert_eq!(dir.postgres(), None);

        let started = Instant::now();
        let running = Service::dev_in(dir, &[]);
        times.push(started.elapsed());
        assert_served(&owner.at(&running)).await;
        service = Some(running);
    }
    let quickest = times.iter().min().unwrap();
    assert!(*quickest < limit_of_start(), "{times:?}");

    let service = Service::dev_in(service.take().unwrap().stop(), &["--reset"]);
    let anonymous = owner.with_token(None).at(&service);
    assert_eq!(anonymous.query(REQUEST).await.code(), "TENANT_NOT_FOUND");
    assert_served(&service.tenant("acme").owner().await).await;
}

/// Two seconds, on a machine that has nothing else to do; the tests beside this one make sure that it has.
fn limit_of_start() -> Duration {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f32 = load
        .split(' ')
        .next()
        .and_then(|load| load.parse().ok())
        .unwrap_or_default();
    Duration::from_secs(if load < 1.0 { 2 } else { 15 })
}

/// kill -9 of the service, and then of its Postgres.
#[tokio::test]
async fn crashes_are_recovered_from() {
    let service = Service::dev(&[]);
    let owner = service.sign_up("crash").await;
    assert_served(&owner).await;
    let orphan = service.dir().postgres().unwrap();
    let mut service = service;
    service.process().signal(Signal::SIGKILL);
    assert!(!service.wait().success());
    assert!(runs(orphan), "the test wants a server without an owner");

    let service = Service::dev_in(service.stop(), &[]);
    assert!(!runs(orphan));
    let owner = owner.at(&service);
    assert_served(&owner).await;

    let postgres = service.dir().postgres().unwrap();
    kill(postgres, Signal::SIGKILL).unwrap();
    // The old server's backends may answer for a moment longer.
    eventually("there is another server", async || {
        let now = service.dir().postgres()?;
        (now != postgres).then_some(())
    })
    .await;
    let limit = Duration::from_secs(30);
    within(limit, "Postgres is started again", async || {
        let answer = owner.query(REQUEST).await;
        assert!(
            [200, 503, 500].contains(&answer.status.as_u16()),
            "{answer:?}"
        );
        (answer.status == 200).then_some(())
    })
    .await;
    let ready = async || (owner.get("/readyz").await.status == 200).then_some(());
    eventually("it listens for changes again", ready).await;
    assert!(service.try_sign_up("after-the-crash").await.data()["signUp"].is_object());
}

/// A database that is there already, in place of a private one.
#[tokio::test]
async fn a_given_database_is_used_instead() {
    let shared = Service::shared();
    let psql = shared.psql().await;
    psql.batch_execute("create database given").await.unwrap();
    let url = shared.dir().read("database-url");
    let url = format!("{}/given", url.rsplit_once('/').unwrap().0);
    let dir = DataDir::new();
    let service = Service::dev_in(dir, &["--database-url", &url]);
    assert_served(&service.tenant("acme").owner().await).await;
    assert!(!service.dir().data().exists());
    // Same names, other tenants.
    let token = shared.tenant("acme").owner().await;
    assert_eq!(
        token.at(&service).query(REQUEST).await.code(),
        "UNAUTHENTICATED"
    );
}
