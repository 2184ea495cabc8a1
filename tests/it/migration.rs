//! `tenantry migration new`: the next file.

use std::process::Output;

use crate::harness::{DataDir, tenantry};

/// Runs it in a directory of its own.
fn new(dir: &DataDir, arguments: &[&str]) -> Output {
    let mut command = tenantry(&["migration", "new"]);
    command.args(arguments).current_dir(dir.join("."));
    command.output().unwrap()
}

#[track_caller]
fn made(dir: &DataDir, arguments: &[&str]) -> String {
    let output = new(dir, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let path = String::from_utf8(output.stdout).unwrap();
    path.strip_suffix('\n').unwrap().to_owned()
}

#[test]
fn the_next_file_is_made_and_its_path_is_all_that_is_printed() {
    let dir = DataDir::new();
    let tables = ["--tenant-sql", "app/tables"];
    let [one, two, three] = ["create things", "add-notes", "index_notes"];
    let path = made(&dir, &[&[one], &tables[..]].concat());
    assert_eq!(path, "app/tables/V1__create_things.sql");
    assert_eq!(
        std::fs::read_to_string(dir.join(&path)).unwrap(),
        "-- create things\n"
    );
    let path = made(&dir, &[&[two], &tables[..]].concat());
    assert_eq!(path, "app/tables/V2__add_notes.sql");
    let path = made(&dir, &[&[three, "--no-transaction"], &tables[..]].concat());
    assert_eq!(path, "app/tables/V3__index_notes.sql");
    let text = std::fs::read_to_string(dir.join(&path)).unwrap();
    assert!(text.starts_with("-- tenantry: no transaction\n"), "{text}");
    let path = made(&dir, &[&["countries", "--shared"], &tables[..]].concat());
    assert!(path.ends_with("app/shared/V1__countries.sql"), "{path}");
    // As this file says nothing of it, here is the usual place.
    std::fs::create_dir_all(dir.join("sql/tenant")).unwrap();
    assert_eq!(made(&dir, &["things"]), "sql/tenant/V1__things.sql");
}

#[test]
fn what_would_be_no_migration_is_refused() {
    let dir = DataDir::new();
    let refused_with = |status: i32, arguments: &[&str], expected: &str| {
        let output = new(&dir, arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{errors}");
        assert!(errors.contains(expected), "{errors}");
        assert!(output.stdout.is_empty());
    };
    let refused = |arguments: &[&str], expected: &str| refused_with(1, arguments, expected);
    refused(&["things"], "--tenant-sql");
    std::fs::create_dir(dir.join("tables")).unwrap();
    refused(
        &["../things", "--tenant-sql", "tables"],
        "no name for a migration",
    );
    refused(&["V2__things", "--tenant-sql", "tables"], "the name alone");
    std::fs::write(dir.join("tables/dump.sql"), "select 1").unwrap();
    refused_with(
        9,
        &["things", "--tenant-sql", "tables"],
        "rename it to V1__schema.sql",
    );
    assert_eq!(std::fs::read_dir(dir.join("tables")).unwrap().count(), 1);
}
