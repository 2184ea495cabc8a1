//! Tenants whose tables are locked: their requests wait, and nobody else's do.

use futures_util::future::join_all;

use super::*;

async fn lock(service: &Service, tenant: &Caller) -> Client {
    let locker = service.psql().await;
    let (schema, _) = names(&locker, tenant.subdomain()).await;
    let lock = format!("begin; lock table {schema}.notes in access exclusive mode");
    locker.batch_execute(&lock).await.unwrap();
    locker
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_wait_for_a_migration() {
    let service = Service::with_tables(TABLES);
    let arguments = ["--lanes=2", "--lane-connections=1"];
    let replica = replica(&service, "waiting", &arguments).await;
    let locked = service.sign_up("locked").await.at(&replica);
    let other = service.sign_up("other").await.at(&replica);
    for tenant in [&locked, &other] {
        assert_answered(&tenant.query(LIST).await);
    }
    let holder = lock(&service, &locked).await;
    let ask = |number: usize| {
        let locked = locked.clone();
        async move {
            match number % 3 {
                0 => locked.ask(CREATE, title("patient")).await,
                _ => locked.query(LIST).await,
            }
        }
    };
    let waiting = tokio::spawn(join_all((0..12).map(ask)));
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(2) {
        let asked = Instant::now();
        assert_answered(&other.query(LIST).await);
        let took = asked.elapsed();
        assert!(took < Duration::from_millis(800), "{took:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    holder.batch_execute("rollback").await.unwrap();
    waiting.await.unwrap().iter().for_each(assert_answered);
    // Each was written once.
    let count = locked.query("{ notes { totalCount } }").await;
    assert_eq!(count.data()["notes"]["totalCount"], 24);
}

#[tokio::test]
async fn who_waits_too_long_is_told_when_to_come_again() {
    let service = Service::with_tables(TABLES);
    let replica = replica(&service, "impatient", &["--lock-wait=500"]).await;
    let locked = service.sign_up("locked").await.at(&replica);
    let other = service.sign_up("other").await.at(&replica);
    assert_answered(&locked.query(LIST).await);
    let holder = lock(&service, &locked).await;
    for _ in 0..2 {
        let asked = Instant::now();
        let (list, update, unaffected) = tokio::join!(
            locked.query(LIST),
            locked.ask(UPDATE, title("impatient")),
            other.query(LIST)
        );
        for answer in [list, update] {
            let refused = (answer.code(), answer.status.as_u16());
            assert_eq!(refused, ("TENANT_MIGRATING".to_owned(), 503), "{answer:?}");
            assert_eq!(answer.header("retry-after"), "1");
        }
        assert_answered(&unaffected);
        assert!(asked.elapsed() < Duration::from_secs(3));
    }
    holder.batch_execute("rollback").await.unwrap();
    assert_answered(&locked.ask(UPDATE, title("again")).await);
}
