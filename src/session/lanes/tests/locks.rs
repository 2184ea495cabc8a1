//! Who waits for locks, for how long, and on whose connection.

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

use super::*;
use crate::error::Code;

/// Keeps everybody from a tenant's labels until it rolls back.
async fn lock(database: &TestDatabase, tenant: &Tenant) -> Client {
    let holder = database.owner().await;
    let schema = tenant.schema.quoted();
    let lock = format!("begin; lock table {schema}.labels in access exclusive mode");
    holder.batch_execute(&lock).await.unwrap();
    holder
}

#[tokio::test]
async fn who_waits_for_a_lock_leaves_the_connection_to_others() {
    let database = TestDatabase::new().await;
    let replica = database.replica().await;
    let locked = replica.sign_up("locked").await.tenant;
    replica.sign_up("other").await;
    let lanes = narrow(&database, &replica, Preparing::Nothing);
    let (context, other) = (
        admit(&replica, "locked").await,
        admit(&replica, "other").await,
    );
    let labels = query("select count(*)::int4 from labels");
    let before = read(&lanes, &context, &labels).await.unwrap();
    let holder = lock(&database, &locked).await;

    let waiting = join_all((0..8).map(|_| read(&lanes, &context, &labels)));
    let meanwhile = async {
        let started = Instant::now();
        // The first ones do not know of the lock yet.
        sleep(Duration::from_millis(400)).await;
        let mut slowest = Duration::ZERO;
        while started.elapsed() < Duration::from_secs(2) {
            let asked = Instant::now();
            read(&lanes, &other, &labels).await.unwrap();
            slowest = slowest.max(asked.elapsed());
            sleep(Duration::from_millis(20)).await;
        }
        holder.batch_execute("rollback").await.unwrap();
        (slowest, Instant::now())
    };
    let (answers, (slowest, unlocked)) = tokio::join!(waiting, meanwhile);
    assert!(answers.into_iter().all(|labels| labels.unwrap() == before));
    assert!(unlocked.elapsed() < Duration::from_secs(1));
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
}

#[tokio::test]
async fn patience_with_locks_ends() {
    let database = TestDatabase::new().await;
    let replica = database.replica().await;
    let owner = replica.sign_up("stuck").await;
    let mut lanes = narrow(&database, &replica, Preparing::Nothing);
    let token = bearer(&replica, &owner).await;
    let context = admit_by(&replica, "stuck", Some(&token)).await;
    let labels = query("select count(*)::int4 from labels");
    let holder = lock(&database, &owner.tenant).await;
    for wait in [100, 600] {
        lanes.lock_wait = Duration::from_millis(wait);
        let started = Instant::now();
        let answers = join_all((0..4).map(|_| read(&lanes, &context, &labels))).await;
        for failure in answers.into_iter().map(Result::unwrap_err) {
            assert_eq!(failure.code, Code::TenantMigrating, "{:?}", failure.log);
            assert_eq!(failure.details.retry_after, Some(1));
        }
        assert!(started.elapsed() < Duration::from_millis(wait + 900));
    }
    // What writes waits in the same way, and nothing of it is left.
    lanes.lock_wait = Duration::from_secs(5);
    let (bindings, write) = (Bindings::default(), [&labels]);
    let written = lanes.write(&context, &write, &bindings, None);
    let (written, ()) = tokio::join!(written, async {
        sleep(Duration::from_millis(700)).await;
        holder.batch_execute("rollback").await.unwrap();
    });
    assert_eq!(
        written.map_err(|failed| failed.failure.code).unwrap().len(),
        1
    );
}

#[tokio::test]
async fn a_row_that_somebody_else_changes_is_no_migration() {
    let database = TestDatabase::new().await;
    let replica = database.replica().await;
    let owner = replica.sign_up("rows").await;
    let mut lanes = narrow(&database, &replica, Preparing::Nothing);
    lanes.lock_wait = Duration::from_millis(100);
    let token = bearer(&replica, &owner).await;
    let context = admit_by(&replica, "rows", Some(&token)).await;
    let holder = database.owner().await;
    let schema = owner.tenant.schema.quoted();
    let change = format!("begin; update {schema}.labels set description = 'changed'");
    holder.batch_execute(&change).await.unwrap();
    let wait = query("select id::text from labels for update");
    let nowait = query("select id::text from labels for update nowait");
    for query in [&wait, &nowait] {
        let bindings = Bindings::default();
        let failed = lanes.write(&context, &[query], &bindings, None).await;
        assert_eq!(failed.unwrap_err().failure.code, Code::Conflict);
    }
    // Others are not taken to be locked out.
    let started = Instant::now();
    read(&lanes, &context, &query("select 1")).await.unwrap();
    assert!(started.elapsed() < Duration::from_millis(100));
}
