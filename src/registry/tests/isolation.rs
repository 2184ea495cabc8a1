//! What a tenant's role and the request login can see: nothing of others, nothing of the registry.

use super::{scalar, sqlstate};
use crate::testing::TestDatabase;

/// SQLSTATE of `insufficient_privilege`
const DENIED: &str = "42501";

#[tokio::test]
async fn the_request_login_sees_nothing() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let tenant = replica.sign_up("seen").await.tenant;
    let request = replica.request_connection().await;
    assert_eq!(scalar(&request, "show search_path").await, "\"\"");
    assert_eq!(
        scalar(
            &request,
            "select current_setting('timezone') || current_setting('intervalstyle')"
        )
        .await,
        "UTCiso_8601"
    );
    for statement in [
        &format!("select * from {}.users", tenant.schema.quoted()),
        &format!(
            "insert into {}.projects (key, name) values ('A', 'B')",
            tenant.schema.quoted()
        ),
        "select * from tenantry.tenants",
        "select * from tenantry.accounts",
        "select * from tenantry.settings",
        "select tenantry.create_workspace('x', 'x')",
        "create table tenantry.mine (id int)",
        "create schema mine",
        "set role postgres",
    ] {
        assert_eq!(sqlstate(&request, statement).await, DENIED, "{statement}");
    }
    assert_eq!(
        sqlstate(&request, "select * from users").await,
        "42P01",
        "no search path leads anywhere"
    );
}

#[tokio::test]
async fn a_tenants_role_reaches_its_own_schema_only() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let (ours, theirs) = (
        replica.sign_up("ours").await.tenant,
        replica.sign_up("theirs").await.tenant,
    );
    let request = replica.request_connection().await;
    request
        .batch_execute(&format!("set role {}", ours.role.quoted()))
        .await
        .unwrap();
    let (ours, foreign) = (ours.schema.quoted(), theirs.schema.quoted());
    assert_eq!(
        scalar(&request, &format!("select count(*) from {ours}.projects")).await,
        "1"
    );
    request
        .batch_execute(&format!(
            "insert into {ours}.labels (name, color) values ('mine', '#ff0000')"
        ))
        .await
        .unwrap();
    for statement in [
        format!("select * from {foreign}.projects"),
        format!("select * from {foreign}.users"),
        format!("select * from {ours}.tenantry_base_history"),
        format!("delete from {ours}.tenantry_app_history"),
        format!("create table {ours}.mine (id int)"),
        format!("drop table {ours}.labels"),
        "select * from tenantry.tenants".to_owned(),
        "select * from tenantry.accounts".to_owned(),
        "select * from tenantry.memberships".to_owned(),
        "select * from tenantry.settings".to_owned(),
        "select tenantry.free_name('x')".to_owned(),
    ] {
        assert_eq!(sqlstate(&request, &statement).await, DENIED, "{statement}");
    }
    // The login may become any tenant, a tenant's role by itself may not.
    let psql = test.superuser().await;
    let may = format!(
        "select pg_has_role('{}', '{}', 'member')",
        theirs.role,
        replica.registry.request_role()
    );
    assert_eq!(scalar(&psql, &may).await, "f");
}

#[tokio::test]
async fn later_tables_are_covered_by_default_privileges() {
    let test = TestDatabase::of_ordinary_owner().await;
    let replica = test.replica().await;
    let tenant = replica.sign_up("later").await.tenant;
    let owner = test.owner().await;
    let schema = tenant.schema.quoted();
    owner
        .batch_execute(&format!(
            "create table {schema}.later (id bigserial primary key, n int)"
        ))
        .await
        .unwrap();
    let request = replica.request_connection().await;
    request
        .batch_execute(&format!("set role {}", tenant.role.quoted()))
        .await
        .unwrap();
    request
        .batch_execute(&format!("insert into {schema}.later (n) values (1)"))
        .await
        .unwrap();
}

#[tokio::test]
async fn should_a_grant_slip_in_row_level_security_holds() {
    let test = TestDatabase::of_ordinary_owner().await;
    let replica = test.replica().await;
    let (ours, _) = (
        replica.sign_up("ours").await.tenant,
        replica.sign_up("theirs").await.tenant,
    );
    let owner = test.owner().await;
    let grant = format!(
        "grant select, insert, update, delete on all tables in schema tenantry to {}",
        ours.role.quoted()
    );
    owner.batch_execute(&grant).await.unwrap();
    let request = replica.request_connection().await;
    request
        .batch_execute(&format!("set role {}", ours.role.quoted()))
        .await
        .unwrap();
    for table in ["tenants", "accounts", "memberships", "settings"] {
        assert_eq!(
            scalar(&request, &format!("select count(*) from tenantry.{table}")).await,
            "0",
            "{table}"
        );
    }
    request
        .batch_execute(&format!("set app.tenant_id = '{}'", ours.id))
        .await
        .unwrap();
    for (table, count) in [
        ("tenants", "1"),
        ("accounts", "1"),
        ("memberships", "1"),
        ("settings", "0"),
    ] {
        assert_eq!(
            scalar(&request, &format!("select count(*) from tenantry.{table}")).await,
            count,
            "{table}"
        );
    }
    let change = "with changed as (update tenantry.tenants set name = 'x' returning 1) select count(*) from changed";
    assert_eq!(
        scalar(&request, change).await,
        "0",
        "a tenant may look, not write"
    );
}
