//! Workspaces made ahead of sign-ups.

use super::{assert_alike, scalar};
use crate::error::Code;
use crate::migrate::Migrations;
use crate::names::{RoleName, TenantId};
use crate::registry::spares::Lanes;

use crate::testing::{Replica, TestDatabase, applicant};

/// The same login for all tenants.
struct OneLane(Vec<RoleName>);

impl Lanes for OneLane {
    fn logins(&self, _: TenantId) -> Vec<RoleName> {
        self.0.clone()
    }
}

async fn restock(replica: &Replica, wanted: usize) {
    let lane = OneLane(replica.registry.lane_roles(1).await.unwrap());
    let stocked = replica.registry.restock(&replica.migrations, &lane, wanted);
    stocked.await.unwrap();
}

const STOCK: &str = "select count(*) from tenantry.spare_workspaces where ready";

/// What other backends have to look at again whenever it changes.
const SHARED: &str = "with own as (select role_name from tenantry.tenants union all
      select role_name from tenantry.spare_workspaces)
    select (select max(xmin::text::bigint) from pg_namespace) || ' ' || string_agg(r.xmin || ' ' || m.xmin, ' ' order by m)
    from own join pg_authid r on r.rolname = own.role_name join pg_auth_members m on m.roleid = r.oid";

#[tokio::test]
async fn a_sign_up_takes_one_and_changes_nothing_that_others_depend_on() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let psql = test.superuser().await;
    let made = replica.sign_up("made").await.tenant;
    restock(&replica, 2).await;
    assert_eq!(scalar(&psql, STOCK).await, "2");
    let before = scalar(&psql, SHARED).await;
    let taken = replica.sign_up("taken").await.tenant;
    assert_eq!(scalar(&psql, STOCK).await, "1");
    let lane = replica.registry.lane_roles(1).await.unwrap();
    replica
        .registry
        .admit_to_lanes(&lane, &taken.role)
        .await
        .unwrap();
    assert_eq!(scalar(&psql, SHARED).await, before);
    assert_alike(&replica, &[&made.schema, &taken.schema]).await;
    let users = format!("select count(*) from {}.users", taken.schema.quoted());
    assert_eq!(scalar(&psql, &users).await, "1");
}

#[tokio::test]
async fn more_are_made_when_half_of_them_are_gone() {
    let test = TestDatabase::new().await;
    let (one, two) = (test.replica().await, test.replica().await);
    let psql = test.superuser().await;
    tokio::join!(restock(&one, 4), restock(&two, 4));
    for (subdomain, stock) in [("first", "3"), ("second", "4"), ("third", "3")] {
        one.sign_up(subdomain).await;
        restock(&two, 4).await;
        assert_eq!(scalar(&psql, STOCK).await, stock, "{subdomain}");
    }
    // Nobody gets what somebody else has; who comes too late has one made.
    let names: Vec<_> = (0..6).map(|n| format!("rush-{n}")).collect();
    let rush = names.iter().map(|name| one.sign_up(name));
    futures_util::future::join_all(rush).await;
    let homes = "select count(distinct schema_name) || ' ' || count(distinct role_name) from tenantry.tenants";
    assert_eq!(scalar(&psql, homes).await, "9 9");
    assert_eq!(scalar(&psql, STOCK).await, "0");
}

#[tokio::test]
async fn a_sign_up_that_fails_gives_it_back() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let psql = test.superuser().await;
    replica.sign_up("wanted").await;
    restock(&replica, 1).await;
    let second = replica
        .registry
        .sign_up(&replica.migrations, applicant("wanted"));
    assert_eq!(second.await.unwrap_err().code, Code::Conflict);
    assert_eq!(scalar(&psql, STOCK).await, "1");
}

#[tokio::test]
async fn one_that_was_left_without_tables_gets_them() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let psql = test.superuser().await;
    let lane = OneLane(Vec::new());
    let made = replica.registry.make_spares(&replica.migrations, &lane, 1);
    made.await.unwrap();
    assert_eq!(scalar(&psql, STOCK).await, "0");
    replica.sign_up("early").await;
    restock(&replica, 1).await;
    assert_eq!(scalar(&psql, STOCK).await, "1");
}

#[tokio::test]
async fn those_of_other_migrations_are_nobodys() {
    let test = TestDatabase::new().await;
    let dir = tempfile::tempdir().unwrap();
    let migrations = |files: &[&str]| {
        for (number, sql) in (1..).zip(files) {
            std::fs::write(dir.path().join(format!("V{number}__it.sql")), sql).unwrap();
        }
        Migrations::from_dir(dir.path()).unwrap()
    };
    let old = test
        .replica_with(migrations(&["create table things (id int primary key)"]))
        .await;
    let new = migrations(&[
        "create table things (id int primary key)",
        "alter table things add name text",
    ]);
    let new = test.replica_with(new).await;
    let psql = test.superuser().await;
    restock(&old, 1).await;
    let mine = scalar(&psql, "select schema_name from tenantry.spare_workspaces").await;
    assert_ne!(new.sign_up("newer").await.tenant.schema.as_str(), mine);
    assert_eq!(scalar(&psql, STOCK).await, "1");
    // A newer replica clears them away with all that is in them; an older one leaves the newer ones alone.
    restock(&new, 1).await;
    let left = format!(
        "select count(*) from pg_namespace n full join pg_authid a on a.rolname = n.nspname where '{mine}' in (n.nspname, a.rolname)"
    );
    assert_eq!(scalar(&psql, &left).await, "0");
    restock(&old, 1).await;
    assert_eq!(scalar(&psql, STOCK).await, "2");
}

#[tokio::test]
async fn triggers_on_users_find_their_tables_there_too() {
    let test = TestDatabase::new().await;
    let dir = tempfile::tempdir().unwrap();
    let sql = "create table profiles (user_id uuid primary key references users);\n\
        create function make_profile() returns trigger language plpgsql as $$\n\
        begin insert into profiles values (new.id); return null; end $$;\n\
        create trigger make_profile after insert on users for each row execute function make_profile();\n";
    std::fs::write(dir.path().join("V1__profiles.sql"), sql).unwrap();
    let migrations = Migrations::from_dir(dir.path()).unwrap();
    let replica = test.replica_with(migrations).await;
    let psql = test.superuser().await;
    restock(&replica, 2).await;
    for (subdomain, stock) in [("spare", "1"), ("second", "0"), ("made", "0")] {
        let schema = replica.sign_up(subdomain).await.tenant.schema;
        let profiles = format!("select count(*) from {}.profiles", schema.quoted());
        assert_eq!(scalar(&psql, &profiles).await, "1", "{subdomain}");
        assert_eq!(scalar(&psql, STOCK).await, stock, "{subdomain}");
    }
}
