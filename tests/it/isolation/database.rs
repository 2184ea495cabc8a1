//! Underneath the service: what Postgres itself lets a request's connection do.

use crate::harness::database::{names, scalar, sqlstate};
use crate::harness::{Service, eventually};

const DENIED: &str = "42501";
const UNDEFINED_TABLE: &str = "42P01";

#[tokio::test]
async fn the_request_login_alone_sees_nothing() {
    let service = Service::shared();
    let (acme, _) = names(&service.psql().await, "acme").await;
    let login = service.psql_as_requests().await;
    assert_eq!(scalar(&login, "show search_path").await.unwrap(), "\"\"");
    assert_eq!(
        sqlstate(&login, "select * from issues").await,
        UNDEFINED_TABLE
    );
    for statement in [
        &*format!("select * from {acme}.issues"),
        &*format!("create table {acme}.loot (id int)"),
        "create schema loot",
        "create table public.loot (id int)",
        "set role postgres",
        "create role loot",
        "select * from pg_authid",
        "copy (select 1) to program 'true'",
    ] {
        assert_eq!(sqlstate(&login, statement).await, DENIED, "{statement}");
    }
}

#[tokio::test]
async fn the_registry_is_unreadable_for_requests() {
    let service = Service::shared();
    let psql = service.psql().await;
    let tables = "select string_agg(relname, ' ') from pg_class
        where relnamespace = 'tenantry'::regnamespace and relkind in ('r', 'v', 'm', 'p')";
    let tables = scalar(&psql, tables).await.unwrap();
    let (_, role) = names(&psql, "acme").await;
    let login = service.psql_as_requests().await;
    for as_role in ["none", &role] {
        login
            .batch_execute(&format!("set role {as_role}"))
            .await
            .unwrap();
        for table in tables.split(' ') {
            // Its own row only: see below.
            if table == "present_tenant" {
                continue;
            }
            let statement = format!("select * from tenantry.{table}");
            assert_eq!(
                sqlstate(&login, &statement).await,
                DENIED,
                "{as_role}: {table}"
            );
        }
        let functions = "select tenantry.free_name('x')";
        assert_eq!(sqlstate(&login, functions).await, DENIED, "{as_role}");
    }
}

/// Not even a function that would be asked before the row is left out.
#[tokio::test]
async fn a_role_sees_which_tenant_it_is_and_no_other() {
    let service = Service::shared();
    let psql = service.psql().await;
    let (_, role) = names(&psql, "acme").await;
    let login = service.psql_as_requests().await;
    let peek = "create function pg_temp.peek(uuid, text) returns boolean language plpgsql cost 0.0001 as
        $$ begin raise notice 'peeked'; perform set_config('peeked.ids', concat_ws(' ', current_setting('peeked.ids', true), $1), false);
           return true; end $$";
    login.batch_execute(peek).await.unwrap();
    let count =
        "select count(*) from tenantry.present_tenant t where pg_temp.peek(t.id, t.version)";
    assert_eq!(scalar(&login, count).await.unwrap(), "0");
    login
        .batch_execute(&format!("set role {role}"))
        .await
        .unwrap();
    assert_eq!(scalar(&login, count).await.unwrap(), "1");
    let peeked = scalar(&login, "select current_setting('peeked.ids')").await;
    let own = "select id::text from tenantry.tenants where subdomain = 'acme'";
    assert_eq!(peeked, scalar(&psql, own).await);
}

/// Even a request that lied to itself about its tenant could not read the other one.
#[tokio::test]
async fn the_role_of_one_tenant_cannot_reach_another() {
    let service = Service::shared();
    let psql = service.psql().await;
    let (acme, acme_role) = names(&psql, "acme").await;
    let (globex, globex_role) = names(&psql, "globex").await;
    let login = service.psql_as_requests().await;
    for (role, own, other) in [(&acme_role, &acme, &globex), (&globex_role, &globex, &acme)] {
        login
            .batch_execute(&format!("set role {role}"))
            .await
            .unwrap();
        let rows = scalar(&login, &format!("select count(*) > 100 from {own}.issues")).await;
        assert_eq!(rows.unwrap(), "t");
        for statement in [
            format!("select * from {other}.issues"),
            format!("select * from {other}.project_summaries"),
            format!("update {other}.issues set title = 'stolen'"),
            format!("insert into {other}.labels (name) values ('mine')"),
            format!("select {other}.search_issues('anvil')"),
            format!("create table {other}.loot (id int)"),
            format!("create table {own}.loot (id int)"),
            format!("drop table {own}.issues"),
            format!("alter role {role} login"),
            format!("select * from {own}.tenantry_app_history"),
        ] {
            // The histories say nothing of a tenant's data, and reading one's own does no harm.
            if statement.contains("history") {
                continue;
            }
            let state = sqlstate(&login, &statement).await;
            assert_eq!(state, DENIED, "{role}: {statement}");
        }
        login.batch_execute("reset role").await.unwrap();
    }
    // Nor does a role of a tenant let anybody become another one by itself.
    let member = format!("select pg_has_role('{acme_role}', '{globex_role}', 'member')");
    assert_eq!(scalar(&psql, &member).await.unwrap(), "f");
}

/// Role and search path end with the transaction: seen on the one connection of a replica.
#[tokio::test]
async fn nothing_of_a_tenant_survives_its_request() {
    let service = Service::shared();
    let replica =
        Service::replica_named("survivors", &["--lanes", "1", "--lane-connections", "1"]).await;
    let ada = service.tenant("acme").owner().await.at(&replica);
    let grace = service.tenant("globex").owner().await.at(&replica);
    let request = "{ viewer { email } projects { totalCount } }";
    for _ in 0..5 {
        assert_eq!(
            ada.query(request).await.data()["viewer"]["email"],
            "ada@acme.test"
        );
        assert_eq!(
            grace.query(request).await.data()["viewer"]["email"],
            "grace@globex.test"
        );
        let failing = ada
            .query("{ issues(where: {title: {regex: \"(\"}}) { nodes { id } } }")
            .await;
        assert_eq!(failing.code(), "BAD_USER_INPUT");
    }
    let psql = service.psql().await;
    // A setting that outlived its transaction would let the login read the last tenant's tables. That
    // connection belongs to the replica, so the proof is what it did: idle, outside of a transaction.
    let idle = "select count(*) || ' ' || bool_and(state = 'idle' and backend_xid is null and xact_start is null)
        from pg_stat_activity where application_name = 'survivors' and usename like 'tenantry\\_api%'";
    eventually("the connection is idle", async || {
        let found = scalar(&psql, idle).await?;
        (found == "1 true").then_some(())
    })
    .await;
}
