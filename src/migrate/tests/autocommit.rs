//! Files without a transaction: where they run, what a failure leaves, and how they go on.

use std::time::Duration;

use tokio_postgres::{Client, SimpleQueryMessage};

use super::{count, migrate, migrations};
use crate::migrate::{
    AutocommitFile, History, MigrationError, Migrations, Ran, Start, Stop, Unrun, run, run_pending,
};
use crate::names::SchemaName;
use crate::testing::TestDatabase;

const TABLE: (&str, &str) = ("V1__t.sql", "create table t (id int, a int);\n");

fn schema() -> SchemaName {
    SchemaName::parse("s").unwrap()
}

/// Runs all that has not run yet in schema `s`, as the fleet is migrated. The name of each file that ran alone.
async fn upgrade(
    client: &mut Client,
    migrations: &Migrations,
) -> Result<Vec<String>, MigrationError> {
    let mut alone: Vec<AutocommitFile<'_>> = Vec::new();
    loop {
        let next = run_part(client, migrations, alone.last().copied())
            .await?
            .next;
        let Some(Stop::Autocommit(file)) = next else {
            return Ok(alone.iter().map(|file| file.name().to_owned()).collect());
        };
        run_alone(client, file, 0, Start::Fresh).await?;
        alone.push(file);
    }
}

/// One transaction of that, which also remembers that a file has run.
async fn run_part<'a>(
    client: &mut Client,
    migrations: &'a Migrations,
    finished: Option<AutocommitFile<'_>>,
) -> Result<Ran<'a>, MigrationError> {
    let transaction = client.transaction().await?;
    let mut history = History::default();
    for message in transaction
        .simple_query(&History::query(&schema(), migrations))
        .await?
    {
        if let SimpleQueryMessage::Row(row) = message {
            history.add(&row)?;
        }
    }
    if let Some(file) = finished {
        file.record(&transaction, &schema(), &mut history).await?;
    }
    let ran = run_pending(&transaction, &schema(), migrations, &history, None).await;
    let ran = ran.map_err(|why| match why {
        Unrun::Failed(_, error) => error,
        Unrun::NotYet(value) => MigrationError::History(value.to_string()),
    })?;
    transaction.commit().await?;
    Ok(ran)
}

/// The schema as it is after the first of these files, which all are loaded.
async fn start(client: &mut Client, files: &[(&str, &str)]) -> Migrations {
    let empty = "drop schema if exists s cascade; create schema s";
    client.batch_execute(empty).await.unwrap();
    let first = load(&files[..1]);
    let transaction = client.transaction().await.unwrap();
    for set in [&first.base, &first.app] {
        run(&transaction, &schema(), set).await.unwrap();
    }
    transaction.commit().await.unwrap();
    load(files)
}

/// The app's files only: those of the service need a registry.
fn load(files: &[(&str, &str)]) -> Migrations {
    let mut migrations = migrations(files);
    migrations.base.files.clear();
    migrations.finish().unwrap()
}

async fn run_alone(
    client: &Client,
    file: AutocommitFile<'_>,
    done: usize,
    start: Start,
) -> Result<(), MigrationError> {
    file.enter(client, &schema()).await?;
    for at in file.remaining(done) {
        let start = if at == done { start } else { Start::Fresh };
        let outcome = file
            .run(client, &schema(), at, start, Duration::from_secs(5))
            .await;
        if outcome.is_err() {
            file.clean_up(client, &schema(), at).await?;
        }
        outcome?;
    }
    Ok(AutocommitFile::leave(client).await?)
}

/// The indexes of the schema, those that are not valid with a mark.
async fn indexes(client: &Client) -> Vec<String> {
    let statement = "select indexrelid::regclass::text || case when indisvalid then '' else '!' end from pg_index \
        join pg_class c on c.oid = indrelid where relnamespace = 's'::regnamespace and relname !~ 'history' order by 1";
    let rows = client.query(statement, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// What a build leaves that was cut short.
async fn break_index(client: &Client, name: &str) {
    let statement = "update pg_index set indisvalid = false where indexrelid = to_regclass($1)";
    client.execute(statement, &[&name]).await.unwrap();
}

#[tokio::test]
async fn a_marked_file_is_committed_by_itself_and_a_new_schema_needs_none_of_that() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let marked = "-- tenantry: no transaction\nset lock_timeout = '3s';\ncreate index concurrently t_a on public.t (a);\nvacuum t;\n";
    let files = [
        TABLE,
        ("V2__i.sql", marked),
        (
            "V3__u.sql",
            "alter table t add b int;\ncreate index t_b on t (b);\n",
        ),
    ];
    let loaded = start(&mut client, &files).await;
    let alone = upgrade(&mut client, &loaded).await.unwrap();
    assert_eq!(alone, ["V2__i.sql"]);
    assert_eq!(indexes(&client).await, ["s.t_a", "s.t_b"]);
    assert_eq!(count(&client, "s.tenantry_app_history").await, 3);
    assert!(upgrade(&mut client, &loaded).await.unwrap().is_empty());
    let settings = client.query_one(
        "select current_setting('lock_timeout'), current_setting('search_path')",
        &[],
    );
    let settings = settings.await.unwrap();
    assert_eq!(settings.get::<_, &str>(0), "0");
    assert!(
        !settings.get::<_, &str>(1).contains("extensions"),
        "the file's settings are gone"
    );

    client.batch_execute("drop schema s cascade").await.unwrap();
    migrate(&mut client, &loaded).await.unwrap();
    assert_eq!(indexes(&client).await, ["s.t_a", "s.t_b"]);
}

#[tokio::test]
async fn a_unique_index_that_fails_is_not_left_behind() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let marked = "-- tenantry: no transaction\n\ncreate unique index concurrently if not exists t_a on t (a);\n";
    let files = start(&mut client, &[TABLE, ("V2__i.sql", marked)]).await;
    client
        .batch_execute("insert into s.t values (1, 7), (2, 7)")
        .await
        .unwrap();
    let error = upgrade(&mut client, &files).await.unwrap_err().to_string();
    assert!(
        error.starts_with("V2__i.sql, line 3: could not create unique index"),
        "{error}"
    );
    assert!(indexes(&client).await.is_empty());
    client
        .batch_execute("delete from s.t where id = 2")
        .await
        .unwrap();
    upgrade(&mut client, &files).await.unwrap();
    assert_eq!(indexes(&client).await, ["s.t_a"]);
}

#[tokio::test]
async fn what_a_killed_run_left_is_removed_and_what_it_did_is_not_done_again() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let marked = "-- tenantry: no transaction\nset work_mem = '2MB';\n\
        create index concurrently t_a on t (a);\ncreate index concurrently \"T\" on t (id);\n";
    let files = start(&mut client, &[TABLE, ("V2__i.sql", marked)]).await;
    let ran = run_part(&mut client, &files, None).await.unwrap();
    let Some(Stop::Autocommit(file)) = ran.next else {
        panic!("{:?}", ran.next)
    };
    assert_eq!((file.name(), file.version()), ("V2__i.sql", 2));
    assert_eq!(
        file.remaining(2).collect::<Vec<_>>(),
        [0, 2],
        "settings hold for the rest"
    );
    // Killed within the second statement, which was done, but for the note that it was.
    client
        .batch_execute("create index t_a on s.t (a); create index \"T\" on s.t (id)")
        .await
        .unwrap();
    break_index(&client, "s.\"T\"").await;
    assert_eq!(indexes(&client).await, ["s.\"T\"!", "s.t_a"]);
    run_alone(&client, file, 1, Start::CutShort).await.unwrap();
    assert_eq!(indexes(&client).await, ["s.\"T\"", "s.t_a"]);
    file.enter(&client, &schema()).await.unwrap();
    // An index that was there before is somebody else's.
    let error = file
        .run(&client, &schema(), 1, Start::Fresh, Duration::from_secs(5))
        .await;
    assert!(error.unwrap_err().to_string().contains("already exists"));
}

#[tokio::test]
async fn copies_that_a_killed_reindex_left_are_removed() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let marked = "-- tenantry: no transaction\nreindex table concurrently t;\n";
    let files = start(&mut client, &[TABLE, ("V2__r.sql", marked)]).await;
    let indexes_there = "create index t_a on s.t (a); create index t_a_ccnew on s.t (a); create index t_b_ccold1 on s.t (a);
        create table s.other (a int); create index other_ccnew on s.other (a)";
    client.batch_execute(indexes_there).await.unwrap();
    for name in ["s.t_a_ccnew", "s.t_b_ccold1", "s.other_ccnew"] {
        break_index(&client, name).await;
    }
    upgrade(&mut client, &files).await.unwrap();
    assert_eq!(indexes(&client).await, ["s.other_ccnew!", "s.t_a"]);
}

#[tokio::test]
async fn a_partition_that_was_cut_short_is_detached_to_the_end() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let table = "create table t (a int) partition by list (a);\ncreate table t1 partition of t for values in (1);\n";
    let marked = "-- tenantry: no transaction\nalter table t detach partition t1 concurrently;\n";
    let files = [("V1__t.sql", table), ("V2__d.sql", marked)];
    let files = start(&mut client, &files).await;
    // Somebody reads the table for longer than the statement waits.
    let mut reader = test.superuser().await;
    let reading = reader.transaction().await.unwrap();
    reading.batch_execute("table s.t").await.unwrap();
    client
        .batch_execute("set lock_timeout = '100ms'")
        .await
        .unwrap();
    let cut_short = "alter table s.t detach partition s.t1 concurrently";
    client.batch_execute(cut_short).await.unwrap_err();
    reading.rollback().await.unwrap();
    let parents = "pg_inherits where inhrelid = 's.t1'::regclass";
    assert_eq!(count(&client, parents).await, 1);
    upgrade(&mut client, &files).await.unwrap();
    assert_eq!(count(&client, parents).await, 0);
}

#[tokio::test]
async fn portions_are_committed_one_by_one_and_in_a_new_schema_together() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let table = "create table t (id int, a int);\ninsert into t select n from generate_series(1, 10) as n;\n";
    let portions = "-- tenantry: no transaction\ndo $$ begin\n  loop\n    update t set a = 1 where id in (select id from t where a is null limit 3);\n\
        exit when not found;\n    commit;\n  end loop;\nend $$;\n";
    let files = [("V1__t.sql", table), ("V2__a.sql", portions)];
    migrate(&mut client, &migrations(&files)).await.unwrap();
    assert_eq!(count(&client, "s.t where a = 1").await, 10);
    let files = start(&mut client, &files).await;
    upgrade(&mut client, &files).await.unwrap();
    assert_eq!(count(&client, "s.t where a = 1").await, 10);
    let transactions = client
        .query_one("select count(distinct xmin::text) from s.t", &[])
        .await;
    assert_eq!(transactions.unwrap().get::<_, i64>(0), 4);
}

#[tokio::test]
async fn what_a_transaction_is_in_the_way_of_says_where_it_belongs() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let first = ("V1__e.sql", "create type e as enum ('a');\n");
    for (sql, expected) in [
        (
            "create procedure p() language plpgsql as $$ begin commit; end $$;\ncall p();\n",
            "-- tenantry: no transaction",
        ),
        (
            "alter type e add value 'b';\nselect 'b'::e;\n",
            "into a file after the one that adds it",
        ),
    ] {
        let files = start(&mut client, &[first, ("V2__x.sql", sql)]).await;
        let error = upgrade(&mut client, &files).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn the_version_in_between_is_told() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let marked = "-- tenantry: no transaction\ncreate index concurrently t_a on t (a);\n";
    let files = [
        TABLE,
        ("V2__b.sql", "create table b (a int);\n"),
        ("V3__i.sql", marked),
    ];
    let loaded = start(&mut client, &files).await;
    let ran = run_part(&mut client, &loaded, None).await.unwrap();
    assert_eq!(ran.next.unwrap().name(), "V3__i.sql");
    assert_eq!(ran.version, load(&files[..2]).version());
    assert_eq!(count(&client, "s.tenantry_app_history").await, 2);
    upgrade(&mut client, &loaded).await.unwrap();
    assert_eq!(
        run_part(&mut client, &loaded, None).await.unwrap().version,
        loaded.version()
    );
}

#[tokio::test]
async fn a_value_that_was_added_to_an_enum_can_be_used_in_a_new_schema() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let table = "create type mood as enum ('sad', 'ok');\ncreate table t (mood mood not null default 'ok');\n";
    let files = [
        ("V1__t.sql", table),
        (
            "V2__v.sql",
            "-- tenantry: no transaction\nalter type mood add value 'happy' after 'sad';\n",
        ),
        (
            "V3__d.sql",
            "alter table t alter mood set default 'happy';\ninsert into t default values;\n",
        ),
    ];
    let values = "select string_agg(mood::text, ' ' order by mood) from unnest(enum_range(null::s.mood)) as mood";
    let loaded = start(&mut client, &files).await;
    upgrade(&mut client, &loaded).await.unwrap();
    let upgraded: String = client.query_one(values, &[]).await.unwrap().get(0);
    client.batch_execute("drop schema s cascade").await.unwrap();
    migrate(&mut client, &loaded).await.unwrap();
    let made: String = client.query_one(values, &[]).await.unwrap().get(0);
    assert_eq!(
        (upgraded.as_str(), made.as_str()),
        ("sad happy ok", "sad happy ok")
    );
    assert_eq!(count(&client, "s.t where mood = 'happy'").await, 1);
}

/// A tenant that is behind is compared with what its own files make.
#[tokio::test]
async fn a_version_in_between_does_not_have_the_values_of_later_files() {
    let test = TestDatabase::new().await;
    let mut client = test.superuser().await;
    let files = [
        ("V1__t.sql", "create type mood as enum ('sad');\n"),
        ("V2__v.sql", "alter type mood add value 'ok';\n"),
        ("V3__v.sql", "create table t (mood mood default 'ok');\n"),
        ("V4__w.sql", "alter type mood add value 'happy';\n"),
    ];
    for (version, expected) in [(1, 1), (2, 2), (3, 2), (4, 3)] {
        let cut = migrations(&files).up_to(version).unwrap();
        client
            .batch_execute("drop schema if exists s cascade")
            .await
            .unwrap();
        migrate(&mut client, &cut).await.unwrap();
        let values = "unnest(enum_range(null::s.mood))";
        assert_eq!(count(&client, values).await, expected);
    }
}
