//! Migrations that do not go through everywhere.

use super::{Fleet, told};

const CHECK: &str = "insert into notes (body) values ('migrated');\n\
    alter table notes\n  add constraint no_secrets check (body not like 'secret%');\n";

#[tokio::test]
async fn a_rehearsal_names_whose_rows_break_a_constraint_and_nothing_has_changed() {
    let fleet = Fleet::of(6).await;
    fleet.add_note("tenant-4", "secret 4711").await;
    fleet.write("V2__check.sql", CHECK);
    let before = fleet.contents().await;
    let (status, text) = fleet.run(&[]);
    assert_eq!(status, 7, "{text}");
    for expected in [
        "tenant-4: V2__check.sql, line 2: ",
        "no_secrets",
        "[23514]",
        "no tenant has changed",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(!text.contains("4711"), "{text}");
    assert_eq!(fleet.contents().await, before);
    assert_eq!(fleet.notes("migrated").await, "0");
    let failure = "select concat_ws(' ', subdomain, set, version, file, line, sql_state, rehearsal) \
         from tenantry.migration_failures join tenantry.tenants on id = tenant_id";
    assert_eq!(
        fleet.scalar(failure).await,
        "tenant-4 app 2 V2__check.sql 2 23514 t"
    );
}

#[tokio::test]
async fn without_a_rehearsal_it_stops_there_and_goes_on_when_that_is_mended() {
    let fleet = Fleet::of(6).await;
    fleet.add_note("tenant-4", "secret 4711").await;
    fleet.write("V2__check.sql", CHECK);
    let (status, text) = fleet.run(&["--no-rehearsal", "--jobs", "1"]);
    assert_eq!(status, 6, "{text}");
    assert!(text.contains("tenant-4: V2__check.sql, line 2: "), "{text}");
    assert!(text.contains("3 migrated, 2 left"), "{text}");
    assert_eq!(fleet.versions().await, "1:3 2:3");
    // Others are tried when that many may fail.
    let arguments = ["--no-rehearsal", "--max-failures", "5"];
    assert_eq!(fleet.run(&arguments).0, 6);
    assert_eq!(
        fleet.versions().await,
        "1:3 2:3",
        "the canary is the one that fails"
    );
    let arguments = [&arguments[..], &["--canary", "0%"]].concat();
    assert_eq!(fleet.run(&arguments).0, 6);
    assert_eq!(fleet.versions().await, "1:1 2:5");

    let (schema, _) = crate::harness::database::names(&fleet.psql, "tenant-4").await;
    let mend = format!("delete from {schema}.notes where body like 'secret%'");
    fleet.psql.batch_execute(&mend).await.unwrap();
    let events = fleet.events(&[]);
    let migrated = events.iter().filter(|event| event["event"] == "migrated");
    let migrated: Vec<_> = migrated
        .map(|event| event["tenant"].as_str().unwrap())
        .collect();
    assert_eq!(migrated, ["tenant-4"]);
    assert_eq!(fleet.notes("migrated").await, "1", "nobody twice");
    fleet.assert_equal().await;
    assert_eq!(
        fleet
            .scalar("select count(*) from tenantry.migration_failures")
            .await,
        "0"
    );
}

#[tokio::test]
async fn a_canary_that_fails_is_the_only_one() {
    let fleet = Fleet::of(4).await;
    fleet.add_note("tenant-3", "secret").await;
    fleet.write("V2__check.sql", CHECK);
    let before = fleet.contents().await;
    let arguments = [
        "--no-rehearsal",
        "--canary",
        "tenant-3,25%",
        "--max-failures",
        "9",
    ];
    let (status, text) = fleet.run(&arguments);
    assert_eq!(status, 6, "{text}");
    assert!(text.contains("0 migrated, 3 left"), "{text}");
    assert_eq!(fleet.contents().await, before);
}

/// What is checked at the end of a transaction is checked by a rehearsal, too; what is wrong with a file is told once.
#[tokio::test]
async fn deferred_constraints_and_broken_files_are_found() {
    let fleet = Fleet::of(3).await;
    let deferred = "alter table notes add parent bigint constraint known references notes deferrable initially deferred;\n\
        update notes set parent = -1 where body = 'orphan';\n";
    fleet.add_note("globex", "orphan").await;
    fleet.write("V2__parents.sql", deferred);
    let (status, text) = fleet.run(&["--show-details"]);
    assert_eq!(status, 7, "{text}");
    assert!(
        text.contains("globex: ") && text.contains("known") && text.contains("[23503]"),
        "{text}"
    );
    assert!(text.contains("(parent)=(-1)"), "these are details: {text}");

    fleet.write(
        "V2__parents.sql",
        "select 1;\n\nalter table nots add x int;\n",
    );
    let (status, text) = fleet.run(&[]);
    assert_eq!(status, 7, "{text}");
    assert!(
        text.contains("acme, globex, tenant-3: V2__parents.sql, line 3: "),
        "{text}"
    );
    assert_eq!(text.matches("acme, globex").count(), 1, "{text}");
    // A file that does not parse is no migration.
    fleet.write("V2__parents.sql", "select 'open;\n");
    assert_eq!(fleet.run(&[]).0, 9);
}

#[tokio::test]
async fn files_that_were_edited_or_are_gone_are_refused_by_name() {
    let fleet = Fleet::of(3).await;
    fleet.write("V2__stars.sql", "alter table notes add stars int;\n");
    assert_eq!(fleet.run(&[]).0, 0);
    let before = fleet.contents().await;
    fleet.write("V3__hearts.sql", "alter table notes add hearts int;\n");
    fleet.write("V2__stars.sql", "alter table notes add stars bigint;\n");
    let flags: [&[&str]; 3] = [&[], &["--dry-run"], &["--no-rehearsal"]];
    for flags in flags {
        let (status, text) = fleet.run(flags);
        assert_eq!(status, 9, "{text}");
        assert!(
            text.contains("V2__stars") && !text.contains("V1__"),
            "{text}"
        );
    }
    let mut others = crate::harness::tenantry(&["migrate", "--data-dir"]);
    let output = others.arg(fleet.service.dir().data()).output().unwrap();
    let (status, text) = told(&output);
    assert_eq!((status, text.contains("--tenant-sql")), (9, true), "{text}");
    std::fs::remove_file(fleet.sql.join("V2__stars.sql")).unwrap();
    let (status, text) = fleet.run(&[]);
    assert_eq!((status, text.contains("V2__stars")), (9, true), "{text}");
    assert_eq!(fleet.contents().await, before);
}

#[tokio::test]
async fn a_version_at_which_nobody_could_sign_up_is_not_begun() {
    let fleet = Fleet::of(3).await;
    let file = "do $$ begin if not exists (select from users) then raise 'nobody is here'; end if; end $$;\n";
    fleet.write("V2__people.sql", file);
    let before = fleet.contents().await;
    let (status, text) = fleet.run(&[]);
    assert_eq!(status, 7, "{text}");
    for expected in [
        "nobody could sign up",
        "V2__people.sql, line 1: nobody is here",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert_eq!(fleet.contents().await, before);
    // What is mended has run nowhere.
    fleet.write("V2__people.sql", "select 1;\n");
    assert_eq!(fleet.run(&[]).0, 0);
}

#[tokio::test]
async fn a_schema_that_is_gone_is_seen() {
    let fleet = Fleet::of(3).await;
    let (schema, _) = crate::harness::database::names(&fleet.psql, "tenant-3").await;
    let drop = format!("drop schema {schema} cascade");
    fleet.psql.batch_execute(&drop).await.unwrap();
    let (status, text) = told(&fleet.tool("status", &[]).output().unwrap());
    assert_eq!(status, 11, "{text}");
    assert!(text.contains("tenant-3: its schema is gone"), "{text}");
}
