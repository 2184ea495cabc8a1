//! `tenantry schema`: the committed SDL is that of the committed tables.

mod diff;

use std::path::Path;

use crate::harness::{DataDir, tenantry};

fn schema(arguments: &[&str]) -> String {
    let output = tenantry(&["schema"]).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_committed_schema_is_up_to_date_and_printed_the_same_every_time() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let (committed, first, second) = (
        std::fs::read_to_string(file).unwrap(),
        schema(&[]),
        schema(&[]),
    );
    assert!(first == second, "two runs print two schemas");
    assert!(
        first == committed,
        "schema.graphql is stale: cargo run -- schema > schema.graphql"
    );
}

/// It needs neither Postgres nor migrations.
#[test]
fn the_committed_schema_of_the_base_domain_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("platform.graphql");
    assert!(
        schema(&["--platform"]) == std::fs::read_to_string(file).unwrap(),
        "platform.graphql is stale: cargo run -- schema --platform > platform.graphql"
    );
}

#[test]
fn types_and_fields_are_sorted() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let text = std::fs::read_to_string(file).unwrap();
    let names = text.lines().filter_map(|line| {
        let (keyword, rest) = line.split_once(' ')?;
        let known = ["type", "input", "enum", "interface", "scalar", "union"];
        known
            .contains(&keyword)
            .then(|| rest.split([' ', '{']).next().unwrap_or_default())
    });
    let names: Vec<_> = names.collect();
    assert!(names.len() > 20 && names.is_sorted(), "{names:?}");
    let query = text
        .split("\ntype Query {\n")
        .nth(1)
        .unwrap()
        .split("\n}")
        .next()
        .unwrap();
    let fields = query.lines().filter_map(|line| {
        let field = line.strip_prefix('\t')?;
        let starts = field.starts_with(|c: char| c.is_ascii_alphabetic());
        starts.then(|| field.split(['(', ':']).next().unwrap_or_default())
    });
    // Descriptions stand between lines of quotes; fields are what is followed by a bracket or a colon.
    let fields: Vec<_> = fields.filter(|field| !field.contains(' ')).collect();
    assert!(fields.len() > 10 && fields.is_sorted(), "{fields:?}");
}

#[test]
fn other_tables_make_another_schema() {
    let dir = DataDir::new();
    let table = "create table odd_things (id int primary key, \"select\" text);
        comment on table odd_things is 'Things that are odd.';";
    std::fs::write(dir.join("V1__things.sql"), table).unwrap();
    let text = schema(&["--tenant-sql", dir.join("").to_str().unwrap()]);
    for expected in [
        "type OddThing implements Node",
        "Things that are odd.",
        "\tselect: String\n",
        "type User ",
    ] {
        assert!(text.contains(expected), "{expected}");
    }
    assert!(!text.contains("type Issue "));
}

#[test]
fn a_broken_migration_is_told_in_one_sentence() {
    let dir = DataDir::new();
    std::fs::write(dir.join("V1__broken.sql"), "create table t (id nonsense)").unwrap();
    let output = tenantry(&["schema", "--tenant-sql"])
        .arg(dir.join(""))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        errors.contains("V1__broken") && errors.contains("nonsense"),
        "{errors}"
    );
}
