//! Tables that are in use while they are to be migrated.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{Fleet, events, told};
use crate::harness::database::names;
use crate::harness::eventually;

#[tokio::test]
async fn a_busy_table_is_tried_again_and_holds_nobody_up() {
    let fleet = Fleet::of(6).await;
    fleet.write("V2__stars.sql", "alter table notes add stars int;\n");
    let (schema, _) = names(&fleet.psql, "globex").await;
    let busy = fleet.service.psql().await;
    let read = format!("begin; select count(*) from {schema}.notes");
    busy.batch_execute(&read).await.unwrap();
    let arguments = [
        "--no-rehearsal",
        "--jobs",
        "2",
        "--lock-timeout",
        "200",
        "--json",
    ];
    let run = fleet.start(&arguments);
    eventually("all others are migrated", async || {
        (fleet.versions().await == "1:1 2:5").then_some(())
    })
    .await;
    // Readers that come while it waits for its lock stand behind it, but not for longer than it waits.
    let reader = fleet.service.psql().await;
    let mut longest = Duration::ZERO;
    let read = format!("select count(*) from {schema}.notes");
    for _ in 0..40 {
        let started = Instant::now();
        reader.batch_execute(&read).await.unwrap();
        longest = longest.max(started.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    busy.batch_execute("commit").await.unwrap();
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{:?}", told(&output));
    let put_off = events(&output);
    let mut put_off = put_off.iter().filter(|event| event["event"] == "putOff");
    assert!(put_off.all(|event| event["tenant"] == "globex"));
    assert_eq!(fleet.versions().await, "2:6");
    fleet.assert_equal().await;
}

#[tokio::test]
async fn what_stays_busy_is_told() {
    let fleet = Fleet::of(3).await;
    fleet.write(
        "V2__stars.sql",
        "select 1;\nalter table notes add stars int;\n",
    );
    let (schema, _) = names(&fleet.psql, "globex").await;
    let busy = fleet.service.psql().await;
    let lock = format!("begin; lock table {schema}.notes in access share mode");
    busy.batch_execute(&lock).await.unwrap();
    let mut command = fleet.command(&["--lock-timeout", "50", "--lock-retries", "2"]);
    let output = command.stdout(Stdio::piped()).output().unwrap();
    let (status, text) = told(&output);
    assert_eq!(status, 7, "{text}");
    assert!(
        text.contains("globex: V2__stars.sql, line 2: ") && text.contains("[55P03]"),
        "{text}"
    );
    assert_eq!(fleet.versions().await, "1:3");
}

/// A connection that is cut takes its transaction with it, and the tenant is tried again on another one.
#[tokio::test]
async fn a_connection_that_is_lost_is_made_again() {
    let fleet = Fleet::of(3).await;
    let slow = "insert into notes (body) values ('migrated');\nselect pg_sleep(0.3);\n";
    fleet.write("V2__slow.sql", slow);
    let run = fleet.start(&["--no-rehearsal", "--jobs", "1"]);
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity where wait_event = 'PgSleep'";
    eventually("it is cut off", async || {
        (fleet.scalar(cut).await != "0").then_some(())
    })
    .await;
    let (status, text) = told(&run.wait_with_output().unwrap());
    assert_eq!(status, 0, "{text}");
    assert_eq!(fleet.versions().await, "2:3");
    assert_eq!(fleet.notes("migrated").await, "1");
}
