//! Requests without pause while tenants are switched, one by one and all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::harness::{Chance, eventually, tenantry};

const TENANTS: usize = 30;
const CLIENTS: usize = 8;

/// Runs `tenantry migrate` with one more file.
async fn migrate(service: &Service, version: i32, change: &str) {
    let tables = service.dir().join("tables");
    let file = tables.join(format!("V{version}__change.sql"));
    std::fs::write(file, format!("{change};\n")).unwrap();
    let mut command = tenantry(&["migrate", "--jobs", "2", "--data-dir"]);
    command.arg(service.dir().data());
    command.arg("--tenant-sql").arg(tables);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Not one request fails while every tenant goes through all the changes, at both replicas.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_notices_that_tenants_are_migrated() {
    let (service, replicas) = replicas().await;
    let mut tenants = Vec::new();
    for _ in 0..TENANTS {
        tenants.push(service.sign_up("switched").await);
    }
    let tenants = Arc::new(tenants);
    let (stop, answered) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let tenants = Arc::clone(&tenants);
            let tenants: Vec<_> = tenants
                .iter()
                .map(|tenant| tenant.at(&replicas[client % 2]))
                .collect();
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            tokio::spawn(async move {
                let mut chance = Chance::branch(7, client as u64);
                while !stop.load(Ordering::Relaxed) {
                    let tenant = chance.pick(&tenants);
                    let answer = match chance.below(4) {
                        0 => tenant.ask(CREATE, title("created")).await,
                        1 => tenant.ask(UPDATE, title("updated")).await,
                        _ => tenant.query(LIST).await,
                    };
                    assert_answered(&answer);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for (version, change) in (2..).zip(CHANGES) {
        migrate(&service, version, change).await;
    }
    let during = answered.load(Ordering::Relaxed);
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    assert!(during > 200, "{during} answers are too few to tell");
}

/// Each replica shows what is new within a second of the commit, and old APIs go with their last tenant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_replicas_switch_within_a_second() {
    let (service, replicas) = replicas().await;
    let psql = service.psql().await;
    let mut tenants = vec![
        service.tenant("acme").owner().await,
        service.tenant("globex").owner().await,
    ];
    for _ in 0..3 {
        tenants.push(service.sign_up("seconds").await);
    }
    let [first, rest @ ..] = &tenants[..] else {
        unreachable!()
    };
    for tenant in &tenants {
        for replica in &replicas {
            assert_answered(&tenant.at(replica).query(LIST).await);
        }
    }
    // The new field, at the same time as the old one at those that have not been switched.
    let new = "{ notes(first: 1) { nodes { stars } } }";
    switch(&psql, first, 2, CHANGES[2]).await;
    for replica in &replicas {
        let took = until_answered(&first.at(replica), new).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
        let refused = rest[0].at(replica).query(new).await;
        assert_eq!(refused.code(), "GRAPHQL_VALIDATION_FAILED");
        assert_answered(&rest[0].at(replica).query(LIST).await);
    }
    for tenant in rest {
        switch(&psql, tenant, 2, CHANGES[2]).await;
        for replica in &replicas {
            let took = until_answered(&tenant.at(replica), new).await;
            assert!(took < Duration::from_secs(1), "{took:?}");
        }
    }
    for replica in &replicas {
        eventually("the old API is gone", async || {
            let gone = "no tenant has this schema version any more: its API is gone";
            let events = replica.process().events();
            let gone = events.iter().find(|event| event["message"] == gone)?;
            assert_eq!(gone["app.version"], 1);
            Some(())
        })
        .await;
        assert_answered(&first.at(replica).query(LIST).await);
    }
}

/// Whoever asks for what is gone, or leaves out what is required by now, is told so by the new API: no
/// matter what the replica has heard of yet, and nothing is half-done.
#[tokio::test]
async fn requests_on_their_way_meet_the_new_tables() {
    let (service, [replica, _]) = replicas().await;
    let psql = service.psql().await;
    let tenant = service.sign_up("late").await.at(&replica);
    let dropped = "{ notes(first: 1) { nodes { dropped } } }";
    let create = r#"mutation { createNote(input: {title: "new", dropped: "x"}) { id } }"#;
    for _ in 0..3 {
        tenant.query(dropped).await.data();
        tenant.query(create).await.data();
    }
    let (schema, _) = names(&psql, tenant.subdomain()).await;
    // The tables are locked when the requests come, and have other columns when they get at them.
    let begin = format!(
        "begin; set local search_path = {schema}; {};
         alter table notes add column kind text; update notes set kind = ''; alter table notes alter column kind set not null;
         insert into tenantry_app_history values (2, 'change', now()::text, '1');
         update tenantry.tenants set app_version = 2 where schema_name = '{schema}'",
        CHANGES[0]
    );
    psql.batch_execute(&begin).await.unwrap();
    let unaware = r#"mutation { createNote(input: {title: "unaware"}) { id } }"#;
    let requests = [dropped, create, unaware, LIST].map(|query| {
        let tenant = tenant.clone();
        tokio::spawn(async move { tenant.query(query).await })
    });
    tokio::time::sleep(Duration::from_millis(600)).await;
    psql.batch_execute("commit").await.unwrap();
    let [dropped, create, unaware, list] = requests;
    for refused in [dropped, create, unaware] {
        let refused = refused.await.unwrap();
        assert_eq!(refused.code(), "GRAPHQL_VALIDATION_FAILED", "{refused:?}");
    }
    let list = list.await.unwrap();
    // Three of the seed's twenty and three more.
    assert_eq!(list.data()["notes"]["totalCount"], 23, "{list:?}");
}
