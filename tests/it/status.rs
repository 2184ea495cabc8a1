//! `tenantry status` and `tenantry diff`: who is behind, and whose tables somebody has changed by hand.

use std::process::Output;

use serde_json::Value;

use crate::harness::database::names;
use crate::harness::{self, Service, tenantry};

/// Exit status, and what was printed.
fn done(output: &Output) -> (i32, String) {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap(), text)
}

/// What `status` says of one tenant; others belong to other tests.
fn status_of(subdomain: &str) -> Value {
    let (_, text) = done(&harness::run(&["status", "--json"], ""));
    let json: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    assert_eq!(json["counts"]["behind"], 0, "{json:#}");
    let tenants = json["tenants"].as_array().unwrap();
    let found = tenants
        .iter()
        .find(|tenant| tenant["subdomain"] == subdomain);
    found.unwrap_or_else(|| panic!("{json:#}")).clone()
}

#[tokio::test]
async fn what_is_changed_by_hand_is_told_and_mended() {
    let service = Service::shared();
    let owner = service.sign_up("drift").await;
    let name = owner.subdomain();
    let psql = service.psql().await;
    let (schema, _) = names(&psql, name).await;
    let before = status_of(name);
    assert_eq!(
        (&before["state"], &before["drift"]),
        (&"current".into(), &false.into())
    );
    assert_eq!(before["fingerprint"], status_of("acme")["fingerprint"]);
    assert_eq!(done(&harness::run(&["diff", name], "")), (0, String::new()));

    let meddle = format!(
        "alter table {schema}.issues add note text; drop index {schema}.issues_due_date_idx; \
         alter table {schema}.projects disable trigger projects_touch"
    );
    psql.batch_execute(&meddle).await.unwrap();
    let after = status_of(name);
    assert_eq!(after["drift"], true, "{after:#}");
    assert_ne!(after["fingerprint"], before["fingerprint"]);
    let (code, text) = done(&harness::run(&["status"], ""));
    // Other tests meddle with other tenants.
    let drifted = "not what the migrations make (tenantry diff TENANT)";
    let mut lines = text.lines().filter(|line| line.contains(drifted));
    let is_told = lines.any(|line| line.contains(name));
    assert!(code == 11 && is_told, "{text}");

    let (code, script) = done(&harness::run(&["diff", name], ""));
    assert_eq!(code, 11, "{script}");
    for part in [
        "-- Column note of table issues is not in the migrations.",
        "-- alter table issues drop column note;",
        "-- Index issues_due_date_idx of table issues is missing.",
        "create index issues_due_date_idx on issues",
        "alter table projects enable trigger projects_touch;",
    ] {
        assert!(
            script.to_lowercase().contains(&part.to_lowercase()),
            "{part}: {script}"
        );
    }
    let (_, json) = done(&harness::run(&["diff", name, "--json"], ""));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["differences"].as_array().unwrap().len(), 3, "{json:#}");
    let (_, script) = done(&harness::run(&["diff", name, "--drop"], ""));
    psql.batch_execute(&script).await.unwrap();
    assert_eq!(status_of(name)["fingerprint"], before["fingerprint"]);
    assert_eq!(done(&harness::run(&["diff", "nobody"], "")).0, 3);
}

#[tokio::test]
async fn a_tenant_whose_tables_are_locked_keeps_nobody_waiting() {
    let service = Service::shared();
    let owner = service.sign_up("locked").await;
    let mut psql = service.psql().await;
    let (schema, _) = names(&psql, owner.subdomain()).await;
    let transaction = psql.transaction().await.unwrap();
    // Nobody else's tables are like these.
    let meddle = format!("alter table {schema}.projects add note text");
    service.psql().await.batch_execute(&meddle).await.unwrap();
    let lock = format!("lock table {schema}.issues");
    transaction.batch_execute(&lock).await.unwrap();
    let status = status_of(owner.subdomain());
    assert_eq!(status["drift"], Value::Null, "{status:#}");
    let why = status["notComparedBecause"].as_str().unwrap();
    assert!(why.contains("locked"), "{why}");
    transaction.rollback().await.unwrap();
    assert_eq!(status_of(owner.subdomain())["drift"], true);
}

#[tokio::test]
async fn who_is_behind_is_compared_with_its_own_version() {
    let tables = "create table a (id int primary key);";
    let service = Service::with_tables(tables);
    // Not where the service would see what is new, and apply it.
    let dir = service.dir().join("files");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("V1__tables.sql"), tables).unwrap();
    let run = |command: &[&str]| {
        let mut tenantry = tenantry(command);
        let tenantry = tenantry.arg("--data-dir").arg(service.dir().data());
        done(&tenantry.arg("--tenant-sql").arg(&dir).output().unwrap())
    };
    assert_eq!(run(&["status"]).0, 0);
    std::fs::write(dir.join("V2__more.sql"), "alter table a add b int;").unwrap();
    let (code, text) = run(&["status"]);
    assert_eq!(code, 12, "{text}");
    assert!(
        text.contains("2 tenants at version 1 (base 2): behind"),
        "{text}"
    );
    assert!(!text.contains("tenantry diff"), "{text}");
    assert_eq!(run(&["diff", "acme"]), (0, String::new()));
    let psql = service.psql().await;
    let (schema, _) = names(&psql, "acme").await;
    let meddle = format!("alter table {schema}.a add b int");
    psql.batch_execute(&meddle).await.unwrap();
    let (code, script) = run(&["diff", "acme"]);
    assert!(code == 11 && script.contains("version 1"), "{script}");
    assert_eq!(run(&["status", "--no-drift"]).0, 12);
    // With the column that somebody has made already, the migration fails there and nowhere else.
    assert_eq!(run(&["migrate"]).0, 7);
    let (code, text) = run(&["status", "--no-drift"]);
    assert_eq!(code, 6, "{text}");
    assert!(
        text.contains("acme: the rehearsal failed in V2__more.sql, line 1 on "),
        "{text}"
    );
    assert!(text.contains("globex: behind"), "{text}");
    psql.batch_execute(&format!("alter table {schema}.a drop b"))
        .await
        .unwrap();
    assert_eq!(run(&["migrate"]).0, 0);
    let (code, text) = run(&["status"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("2 tenants at version 2 (base 2): current"),
        "{text}"
    );
}
