//! `--atomic`: all tenants or none, whoever is killed and whenever.

use std::process::Child;
use std::time::Duration;

use tokio_postgres::Client;

use super::Fleet;
use crate::harness::{Chance, Service, eventually};

const STARS: &str =
    "insert into notes (body) values ('migrated');\nalter table notes add stars int;\n";
/// Those of other programs do not count.
const PREPARED: &str = "select count(*) from pg_prepared_xacts where length(gid) > 40";

impl Fleet {
    /// The same on a server with other settings, which take a restart.
    async fn with_settings(self, settings: &[&str]) -> Self {
        for setting in settings {
            let set = format!("alter system set {setting}");
            self.psql.batch_execute(&set).await.unwrap();
        }
        let Self { service, sql, psql } = self;
        drop(psql);
        let served = sql.with_file_name("served");
        let arguments = ["--tenant-sql", served.to_str().unwrap()];
        let service = Service::dev_in(service.stop(), &arguments);
        let psql = service.psql().await;
        Self { service, sql, psql }
    }

    /// Kills a run of four connections when all have prepared their transactions, before or after that has been decided.
    async fn killed_when_prepared(&self, decided: bool) {
        let (holder, mut run) = self.held_when_prepared().await;
        run.kill().unwrap();
        run.wait().unwrap();
        holder.batch_execute("rollback").await.unwrap();
        if decided {
            // The last thing that it did, had it been killed a moment later.
            let decide =
                "update tenantry.migration_runs set state = 'committing' where state = 'running'";
            self.psql.batch_execute(decide).await.unwrap();
        }
        assert_eq!(self.scalar(PREPARED).await, "4");
    }

    /// A run that waits for a transaction of this connection, when all have prepared theirs.
    async fn held_when_prepared(&self) -> (Client, Child) {
        let holder = self.service.psql().await;
        let hold = "begin; lock table tenantry.migrations in share mode";
        holder.batch_execute(hold).await.unwrap();
        let run = self.start(&["--atomic", "--jobs", "4", "--no-rehearsal"]);
        eventually("all is prepared", async || {
            (self.scalar(PREPARED).await == "4").then_some(())
        })
        .await;
        (holder, run)
    }

    async fn assert_migrated(&self, tenants: usize) {
        assert_eq!(self.versions().await, format!("2:{tenants}"));
        assert_eq!(self.notes("migrated").await, "1");
        assert_eq!(self.scalar(PREPARED).await, "0");
        self.assert_equal().await;
    }
}

#[tokio::test]
async fn one_connection_does_where_nothing_can_be_prepared() {
    let fleet = Fleet::of(5).await;
    fleet.write("V2__stars.sql", STARS);
    let (status, text) = fleet.run(&["--atomic", "--jobs", "4"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("max_prepared_transactions"), "{text}");
    assert!(text.contains("5 tenants migrated"), "{text}");
    fleet.assert_migrated(5).await;
}

#[tokio::test]
async fn several_connections_commit_together_and_replicas_hear_of_it() {
    let fleet = Fleet::of(6)
        .await
        .with_settings(&["max_prepared_transactions = 8"])
        .await;
    fleet.write("V2__stars.sql", STARS);
    let (status, text) = fleet.run(&["--atomic", "--jobs", "3"]);
    assert_eq!(status, 0, "{text}");
    assert!(!text.contains("max_prepared_transactions"), "{text}");
    fleet.assert_migrated(6).await;
    let owner = fleet.service.tenant("acme").owner().await;
    eventually("the new column is served", async || {
        let answer = owner.query("{ notes { nodes { stars } } }").await;
        answer.json()["data"]["notes"].is_object().then_some(())
    })
    .await;
}

#[tokio::test]
async fn where_one_tenant_cannot_none_is() {
    let fleet = Fleet::of(5).await;
    fleet.none_is_migrated().await;
    std::fs::remove_file(fleet.sql.join("V2__stars.sql")).unwrap();
    let fleet = fleet
        .with_settings(&["max_prepared_transactions = 4"])
        .await;
    fleet.none_is_migrated().await;
}

impl Fleet {
    async fn none_is_migrated(&self) {
        self.add_note("tenant-4", "secret 4711").await;
        let check =
            "alter table notes add constraint no_secrets check (body not like 'secret%');\n";
        self.write("V2__stars.sql", &[STARS, check].concat());
        let before = self.contents().await;
        let (status, text) = self.run(&["--atomic", "--jobs", "2", "--no-rehearsal"]);
        assert_eq!(status, 6, "{text}");
        assert!(text.contains("tenant-4: V2__stars.sql, line 3: "), "{text}");
        assert!(text.contains("0 migrated"), "{text}");
        assert_eq!(self.contents().await, before);
        assert_eq!(self.notes("migrated").await, "0");
        assert_eq!(self.scalar(PREPARED).await, "0");
        let (status, text) = self.run(&["--atomic"]);
        assert_eq!(status, 7, "a rehearsal finds it as well: {text}");
    }
}

#[tokio::test]
async fn what_a_killed_run_had_prepared_is_undone() {
    let fleet = Fleet::of(6)
        .await
        .with_settings(&["max_prepared_transactions = 8"])
        .await;
    fleet.write("V2__stars.sql", STARS);
    fleet.killed_when_prepared(false).await;
    let (status, text) = fleet.run(&["--tenant", "acme"]);
    assert_eq!(status, 0, "{text}");
    assert_eq!(fleet.scalar(PREPARED).await, "0");
    assert_eq!(fleet.versions().await, "1:5 2:1");
    assert_eq!(fleet.run(&["--atomic"]).0, 0);
    fleet.assert_migrated(6).await;
}

#[tokio::test]
async fn what_a_killed_run_had_decided_is_done() {
    let fleet = Fleet::of(6)
        .await
        .with_settings(&["max_prepared_transactions = 8"])
        .await;
    fleet.write("V2__stars.sql", STARS);
    fleet.killed_when_prepared(true).await;
    let (status, text) = fleet.run(&[]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("nothing to do"), "{text}");
    fleet.assert_migrated(6).await;
    let ended = "select string_agg(state, ' ') from tenantry.migration_runs";
    assert_eq!(fleet.scalar(ended).await, "done");
}

/// Whose tables a killed run holds is told, with what the next one does about it.
#[tokio::test]
async fn what_a_killed_run_holds_is_told_and_a_run_at_work_is_none() {
    let settings = ["max_prepared_transactions = 8"];
    let fleet = Fleet::of(6).await.with_settings(&settings).await;
    // Those of other programs are nobody's business, whatever they are called.
    for name in ["mine", "tenantry-mine", "tenantry-0-1"] {
        let table = name.replace('-', "_");
        let foreign =
            format!("begin; create table public.{table} (); prepare transaction '{name}'");
        fleet.psql.batch_execute(&foreign).await.unwrap();
    }
    assert_eq!(fleet.status(&[]).0, 0);
    fleet.write("V2__stars.sql", STARS);
    let before = [fleet.status(&["--no-drift"]), fleet.run(&["--dry-run"])];
    for (_, text) in &before {
        assert!(
            !text.contains("at work") && !text.contains("killed"),
            "{text}"
        );
    }
    assert_eq!(before[0].0, 12);
    for (decided, next) in [(false, "undoes it"), (true, "does that")] {
        let (holder, mut run) = fleet.held_when_prepared().await;
        let json = fleet.status_json(&["--no-drift"]);
        let at_work = json["runAtWork"]["run"].as_str().unwrap();
        assert!(
            at_work.contains(&format!("process {}", run.id())),
            "{json:#}"
        );
        assert_eq!(json["killedRuns"], serde_json::json!([]));
        assert_eq!(json["error"]["exitStatus"], 12);
        run.kill().unwrap();
        run.wait().unwrap();
        holder.batch_execute("rollback").await.unwrap();
        if decided {
            let decide =
                "update tenantry.migration_runs set state = 'committing' where state = 'running'";
            fleet.psql.batch_execute(decide).await.unwrap();
        }
        let parts = [
            &format!("(process {}, ", run.id()),
            "the tables of 6 tenants (acme, globex, tenant-3, tenant-4, tenant-5, tenant-6) are locked since ",
            "in 4 prepared transactions",
            &format!("the next run {next}: run `tenantry migrate` at once"),
        ];
        let [(status, text), (dry, preview)] = [fleet.status(&[]), fleet.run(&["--dry-run"])];
        assert_eq!((status, dry), (14, 0), "{text} {preview}");
        for part in parts {
            assert!(text.contains(part), "{part}: {text}");
            assert!(preview.contains(part), "{part}: {preview}");
        }
        let json = fleet.status_json(&[]);
        assert_eq!(json["error"]["code"], "UNSETTLED");
        let killed = &json["killedRuns"][0];
        assert_eq!(killed["decided"], decided);
        assert_eq!(killed["tenants"].as_array().unwrap().len(), 6);
        assert_eq!(
            fleet.events(&["--dry-run"])[0]["killedRuns"],
            json["killedRuns"]
        );
        // Files that are refused keep nobody's tables locked.
        fleet.write("V3__half.sql", "select 'half");
        assert_eq!(fleet.run(&[]).0, 9);
        assert_eq!(fleet.scalar(PREPARED).await, "0");
        std::fs::remove_file(fleet.sql.join("V3__half.sql")).unwrap();
        let status = if decided { 0 } else { 12 };
        assert_eq!(fleet.status(&[]).0, status);
    }
    let foreign = "select count(*) from pg_prepared_xacts";
    assert_eq!(fleet.scalar(foreign).await, "3");
}

#[tokio::test]
async fn killed_at_any_moment_all_tenants_have_it_or_none() {
    let fleet = Fleet::of(8)
        .await
        .with_settings(&["max_prepared_transactions = 8"])
        .await;
    let mut chance = Chance::new(83);
    for version in 2..10 {
        let sql = format!(
            "insert into notes (body) values ('version {version}');\nselect pg_sleep(0.01);\n"
        );
        fleet.write(&format!("V{version}__more.sql"), &sql);
        let arguments = ["--atomic", "--jobs", "4", "--no-rehearsal"];
        let mut killed = fleet.start(&arguments);
        tokio::time::sleep(Duration::from_millis(chance.below(600) as u64)).await;
        killed.kill().unwrap();
        killed.wait().unwrap();
        // A run that has nobody to migrate, as a `serve --migrate` that starts.
        let (status, text) = fleet.run(&["--to", "1"]);
        assert_eq!(status, 0, "{text}");
        assert_eq!(fleet.scalar(PREPARED).await, "0");
        let versions = fleet.versions().await;
        assert!(!versions.contains(' '), "{versions}");
        let (status, text) = fleet.run(&arguments);
        assert_eq!(status, 0, "{text}");
        assert_eq!(fleet.versions().await, format!("{version}:8"));
        assert_eq!(fleet.notes(&format!("version {version}")).await, "1");
    }
    fleet.assert_equal().await;
}

#[tokio::test]
async fn what_the_table_of_locks_has_no_room_for_is_not_begun() {
    let fleet = Fleet::of(8)
        .await
        .with_settings(&["max_locks_per_transaction = 10"])
        .await;
    let tables = (1..=120)
        .map(|number| format!("create table t{number} (id int primary key, body text);\n"));
    fleet.write("V2__tables.sql", &tables.collect::<String>());
    let before = fleet.contents().await;
    let (status, text) = fleet.run(&["--atomic", "--no-rehearsal"]);
    assert_eq!(status, 4, "{text}");
    assert!(
        text.contains("set max_locks_per_transaction to ") && text.contains("8 tenants"),
        "{text}"
    );
    assert!(!text.contains("one connection migrates"), "{text}");
    assert_eq!(fleet.contents().await, before);
}

#[tokio::test]
async fn what_runs_without_a_transaction_cannot_be_undone() {
    let fleet = Fleet::of(3).await;
    fleet.write("V2__stars.sql", STARS);
    let index =
        "-- tenantry: no transaction\ncreate index concurrently notes_body on notes (body);\n";
    fleet.write("V3__index.sql", index);
    let before = fleet.contents().await;
    let (status, text) = fleet.run(&["--atomic"]);
    assert_eq!(status, 4, "{text}");
    assert!(
        text.contains("V3__index.sql runs without a transaction"),
        "{text}"
    );
    assert_eq!(fleet.contents().await, before);
}

#[tokio::test]
async fn what_cannot_be_prepared_is_refused_by_name() {
    let fleet = Fleet::of(5)
        .await
        .with_settings(&["max_prepared_transactions = 8"])
        .await;
    fleet.write("V2__stars.sql", STARS);
    let kept = "create temporary table kept on commit drop as select id from notes;\n";
    fleet.write("V3__kept.sql", kept);
    fleet.write("V4__hearts.sql", "alter table notes add hearts int;\n");
    let before = fleet.contents().await;
    let arguments = ["--atomic", "--jobs", "3", "--no-rehearsal"];
    let (status, text) = fleet.run(&arguments);
    assert_eq!(status, 4, "{text}");
    let told = "acme: a transaction of V3__kept.sql cannot be committed together";
    assert!(
        text.contains(told) && text.contains("temporary objects"),
        "{text}"
    );
    assert!(text.contains("--jobs 1"), "{text}");
    assert_eq!(fleet.scalar(PREPARED).await, "0");

    // Of one tenant only, whose rows make the difference: it shows when all are prepared.
    fleet.add_note("tenant-4", "loud").await;
    let tells = "do $$ begin if exists (select from notes where body = 'loud') then \
        perform pg_notify('notes', 'loud'); end if; end $$;\n";
    fleet.write("V3__kept.sql", tells);
    let (status, text) = fleet.run(&arguments);
    assert_eq!(status, 4, "{text}");
    let told = "a transaction of V2__stars.sql, V3__kept.sql, V4__hearts.sql cannot be";
    assert!(text.contains(told) && text.contains("NOTIFY"), "{text}");
    assert_eq!(fleet.scalar(PREPARED).await, "0");
    assert_eq!(fleet.contents().await, before);

    let (status, text) = fleet.run(&["--atomic", "--jobs", "1", "--no-rehearsal"]);
    assert_eq!(status, 0, "{text}");
    assert_eq!(fleet.versions().await, "4:5");
    fleet.assert_equal().await;
}
