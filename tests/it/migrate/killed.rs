//! Runs that are killed at any moment, and run again.

use std::time::Duration;

use super::Fleet;
use crate::harness::{Chance, setting};

#[tokio::test]
async fn a_run_may_be_killed_at_any_moment() {
    let fleet = Fleet::of(30).await;
    let mut chance = Chance::new(setting("KILL_SEED", 6));
    for version in 2..12 {
        let sql = format!(
            "alter table notes add column_{version} int not null default {version};\n\
             select pg_sleep(0.02);\n\
             insert into notes (body) values ('version {version}');\n"
        );
        fleet.write(&format!("V{version}__more.sql"), &sql);
        let flags: &[&str] = if version % 2 == 0 {
            &["--no-rehearsal"]
        } else {
            &[]
        };
        let mut killed = fleet.start(flags);
        tokio::time::sleep(Duration::from_millis(chance.below(800) as u64)).await;
        killed.kill().unwrap();
        killed.wait().unwrap();
        let (status, text) = fleet.run(flags);
        assert_eq!(status, 0, "{text}");
        assert_eq!(fleet.versions().await, format!("{version}:30"));
        assert_eq!(fleet.notes(&format!("version {version}")).await, "1");
    }
    fleet.assert_equal().await;
    let open = "select count(*) from tenantry.migration_runs where state not in ('done', 'killed')";
    assert_eq!(fleet.scalar(open).await, "0");
}
