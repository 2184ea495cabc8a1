//! Several at once: runs, and sign-ups in the middle of one.

use super::{Fleet, told};
use crate::harness::eventually;

const SLOW: &str = "insert into notes (body) values ('migrated');\nselect pg_sleep(0.2);\n";
const ASLEEP: &str = "select count(*) > 0 from pg_stat_activity where wait_event = 'PgSleep'";

impl Fleet {
    async fn is_at_work(&self) {
        eventually("a run is at work", async || {
            (self.scalar(ASLEEP).await == "t").then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn of_two_runs_one_works_and_the_other_waits_or_says_so() {
    let fleet = Fleet::of(6).await;
    fleet.write("V2__slow.sql", SLOW);
    let first = fleet.start(&["--no-rehearsal", "--jobs", "1"]);
    fleet.is_at_work().await;
    let (status, text) = fleet.run(&["--no-wait"]);
    assert_eq!(status, 8, "{text}");
    assert!(text.contains(&format!("process {}", first.id())), "{text}");
    let second = fleet.start(&[]);
    let first = told(&first.wait_with_output().unwrap());
    let second = told(&second.wait_with_output().unwrap());
    assert_eq!((first.0, second.0), (0, 0), "{first:?} {second:?}");
    assert!(first.1.contains("6 tenants migrated"), "{first:?}");
    assert!(
        second.1.contains("waiting") && second.1.contains("nothing to do"),
        "{second:?}"
    );
    assert_eq!(fleet.notes("migrated").await, "1");
    fleet.assert_equal().await;
}

/// The service knows the first file only, so that whoever signs up with it is behind at once.
#[tokio::test]
async fn who_signs_up_meanwhile_is_brought_up_too() {
    let fleet = Fleet::of(4).await;
    fleet.write("V2__slow.sql", SLOW);
    let run = fleet.start(&["--no-rehearsal", "--jobs", "1"]);
    fleet.is_at_work().await;
    fleet.service.try_sign_up("late").await.data();
    let (status, text) = told(&run.wait_with_output().unwrap());
    assert_eq!(status, 0, "{text}");
    assert_eq!(fleet.versions().await, "2:5");
    assert_eq!(fleet.notes("migrated").await, "1");
}

/// Deleted tenants may come back, and purged ones do not.
#[tokio::test]
async fn deleted_tenants_are_migrated_and_purged_ones_are_not_missed() {
    let fleet = Fleet::of(4).await;
    let operate = |arguments: &[&str]| {
        let mut command = crate::harness::tenantry(&["tenant"]);
        command
            .args(arguments)
            .arg("--data-dir")
            .arg(fleet.service.dir().data());
        assert!(command.output().unwrap().status.success(), "{arguments:?}");
    };
    operate(&["delete", "tenant-3", "--yes"]);
    operate(&["delete", "tenant-4", "--yes"]);
    fleet.write("V2__slow.sql", SLOW);
    let run = fleet.start(&["--no-rehearsal", "--jobs", "1"]);
    fleet.is_at_work().await;
    operate(&["purge", "tenant-4", "--yes"]);
    let (status, text) = told(&run.wait_with_output().unwrap());
    assert_eq!(status, 0, "{text}");
    assert_eq!(fleet.versions().await, "2:3");
    operate(&["restore", "tenant-3"]);
    assert_eq!(fleet.notes("migrated").await, "1");
}
