//! What a connection keeps prepared on the server, and what becomes of it when tables change.

use super::*;

const KEPT: &str = "select count(*)::int4 from pg_prepared_statements where name like 'q%'";

#[tokio::test]
async fn no_more_is_kept_than_fits() {
    let database = TestDatabase::new().await;
    let replica = database.replica().await;
    replica.sign_up("prepared").await;
    let preparing = Preparing::Statements(NonZeroUsize::new(3).unwrap());
    let lanes = narrow(&database, &replica, preparing);
    let context = admit(&replica, "prepared").await;
    let (kept, queries) = (
        query(KEPT),
        [1, 2, 3, 4, 5].map(|n| query(&format!("select {n}"))),
    );
    for (query, expected) in queries.iter().zip(1..) {
        for _ in 0..3 {
            let value = read(&lanes, &context, query).await.unwrap();
            assert_eq!(value, expected);
        }
        let kept = read(&lanes, &context, &kept).await.unwrap();
        assert!((1..=3).contains(&kept), "{kept}");
    }
}

#[tokio::test]
async fn a_statement_that_no_longer_fits_its_tables_heals() {
    let database = TestDatabase::new().await;
    let replica = database.replica().await;
    let tenant = replica.sign_up("altered").await.tenant;
    let preparing = Preparing::Statements(NonZeroUsize::new(10).unwrap());
    let lanes = narrow(&database, &replica, preparing);
    let context = admit(&replica, "altered").await;
    let owner = database.owner().await;
    let (schema, role) = (tenant.schema.quoted(), tenant.role.quoted());
    let make = |kind| {
        format!(
            "drop table if exists {schema}.things; create table {schema}.things (n {kind});
             insert into {schema}.things values (7); grant select on {schema}.things to {role}"
        )
    };
    let query = query("select n::int4, * from things");
    for kind in ["int4", "int8", "text"] {
        owner.batch_execute(&make(kind)).await.unwrap();
        for _ in 0..3 {
            assert_eq!(read(&lanes, &context, &query).await.unwrap(), 7, "{kind}");
        }
    }
}

/// A migration may be quicker than the news of it.
#[tokio::test]
async fn what_is_analysed_has_to_be_meant_for_the_tables_version() {
    let database = TestDatabase::new().await;
    let replica = database.replica().await;
    let tenant = replica.sign_up("switched").await.tenant;
    for preparing in [
        Preparing::Nothing,
        Preparing::Statements(NonZeroUsize::new(10).unwrap()),
    ] {
        let lanes = narrow(&database, &replica, preparing);
        replica.directory.look_again(tenant.id).await.unwrap();
        let before = admit(&replica, "switched").await;
        let (old, new) = (query("select 1"), query("select 2"));
        for _ in 0..3 {
            assert_eq!(read(&lanes, &before, &old).await.unwrap(), 1);
        }
        let switch = "update tenantry.tenants set app_version = app_version + 1";
        database.owner().await.batch_execute(switch).await.unwrap();
        // What was prepared has results of the types that it had.
        let prepared = read(&lanes, &before, &old).await;
        assert_eq!(prepared.is_ok(), preparing != Preparing::Nothing);
        // Nothing is kept of what was refused.
        for _ in 0..3 {
            let refused = read(&lanes, &before, &new).await.unwrap_err();
            assert!(refused.outdated, "{:?}", refused.log);
        }
        replica.directory.look_again(tenant.id).await.unwrap();
        let after = admit(&replica, "switched").await;
        assert_eq!(read(&lanes, &after, &new).await.unwrap(), 2);
    }
}

/// One statement does both, and what it says when it is refused is not about the client's rows.
#[tokio::test]
async fn an_entry_of_the_audit_log_asks_for_the_version() {
    let database = TestDatabase::new().await;
    let replica = database.replica().await;
    let owner = replica.sign_up("noted").await;
    let token = bearer(&replica, &owner).await;
    let request = client();
    let note = Note {
        request: &request,
        action: "change",
        details: "{}",
        kept: &[],
    };
    for preparing in [
        Preparing::Nothing,
        Preparing::Statements(NonZeroUsize::new(10).unwrap()),
    ] {
        let lanes = narrow(&database, &replica, preparing);
        replica.directory.look_again(owner.tenant.id).await.unwrap();
        let context = admit_by(&replica, "noted", Some(&token)).await;
        let (change, bindings) = (query("select 1"), Bindings::default());
        let write = async || {
            lanes
                .write(&context, &[&change], &bindings, Some(note))
                .await
        };
        for _ in 0..3 {
            assert!(write().await.is_ok());
        }
        let switch = "update tenantry.tenants set app_version = app_version + 1";
        database.owner().await.batch_execute(switch).await.unwrap();
        for _ in 0..3 {
            let failed = write().await.unwrap_err();
            assert!(failed.failure.outdated, "{:?}", failed.failure.log);
            assert!(failed.statement.is_none() && failed.violation.is_none());
        }
    }
    let entries = "select count(*) from tenantry.audit_changes where action = 'change'";
    let entries = database
        .owner()
        .await
        .query_one(entries, &[])
        .await
        .unwrap();
    assert_eq!(entries.get::<_, i64>(0), 6);
}
