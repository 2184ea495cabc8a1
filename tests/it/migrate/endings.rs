//! How runs end for programs: one object tells the code, the message and the exit status, whatever the end.

use serde_json::Value;

use super::{Fleet, events};
use crate::harness::tenantry;

const STARS: &str = "alter table notes add stars int;\n";

impl Fleet {
    /// The exit status, and the last event of `--json`.
    fn ending(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.command(arguments).arg("--json").output().unwrap();
        let last = events(&output).pop().unwrap_or_default();
        (output.status.code().unwrap(), last)
    }

    #[track_caller]
    fn assert_ends(&self, arguments: &[&str], status: i32, code: &str, part: &str) {
        let (found, last) = self.ending(arguments);
        let error = &last["error"];
        assert_eq!(found, status, "{last:#}");
        assert_eq!(error["exitStatus"], status, "{last:#}");
        assert_eq!(error["code"], code, "{last:#}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn every_end_is_an_object_with_code_message_and_status() {
    let fleet = Fleet::of(2).await;
    fleet.write("V2__stars.sql", STARS);
    let no_such = "there is no tenant \"nosuch\"";
    fleet.assert_ends(&["--tenant", "nosuch"], 3, "TENANT_NOT_FOUND", no_such);
    fleet.assert_ends(&["--canary", "nosuch"], 3, "TENANT_NOT_FOUND", no_such);
    fleet.assert_ends(
        &["--dry-run", "--tenant", "nosuch"],
        3,
        "TENANT_NOT_FOUND",
        no_such,
    );
    let no_name = "\"No Name\" is no name of a tenant";
    fleet.assert_ends(&["--tenant", "No Name"], 4, "BAD_USER_INPUT", no_name);
    let (status, text) = fleet.run(&["--tenant", "nosuch"]);
    let told = "error: there is no tenant \"nosuch\" [TENANT_NOT_FOUND]\n";
    assert_eq!((status, &*text), (3, told));
    let no_version = "there is no version 99: the last one is 2";
    fleet.assert_ends(&["--to", "99"], 9, "BAD_FILES", no_version);
    fleet.assert_ends(&["--jobs", "0"], 2, "WRONG_COMMAND_LINE", "1 or more");

    let taken = "select pg_advisory_lock(x'666c656574000001'::bit(64)::int8)";
    fleet.psql.batch_execute(taken).await.unwrap();
    let other = "another run is at work";
    fleet.assert_ends(&["--no-wait"], 8, "ANOTHER_RUN", other);
    let free = taken.replace("_lock", "_unlock");
    fleet.psql.batch_execute(&free).await.unwrap();

    let (status, last) = fleet.ending(&[]);
    assert_eq!((status, &last["error"]), (0, &Value::Null));
    assert_eq!(last["result"], "done");
    // What has run is compared whole, whatever of it would run.
    assert_eq!(fleet.run(&["--dry-run", "--to", "1"]).0, 0);
    fleet.write("V3__broken.sql", "alter table nots add hearts int;\n");
    let broken = "V3__broken.sql, line 1";
    fleet.assert_ends(&[], 7, "REHEARSAL_FAILED", broken);
    fleet.assert_ends(&["--no-rehearsal"], 6, "TENANTS_FAILED", broken);
    fleet.write("V2__stars.sql", "alter table notes add stars bigint;\n");
    let changed = "V2__stars has changed";
    fleet.assert_ends(&[], 9, "BAD_FILES", changed);
    fleet.assert_ends(&["--dry-run"], 9, "BAD_FILES", changed);
}

#[tokio::test]
async fn other_commands_end_with_an_object_too() {
    let fleet = Fleet::of(2).await;
    let ends = |command: &mut std::process::Command, status: i32, code: &str| {
        let output = command.arg("--json").output().unwrap();
        let json: Value = serde_json::from_slice(&output.stdout).expect("one value");
        assert_eq!(output.status.code(), Some(status), "{json:#}");
        assert_eq!(json["error"]["code"], code, "{json:#}");
        assert_eq!(json["error"]["exitStatus"], status, "{json:#}");
    };
    ends(&mut fleet.tool("diff", &["nosuch"]), 3, "TENANT_NOT_FOUND");
    ends(&mut tenantry(&["diff"]), 2, "WRONG_COMMAND_LINE");
    let on = |command: &[&str]| {
        let mut tenantry = tenantry(command);
        tenantry
            .arg("--data-dir")
            .arg(fleet.service.dir().data())
            .stdin(std::process::Stdio::null());
        tenantry
    };
    let tenant = ["tenant", "show", "nosuch"];
    ends(&mut on(&tenant), 3, "TENANT_NOT_FOUND");
    ends(&mut on(&["tenant", "delete", "acme"]), 5, "NOT_CONFIRMED");
    let operator = ["operator", "disable", "nobody@nowhere.test", "--yes"];
    ends(&mut on(&operator), 3, "NOT_FOUND");
    let audit = ["audit", "nosuch"];
    ends(&mut on(&audit), 3, "TENANT_NOT_FOUND");
    ends(&mut tenantry(&["status"]), 1, "FAILED");
    fleet.write("V2__odd name.sql", "select 1;\n");
    ends(&mut fleet.tool("status", &[]), 9, "BAD_FILES");
    let nowhere = ["schema", "diff", "--from", "/nowhere", "--to", "/nowhere"];
    ends(&mut tenantry(&nowhere), 1, "FAILED");
}
