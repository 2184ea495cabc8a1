//! Tables that all tenants share: read by all, and kept apart where their rows belong to tenants.

use serde_json::json;

use crate::harness::database::{names, scalar, sqlstate};
use crate::harness::{Caller, DataDir, Service, tenantry};

const SHARED: &str = "
    create table countries (code text primary key, name text not null);
    comment on column countries.name is '@public';
    insert into countries values ('de', 'Germany'), ('fr', 'France');
    create table secrets (id int primary key);
    revoke all on secrets from tenant;

    create table usage (
      id int primary key generated always as identity,
      tenant_id uuid default tenantry.tenant_id() references tenantry.tenants on delete cascade,
      what text not null unique);
    grant insert, update, delete on usage to tenant;
    create policy all_of_it on usage using (true) with check (true);
    create view usage_counts as select count(*)::int as n from usage;

    create table events (tenant_id uuid not null, day date not null, what text not null, primary key (day, what))
      partition by range (day);
    create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');";

const LATER: &str = "
    create table events_2027 partition of events for values from ('2027-01-01') to ('2028-01-01');
    create table notes (id int primary key, tenant_id text not null);";

const TABLES: &str = "
    create table offices (id int primary key, country_code text not null references shared.countries);
    insert into offices values (1, 'de');
    create view our_usage as select what from shared.usage;
    create view our_count as select count(*)::int as n from our_usage;
    create function all_usage() returns setof shared.usage language sql stable as 'select * from shared.usage';";

/// Where the migrations of a service are: `shared` is beside `tables`.
fn write(dir: &DataDir, folder: &str, file: &str, sql: &str) -> String {
    let folder = dir.join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(file), sql).unwrap();
    folder.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn all_tenants_read_what_they_share_and_nobody_what_is_another_ones() {
    let dir = DataDir::new();
    write(&dir, "shared", "V1__shared.sql", SHARED);
    let tables = write(&dir, "tables", "V1__tables.sql", TABLES);
    let service = Service::dev_in(dir, &["--tenant-sql", &tables]);
    let (red, blue) = (service.sign_up("red").await, service.sign_up("blue").await);
    let psql = service.psql().await;
    fill(&psql, &[&red, &blue], "2026-05-05").await;
    reference(&red).await;
    for (caller, own) in [(&red, "red"), (&blue, "blue")] {
        rows(caller, own).await;
    }
    writes(&red, &blue).await;
    underneath(&service, &red, &["events", "events_2026", "usage"]).await;
    assert_eq!(
        ask(&blue, "{ usages { totalCount } }").await["usages"]["totalCount"],
        1
    );

    // What later migrations bring is kept apart, too.
    let dir = service.stop();
    write(&dir, "shared", "V2__later.sql", LATER);
    let service = Service::dev_in(dir, &["--tenant-sql", &tables]);
    let psql = service.psql().await;
    let (red, blue) = (red.at(&service), blue.at(&service));
    fill(&psql, &[&red, &blue], "2027-05-05").await;
    rows(&red, "red").await;
    underneath(&service, &red, &["events", "events_2027", "usage"]).await;
    let notes = ask(&red, "{ notes { totalCount } }").await;
    assert_eq!(notes["notes"]["totalCount"], 0);
}

async fn ask(caller: &Caller, document: &str) -> serde_json::Value {
    caller.query(document).await.data()
}

/// A row of each table for each tenant.
async fn fill(psql: &tokio_postgres::Client, tenants: &[&Caller], day: &str) {
    for tenant in tenants {
        let (subdomain, color) = (
            tenant.subdomain(),
            &tenant.subdomain()[..tenant.subdomain().find('-').unwrap()],
        );
        let rows = format!(
            "insert into shared.usage (tenant_id, what) select id, '{color}' from tenantry.tenants where subdomain = '{subdomain}'
               on conflict do nothing;
             insert into shared.events select id, '{day}', '{color}' from tenantry.tenants where subdomain = '{subdomain}';"
        );
        psql.batch_execute(&rows).await.unwrap();
    }
}

/// Like the tenant's own tables, but nothing to write.
async fn reference(red: &Caller) {
    let data = ask(
        red,
        "{ office(id: 1) { country { name offices { totalCount } } } countries { totalCount }
        country(code: \"fr\") { name offices { nodes { id } } } }",
    )
    .await;
    assert_eq!(
        data["office"]["country"],
        json!({"name": "Germany", "offices": {"totalCount": 1}})
    );
    assert_eq!(
        data["country"],
        json!({"name": "France", "offices": {"nodes": []}})
    );
    let public = red
        .with_token(None)
        .query("{ countries { nodes { name } } }")
        .await
        .data();
    assert_eq!(public["countries"]["nodes"][0]["name"], "Germany");
    let fields = ask(red, "{ __type(name: \"Mutation\") { fields { name } } secret: __type(name: \"Secret\") { fields { name } } }").await;
    assert!(!fields.to_string().contains("Countr"), "{fields}");
    assert!(fields.to_string().contains("createUsage"), "{fields}");
    assert_eq!(
        red.query("{ secrets { nodes { id } } }").await.code(),
        "FORBIDDEN"
    );
}

async fn rows(caller: &Caller, own: &str) {
    let data = ask(caller, "{ usages { totalCount nodes { what } aggregates { max { what } } } events { nodes { what } }
        usageCounts { nodes { n } } ourUsages { nodes { what } } ourCounts { nodes { n } } allUsage { nodes { what } } }").await;
    let only = json!({"nodes": [{"what": own}]});
    let usages =
        json!({"totalCount": 1, "nodes": [{"what": own}], "aggregates": {"max": {"what": own}}});
    assert_eq!(data["usages"], usages);
    for (list, expected) in [
        ("usageCounts", json!({"nodes": [{"n": 1}]})),
        ("ourCounts", json!({"nodes": [{"n": 1}]})),
        ("ourUsages", only.clone()),
        ("allUsage", only),
    ] {
        assert_eq!(data[list], expected, "{list}");
    }
    let events = data["events"]["nodes"].as_array().unwrap();
    assert!(
        !events.is_empty() && events.iter().all(|event| event["what"] == own),
        "{events:?}"
    );
}

/// Nobody writes what is another tenant's, whatever policies say.
async fn writes(red: &Caller, blue: &Caller) {
    let mine = r#"mutation { createUsage(input: {what: "mine"}) { id what } }"#;
    assert_eq!(ask(red, mine).await["createUsage"]["what"], "mine");
    let blues = ask(blue, "{ usages { nodes { id tenantId } } }").await;
    let blues = &blues["usages"]["nodes"][0];
    let forge = "mutation ($tenant: UUID) { createUsage(input: {what: \"forged\", tenantId: $tenant}) { id } }";
    for tenant in [&blues["tenantId"], &json!(null)] {
        let answer = red.ask(forge, json!({"tenant": tenant})).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{tenant}");
    }
    let steal = "mutation ($id: Int!) { updateUsage(id: $id, set: {what: \"stolen\"}) { id } deleteUsage(id: $id) { id } }";
    let answer = red.ask(steal, json!({"id": blues["id"]})).await.data();
    assert_eq!(answer, json!({"updateUsage": null, "deleteUsage": null}));
    let give = "mutation ($tenant: UUID) { updateUsages(where: {what: {eq: \"mine\"}}, set: {tenantId: $tenant}) { affectedCount } }";
    let answer = red.ask(give, json!({"tenant": blues["tenantId"]})).await;
    assert_eq!(answer.code(), "FORBIDDEN");
    let drop = r#"mutation { deleteUsages(where: {what: {eq: "mine"}}) { affectedCount } }"#;
    assert_eq!(ask(red, drop).await["deleteUsages"]["affectedCount"], 1);
}

/// The tables as a request's connection sees them, partitions too.
async fn underneath(service: &Service, red: &Caller, tables: &[&str]) {
    let psql = service.psql().await;
    let (_, role) = names(&psql, red.subdomain()).await;
    let id = format!(
        "select id from tenantry.tenants where subdomain = '{}'",
        red.subdomain()
    );
    let id = scalar(&psql, &id).await.unwrap();
    let login = service.psql_as_requests().await;
    for table in tables {
        let count = format!("select count(*) filter (where tenant_id is distinct from '{id}') || '/' || (count(*) > 0)
            from shared.{table}");
        login
            .batch_execute("reset role; reset app.tenant_id")
            .await
            .unwrap();
        assert_eq!(
            scalar(&login, &count).await.unwrap(),
            "0/false",
            "{table}: the login"
        );
        login
            .batch_execute(&format!("set role {role}"))
            .await
            .unwrap();
        assert_eq!(
            scalar(&login, &count).await.unwrap(),
            "0/false",
            "{table}: no tenant"
        );
        login
            .batch_execute(&format!("set app.tenant_id = '{id}'"))
            .await
            .unwrap();
        assert_eq!(scalar(&login, &count).await.unwrap(), "0/true", "{table}");
    }
    for statement in [
        "select * from shared.secrets",
        "insert into shared.countries values ('xx', 'x')",
        "update shared.countries set name = 'x'",
        "delete from shared.events",
        "create table shared.loot (id int)",
        "alter table shared.usage disable row level security",
        "select * from shared.tenantry_shared_history",
    ] {
        assert_eq!(sqlstate(&login, statement).await, "42501", "{statement}");
    }
}

#[test]
fn what_cannot_be_kept_apart_stops_the_start() {
    for (shared, table, expected) in [
        (
            "create table t (tenant_id uuid); create materialized view m as select tenant_id from t;",
            "create table x (id int)",
            "shared.m has a tenant_id, but materialized views have no row-level security",
        ),
        (
            "create table t (tenant_id int);",
            "create table x (id int)",
            "shared.t.tenant_id must be a uuid",
        ),
        (
            "create table t (tenant_id uuid);",
            "create materialized view m as select count(*) from shared.t",
            "would hold rows of all tenants: make it a view",
        ),
        (
            "create table x (id int primary key);",
            "create table x (id int primary key)",
            "shared\".\"x\"",
        ),
    ] {
        let dir = DataDir::new();
        let elsewhere = write(&dir, "common", "V1__shared.sql", shared);
        let tables = write(&dir, "tables", "V1__tables.sql", table);
        let mut command = tenantry(&[
            "schema",
            "--tenant-sql",
            &tables,
            "--shared-sql",
            &elsewhere,
        ]);
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{expected}");
        assert!(errors.contains(expected), "{errors}");
    }
}
