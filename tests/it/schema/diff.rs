//! `tenantry schema diff`: what migrations change for clients, of files, versions and tenants.

use std::process::Output;

use serde_json::Value;

use crate::harness::{DataDir, Service, tenantry};

fn diff(arguments: &[&str]) -> Output {
    let mut command = tenantry(&["schema", "diff"]);
    command.args(arguments).env_remove("TENANTRY_LOG");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Writes files into a new directory beside the data.
fn written(dir: &DataDir, name: &str, files: &[(&str, &str)]) -> String {
    let place = dir.join(name);
    std::fs::create_dir_all(&place).unwrap();
    for (name, text) in files {
        std::fs::write(place.join(name), text).unwrap();
    }
    place.to_str().unwrap().to_owned()
}

#[test]
fn shared_tables_have_versions_of_their_own() {
    let dir = DataDir::new();
    let shared = [
        (
            "V1__countries.sql",
            "create table countries (code text primary key, name text);",
        ),
        (
            "V2__areas.sql",
            "alter table countries drop column name, add column area int;",
        ),
    ];
    written(&dir, "shared", &shared);
    let tables = [(
        "V1__offices.sql",
        "create table offices (id int primary key);",
    )];
    let tables = written(&dir, "tables", &tables);
    let from = ["--tenant-sql", &tables, "--from", "1"];
    let output = diff(&from);
    assert!(text(&output.stdout).ends_with("  nothing changes\n"));
    assert_eq!(text(&output.stderr), "", "nobody asked for a log");
    let output = diff(&[&from[..], &["--from-shared", "1"]].concat());
    assert_eq!(output.status.code(), Some(10), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    for part in ["Country.name was removed", "Country.area is new: Int"] {
        assert!(told.contains(part), "{told}");
    }
    let output = diff(&[&from[..], &["--from-shared", "7"]].concat());
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(9), "{told}");
    assert!(
        told.contains("shared tables: there is no version 7"),
        "{told}"
    );
}

#[test]
fn printed_schemas_are_compared_without_a_database() {
    let dir = DataDir::new();
    let old = "type Query { things: [Thing!]! } type Thing { id: ID! name: String! }";
    let new = "type Query { things: [Thing!]! } type Thing { id: ID! name: String size: Int }";
    let place = written(&dir, "printed", &[("old", old), ("new", new)]);
    let (old, new) = (format!("{place}/old"), format!("{place}/new"));
    let output = diff(&["--from", &old, "--to", &new]);
    assert_eq!(output.status.code(), Some(10));
    let expected = format!(
        "{old} -> {new}\n  breaking:\n    Thing.name was String! and is String\n  safe:\n    Thing.size is new: Int\n  \
         1 breaking, 0 dangerous, 1 safe\n"
    );
    assert_eq!(text(&output.stdout), expected);
    assert_eq!(text(&output.stderr), "error: 1 change may break clients\n");

    let output = diff(&["--from", &new, "--to", &old, "--json"]);
    assert_eq!(output.status.code(), Some(10), "a field is removed");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!([&json["breaking"], &json["safe"]], [1, 1]);
    let change = &json["comparisons"][0]["changes"][0];
    assert_eq!(
        [&change["rule"], &change["path"]],
        ["field-removed", "Thing.size"]
    );
    assert_eq!(change["impact"], "breaking");
    assert!(
        diff(&["--from", &new, "--to", &old, "--fail-on", "nothing"])
            .status
            .success()
    );
    let same = diff(&["--from", &new, "--to", &new]);
    assert!(same.status.success() && text(&same.stdout).ends_with("  nothing changes\n"));

    for (from, expected) in [
        ("/nowhere", "cannot read /nowhere"),
        (&format!("{place}/none")[..], "cannot read"),
    ] {
        let output = diff(&["--from", from, "--to", &new]);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            text(&output.stderr).contains(expected),
            "{}",
            text(&output.stderr)
        );
    }
    std::fs::write(dir.join("printed/bad"), "{ things }").unwrap();
    let output = diff(&["--from", &format!("{place}/bad"), "--to", &new]);
    assert!(
        text(&output.stderr).contains("not a GraphQL schema"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn versions_are_compared_as_they_were() {
    let dir = DataDir::new();
    let tables = written(
        &dir,
        "tables",
        &[
            (
                "V1__things.sql",
                "create table things (id int primary key, name text not null, kind text);",
            ),
            (
                "V2__heading.sql",
                "alter table things rename name to heading;",
            ),
            (
                "V3__kinds.sql",
                "alter table things alter kind set not null; comment on column things.kind is '@read admin';",
            ),
            ("seed.sql", "insert into things values (1, 'x', 'y');"),
        ],
    );
    let output = diff(&["--tenant-sql", &tables, "--from", "1", "--to", "2"]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(10), "{}", text(&output.stderr));
    assert!(
        printed.starts_with("version 1 -> version 2\n  breaking:\n"),
        "{printed}"
    );
    for expected in [
        "    Thing.name was removed\n        if heading is the same under another name: a comment '@name name' on it",
        "    ThingFilter.name was removed\n",
        "    ThingInput.heading is new and required: String!\n",
        "  safe:\n",
        "    Thing.heading is new: String!\n",
    ] {
        assert!(printed.contains(expected), "{expected}: {printed}");
    }
    let output = diff(&[
        "--tenant-sql",
        &tables,
        "--from",
        "V2",
        "--fail-on",
        "dangerous",
        "--json",
    ]);
    assert_eq!(output.status.code(), Some(10));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let changes = json["comparisons"][0]["changes"].as_array().unwrap();
    let rule_of = |path: &str| {
        changes
            .iter()
            .find(|change| change["path"] == path)
            .map(|change| &change["rule"])
    };
    assert_eq!(rule_of("ThingInput.kind").unwrap(), "input-field-required");
    let access = changes
        .iter()
        .find(|change| change["rule"] == "access-changed")
        .unwrap();
    assert_eq!(
        [&access["path"], &access["impact"]],
        ["Thing.kind", "dangerous"]
    );

    let output = diff(&["--tenant-sql", &tables, "--from", "9"]);
    let errors = text(&output.stderr);
    assert!(
        errors.contains("no version 9: the last one is 3"),
        "{errors}"
    );
}

/// What is pending for tenants, of the database that they are in.
#[tokio::test]
async fn tenants_are_compared_with_what_the_files_make() {
    let table = "create table things (id int primary key, name text);";
    let service = Service::with_tables(table);
    let data = service.dir().data();
    let data = data.to_str().unwrap();
    let more = "alter table things drop name;";
    let files = [("V1__tables.sql", table), ("V2__more.sql", more)];
    let pending = written(service.dir(), "pending", &files);
    let output = diff(&["--tenant-sql", &pending, "--data-dir", data]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(10), "{}", text(&output.stderr));
    assert!(
        printed.starts_with("version 1 (2 tenants) -> the files\n"),
        "{printed}"
    );
    assert!(
        printed.contains("    Thing.name was removed\n        first deprecate it"),
        "{printed}"
    );

    let now = service.dir().join("tables");
    let output = diff(&["--tenant-sql", now.to_str().unwrap(), "--data-dir", data]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).contains("nothing changes"),
        "{}",
        text(&output.stdout)
    );

    let output = diff(&["--data-dir", "/nowhere"]);
    let errors = text(&output.stderr);
    assert!(
        errors.contains("--from") && errors.contains("--database-url"),
        "{errors}"
    );
}
