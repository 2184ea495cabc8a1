//! Baselines: new schemas take the short way, and those that are in use go on as before.

use tokio_postgres::Client;

use super::{count, migrate, migrations};
use crate::testing::TestDatabase;

const FILES: [(&str, &str); 4] = [
    ("V1__a.sql", "create table a (id int);\n"),
    ("U2__b.sql", "create table b (id int);\n"),
    ("V3__c.sql", "create table c (id int);\n"),
    (
        "V5__d.sql",
        "alter table a add d int; insert into a values (1, 2);\n",
    ),
];

/// A baseline of the first three, which makes another table besides: one can see where it has run.
fn baseline() -> (String, String) {
    let app = migrations(&FILES[..3]).app;
    let body = "create table public.a (id int); create table public.b (id int); create table public.c (id int);
        create table public.short_cut (id int);\n";
    (app.baseline_name(), app.baseline_text(body))
}

/// What counts as having run, and whether the baseline has.
async fn ran(client: &Client) -> (String, bool) {
    let row = client
        .query_one(
            "select string_agg(concat_ws(' ', version, name, checksum), ', ' order by version), \
               to_regclass('s.short_cut') is not null from s.tenantry_app_history",
            &[],
        )
        .await;
    let row = row.unwrap();
    (row.get(0), row.get(1))
}

async fn empty(client: &Client) {
    let statement = "drop schema if exists s cascade";
    client.batch_execute(statement).await.unwrap();
}

#[tokio::test]
async fn a_new_schema_counts_as_having_run_all_that_is_replaced() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let (name, sql) = baseline();
    migrate(&mut client, &migrations(&FILES)).await.unwrap();
    let (wanted, _) = ran(&client).await;
    for there in [&FILES[..], &FILES[2..], &FILES[3..]] {
        empty(&client).await;
        let files = migrations(&[&[(&*name, &*sql)], there].concat());
        migrate(&mut client, &files).await.unwrap();
        assert_eq!(ran(&client).await, (wanted.clone(), true));
        assert_eq!(count(&client, "s.a where d = 2").await, 1);
        // And a second run has nothing to do, with the files as without the baseline.
        migrate(&mut client, &files).await.unwrap();
        migrate(&mut client, &migrations(&FILES)).await.unwrap();
        assert_eq!(count(&client, "s.a").await, 1);
    }
}

#[tokio::test]
async fn a_schema_in_use_runs_the_files_themselves() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let (name, sql) = baseline();
    let baseline = (&*name, &*sql);
    let kept = migrations(&[&[baseline], &FILES[..]].concat());
    for already in 1..=4 {
        empty(&client).await;
        migrate(&mut client, &migrations(&FILES[..already]))
            .await
            .unwrap();
        // What is still to run is gone.
        let gone = migrations(&[baseline, FILES[3]]);
        let outcome = migrate(&mut client, &gone).await;
        if already < 3 {
            let error = outcome.unwrap_err().to_string();
            let missing = format!(": V{}", already + 1);
            assert!(error.contains(&missing), "{error}");
            assert!(error.contains("B3__baseline.sql"), "{error}");
            migrate(&mut client, &kept).await.unwrap();
        } else {
            outcome.unwrap();
        }
        assert_eq!(count(&client, "s.a where d = 2").await, 1);
        assert!(!ran(&client).await.1);
    }
}

#[tokio::test]
async fn what_may_run_late_does_so_after_the_baseline() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let (name, sql) = baseline();
    let late = ("U0__late.sql", "alter table short_cut add late int;\n");
    let files = migrations(&[(&name, &sql), late]);
    migrate(&mut client, &files).await.unwrap();
    assert_eq!(count(&client, "s.short_cut where late is null").await, 0);
    assert!(ran(&client).await.0.starts_with("0 late "));
}

#[tokio::test]
async fn values_that_later_files_add_to_an_enum_can_be_used_at_once() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let old = (
        "V1__m.sql",
        "create type mood as enum ('sad'); create table m (mood mood);\n",
    );
    let new = (
        "V2__n.sql",
        "alter type mood add value 'happy'; insert into m values ('happy');\n",
    );
    let app = migrations(&[old]).app;
    let sql = app.baseline_text(
        "CREATE TYPE public.mood AS ENUM (\n    'sad'\n);\ncreate table public.m (mood public.mood);\n",
    );
    for there in [&[][..], &[old]] {
        empty(&client).await;
        let files = migrations(&[&[("B1__m.sql", &*sql), new], there].concat());
        migrate(&mut client, &files).await.unwrap();
        assert_eq!(count(&client, "s.m where mood = 'happy'").await, 1);
    }
}
