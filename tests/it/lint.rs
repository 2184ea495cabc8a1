//! `tenantry migration lint`: what it prints, and what its exit status tells.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::harness::{DataDir, Service, tenantry};

/// A directory with these migrations.
fn files(files: &[(&str, &str)]) -> DataDir {
    let dir = DataDir::new();
    for (name, text) in files {
        std::fs::write(dir.join(name), text).unwrap();
    }
    dir
}

fn lint(dir: &DataDir, arguments: &[&str]) -> Output {
    let mut command = tenantry(&["migration", "lint", "--tenant-sql"]);
    command.arg(dir.join("")).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

const TABLES: (&str, &str) = (
    "V1__shop.sql",
    "create table orders (id int primary key, state text);\n",
);

#[test]
fn findings_are_printed_for_people_for_programs_and_for_pull_requests() {
    let dir = files(&[
        TABLES,
        (
            "V2__states.sql",
            "-- States are asked for.\ncreate index on orders (state);\n",
        ),
        (
            "V3__done.sql",
            "-- tenantry: allow drops-column it has moved\nalter table orders drop column state;\n",
        ),
    ]);
    let output = lint(&dir, &[]);
    assert_eq!(output.status.code(), Some(13), "{output:?}");
    let text = stdout(&output);
    let path = format!("{}V2__states.sql:2", dir.join("").display());
    for part in [
        "warning[builds-index]: nobody can write to orders while the index orders_state_idx is built",
        &path,
        "2 | create index on orders (state)",
        "create index concurrently if not exists orders_state_idx on orders (state);",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("1 warning"), "{errors}");

    let found: Value = serde_json::from_slice(&lint(&dir, &["--json"]).stdout).unwrap();
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(found[0]["rule"], "builds-index");
    assert_eq!(found[0]["line"], 2);
    assert_eq!(found[0]["level"], "warning");

    let output = stdout(&lint(&dir, &["--format", "github"]));
    assert!(output.starts_with("::warning file="), "{output}");
    assert!(output.contains(",line=2,title=builds-index::"), "{output}");
    assert!(output.contains("%0ASafer:%0A") && output.lines().count() == 1);

    let output = lint(&dir, &["--since", "2"]);
    assert_eq!(
        (output.status.code(), stdout(&output)),
        (Some(0), String::new())
    );
}

#[test]
fn files_after_a_version_run_together() {
    let dir = files(&[
        TABLES,
        ("V2__add.sql", "alter table orders add column note text;\n"),
        ("V3__fill.sql", "update orders set note = state;\n"),
    ]);
    assert!(lint(&dir, &[]).status.success());
    let output = lint(&dir, &["--since", "1", "--json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found[0]["rule"], "works-under-lock", "{found}");
    assert_eq!(output.status.code(), Some(13));
}

#[test]
fn files_for_shared_tables_are_looked_at_before_the_apps() {
    let home = DataDir::new();
    let write = |dir: &str, name: &str, text: &str| {
        std::fs::create_dir_all(home.join(dir)).unwrap();
        std::fs::write(home.join(dir).join(name), text).unwrap();
    };
    write(
        "shared",
        "V1__countries.sql",
        "create table countries (code text primary key, name text);\n",
    );
    write(
        "shared",
        "V2__names.sql",
        "create index on countries (name);\n",
    );
    write(
        "tables",
        "V1__offices.sql",
        "create table offices (id int primary key, country text references shared.countries);\n",
    );
    let tables = home.join("tables");
    let lint = |arguments: &[&str]| {
        let mut command = tenantry(&["migration", "lint", "--json", "--tenant-sql"]);
        let output = command.arg(&tables).args(arguments).output().unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (output.status.code().unwrap(), found)
    };
    let (status, found) = lint(&[]);
    assert_eq!(
        (status, found.as_array().unwrap().len()),
        (13, 1),
        "{found}"
    );
    let one = &found[0];
    assert_eq!([&one["rule"], &one["table"]], ["builds-index", "countries"]);
    let file = one["file"].as_str().unwrap();
    assert!(file.ends_with("/shared/V2__names.sql"), "{file}");
    // A file for shared tables cannot do without a transaction.
    let safer = one["safer"].as_str().unwrap();
    assert!(
        safer.contains("-- by hand, ") && safer.contains("create index concurrently"),
        "{safer}"
    );
    assert_eq!(lint(&["--since", "1"]), (0, json!([])));
    write(
        "shared",
        "V3__more.sql",
        "alter table countries add area itn;\n",
    );
    let (status, found) = lint(&[]);
    assert_eq!((status, &found[1]["rule"]), (13, &"fails".into()));
}

#[test]
fn the_example_is_told_what_it_would_do_to_large_tables() {
    let output = tenantry(&["migration", "lint", "--json"]).output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = found.as_array().unwrap().iter();
    let found: Vec<_> = found
        .map(|one| (one["file"].as_str().unwrap(), one["rule"].as_str().unwrap()))
        .collect();
    let known = [
        ("sql/tenant/V6__functions.sql", "builds-index"),
        ("sql/tenant/V7__access.sql", "validates-at-once"),
    ];
    assert_eq!(found, known);
}

/// A copy of the example's migrations, with another one.
fn example_and(name: &str, text: &str) -> DataDir {
    let dir = files(&[(name, text)]);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/tenant");
    for entry in std::fs::read_dir(example).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, dir.join(path.file_name().unwrap().to_str().unwrap())).unwrap();
    }
    dir
}

#[tokio::test]
async fn a_fleet_tells_what_is_pending_and_how_large_it_is() {
    let service = Service::shared();
    let more =
        "create index on issues (title);\nalter table labels add column weight int not null;\n";
    let dir = example_and("V99__more.sql", more);
    let url = service.dir().read("database-url");
    let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/sql/shared");
    let more = ["--shared-sql", shared, "--json"];
    let output = lint(&dir, &[&["--database-url", url.trim()], &more[..]].concat());
    assert_eq!(output.status.code(), Some(13), "{output:?}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let told = |n: usize| {
        (
            found[n]["rule"].as_str().unwrap(),
            found[n]["level"].as_str().unwrap(),
        )
    };
    // Nobody has many issues there.
    assert_eq!(told(0), ("builds-index", "note"), "{found}");
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.contains(" ("), "{message}");
    assert_eq!(told(1), ("required-column", "error"));
    assert_eq!(found.as_array().unwrap().len(), 2);
}
