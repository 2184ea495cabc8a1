//! Sign-up: all of it or none of it.

use std::time::{Duration, Instant};

use super::{scalar, sqlstate};
use crate::error::Code;
use crate::migrate::Migrations;
use crate::testing::{TestDatabase, applicant};

const TRACES: &str = "select (select count(*) from tenantry.tenants) + (select count(*) from tenantry.accounts) \
    + (select count(*) from tenantry.memberships) \
    + (select count(*) from pg_namespace where nspname like 'tenant\\_%') \
    + (select count(*) from pg_roles r join pg_auth_members m on m.roleid = r.oid join pg_roles a on a.oid = m.member \
       where a.rolname = (select request_role from tenantry.settings))";

fn broken(last: &str) -> Migrations {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("V1__good.sql"),
        "create table good (id int primary key);\n",
    )
    .unwrap();
    std::fs::write(dir.path().join("V2__bad.sql"), last).unwrap();
    Migrations::from_dir(dir.path()).unwrap()
}

#[tokio::test]
async fn a_tenant_is_complete() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let signed_up = replica.sign_up("big-corp").await;
    let tenant = &signed_up.tenant;
    assert!(tenant.schema.as_str().starts_with("tenant_big_corp"));
    let psql = test.superuser().await;
    let schema = tenant.schema.as_str();
    assert_eq!(
        scalar(&psql, &format!("select count(*) from {schema}.projects")).await,
        "1"
    );
    assert_eq!(
        scalar(
            &psql,
            &format!("select concat_ws(' ', id, email, name, role) from {schema}.users")
        )
        .await,
        format!("{} owner@big-corp.test Owner owner", signed_up.owner)
    );
    assert_eq!(
        scalar(&psql, "select concat_ws(' ', subdomain, status, base_version, app_version) from tenantry.tenants").await,
        format!("big-corp active {} {}", tenant.version.base, tenant.version.app)
    );
    for (history, version) in [("base", tenant.version.base), ("app", tenant.version.app)] {
        let last = format!("select max(version) from {schema}.tenantry_{history}_history");
        assert_eq!(scalar(&psql, &last).await, version.to_string());
    }
    assert_eq!(
        scalar(&psql, "select role from tenantry.memberships").await,
        "owner"
    );
    assert!(
        scalar(&psql, "select password_hash from tenantry.accounts")
            .await
            .starts_with("$argon2id$")
    );
    let found = replica
        .directory
        .find(&tenant.subdomain)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        *found, signed_up.tenant,
        "what was returned is what is stored"
    );
}

#[tokio::test]
async fn an_ordinary_owner_suffices() {
    let test = TestDatabase::of_ordinary_owner().await;
    let replica = test.replica().await;
    let tenant = replica.sign_up("ordinary").await.tenant;
    let request = replica.request_connection().await;
    let count = format!("select count(*) from {}.projects", tenant.schema.quoted());
    request
        .batch_execute(&format!("set role {}", tenant.role.quoted()))
        .await
        .unwrap();
    assert_eq!(scalar(&request, &count).await, "1");
    let owner = test.owner().await;
    assert_eq!(
        scalar(&owner, "select count(*) from tenantry.tenants").await,
        "1"
    );
    assert!(
        test.replica()
            .await
            .directory
            .find(&tenant.subdomain)
            .await
            .unwrap()
            .is_some(),
        "a second start works too"
    );
}

#[tokio::test]
async fn a_failing_migration_leaves_nothing_behind() {
    let test = TestDatabase::new().await;
    let psql = test.superuser().await;
    for (sql, reason) in [
        (
            "create table t (id int);\n\ncreate index on nothing (id);",
            "V2__bad.sql, line 3",
        ),
        ("select 1;\nselect 1 / 0;\nselect 2;", "V2__bad.sql, line 2"),
        ("select 1;\n\nselec 2;", "V2__bad.sql, line 3"),
        // Whoever comes next would find it there.
        (
            "do $$ begin set search_path to public; create type t as (id int); end $$",
            "the files make the type public.t outside of the tenant's schema",
        ),
    ] {
        let replica = test.replica_with(broken(sql)).await;
        let failure = replica
            .registry
            .sign_up(&replica.migrations, applicant("broken"))
            .await
            .unwrap_err();
        assert_eq!(
            (failure.code, failure.message.as_ref()),
            (Code::Internal, "internal error")
        );
        let log = failure.log.unwrap().to_string();
        assert!(log.contains(reason), "{log}");
        assert_eq!(scalar(&psql, TRACES).await, "0");
        assert_eq!(
            scalar(
                &psql,
                "select count(*) from pg_roles where rolname like 'tenant\\_broken%'"
            )
            .await,
            "0"
        );
    }
}

#[tokio::test]
async fn a_cancelled_sign_up_leaves_nothing_behind() {
    let test = TestDatabase::new().await;
    let replica = test.replica_with(broken("select pg_sleep(0.5);")).await;
    let sign_up = replica
        .registry
        .sign_up(&replica.migrations, applicant("cancelled"));
    tokio::time::timeout(Duration::from_millis(300), sign_up)
        .await
        .expect_err("it was to be cancelled");
    let psql = test.superuser().await;
    let busy = "select count(*) from pg_stat_activity where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()";
    while scalar(&psql, busy).await != "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(scalar(&psql, TRACES).await, "0");
}

#[tokio::test]
async fn of_two_at_the_same_moment_one_wins() {
    let test = TestDatabase::new().await;
    let (one, two) = (test.replica().await, test.replica().await);
    let mut second = applicant("wanted");
    second.email = crate::names::EmailAddress::parse("other@wanted.test").unwrap();
    let (first, second) = tokio::join!(
        one.registry.sign_up(&one.migrations, applicant("wanted")),
        two.registry.sign_up(&two.migrations, second),
    );
    let (won, lost): (Vec<_>, Vec<_>) = [first, second].into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 1));
    for failure in lost.into_iter().filter_map(Result::err) {
        assert_eq!(
            (failure.code, failure.details.field.as_deref()),
            (Code::Conflict, Some("subdomain"))
        );
    }
    let psql = test.superuser().await;
    assert_eq!(
        scalar(&psql, "select count(*) from tenantry.accounts").await,
        "1"
    );
}

#[tokio::test]
async fn an_address_has_one_account_in_any_spelling() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    replica.sign_up("first").await;
    let mut second = applicant("second");
    second.email = crate::names::EmailAddress::parse("OWNER@first.test").unwrap();
    let failure = replica
        .registry
        .sign_up(&replica.migrations, second)
        .await
        .unwrap_err();
    assert_eq!(
        (failure.code, failure.details.field.as_deref()),
        (Code::Conflict, Some("email"))
    );
}

#[tokio::test]
async fn many_at_once_all_succeed() {
    let test = TestDatabase::of_ordinary_owner().await;
    let replica = test.replica().await;
    let all = (0..24).map(|n| format!("many-{n}")).collect::<Vec<_>>();
    let outcomes = futures_util::future::join_all(all.iter().map(|subdomain| {
        replica
            .registry
            .sign_up(&replica.migrations, applicant(subdomain))
    }));
    for outcome in outcomes.await {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn names_that_are_taken_in_the_cluster_are_numbered() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let psql = test.superuser().await;
    psql.batch_execute("create role tenant_taken_role; create schema tenant_taken_schema")
        .await
        .unwrap();
    assert_eq!(
        replica.sign_up("taken-role").await.tenant.role.as_str(),
        "tenant_taken_role_2"
    );
    let other = replica.sign_up("taken-schema").await.tenant;
    assert_eq!(
        (other.schema.as_str(), other.role.as_str()),
        ("tenant_taken_schema_2", "tenant_taken_schema_2")
    );
    let long = "x".repeat(63);
    let (one, two) = (
        replica.sign_up(&long[..62]).await.tenant,
        replica.sign_up(&long).await.tenant,
    );
    assert_ne!(one.schema, two.schema);
    assert_eq!(two.schema.as_str().len(), 63);
}

#[tokio::test]
async fn a_migration_cannot_change_what_comes_after_it() {
    let test = TestDatabase::of_ordinary_owner().await;
    let dir = tempfile::tempdir().unwrap();
    let dump = "set row_security = off;\nset statement_timeout = 0;\n\
        select pg_catalog.set_config('search_path', '', false);\nset timezone = 'Asia/Tokyo';\n";
    std::fs::write(dir.path().join("V1__dump.sql"), dump).unwrap();
    std::fs::write(
        dir.path().join("V2__after.sql"),
        "create table after (id int primary key);\n",
    )
    .unwrap();
    let replica = test
        .replica_with(Migrations::from_dir(dir.path()).unwrap())
        .await;
    for subdomain in ["one", "two", "three"] {
        let tenant = replica.sign_up(subdomain).await.tenant;
        let owner = test.owner().await;
        assert_eq!(
            scalar(
                &owner,
                &format!("select count(*) from {}.after", tenant.schema.quoted())
            )
            .await,
            "0"
        );
        assert_eq!(
            sqlstate(&owner, "select * from public.after").await,
            "42P01"
        );
    }
}

/// Not a benchmark: catches a change that makes sign-up slow out of all proportion. Prints what it measured.
#[tokio::test]
async fn sign_up_is_quick() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    replica.sign_up("warm-up").await;
    let mut times = Vec::new();
    for n in 0..20 {
        let start = Instant::now();
        replica.sign_up(&format!("quick-{n}")).await;
        times.push(start.elapsed());
    }
    times.sort();
    println!(
        "sign-up: median {:?}, fastest {:?}, slowest {:?}",
        times[10], times[0], times[19]
    );
    assert!(times[10] < Duration::from_secs(1));
}

/// As if somebody else always had the name a moment before.
#[tokio::test]
async fn whoever_loses_a_name_gets_another_one() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let meddle = "alter function tenantry.create_workspace(text, text) rename to really_create_workspace;
        create function tenantry.create_workspace(schema_name text, role_name text) returns void language plpgsql as $$
        begin
          if schema_name like 'tenant\\_acme%' then
            raise duplicate_object;
          end if;
          perform tenantry.really_create_workspace(schema_name, role_name);
        end $$";
    let psql = test.superuser().await;
    psql.batch_execute(meddle).await.unwrap();
    let tenant = replica.sign_up("acme").await.tenant;
    assert_eq!(tenant.schema.as_str(), tenant.id.workspace_name());
    assert_eq!(
        scalar(&psql, "select count(*) from tenantry.tenants").await,
        "1"
    );
}

/// They switch row-level security off, as every `pg_dump` does: the registry's own tables have it.
#[tokio::test]
async fn an_ordinary_owner_signs_tenants_up_with_dumps() {
    let test = TestDatabase::of_ordinary_owner().await;
    let dump = "SET row_security = off;\ncreate table b (id int primary key);\n";
    let replica = test.replica_with(broken(dump)).await;
    replica.sign_up("dumped").await;
}
