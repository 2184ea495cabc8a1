//! What `status` and `diff` tell of a fleet with which something is wrong.

use serde_json::Value;

use super::{Fleet, told};
use crate::harness::database::names;
use crate::harness::tenantry;

const STARS: &str = "alter table notes add stars int;\n";

impl Fleet {
    /// Exit status and all that `status` prints.
    pub(super) fn status(&self, arguments: &[&str]) -> (i32, String) {
        told(&self.tool("status", arguments).output().unwrap())
    }

    pub(super) fn status_json(&self, arguments: &[&str]) -> Value {
        let mut command = self.tool("status", arguments);
        let output = command.arg("--json").output().unwrap();
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        let status = output.status.code().unwrap();
        let told = json["error"]["exitStatus"].as_i64().unwrap_or_default();
        assert_eq!(told, i64::from(status), "{json:#}");
        json
    }

    fn diff(&self, arguments: &[&str]) -> (i32, String) {
        told(&self.tool("diff", arguments).output().unwrap())
    }
}

#[track_caller]
fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn files_that_no_longer_run_are_named_and_all_else_is_told() {
    let fleet = Fleet::of(3).await;
    let helper =
        "create schema help; create function help.helper() returns int language sql as 'select 1'";
    fleet.psql.batch_execute(helper).await.unwrap();
    fleet.write("V2__stars.sql", &format!("{STARS}select help.helper();\n"));
    assert_eq!(fleet.run(&["--tenant", "acme"]).0, 0);
    let drop = "drop function help.helper()";
    fleet.psql.batch_execute(drop).await.unwrap();

    let (status, text) = fleet.status(&[]);
    assert_eq!(status, 7, "{text}");
    let why = "the files do not run for a new tenant: V2__stars.sql, line 2: function help.helper() does not exist";
    assert_has(
        &text,
        &[
            "1 tenant at version 2 (base 2): current",
            "2 tenants (globex, tenant-3): behind, at version 1",
            &format!("acme: not compared, {why}"),
        ],
    );
    assert!(!text.contains("sign-up"), "{text}");
    let json = fleet.status_json(&[]);
    assert_eq!(json["error"]["code"], "REHEARSAL_FAILED");
    assert!(
        json["notComparedBecause"]
            .as_str()
            .unwrap()
            .starts_with(why)
    );
    assert_eq!(
        [&json["tenants"][0]["drift"], &json["tenants"][1]["drift"]],
        [&Value::Null, &Value::Bool(false)]
    );
    assert_eq!(fleet.status(&["--no-drift"]).0, 12);

    let (status, text) = fleet.diff(&["acme"]);
    assert_eq!(status, 7, "{text}");
    assert!(text.starts_with(&format!("error: {why}")), "{text}");
    assert_eq!(fleet.diff(&["globex"]), (0, String::new()));
}

#[tokio::test]
async fn files_that_were_edited_or_are_gone_are_named() {
    let fleet = Fleet::of(2).await;
    fleet.write("V2__stars.sql", STARS);
    assert_eq!(fleet.run(&[]).0, 0);
    assert_eq!(fleet.status(&[]).0, 0);
    for (name, text, file, word) in [
        (
            "V2__stars.sql",
            "select 1;\n",
            "V2__stars has changed",
            "unlike",
        ),
        (
            "V2__hearts.sql",
            STARS,
            "V2__stars has become V2__hearts",
            "unlike",
        ),
        (
            "V1__notes.sql",
            super::NOTES,
            "the fleet has run V2__stars",
            "ahead",
        ),
    ] {
        std::fs::remove_file(fleet.sql.join("V2__stars.sql")).unwrap();
        fleet.write(name, text);
        let (status, told) = fleet.status(&[]);
        assert_eq!(status, 9, "{told}");
        let refused = format!("`tenantry migrate` refuses these files: {file}");
        assert_has(&told, &[&refused]);
        let (status, migrate) = fleet.run(&[]);
        assert!(status == 9 && migrate.contains(file), "{migrate}");
        let json = fleet.status_json(&[]);
        assert_eq!(json["error"]["code"], "BAD_FILES");
        assert!(json["filesRefused"].as_str().unwrap().contains(file));
        assert_eq!(
            (&json["counts"][word], &json["counts"]["behind"]),
            (&2.into(), &0.into())
        );
        if name != "V1__notes.sql" {
            std::fs::remove_file(fleet.sql.join(name)).unwrap();
        }
        fleet.write("V2__stars.sql", STARS);
    }
    assert_eq!(fleet.status(&[]).0, 0);
}

#[tokio::test]
async fn a_schema_that_is_gone_has_no_differences() {
    let fleet = Fleet::of(3).await;
    let (schema, _) = names(&fleet.psql, "globex").await;
    let drop = format!("drop schema {schema} cascade");
    fleet.psql.batch_execute(&drop).await.unwrap();
    let gone = "globex: its schema is gone: ";
    let (status, text) = fleet.status(&[]);
    assert_eq!(status, 11, "{text}");
    assert_has(&text, &[gone]);
    let (status, text) = fleet.diff(&["globex"]);
    assert_eq!(status, 11, "{text}");
    assert!(text.starts_with(&format!("error: {gone}")), "{text}");
    // What is advised can be done.
    for command in ["delete", "purge"] {
        let mut tenant = tenantry(&["tenant", command, "globex", "--yes", "--data-dir"]);
        let output = tenant.arg(fleet.service.dir().data()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!(fleet.status(&[]).0, 0);
}

#[tokio::test]
async fn those_of_whom_the_same_is_to_be_said_are_one_line() {
    let fleet = Fleet::of(13).await;
    fleet.write("V2__broken.sql", "alter table nots add stars int;\n");
    assert_eq!(fleet.run(&[]).0, 7);
    let (status, text) = fleet.status(&["--no-drift"]);
    assert_eq!(status, 6, "{text}");
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.contains("V2__broken"))
        .collect();
    let [line] = lines[..] else { panic!("{text}") };
    let start = "13 tenants (acme, globex, tenant-10, tenant-11, tenant-12, tenant-13, tenant-3, tenant-4, tenant-5, tenant-6 and 3 more): \
        the rehearsal failed in V2__broken.sql, line 1 on ";
    assert!(line.starts_with(start), "{line}");
    let json = fleet.status_json(&["--no-drift"]);
    let tenants = json["tenants"].as_array().unwrap().iter();
    let each = tenants.filter(|tenant| tenant["failure"]["file"] == "V2__broken.sql");
    assert_eq!(each.count(), 13);
}
