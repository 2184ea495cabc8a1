//! `tenantry squash`: one file in place of many, and nobody can tell who came which way.

mod behind;
mod refused;
mod removed;
mod speed;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::database::{names, scalar};
use crate::harness::{DataDir, Service, eventually, tenantry};

/// Files in which there is a bit of everything.
const FILES: [(&str, &str); 5] = [
    ("V1__things.sql", include_str!("V1__things.sql")),
    ("V2__people.sql", include_str!("V2__people.sql")),
    ("V3__index.sql", include_str!("V3__index.sql")),
    ("V4__rights.sql", include_str!("V4__rights.sql")),
    ("V5__later.sql", include_str!("V5__later.sql")),
];

/// A directory of migrations, and where commands find the database.
struct Project {
    dir: DataDir,
}

impl Project {
    fn of(files: &[(&str, &str)]) -> Self {
        let project = Self {
            dir: DataDir::new(),
        };
        std::fs::create_dir(project.tables()).unwrap();
        for (name, text) in files {
            project.write(name, text);
        }
        project
    }

    fn tables(&self) -> PathBuf {
        self.dir.join("tables")
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.tables().join(name), text).unwrap();
    }

    fn files(&self) -> Vec<String> {
        files(&self.tables())
    }

    /// Exit status, and all that was printed.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        run(arguments, &self.tables(), None)
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str], status: i32, expected: &str) {
        let before = self.files();
        let (found, text) = self.run(arguments);
        assert_eq!(found, status, "{text}");
        assert!(text.contains(expected), "{text}");
        assert_eq!(self.files(), before, "{text}");
    }
}

fn files(tables: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(tables).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Runs a command with these migrations, on the database of a service.
fn run(arguments: &[&str], tables: &Path, service: Option<&Service>) -> (i32, String) {
    let mut command = command(arguments, tables, service);
    let output = command.output().unwrap();
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.code().unwrap_or(-1), text)
}

fn command(arguments: &[&str], tables: &Path, service: Option<&Service>) -> Command {
    let mut command = tenantry(arguments);
    command.arg("--tenant-sql").arg(tables);
    if let Some(service) = service {
        command.arg("--data-dir").arg(service.dir().data());
    }
    command
}

/// What was printed.
#[track_caller]
fn done(arguments: &[&str], tables: &Path, service: Option<&Service>) -> String {
    let output = command(arguments, tables, service).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Makes a tenant of the files that are there now.
#[track_caller]
fn create(name: &str, tables: &Path, service: &Service) {
    let email = format!("owner@{name}.test");
    let arguments = ["tenant", "create", name, "--subdomain", name];
    let owner = ["--owner", "Olga", "--email", &email];
    done(&[&arguments[..], &owner].concat(), tables, Some(service));
}

/// What `status --json` says of all tenants.
fn status(tables: &Path, service: &Service) -> Value {
    let mut command = command(&["status", "--json"], tables, Some(service));
    let output = command.output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// What has run in a tenant's schema, and what is in its tables.
async fn contents(psql: &Client, tenant: &str) -> String {
    let (schema, _) = names(psql, tenant).await;
    let statement = format!(
        r#"set search_path to {schema};
        select concat_ws(e'\n',
          (select string_agg(concat_ws(' ', version, name, checksum), ', ' order by version) from tenantry_app_history),
          (select string_agg(t::text, ', ' order by id) from "odd ""name""" t),
          (select string_agg(t::text, ', ' order by t) from totals t),
          (select string_agg(concat_ws(' ', sequencename, last_value), ', ' order by sequencename) from pg_sequences
           where schemaname = '{schema}'),
          (select concat_ws(' ', base_version, app_version, migrations) from tenantry.tenants where schema_name = '{schema}'))"#
    );
    scalar(psql, &statement).await.unwrap()
}

/// That all tenants are at a version, have what its files make, and the same in their tables.
async fn assert_alike(psql: &Client, tables: &Path, service: &Service, version: i32) {
    let status = status(tables, service);
    let tenants = status["tenants"].as_array().unwrap();
    let wanted = &tenants[0]["fingerprint"];
    let expected = contents(psql, "acme").await;
    for tenant in tenants {
        assert_eq!(
            (&tenant["state"], &tenant["drift"], &tenant["appVersion"]),
            (&json!("current"), &json!(false), &json!(version)),
            "{status:#}"
        );
        assert_eq!(&tenant["fingerprint"], wanted);
        let subdomain = tenant["subdomain"].as_str().unwrap();
        assert_eq!(contents(psql, subdomain).await, expected, "{subdomain}");
    }
}

#[tokio::test]
async fn nobody_can_tell_who_came_by_the_baseline() {
    let Project { dir } = Project::of(&FILES);
    let tables = dir.join("tables");
    let service = Service::dev_in(dir, &["--tenant-sql", tables.to_str().unwrap()]);
    let psql = service.psql().await;
    let sdl = done(&["schema"], &tables, None);

    // Printed first, then written; the files stay.
    let printed = done(&["squash", "--dry-run"], &tables, None);
    assert_eq!(files(&tables).len(), 5);
    let told = done(&["squash"], &tables, None);
    assert!(
        told.contains("B5__baseline.sql stands for 5 files"),
        "{told}"
    );
    let text = std::fs::read_to_string(tables.join("B5__baseline.sql")).unwrap();
    assert!(printed == text, "{printed}");
    create("kept", &tables, &service);
    assert_alike(&psql, &tables, &service, 5).await;
    assert!(done(&["schema"], &tables, None) == sdl);

    let told = done(&["squash", "--remove"], &tables, Some(&service));
    assert!(told.contains("removed V3__index.sql"), "{told}");
    assert_eq!(files(&tables), ["B5__baseline.sql"]);
    create("removed", &tables, &service);
    assert_alike(&psql, &tables, &service, 5).await;
    assert!(done(&["schema"], &tables, None) == sdl);
    assert_eq!(done(&["diff", "removed"], &tables, Some(&service)), "");
    done(&["migration", "lint"], &tables, None);
    let clone = ["tenant", "clone", "acme", "cloned"];
    done(&clone, &tables, Some(&service));
    assert_alike(&psql, &tables, &service, 5).await;

    // Later files go on from there, for everybody: `dev` sees to that.
    let path = done(&["migration", "new", "what comes next"], &tables, None);
    assert!(path.trim().ends_with("V6__what_comes_next.sql"), "{path}");
    let next = "alter type mood add value 'great';
        drop trigger keep_nickname on users; drop function keep_nickname();
        alter table users drop column nickname cascade;
        insert into totals (id, total) values (100, 6);";
    std::fs::write(path.trim(), next).unwrap();
    eventually("all have the next file", async || {
        (status(&tables, &service)["counts"]["current"] == 5).then_some(())
    })
    .await;
    create("next", &tables, &service);
    assert_alike(&psql, &tables, &service, 6).await;
    let changes = done(
        &["schema", "diff", "--from", "5", "--fail-on", "nothing"],
        &tables,
        None,
    );
    assert!(changes.contains("GREAT"), "{changes}");
    let (_, past) = run(&["schema", "diff", "--from", "3"], &tables, None);
    assert!(
        past.contains(
            "gone, as B5__baseline.sql stands for them: V1__things.sql, V2__people.sql, "
        ),
        "{past}"
    );

    // Another one takes its place.
    let told = done(&["squash", "--remove"], &tables, Some(&service));
    assert!(
        told.contains("B6__baseline.sql stands for 6 files"),
        "{told}"
    );
    assert_eq!(files(&tables), ["B6__baseline.sql"]);
    create("last", &tables, &service);
    assert_alike(&psql, &tables, &service, 6).await;
}

#[tokio::test]
async fn a_service_begins_with_a_baseline_alone() {
    let project = Project::of(&FILES);
    let (status, text) = project.run(&["squash"]);
    assert_eq!(status, 0, "{text}");
    for (name, _) in FILES {
        std::fs::remove_file(project.tables().join(name)).unwrap();
    }
    let Project { dir } = project;
    let tables = dir.join("tables");
    let service = Service::dev_in(dir, &["--tenant-sql", tables.to_str().unwrap()]);
    let psql = service.psql().await;
    let owner = service.sign_up("begun").await;
    assert_alike(&psql, &tables, &service, 5).await;
    let query = "{ people { nodes { nickname mood } } oddNames { nodes { note } } }";
    let data = owner.query(query).await.data();
    assert_eq!(
        data["people"]["nodes"],
        json!([{"nickname": "", "mood": null}])
    );
    assert_eq!(data["oddNames"]["nodes"].as_array().unwrap().len(), 2);
}

/// The app that ships has tables that tenants share, too.
#[test]
fn the_example_can_be_squashed() {
    let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/tenant");
    let before = files(&tables);
    let text = done(&["squash", "--dry-run"], &tables, None);
    assert!(text.contains("-- V7__access "), "{text}");
    assert_eq!(files(&tables), before);
}
