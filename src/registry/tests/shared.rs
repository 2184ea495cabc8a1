//! Shared tables of an owner that is no superuser, as in production: policies bind the owner, too.

use super::*;
use crate::migrate::Migrations;
use crate::testing::TestDatabase;

#[tokio::test]
async fn within_a_request_nobody_sees_the_rows_of_another_tenant() {
    let test = TestDatabase::of_ordinary_owner().await;
    let dir = tempfile::tempdir().unwrap();
    let write = |folder: &str, sql: &str| {
        let folder = dir.path().join(folder);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("V1__it.sql"), sql).unwrap();
        folder
    };
    let shared = write(
        "shared",
        "create table usage (tenant_id uuid not null references tenantry.tenants, what text not null)",
    );
    let tables = write(
        "tables",
        "create table t (id int primary key);
         create function everything() returns bigint language sql stable security definer
           as 'select count(*) from shared.usage'",
    );
    let migrations = || Migrations::load(Some((&tables, Some(&shared))), None).unwrap();
    let replica = test.replica_with(migrations()).await;
    let (red, blue) = (replica.sign_up("red").await, replica.sign_up("blue").await);
    let owner = test.owner().await;
    let fill = "insert into shared.usage select id, subdomain from tenantry.tenants";
    owner.batch_execute(fill).await.unwrap();
    let count = "select count(*) from shared.usage";
    assert_eq!(scalar(&owner, count).await, "2");

    let request = replica.request_connection().await;
    for tenant in [&red.tenant, &blue.tenant] {
        let become_it = format!(
            "reset role; set app.tenant_id = '{}'; set role {}; set search_path = {}",
            tenant.id,
            tenant.role.quoted(),
            tenant.schema.quoted()
        );
        request.batch_execute(&become_it).await.unwrap();
        let own = "select string_agg(what, ' ') from shared.usage";
        assert_eq!(scalar(&request, own).await, tenant.subdomain.as_str());
        assert_eq!(scalar(&request, "select everything()").await, "1");
        let insert = "insert into shared.usage values (tenantry.tenant_id(), 'x')";
        assert_eq!(sqlstate(&request, insert).await, "42501");
    }

    // Opening the registry again changes nothing, and a purge leaves the rows of others.
    let (_again, before) = (
        test.replica_with(migrations()).await,
        scalar(&owner, count).await,
    );
    assert_eq!(before, "2");
    let forget = format!("select tenantry.forget_shared_rows('{}')", red.tenant.id);
    owner.batch_execute(&forget).await.unwrap();
    assert_eq!(
        scalar(&owner, "select string_agg(what, ' ') from shared.usage").await,
        "blue"
    );

    // A file that has run is not to change, for shared tables either.
    std::fs::write(shared.join("V1__it.sql"), "create table usage (id int)").unwrap();
    let wrong = super::super::check_files(&owner, &migrations()).await;
    let told = wrong.unwrap_err().to_string();
    let names = "V1__it (for shared tables) has changed since the fleet has run it";
    assert!(told.starts_with(names), "{told}");
}
