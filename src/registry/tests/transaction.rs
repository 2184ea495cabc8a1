//! Transactions of the owner leave nothing behind, however they end.

use crate::registry::Access;
use crate::testing::TestDatabase;

#[tokio::test]
async fn only_a_commit_lasts() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let acme = replica.sign_up("acme").await;
    let rename = |name: &str| {
        format!(
            "update tenantry.tenants set name = '{name}' where id = '{}'",
            acme.tenant.id
        )
    };
    let begin = async |name| {
        let transaction = replica.registry.begin(Access::Write).await.unwrap();
        transaction.batch_execute(&rename(name)).await.unwrap();
        transaction
    };
    begin("kept").await.commit().await.unwrap();
    begin("rolled back").await.roll_back().await.unwrap();
    drop(begin("dropped").await);
    // Cut off in the middle of a statement, as a request that is cancelled.
    let transaction = begin("cancelled").await;
    let sleep = transaction.batch_execute("select pg_sleep(60)");
    let waited = tokio::time::timeout(std::time::Duration::from_millis(50), sleep).await;
    assert!(waited.is_err());
    drop(transaction);
    // All connections of the pool, and none of them in a transaction or with settings of one.
    let mut all = Vec::new();
    for _ in 0..8 {
        let transaction = replica.registry.begin(Access::Write).await.unwrap();
        let row = transaction
            .query_one(
                "select name, current_setting('search_path') from tenantry.tenants",
                &[],
            )
            .await
            .unwrap();
        assert_eq!(row.get::<_, &str>(0), "kept");
        all.push(transaction);
    }
    drop(all);
    let reading = replica.registry.begin(Access::Read).await.unwrap();
    let refused = reading.batch_execute(&rename("read")).await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "25006");
}
