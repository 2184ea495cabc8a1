//! Tenants of two schema versions, served side by side while each is switched over under load.

mod locked;
mod log_in;
mod switched;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::database::names;
use crate::harness::{Answer, Caller, Service};

/// What every tenant begins with: version 1.
const TABLES: &str = "
    create table notes (
      id integer generated always as identity primary key,
      title text not null,
      points integer not null default 1,
      dropped text,
      renamed text
    );
    insert into notes (title) select 'note ' || n from generate_series(1, 20) n;
";

/// Changes that no client asks for the like of.
const CHANGES: [&str; 5] = [
    "alter table notes drop column dropped",
    "alter table notes rename column renamed to called",
    "alter table notes add column stars integer not null default 3",
    "create table tags (id integer primary key, note_id integer references notes)",
    "alter table notes alter column points type bigint",
];

const LIST: &str =
    "{ notes(first: 5, orderBy: [{points: ASC}]) { totalCount nodes { id title points } } }";
const CREATE: &str =
    "mutation ($title: String!) { createNote(input: {title: $title}) { id title points } }";
const UPDATE: &str =
    "mutation ($title: String!) { updateNote(id: 1, set: {title: $title}) { title points } }";

/// A `dev` with these tables, and two replicas beside it.
async fn replicas() -> (Service, [Service; 2]) {
    let service = Service::with_tables(TABLES);
    let first = replica(&service, "first", &["--lanes=4"]).await;
    let second = replica(&service, "second", &["--lanes=4"]).await;
    (service, [first, second])
}

async fn replica(service: &Service, name: &str, arguments: &[&str]) -> Service {
    let tables = service.dir().join("tables");
    let tables = ["--tenant-sql", tables.to_str().unwrap()];
    let arguments = [arguments, &tables].concat();
    service.beside(name, None, &arguments).await
}

/// Does to one tenant what migrations do: the tables, the history and the version in one transaction.
async fn switch(psql: &Client, tenant: &Caller, version: i32, change: &str) {
    let (schema, _) = names(psql, tenant.subdomain()).await;
    let migration = format!(
        "begin;
         select from tenantry.tenants where schema_name = '{schema}' for no key update;
         set local search_path = {schema};
         set local lock_timeout = '2s';
         {change};
         insert into tenantry_app_history values ({version}, 'change', now()::text, '1');
         update tenantry.tenants set app_version = {version} where schema_name = '{schema}';
         commit"
    );
    while let Err(error) = psql.batch_execute(&migration).await {
        let state = error.code().map_or("", |code| code.code());
        assert!(matches!(state, "55P03" | "40P01"), "{error:?}");
        psql.batch_execute("rollback").await.unwrap();
    }
}

fn title(title: &str) -> Value {
    json!({ "title": title })
}

/// Asks until the answer has no errors; how long that took.
async fn until_answered(caller: &Caller, query: &str) -> Duration {
    let started = Instant::now();
    loop {
        let answer = caller.query(query).await;
        if !answer.text.contains("\"errors\"") {
            return started.elapsed();
        }
        assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED", "{answer:?}");
        assert!(started.elapsed() < Duration::from_secs(10), "{answer:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[track_caller]
fn assert_answered(answer: &Answer) {
    let data = answer.data();
    let points = data.pointer("/notes/nodes/0/points");
    let points = points.or_else(|| data.pointer("/createNote/points"));
    let points = points.or_else(|| data.pointer("/updateNote/points"));
    // A Postgres bigint is a string.
    assert!(
        points == Some(&json!(1)) || points == Some(&json!("1")),
        "{data}"
    );
}
