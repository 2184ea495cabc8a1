//! Migrations against a real Postgres: what has run is remembered, and mistakes are found by file and line.

mod autocommit;
mod baseline;

use tokio_postgres::Client;

use super::{MigrationError, Migrations, run, run_script};
use crate::names::SchemaName;
use crate::testing::TestDatabase;

/// Migrations of a directory with these files.
fn migrations(files: &[(&str, &str)]) -> Migrations {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    Migrations::from_dir(dir.path()).unwrap()
}

/// Runs them in schema `s`, as sign-up does.
async fn migrate(client: &mut Client, migrations: &Migrations) -> Result<(), MigrationError> {
    client
        .batch_execute("create schema if not exists s; create schema if not exists extensions")
        .await?;
    let schema = SchemaName::parse("s").unwrap();
    let transaction = client.transaction().await?;
    run(&transaction, &schema, &migrations.app).await?;
    if let Some(seed) = &migrations.seed {
        run_script(&transaction, &schema, seed).await?;
    }
    Ok(transaction.commit().await?)
}

async fn count(client: &Client, relation: &str) -> i64 {
    let row = client
        .query_one(&format!("select count(*) from {relation}"), &[])
        .await;
    row.unwrap().get(0)
}

#[tokio::test]
async fn what_has_run_does_not_run_again() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let first = (
        "V1__a.sql",
        "create table a (id int);\ninsert into a values (1);\n",
    );
    let second = ("V2__b.sql", "create table b (id int);\n");
    migrate(&mut client, &migrations(&[first])).await.unwrap();
    migrate(&mut client, &migrations(&[first])).await.unwrap();
    migrate(&mut client, &migrations(&[first, second]))
        .await
        .unwrap();
    assert_eq!(count(&client, "s.a").await, 1);
    assert_eq!(count(&client, "s.b").await, 0);
    assert_eq!(count(&client, "s.tenantry_app_history").await, 2);
}

#[tokio::test]
async fn an_edited_or_missing_migration_is_an_error() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let second = ("V2__b.sql", "create table b (id int);\n");
    let sets = [
        migrations(&[("V1__a.sql", "create table a (id int);\n"), second]),
        migrations(&[("V1__a.sql", "create table a (id bigint);\n"), second]),
        migrations(&[second]),
    ];
    migrate(&mut client, &sets[0]).await.unwrap();
    for edited in &sets[1..] {
        let error = migrate(&mut client, edited).await.unwrap_err();
        assert!(matches!(error, MigrationError::History(_)));
        assert!(error.to_string().contains("V1__a"), "{error}");
    }
}

#[tokio::test]
async fn dumps_run_with_their_rows() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let dump = "set client_encoding = 'UTF8';\nselect pg_catalog.set_config('search_path', '', false);\n\
        create table public.people (id integer not null, name text);\n\
        COPY public.people (id, name) FROM stdin;\n1\tAda\n2\t\\N\n3\ttab\\there\n\\.\n\n\
        alter table only public.people add constraint people_pkey primary key (id);\n";
    let seed = ("seed.sql", "insert into people values (4, 'Grace');\n");
    migrate(&mut client, &migrations(&[("dump.sql", dump), seed]))
        .await
        .unwrap();
    assert_eq!(count(&client, "s.people where name is not null").await, 3);
}

#[tokio::test]
async fn mistakes_are_found() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    for (sql, line, reason) in [
        (
            "create table t (\n  id int,\n  x itn\n);\n",
            3,
            "type \"itn\" does not exist",
        ),
        (
            "select 1;\n\nselect 1 / 0;\nselect 2;\n",
            3,
            "division by zero",
        ),
        (
            "create table t (id int primary key);\ninsert into t values (1);\n\ninsert into t values (1);\n",
            4,
            "duplicate key",
        ),
        (
            "create table t (id int);\nCOPY t FROM stdin;\n1\nx\n\\.\n",
            2,
            "line 2",
        ),
        ("do $$\nbegin\n  raise 'no way';\nend $$;\n", 1, "no way"),
    ] {
        let error = migrate(&mut client, &migrations(&[("V1__t.sql", sql)]))
            .await
            .unwrap_err();
        let message = error.to_string();
        assert!(
            message.starts_with(&format!("V1__t.sql, line {line}: ")),
            "{message}"
        );
        assert!(message.contains(reason), "{message}");
    }
}
