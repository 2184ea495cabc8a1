//! Opening the registry, again and again, and with another login.

use super::scalar;
use crate::migrate::Migrations;
use crate::names::RoleName;
use crate::registry::{OpenError, Registry, RequestLogin, Upgrade};
use crate::testing::{TestDatabase, unique};

async fn open(test: &TestDatabase, login: RequestLogin) -> Result<Registry, OpenError> {
    Registry::open(
        test.database.clone(),
        login,
        &Migrations::embedded().unwrap(),
        Upgrade::Run,
    )
    .await
}

async fn open_with(test: &TestDatabase, migrations: &Migrations) -> Result<Registry, OpenError> {
    let login = RequestLogin::Managed;
    Registry::open(test.database.clone(), login, migrations, Upgrade::Run).await
}

#[tokio::test]
async fn replicas_that_start_together_share_one_login() {
    let test = TestDatabase::new().await;
    let (one, two, three) = tokio::join!(
        open(&test, RequestLogin::Managed),
        open(&test, RequestLogin::Managed),
        open(&test, RequestLogin::Managed),
    );
    let registries = [one.unwrap(), two.unwrap(), three.unwrap()];
    let logins = registries
        .each_ref()
        .map(|registry| registry.request_login().unwrap());
    assert!(logins[0] == logins[1] && logins[1] == logins[2]);
}

#[tokio::test]
async fn databases_of_one_cluster_have_logins_of_their_own() {
    let (one, two) = (TestDatabase::new().await, TestDatabase::new().await);
    let (one, two) = (
        open(&one, RequestLogin::Managed).await.unwrap(),
        open(&two, RequestLogin::Managed).await.unwrap(),
    );
    assert_ne!(one.request_role(), two.request_role());
}

#[tokio::test]
async fn a_lost_login_is_made_again() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let tenant = replica.sign_up("restored").await.tenant;
    let psql = test.superuser().await;
    let role = replica.registry.request_role().quoted();
    psql.batch_execute(&format!("drop owned by {role}; drop role {role}"))
        .await
        .unwrap();
    let again = test.replica().await;
    let request = again.request_connection().await;
    request
        .batch_execute(&format!("set role {}", tenant.role.quoted()))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_operators_login_may_do_nothing_by_itself() {
    let test = TestDatabase::of_ordinary_owner().await;
    let tenant = test.replica().await.sign_up("given").await.tenant;
    let psql = test.superuser().await;
    let name = format!("given_{}", unique());
    let login = || RequestLogin::Given(RoleName::parse(name.clone()).unwrap());
    assert!(
        matches!(open(&test, login()).await, Err(OpenError::Login(_))),
        "it does not exist"
    );
    psql.batch_execute(&format!("create role {name} login"))
        .await
        .unwrap();
    let error = open(&test, login()).await.unwrap_err().to_string();
    assert!(error.contains("NOINHERIT"), "{error}");
    psql.batch_execute(&format!("alter role {name} noinherit"))
        .await
        .unwrap();
    let registry = open(&test, login()).await.unwrap();
    assert!(registry.request_login().is_none());
    let may = format!("select pg_has_role('{name}', '{}', 'member')", tenant.role);
    assert_eq!(scalar(&psql, &may).await, "t");
}

#[tokio::test]
async fn extensions_are_made_once_in_a_schema_of_their_own() {
    let test = TestDatabase::new().await;
    let mut migrations = Migrations::embedded().unwrap();
    migrations.extensions.insert("citext".into());
    open_with(&test, &migrations).await.unwrap();
    let psql = test.superuser().await;
    let place = "select nspname from pg_extension join pg_namespace n on n.oid = extnamespace where extname = 'citext'";
    assert_eq!(scalar(&psql, place).await, "extensions");
    // One without a package may not be needed; the migrations say so if it is.
    migrations.extensions.insert("no\"such".into());
    open_with(&test, &migrations).await.unwrap();
}

#[tokio::test]
async fn an_extension_that_the_owner_may_not_make_is_named() {
    let test = TestDatabase::of_ordinary_owner().await;
    let mut migrations = Migrations::embedded().unwrap();
    migrations.extensions.insert("pageinspect".into());
    let error = open_with(&test, &migrations).await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("pageinspect") && error.contains("superuser"),
        "{error}"
    );
}
