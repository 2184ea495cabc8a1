//! Several at once: runs, and sign-ups in the middle of one.

use std::process::Child;

use super::{Fleet, told};
use crate::harness::eventually;

/// Does not end before the test opens the gate.
const SLOW: &str = "insert into notes (body) values ('migrated');
    do $$ begin
      while exists (select from pg_locks where locktype = 'advisory' and objid = 4711) loop
        perform pg_sleep(0.05);
      end loop;
    end $$;";
const ASLEEP: &str = "select count(*) > 0 from pg_stat_activity where wait_event = 'PgSleep'";
/// Whose last question was for the lock did not get it.
const QUEUED: &str = "select count(*) > 0 from pg_stat_activity
    where query = 'select pg_try_advisory_lock($1)' and pid <> pg_backend_pid()";

impl Fleet {
    /// Starts a run that waits in the first tenant's migration until [`Self::open_gate`].
    async fn start_slowly(&self) -> Child {
        self.write("V2__slow.sql", SLOW);
        let shut = "select pg_advisory_lock(4711)";
        self.psql.batch_execute(shut).await.unwrap();
        let run = self.start(&["--no-rehearsal", "--jobs", "1"]);
        self.becomes_true(ASLEEP).await;
        run
    }

    async fn open_gate(&self) {
        let open = "select pg_advisory_unlock(4711)";
        self.psql.batch_execute(open).await.unwrap();
    }

    async fn becomes_true(&self, statement: &str) {
        eventually(statement, async || {
            (self.scalar(statement).await == "t").then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn of_two_runs_one_works_and_the_other_waits_or_says_so() {
    let fleet = Fleet::of(6).await;
    let first = fleet.start_slowly().await;
    let (status, text) = fleet.run(&["--no-wait"]);
    assert_eq!(status, 8, "{text}");
    assert!(text.contains(&format!("process {}", first.id())), "{text}");
    let second = fleet.start(&[]);
    fleet.becomes_true(QUEUED).await;
    fleet.open_gate().await;
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
    let run = fleet.start_slowly().await;
    fleet.service.try_sign_up("late").await.data();
    fleet.open_gate().await;
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
    let run = fleet.start_slowly().await;
    operate(&["purge", "tenant-4", "--yes"]);
    fleet.open_gate().await;
    let (status, text) = told(&run.wait_with_output().unwrap());
    assert_eq!(status, 0, "{text}");
    assert_eq!(fleet.versions().await, "2:3");
    operate(&["restore", "tenant-3"]);
    assert_eq!(fleet.notes("migrated").await, "1");
}
