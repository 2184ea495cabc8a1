//! Files that run without a transaction, over a fleet.

use std::time::Duration;

use super::{Fleet, told};
use crate::harness::database::names;
use crate::harness::{Chance, tenantry};

const MARK: &str = "-- tenantry: no transaction\n";

/// Each of the tenants' indexes by their names and how many there are; those that are not valid have a mark.
async fn indexes(fleet: &Fleet) -> String {
    fleet
        .scalar(
            "select string_agg(name || ':' || count, ' ' order by name) from ( \
               select c.relname || case when i.indisvalid then '' else '!' end as name, count(*) \
               from pg_index i join pg_class c on c.oid = i.indexrelid \
                 join tenantry.tenants t on t.schema_name = c.relnamespace::regnamespace::text \
               where c.relname ~ '^notes_' and not i.indisprimary group by 1) as counts",
        )
        .await
}

async fn unfinished(fleet: &Fleet) -> String {
    fleet
        .scalar("select count(*) from tenantry.unfinished_migrations")
        .await
}

#[tokio::test]
async fn indexes_are_built_concurrently_and_new_tenants_have_them_too() {
    let fleet = Fleet::of(5).await;
    fleet.write("V2__stars.sql", "alter table notes add stars int;\n");
    let index = format!(
        "{MARK}create index concurrently notes_stars on notes (stars);\nvacuum (analyze) notes;\n"
    );
    fleet.write("V3__index.sql", &index);
    fleet.write("V4__hearts.sql", "alter table notes add hearts int;\n");
    // Those who write to the table meanwhile do not wait for the index, nor does it for long for them.
    let (status, text) = fleet.run(&[]);
    assert_eq!(status, 0, "{text}");
    assert!(
        text.contains("V3__index.sql"),
        "it could not be rehearsed: {text}"
    );
    assert_eq!(fleet.versions().await, "4:5");
    assert_eq!(indexes(&fleet).await, "notes_stars:5");
    assert_eq!(unfinished(&fleet).await, "0");
    fleet.assert_equal().await;

    let data = fleet.service.dir().data();
    let sql = fleet.sql.to_str().unwrap();
    let create = [
        "tenant",
        "create",
        "Late",
        "--owner",
        "Lea",
        "--email",
        "lea@late.test",
        "--tenant-sql",
        sql,
    ];
    let mut command = tenantry(&create);
    let output = command.arg("--data-dir").arg(&data).output().unwrap();
    assert!(output.status.success(), "{:?}", told(&output));
    assert_eq!(indexes(&fleet).await, "notes_stars:6");
    fleet.assert_equal().await;
}

/// An index that is built concurrently waits for every snapshot that is older than itself.
#[tokio::test]
async fn a_run_that_waits_for_another_does_not_hold_its_indexes_up() {
    let fleet = Fleet::of(4).await;
    let index = format!(
        "{MARK}select pg_sleep(0.5);\ncreate index concurrently notes_body on notes (body);\n"
    );
    fleet.write("V2__index.sql", &index);
    let runs = [fleet.start(&["--jobs", "1"]), fleet.start(&["--jobs", "1"])];
    for run in runs {
        let (status, text) = told(&run.wait_with_output().unwrap());
        assert_eq!(status, 0, "{text}");
    }
    assert_eq!(indexes(&fleet).await, "notes_body:4");
}

#[tokio::test]
async fn a_file_that_needs_the_mark_says_so() {
    let fleet = Fleet::of(2).await;
    fleet.write(
        "V2__index.sql",
        "select 1;\ncreate index concurrently notes_body on notes (body);\n",
    );
    let (status, text) = fleet.run(&[]);
    assert_eq!(status, 9, "{text}");
    assert!(
        text.contains("V2__index.sql") && text.contains("line 2"),
        "{text}"
    );
    assert!(text.contains("-- tenantry: no transaction"), "{text}");
}

#[tokio::test]
async fn a_unique_index_stops_at_duplicates_and_goes_on_when_they_are_gone() {
    let fleet = Fleet::of(4).await;
    for _ in 0..2 {
        fleet.add_note("tenant-3", "twice 4711").await;
    }
    let file = format!(
        "{MARK}create index concurrently notes_first on notes (id, body);\n\
         create unique index concurrently notes_once on notes (body);\n"
    );
    fleet.write("V2__once.sql", &file);
    let (status, text) = fleet.run(&["--jobs", "1"]);
    assert_eq!(status, 6, "{text}");
    assert!(
        text.contains("tenant-3: V2__once.sql, line 3: ") && text.contains("[23505]"),
        "{text}"
    );
    assert!(!text.contains("4711"), "{text}");
    assert!(
        !indexes(&fleet).await.contains('!'),
        "{}",
        indexes(&fleet).await
    );
    assert_eq!(unfinished(&fleet).await, "1");

    let (schema, _) = names(&fleet.psql, "tenant-3").await;
    let mend = format!("delete from {schema}.notes where id > 1");
    fleet.psql.batch_execute(&mend).await.unwrap();
    // The first statement is not done again: it would fail, as its index is there.
    let (status, text) = fleet.run(&[]);
    assert_eq!(status, 0, "{text}");
    assert_eq!(indexes(&fleet).await, "notes_first:4 notes_once:4");
    assert_eq!(unfinished(&fleet).await, "0");
    fleet.assert_equal().await;
}

#[tokio::test]
async fn a_run_may_be_killed_while_it_builds_indexes() {
    let fleet = Fleet::of(6).await;
    let mut chance = Chance::new(19);
    for tenant in [
        "acme", "globex", "tenant-3", "tenant-4", "tenant-5", "tenant-6",
    ] {
        fleet.add_note(tenant, "slow").await;
    }
    let slow = "create function slow(text) returns text language plpgsql immutable as $$\n\
        begin perform pg_sleep(0.15); return $1; end $$;\n";
    fleet.write("V2__slow.sql", slow);
    let file = format!(
        "{MARK}create index concurrently notes_a on notes (slow(body));\n\
         create index concurrently notes_b on notes (slow(body));\nreindex index concurrently notes_a;\n"
    );
    fleet.write("V3__indexes.sql", &file);
    for _ in 0..6 {
        let mut killed = fleet.start(&["--jobs", "2"]);
        tokio::time::sleep(Duration::from_millis(200 + chance.below(900) as u64)).await;
        killed.kill().unwrap();
        killed.wait().unwrap();
    }
    let (status, text) = fleet.run(&[]);
    assert_eq!(status, 0, "{text}");
    assert_eq!(fleet.versions().await, "3:6");
    assert_eq!(indexes(&fleet).await, "notes_a:6 notes_b:6");
    assert_eq!(unfinished(&fleet).await, "0");
    fleet.assert_equal().await;
}
