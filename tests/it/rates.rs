//! How much a tenant may do: requests a second, operations at once, time of a statement, bytes stored; and what one address may send
//! without a token.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Caller, Service, within};

const QUERY: &str = "{ labels(first: 1) { nodes { id } } }";

/// Changes the tenant's own limits, as an operator would.
async fn set(service: &Service, caller: &Caller, limits: Value) {
    let statement = "update tenantry.tenants set limits = $1 where subdomain = $2";
    let psql = service.psql().await;
    psql.execute(statement, &[&limits, &caller.subdomain()])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_flood_is_refused_while_others_are_served_on_every_replica() {
    let service = Service::shared();
    let (flood, other) = (
        service.sign_up("rates").await,
        service.sign_up("rates").await,
    );
    let replica = Service::replica(&[]).await;
    set(service, &flood, json!({"requests": 5, "burst": 10})).await;
    for caller in [flood.clone(), flood.at(&replica)] {
        let refused = within(Duration::from_secs(1), "the rate is known", async || {
            let answers = join_all((0..30).map(|_| caller.query(QUERY))).await;
            answers.into_iter().find(|answer| answer.status == 429)
        });
        let refused = refused.await;
        assert_eq!(refused.code(), "RATE_LIMITED");
        assert_eq!(refused.header("retry-after"), "1");
        let started = Instant::now();
        let answers = join_all((0..100).map(|_| caller.query(QUERY))).await;
        let served = answers.iter().filter(|answer| answer.status == 200).count();
        let most = 12 + 5 * usize::try_from(started.elapsed().as_secs() + 1).unwrap();
        assert!(served <= most, "{served} of at most {most}");
        for _ in 0..20 {
            other.query(QUERY).await.data();
        }
    }
    // It comes back by itself, and at once where the limit is lifted.
    tokio::time::sleep(Duration::from_millis(600)).await;
    flood.query(QUERY).await.data();
    set(service, &flood, json!({})).await;
    within(Duration::from_secs(1), "the limit is gone", async || {
        let answers = join_all((0..30).map(|_| flood.query(QUERY))).await;
        answers
            .iter()
            .all(|answer| answer.status == 200)
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn so_many_operations_run_at_once_and_strangers_use_up_none_of_them() {
    let sql = "create function nap(seconds float8) returns text language sql stable \
               as 'select pg_sleep(seconds)::text'; create table t (id int primary key);";
    let service = Service::with_tables(sql);
    let owner = service.sign_up("slow").await;
    owner.query("{ ts { totalCount } }").await.data();
    set(&service, &owner, json!({"concurrent": 2, "timeout": 1500})).await;
    let nap = "{ nap(seconds: 0.7) }";
    within(Duration::from_secs(5), "two run at once", async || {
        let answers = join_all((0..5).map(|_| owner.query(nap))).await;
        let refused = answers.iter().filter(|answer| answer.status == 429).count();
        (refused == 3).then_some(())
    })
    .await;
    owner.query(nap).await.data();
    let timeout = owner.query("{ nap(seconds: 5) }").await;
    assert_eq!(timeout.code(), "TIMEOUT");
    let limits = "{ currentTenant { limits { concurrentOperations statementTimeout requestsPerSecond rows } } }";
    let expected = json!({"currentTenant": {"limits": {
        "concurrentOperations": "2", "statementTimeout": "1500", "requestsPerSecond": null, "rows": "1000"}}});
    assert_eq!(owner.query(limits).await.data(), expected);
}

#[tokio::test]
async fn one_address_sends_only_so_much_without_a_token() {
    let service = Service::shared();
    let owner = service.sign_up("rates").await;
    let arguments = [
        "--max-anonymous-requests",
        "2",
        "--trusted-proxies",
        "127.0.0.0/8",
    ];
    let replica = Service::replica(&arguments).await;
    let owner = owner.at(&replica);
    let from = async |caller: &Caller, address: &str| {
        let request = caller.request(reqwest::Method::POST, "/graphql");
        let request = request
            .header("x-forwarded-for", address)
            .json(&json!({"query": "{ __typename }"}));
        crate::harness::Answer::of(request).await
    };
    let anonymous = owner.with_token(None);
    let platform = replica.platform();
    let mut refused = 0;
    for round in 0..60 {
        let caller = if round % 2 == 0 {
            &anonymous
        } else {
            &platform
        };
        let answer = from(caller, "192.0.2.66").await;
        if answer.status == 429 {
            assert_eq!(answer.code(), "RATE_LIMITED");
            refused += 1;
        }
    }
    assert!(refused > 20, "{refused} refused");
    // Nor does it try out as many tokens as it likes.
    for token in ["tk_nothing", "e30.e30.e30"] {
        let guesser = owner.with_token(Some(token));
        let mut refused = 0;
        for _ in 0..60 {
            match from(&guesser, "192.0.2.68").await.code().as_str() {
                "RATE_LIMITED" => refused += 1,
                code => assert_eq!(code, "UNAUTHENTICATED"),
            }
        }
        assert!(refused > 20, "{refused} refused");
    }
    from(&anonymous, "192.0.2.67").await.data();
    from(&owner, "192.0.2.66").await.data();
}

#[tokio::test]
async fn a_tenant_over_its_quota_reads_and_deletes() {
    let service = Service::dev(&[]);
    let owner = service.sign_up("quota").await;
    let create =
        |name: &str| format!("mutation {{ createLabel(input: {{name: \"{name}\"}}) {{ id }} }}");
    owner.query(&create("one")).await.data();
    let psql = service.psql().await;
    let usage = "{ currentTenant { usage { storageBytes overQuota } } }";
    psql.execute("select tenantry.measure(null, now(), 100)", &[])
        .await
        .unwrap();
    let before = owner.query(usage).await.data()["currentTenant"]["usage"].clone();
    assert_eq!(before["overQuota"], false);
    assert!(
        before["storageBytes"]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            > 100_000,
        "{before}"
    );
    set(&service, &owner, json!({"storage": 1000})).await;
    psql.execute("select tenantry.measure(null, now(), 100)", &[])
        .await
        .unwrap();
    within(Duration::from_secs(1), "the quota is known", async || {
        let answer = owner.query(&create("two")).await;
        (answer.text.contains("QUOTA_EXCEEDED") && answer.status == 403).then_some(())
    })
    .await;
    let update = "mutation { updateLabelByName(name: \"one\", set: {description: \"x\"}) { id } }";
    assert_eq!(owner.query(update).await.code(), "QUOTA_EXCEEDED");
    owner.query(QUERY).await.data();
    assert_eq!(
        owner.query(usage).await.data()["currentTenant"]["usage"]["overQuota"],
        true
    );
    let delete = "mutation { deleteLabelByName(name: \"one\") { name } }";
    owner.query(delete).await.data();
    set(&service, &owner, json!({})).await;
    psql.execute("select tenantry.measure(null, now(), 100)", &[])
        .await
        .unwrap();
    within(Duration::from_secs(1), "there is room", async || {
        let answer = owner.query(&create("three")).await;
        (answer.status == 200 && !answer.text.contains("errors")).then_some(())
    })
    .await;
}
