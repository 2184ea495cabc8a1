//! Who may migrate what by starting: `serve` only an empty database, unless it is told to.

use std::process::Command;

use super::Fleet;
use crate::harness::{Service, eventually, tenantry};

impl Fleet {
    fn serve(&self, arguments: &[&str]) -> Command {
        let mut command = tenantry(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--base-domain",
            "localhost",
        ]);
        command
            .arg("--tenant-sql")
            .arg(&self.sql)
            .args(arguments)
            .env("DATABASE_URL", self.service.dir().read("database-url"))
            .env("TENANTRY_JWT_SECRET", self.service.dir().read("jwt-secret"));
        command
    }

    /// What it says when it does not start.
    fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.serve(arguments).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }
}

#[tokio::test]
async fn serve_migrates_when_it_is_told_to_and_not_otherwise() {
    let fleet = Fleet::of(4).await;
    fleet.write("V2__stars.sql", "alter table notes add stars int;\n");
    let sql = fleet.sql.to_str().unwrap();
    let plain = fleet
        .service
        .beside("plain", None, &["--tenant-sql", sql])
        .await;
    assert!(
        plain
            .process()
            .log_text()
            .contains("some tenants are behind")
    );
    assert_eq!(fleet.versions().await, "1:4");
    let arguments = ["--tenant-sql", sql, "--migrate"];
    let _migrating = fleet.service.beside("migrating", None, &arguments).await;
    assert_eq!(fleet.versions().await, "2:4");
    // One that starts with the files of before is about to be replaced.
    std::fs::remove_file(fleet.sql.join("V2__stars.sql")).unwrap();
    let old = fleet.service.beside("old", None, &arguments).await;
    assert!(old.process().log_text().contains("nothing is migrated"));
    // Edited ones would make tenants differ.
    fleet.write("V2__stars.sql", "alter table notes add stars bigint;\n");
    for flags in [&["--migrate"][..], &[]] {
        let message = fleet.refusal(flags);
        assert!(message.contains("V2__stars has changed"), "{message}");
    }
    // Nor does it listen when tenants cannot be migrated.
    fleet.write("V2__stars.sql", "alter table notes add stars int;\n");
    fleet.write("V3__broken.sql", "alter table nots add hearts int;\n");
    let message = fleet.refusal(&["--migrate"]);
    assert!(
        message.contains("acme, globex") && message.contains("V3__broken.sql, line 1"),
        "{message}"
    );
}

#[tokio::test]
async fn who_signs_up_by_an_old_replica_is_noticed_and_brought_up() {
    let fleet = Fleet::of(2).await;
    fleet.write("V2__stars.sql", "alter table notes add stars int;\n");
    assert_eq!(fleet.run(&[]).0, 0);
    let arguments = ["--tenant-sql", fleet.sql.to_str().unwrap()];
    let plain = fleet.service.beside("plain", None, &arguments).await;
    let behind = |service: &Service| {
        service
            .process()
            .log_text()
            .contains("some tenants are behind")
    };
    assert!(!behind(&plain));
    // The service itself has the first file only, as a replica that is about to be replaced.
    let late = fleet.service.sign_up("late").await;
    eventually("it is told", async || behind(&plain).then_some(())).await;
    assert_eq!(fleet.versions().await, "1:1 2:2");
    let notes = "{ notes { totalCount } }";
    late.at(&plain).query(notes).await.data();

    let arguments = [&arguments[..], &["--migrate"]].concat();
    let migrating = fleet.service.beside("migrating", None, &arguments).await;
    assert_eq!(fleet.versions().await, "2:3");
    let later = fleet.service.sign_up("later").await;
    later.query(notes).await.data();
    eventually("it is brought up", async || {
        (fleet.versions().await == "2:4").then_some(())
    })
    .await;
    fleet.assert_equal().await;
    later
        .at(&migrating)
        .query("{ notes { nodes { stars } } }")
        .await
        .data();
}

#[tokio::test]
async fn the_registry_is_migrated_by_those_who_may() {
    let fleet = Fleet::of(2).await;
    // As if this were a newer release.
    let older = "delete from tenantry.migration_history \
         where version = (select max(version) from tenantry.migration_history)";
    fleet.psql.batch_execute(older).await.unwrap();
    let message = fleet.refusal(&[]);
    assert!(
        message.contains("older release") && message.contains("tenantry migrate"),
        "{message}"
    );
    let (status, text) = fleet.run(&["--dry-run"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("1 file would run for the registry"), "{text}");
}

#[tokio::test]
async fn a_newer_registry_is_served_and_not_migrated() {
    let fleet = Fleet::of(2).await;
    let newer = "insert into tenantry.migration_history select 999, 'newer', applied_on, checksum \
         from tenantry.migration_history where version = 1";
    fleet.psql.batch_execute(newer).await.unwrap();
    let sql = fleet.sql.to_str().unwrap();
    let arguments = ["--tenant-sql", sql, "--migrate"];
    let replica = fleet.service.beside("older", None, &arguments).await;
    assert!(replica.process().log_text().contains("newer release"));
    let (status, text) = fleet.run(&[]);
    assert_eq!(
        (status, text.contains("newer release")),
        (1, true),
        "{text}"
    );
}
