//! Values that one file adds to an enum and a later one uses, which takes a commit in between.

use super::{Fleet, told};
use crate::harness::{eventually, tenantry};

const MOOD: &str =
    "create type mood as enum ('ok');\nalter table notes add mood mood not null default 'ok';\n";
const ADDS: &str = "alter type mood add value 'great';\n";
const USES: &str = "insert into notes (body, mood) values ('used', 'great');\n\
    alter table notes alter mood set default 'great';\n";

impl Fleet {
    /// Tenants with an enum, and files that add a value and use it.
    async fn with_moods(size: usize) -> Self {
        let fleet = Self::of(size).await;
        fleet.write("V2__mood.sql", MOOD);
        let (status, text) = fleet.run(&[]);
        assert_eq!(status, 0, "{text}");
        fleet.write("V3__adds.sql", ADDS);
        fleet.write("V4__uses.sql", USES);
        fleet
    }
}

#[tokio::test]
async fn who_is_behind_by_both_files_gets_them_one_after_the_other() {
    let fleet = Fleet::with_moods(4).await;
    assert_eq!(fleet.run(&["--to", "3", "--tenant", "globex"]).0, 0);
    fleet.write("V5__stars.sql", "alter table notes add stars int;\n");
    fleet.write("V6__adds.sql", "alter type mood add value 'fine';\n");
    fleet.write("V7__uses.sql", "update notes set mood = 'fine';\n");
    let (status, text) = fleet.run(&[]);
    assert_eq!(status, 0, "{text}");
    assert_eq!(fleet.versions().await, "7:4");
    for line in [
        "not rehearsed: V4__uses.sql, as it uses a value that V3__adds.sql adds to an enum",
        "not rehearsed: V7__uses.sql, as it uses a value that V6__adds.sql adds to an enum",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(!text.contains("this fails"), "{text}");
    assert_eq!(fleet.notes("used").await, "1");
    fleet.assert_equal().await;

    let mut lint = tenantry(&["migration", "lint", "--since", "2", "--tenant-sql"]);
    let (_, text) = told(&lint.arg(&fleet.sql).output().unwrap());
    assert!(!text.contains("fails"), "{text}");
}

#[tokio::test]
async fn killed_in_between_it_goes_on_from_there() {
    let fleet = Fleet::with_moods(3).await;
    fleet.write("V5__slow.sql", "select pg_sleep(3);\n");
    let mut run = fleet.start(&["--no-rehearsal", "--jobs", "1"]);
    eventually("one is in between", async || {
        (fleet.versions().await == "2:2 3:1").then_some(())
    })
    .await;
    run.kill().unwrap();
    run.wait().unwrap();
    fleet.write("V5__slow.sql", "select 5;\n");
    let (status, text) = fleet.run(&[]);
    assert_eq!(status, 0, "{text}");
    assert_eq!(fleet.versions().await, "5:3");
    assert_eq!(fleet.notes("used").await, "1");
    fleet.assert_equal().await;
}

#[tokio::test]
async fn a_file_that_does_both_is_refused() {
    let fleet = Fleet::with_moods(2).await;
    fleet.write(
        "V5__both.sql",
        "alter type mood add value 'fine';\ndo $$ begin update notes set mood = 'fine'; end $$;\n",
    );
    let before = fleet.contents().await;
    let (status, text) = fleet.run(&["--to", "3"]);
    assert_eq!(status, 0, "{text}");
    let between = fleet.contents().await;
    assert_ne!(before, between);
    // The one before it can be rehearsed by now, and it cannot, whatever is committed.
    let (status, text) = fleet.run(&[]);
    assert_eq!(status, 7, "{text}");
    assert!(text.contains("V5__both.sql, line 2: "), "{text}");
    assert!(
        text.contains("into a file after the one that adds it"),
        "{text}"
    );
    assert_eq!(fleet.contents().await, between);
}

#[tokio::test]
async fn all_or_none_takes_two_runs() {
    let fleet = Fleet::with_moods(3).await;
    let before = fleet.contents().await;
    let (status, text) = fleet.run(&["--atomic"]);
    assert_eq!(status, 4, "{text}");
    assert!(text.contains("V4__uses.sql does not run"), "{text}");
    assert!(text.contains("V3__adds.sql adds to an enum"), "{text}");
    assert!(!text.contains("one connection migrates"), "{text}");
    assert_eq!(fleet.contents().await, before);
    for arguments in [&["--atomic", "--to", "3"][..], &["--atomic"]] {
        let (status, text) = fleet.run(arguments);
        assert_eq!(status, 0, "{text}");
    }
    assert_eq!(fleet.versions().await, "4:3");
    fleet.assert_equal().await;
}
