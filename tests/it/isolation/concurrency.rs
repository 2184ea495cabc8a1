//! Many tenants, few connections, and clients that hang up in the middle.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio_postgres::Client;

use crate::harness::database::{names, scalar};
use crate::harness::{Answer, Caller, Service, eventually};

const TENANTS: usize = 20;
const REQUESTS: usize = 500;

/// Every text that these select is the tenant's marker.
const QUICK: &str = "{ viewer { name } labels { nodes { description } } }";
const SLOW: &str = "{ viewer { name } issues(first: 1000) { nodes { title project { name
    issues(first: 1000) { nodes { title labels(first: 4) { nodes { description } } reporter { name } } } } } } }";

/// Signs up a tenant all of whose texts are its subdomain, with enough issues to make [`SLOW`] slow.
async fn marked_tenant(service: &Service, psql: &Client) -> Caller {
    let owner = service.sign_up("marked").await;
    let marker = owner.subdomain();
    let (schema, _) = names(psql, marker).await;
    let seed = format!(
        "update {schema}.users set name = '{marker}';
         update {schema}.labels set description = '{marker}';
         update {schema}.projects set name = '{marker}';
         update {schema}.issues set title = '{marker}';
         insert into {schema}.issues (project_id, title, reporter_id)
           select projects.id, '{marker}', users.id
           from {schema}.projects, {schema}.users, generate_series(1, 40);"
    );
    // The app's triggers find their tables by the search path, as migrations and requests set it.
    let path = format!("set search_path = {schema}");
    psql.batch_execute(&path).await.unwrap();
    psql.batch_execute(&seed).await.unwrap();
    owner
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[track_caller]
fn assert_own_rows(caller: &Caller, answer: &Answer) {
    let data = answer.data();
    let texts = texts(&data);
    assert!(texts.len() > 4, "{answer:?}");
    let foreign = texts.iter().find(|text| **text != caller.subdomain());
    assert_eq!(foreign, None, "at {}", caller.host);
}

/// The connections of a replica that requests run on, by what a condition says of them.
async fn backends(psql: &Client, replica: &str, condition: &str) -> usize {
    let count = format!(
        "select count(*) from pg_stat_activity
         where application_name = '{replica}' and usename like 'tenantry_api%' and {condition}"
    );
    scalar(psql, &count).await.unwrap().parse().unwrap()
}

/// Numbers without a pattern, the same in every run.
fn dice(index: usize, sides: u64) -> u64 {
    let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) % sides
}

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Answered,
    HungUp,
}

/// One request: most wait for their answer, some drop it on the way, some close the bare socket.
async fn request(index: usize, caller: &Caller) -> End {
    let query = if dice(index, 3) == 0 { SLOW } else { QUICK };
    let body = json!({"query": query});
    let patience = Duration::from_micros(dice(index + REQUESTS, 400_000));
    match dice(index + 2 * REQUESTS, 10) {
        0..=5 => assert_own_rows(caller, &caller.post(&body).await),
        6..=8 => match tokio::time::timeout(patience, caller.post(&body)).await {
            Ok(answer) => assert_own_rows(caller, &answer),
            Err(_) => return End::HungUp,
        },
        _ => {
            let body = body.to_string();
            let (host, token) = (&caller.host, caller.token.as_deref().unwrap_or_default());
            let head = format!(
                "POST /graphql HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", caller.port))
                .await
                .unwrap();
            socket.write_all(head.as_bytes()).await.unwrap();
            // Some hang up before the request is complete.
            let sent = if dice(index, 2) == 0 {
                body.len()
            } else {
                body.len() / 2
            };
            socket.write_all(&body.as_bytes()[..sent]).await.unwrap();
            tokio::time::sleep(patience / 4).await;
            return End::HungUp;
        }
    }
    End::Answered
}

/// Four connections in every arrangement: one for all tenants to share, several lanes, and behind a pooler.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_one_row_of_another_tenant_in_a_crowd_that_hangs_up() {
    let service = Service::shared();
    let psql = service.psql().await;
    let mut owners = Vec::new();
    for _ in 0..TENANTS {
        owners.push(marked_tenant(service, &psql).await);
    }
    for (name, requests, arguments) in [
        (
            "crowd-shared",
            REQUESTS,
            &["--lanes=1", "--lane-connections=4"][..],
        ),
        (
            "crowd-lanes",
            REQUESTS / 4,
            &["--lanes=2", "--lane-connections=2"],
        ),
        (
            "crowd-pooler",
            REQUESTS / 4,
            &["--lanes=1", "--lane-connections=4", "--pooler"],
        ),
    ] {
        let arguments = [arguments, &["--connection-wait=60000"]].concat();
        let replica = Service::replica_named(name, &arguments).await;
        let callers: Vec<_> = owners.iter().map(|owner| owner.at(&replica)).collect();
        let sent = (0..requests).map(|index| {
            let caller = callers[index % TENANTS].clone();
            tokio::spawn(async move { request(index, &caller).await })
        });
        let ends = join_all(sent.collect::<Vec<_>>()).await;
        let ends: Vec<_> = ends.into_iter().map(Result::unwrap).collect();
        let answered = ends.iter().filter(|end| **end == End::Answered).count();
        assert!(
            (requests / 2..requests * 9 / 10).contains(&answered),
            "{name}: {answered} answered"
        );

        for caller in &callers {
            assert_own_rows(caller, &caller.query(QUICK).await);
        }
        eventually("no transaction is open", async || {
            let open = backends(&psql, name, "(state <> 'idle' or xact_start is not null)").await;
            (open == 0).then_some(())
        })
        .await;
        assert!(backends(&psql, name, "true").await <= 4, "{name}");
    }
}

/// A lock holds one tenant's requests in the middle of their statements, for as long as the test needs.
#[tokio::test]
async fn requests_dropped_inside_a_statement_free_their_connections() {
    let service = Service::shared();
    let psql = service.psql().await;
    let replica = Service::replica_named(
        "dropped",
        &["--lanes=1", "--lane-connections=2", "--lock-wait=0"],
    )
    .await;
    let stuck = marked_tenant(service, &psql).await.at(&replica);
    let other = marked_tenant(service, &psql).await.at(&replica);
    assert_own_rows(&stuck, &stuck.query(QUICK).await);

    let locker = service.psql().await;
    let (schema, _) = names(&psql, stuck.subdomain()).await;
    let lock = format!("begin; lock table {schema}.labels in access exclusive mode");
    for round in 0..3 {
        locker.batch_execute(&lock).await.unwrap();
        let requests = [stuck.clone(), stuck.clone()]
            .map(|caller| tokio::spawn(async move { caller.query(QUICK).await }));
        eventually("both connections wait for the lock", async || {
            let waiting = backends(&psql, "dropped", "wait_event_type = 'Lock'").await;
            (waiting >= 2).then_some(())
        })
        .await;
        for request in &requests {
            request.abort();
        }
        // Other tenants don't have to wait until the lock is gone.
        assert_own_rows(&other, &other.query(QUICK).await);
        locker.batch_execute("rollback").await.unwrap();
        assert_own_rows(&stuck, &stuck.query(QUICK).await);
        eventually("no transaction is open", async || {
            let open = backends(&psql, "dropped", "state <> 'idle'").await;
            (open == 0).then_some(())
        })
        .await;
        assert!(
            backends(&psql, "dropped", "true").await <= 2,
            "round {round}"
        );
    }
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_given_up() {
    let service = Service::shared();
    let psql = service.psql().await;
    let arguments = [
        "--lanes",
        "1",
        "--lane-connections",
        "1",
        "--statement-timeout",
        "200",
    ];
    let replica = Service::replica_named("timeout", &arguments).await;
    let owner = marked_tenant(service, &psql).await.at(&replica);
    let (schema, _) = names(&psql, owner.subdomain()).await;
    let locker = service.psql().await;
    let lock = format!("begin; lock table {schema}.labels in access exclusive mode");
    locker.batch_execute(&lock).await.unwrap();
    let answer = owner.query(QUICK).await;
    assert_eq!(
        (answer.code().as_str(), answer.status.as_u16()),
        ("TIMEOUT", 504)
    );
    locker.batch_execute("rollback").await.unwrap();
    assert_own_rows(&owner, &owner.query(QUICK).await);
}

/// More requests than connections: who waits too long is told to come again.
#[tokio::test]
async fn a_full_pool_answers_overloaded() {
    let service = Service::shared();
    let psql = service.psql().await;
    let arguments = [
        "--lanes",
        "1",
        "--lane-connections",
        "1",
        "--connection-wait",
        "100",
        "--lock-wait",
        "0",
    ];
    let replica = Service::replica_named("full", &arguments).await;
    let owner = marked_tenant(service, &psql).await.at(&replica);
    let (schema, _) = names(&psql, owner.subdomain()).await;
    let locker = service.psql().await;
    let lock = format!("begin; lock table {schema}.labels in access exclusive mode");
    locker.batch_execute(&lock).await.unwrap();
    let holder = owner.clone();
    let first = tokio::spawn(async move { holder.query(QUICK).await });
    eventually("the connection waits", async || {
        let waiting = backends(&psql, "full", "wait_event_type = 'Lock'").await;
        (waiting == 1).then_some(())
    })
    .await;
    let refused = owner.query(QUICK).await;
    assert_eq!(
        (refused.code().as_str(), refused.status.as_u16()),
        ("OVERLOADED", 503)
    );
    assert_eq!(refused.header("retry-after"), "1");
    locker.batch_execute("rollback").await.unwrap();
    assert_own_rows(&owner, &first.await.unwrap());
}

#[tokio::test]
async fn killed_connections_heal() {
    let service = Service::shared();
    let psql = service.psql().await;
    let replica = Service::replica_named(
        "killed",
        &["--lanes=1", "--lane-connections=2", "--lock-wait=0"],
    )
    .await;
    let owner = marked_tenant(service, &psql).await.at(&replica);
    let kill = "select count(pg_terminate_backend(pid)) from pg_stat_activity
        where application_name = 'killed' and pid <> pg_backend_pid()";

    // Idle ones: the owner's connections of the replica too.
    assert_own_rows(&owner, &owner.query(QUICK).await);
    scalar(&psql, kill).await;
    eventually("idle connections heal", async || {
        let answer = owner.query(QUICK).await;
        assert!(
            answer.status == 200 || answer.code() == "OVERLOADED",
            "{answer:?}"
        );
        (answer.status == 200).then(|| assert_own_rows(&owner, &answer))
    })
    .await;

    // One in the middle of a statement.
    let (schema, _) = names(&psql, owner.subdomain()).await;
    let locker = service.psql().await;
    let lock = format!("begin; lock table {schema}.labels in access exclusive mode");
    locker.batch_execute(&lock).await.unwrap();
    let holder = owner.clone();
    let stuck = tokio::spawn(async move { holder.query(QUICK).await });
    eventually("the connection waits", async || {
        let waiting = backends(&psql, "killed", "wait_event_type = 'Lock'").await;
        (waiting == 1).then_some(())
    })
    .await;
    scalar(&psql, kill).await;
    let answer = stuck.await.unwrap();
    assert_eq!(
        (answer.code().as_str(), answer.status.as_u16()),
        ("OVERLOADED", 503)
    );
    locker.batch_execute("rollback").await.unwrap();
    assert_own_rows(&owner, &owner.query(QUICK).await);
    let ready = async || (owner.get("/readyz").await.status == 200).then_some(());
    eventually("the replica listens again", ready).await;
}
