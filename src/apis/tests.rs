//! APIs that follow their tenants from version to version.

use super::*;
use crate::names::TenantId;
use crate::testing::{Replica, TestDatabase, eventually};

/// What a migration does to a tenant: a column, the history, the registry's row.
fn migrate(tenant: &Tenant, app: i32) -> String {
    format!(
        "begin; {}; {}; {}; commit",
        add_column(tenant, app),
        history(tenant, app),
        switch(tenant.id, app)
    )
}

fn add_column(tenant: &Tenant, app: i32) -> String {
    let schema = tenant.schema.quoted();
    format!("alter table {schema}.labels add column since_{app} text")
}

fn history(tenant: &Tenant, app: i32) -> String {
    let schema = tenant.schema.quoted();
    format!("insert into {schema}.tenantry_app_history values ({app}, 'test', '', '0')")
}

fn switch(id: TenantId, app: i32) -> String {
    format!("update tenantry.tenants set app_version = {app} where id = '{id}'")
}

fn apis(replica: &Replica) -> Apis {
    Apis::new(Arc::clone(&replica.registry), Options::default())
}

fn has_column(api: &Api, name: &str) -> bool {
    let labels = api.model.relation_named("labels").unwrap();
    let mut columns = api.model.relation(labels).columns.iter();
    columns.any(|column| column.name.as_str() == name)
}

fn version(tenant: &Tenant, app: i32) -> SchemaVersion {
    SchemaVersion {
        app,
        ..tenant.version
    }
}

#[tokio::test]
async fn an_api_is_filed_under_the_version_of_its_tables() {
    let database = TestDatabase::new().await;
    let replica = database.replica().await;
    let moved = replica.sign_up("moved").await.tenant;
    let stays = replica.sign_up("stays").await.tenant;
    let apis = apis(&replica);
    let owner = database.owner().await;
    owner.batch_execute(&migrate(&moved, 98)).await.unwrap();
    // This replica has not heard of it yet.
    let (outdated, old) = tokio::join!(apis.of(&moved), apis.load(&stays));
    assert!(outdated.err().unwrap().outdated);
    let (new, old) = (apis.known(version(&moved, 98)).unwrap(), old.unwrap());
    assert!(has_column(&new, "since_98") && !has_column(&old, "since_98"));
    assert!(Arc::ptr_eq(&apis.known(stays.version).unwrap(), &old));
    // Many that come at once share one.
    let many = futures_util::future::join_all((0..10).map(|_| apis.load(&stays))).await;
    assert!(
        many.iter()
            .all(|api| Arc::ptr_eq(api.as_ref().unwrap(), &old))
    );
}

/// With `--atomic`, versions are decided on before the last tenant's tables have changed.
#[tokio::test]
async fn an_api_is_not_made_of_tables_that_a_migration_is_at_work_on() {
    let database = TestDatabase::new().await;
    let replica = database.replica().await;
    let tenant = replica.sign_up("torn").await.tenant;
    let apis = Arc::new(apis(&replica));
    let (runner, other) = (database.owner().await, database.owner().await);
    let begin = format!(
        "begin; {}; {}",
        add_column(&tenant, 98),
        history(&tenant, 98)
    );
    runner.batch_execute(&begin).await.unwrap();
    other.batch_execute(&switch(tenant.id, 98)).await.unwrap();
    let switched = Tenant {
        version: version(&tenant, 98),
        ..tenant
    };
    let made = tokio::spawn({
        let apis = Arc::clone(&apis);
        async move { apis.load(&switched).await }
    });
    sleep(Duration::from_millis(200)).await;
    assert!(!made.is_finished());
    runner.batch_execute("commit").await.unwrap();
    assert!(has_column(&made.await.unwrap().unwrap(), "since_98"));
}

#[tokio::test]
async fn a_tenant_that_stays_locked_is_told_to_come_again() {
    let database = TestDatabase::new().await;
    let replica = database.replica().await;
    let tenant = replica.sign_up("locked").await.tenant;
    let runner = database.owner().await;
    let begin = format!("begin; {}", history(&tenant, 98));
    runner.batch_execute(&begin).await.unwrap();
    let failure = apis(&replica).of(&tenant).await.err().unwrap();
    assert_eq!(failure.code.as_str(), "TENANT_MIGRATING");
    assert_eq!(failure.details.retry_after, Some(1));
}

#[tokio::test]
async fn apis_are_there_before_the_first_request_and_go_with_the_last_tenant() {
    let database = TestDatabase::new().await;
    let replica = database.replica().await;
    let first = replica.sign_up("first").await.tenant;
    let second = replica.sign_up("second").await.tenant;
    let (old, new) = (first.version, version(&first, 98));
    let apis = Arc::new(apis(&replica));
    let gone = Arc::new(Mutex::new(Vec::new()));
    let keeping = tokio::spawn({
        let (apis, gone) = (Arc::clone(&apis), Arc::clone(&gone));
        let directory = Arc::clone(&replica.directory);
        async move {
            apis.keep(&directory, |api| gone.lock().unwrap().push(api.id))
                .await;
        }
    });
    let patiently = async |is: &dyn Fn() -> bool| {
        for _ in 0..5 {
            if is() {
                return;
            }
            sleep(Duration::from_secs(1)).await;
        }
        eventually(is).await;
    };
    patiently(&|| apis.known(old).is_some()).await;
    let id = apis.known(old).unwrap().id;
    let owner = database.owner().await;
    owner.batch_execute(&migrate(&first, 98)).await.unwrap();
    patiently(&|| apis.known(new).is_some()).await;
    sleep(GRACE).await;
    assert!(apis.known(old).is_some(), "somebody has it");
    owner.batch_execute(&migrate(&second, 98)).await.unwrap();
    patiently(&|| apis.known(old).is_none()).await;
    assert_eq!(*gone.lock().unwrap(), [id]);
    assert!(apis.known(new).is_some());
    // A tenant that is suspended has no requests, and needs none.
    let suspend = "update tenantry.tenants set status = 'suspended'";
    owner.batch_execute(suspend).await.unwrap();
    patiently(&|| apis.known(new).is_none()).await;
    keeping.abort();
}
