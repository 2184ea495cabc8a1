//! `tenantry migrate`, on fleets of their own.

mod atomic;
mod busy;
mod concurrently;
mod endings;
mod enums;
mod failing;
mod killed;
mod outside;
mod refused;
mod registry;
mod standing;
mod together;
mod warnings;

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tokio_postgres::Client;

use crate::harness::database::{names, scalar};
use crate::harness::{DataDir, Service, tenantry};

const NOTES: &str =
    "create table notes (id bigint generated always as identity primary key, body text);\n";

/// A `dev` with tenants, and the directory of their migrations; the service itself knows the first file only.
struct Fleet {
    service: Service,
    sql: PathBuf,
    psql: Client,
}

impl Fleet {
    /// acme, globex, and as many more as are wanted.
    async fn of(size: usize) -> Self {
        let dir = DataDir::new();
        // The service has a directory of its own: it would apply what is written there.
        let [sql, served] = ["tables", "served"].map(|name| {
            let place = dir.join(name);
            std::fs::create_dir(&place).unwrap();
            std::fs::write(place.join("V1__notes.sql"), NOTES).unwrap();
            place
        });
        let service = Service::dev_in(dir, &["--tenant-sql", served.to_str().unwrap()]);
        let psql = service.psql().await;
        for number in 3..=size {
            let signed_up = service.try_sign_up(&format!("tenant-{number}")).await;
            signed_up.data();
        }
        Self { service, sql, psql }
    }

    fn write(&self, file: &str, sql: &str) {
        std::fs::write(self.sql.join(file), sql).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.tool("migrate", arguments)
    }

    /// Any command that takes the files.
    fn tool(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = tenantry(&[name, "--data-dir"]);
        command.arg(self.service.dir().data());
        command.arg("--tenant-sql").arg(&self.sql).args(arguments);
        command.stdin(Stdio::null());
        command
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Exit status and all that was printed.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        told(&self.command(arguments).output().unwrap())
    }

    /// The events of `--json`.
    fn events(&self, arguments: &[&str]) -> Vec<Value> {
        let mut command = self.command(arguments);
        let output = command.arg("--json").output().unwrap();
        events(&output)
    }

    async fn scalar(&self, statement: &str) -> String {
        scalar(&self.psql, statement).await.unwrap_or_default()
    }

    /// How many tenants are at each version, by the registry: `1:2 2:28`.
    async fn versions(&self) -> String {
        self.scalar(
            "select string_agg(app_version || ':' || count, ' ' order by app_version) \
             from (select app_version, count(*) from tenantry.tenants group by 1) counts",
        )
        .await
    }

    /// What each schema holds, in the order of the tenants: the same line for tenants in which the same has run.
    async fn contents(&self) -> Vec<String> {
        let tenants = "select string_agg(subdomain, ' ' order by subdomain) from tenantry.tenants";
        let tenants = self.scalar(tenants).await;
        let mut contents = Vec::new();
        for tenant in tenants.split(' ') {
            let (schema, _) = names(&self.psql, tenant).await;
            let contents_of = format!(
                "select concat_ws(' | ',
                   (select string_agg(version || ':' || checksum, ',' order by version) from {schema}.tenantry_app_history),
                   (select string_agg(concat_ws(' ', c.relname, a.attname, replace(a.atttypid::regtype::text, '{schema}.', ''), a.attnotnull), ',' order by c.relname, a.attname)
                    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
                    where c.relnamespace = '{schema}'::regnamespace),
                   (select string_agg(conname, ',' order by conname) from pg_constraint where connamespace = '{schema}'::regnamespace),
                   (select concat_ws(' ', base_version, app_version, migrations) from tenantry.tenants where schema_name = '{schema}'))"
            );
            contents.push(self.scalar(&contents_of).await);
        }
        contents
    }

    /// That in all schemas the same has run, and once.
    async fn assert_equal(&self) {
        let contents = self.contents().await;
        for content in &contents {
            assert_eq!(content, &contents[0]);
        }
    }

    async fn add_note(&self, tenant: &str, body: &str) {
        let (schema, _) = names(&self.psql, tenant).await;
        let insert = format!("insert into {schema}.notes (body) values ($1)");
        self.psql.execute(&insert, &[&body]).await.unwrap();
    }

    /// How many notes of this text each tenant has: `1` when it is one in each.
    async fn notes(&self, body: &str) -> String {
        let tenants = "select string_agg(subdomain, ' ') from tenantry.tenants";
        let mut counts = std::collections::BTreeSet::new();
        for tenant in self.scalar(tenants).await.split(' ') {
            let (schema, _) = names(&self.psql, tenant).await;
            let count = format!("select count(*) from {schema}.notes where body = '{body}'");
            counts.insert(self.scalar(&count).await);
        }
        counts.into_iter().collect::<Vec<_>>().join(" ")
    }
}

fn told(output: &Output) -> (i32, String) {
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.code().unwrap_or(-1), text)
}

fn events(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().map(serde_json::from_str);
    lines.map(|line| line.expect(&text)).collect()
}

#[tokio::test]
async fn all_tenants_get_what_is_new_and_a_second_run_has_nothing_to_do() {
    let fleet = Fleet::of(5).await;
    fleet.write(
        "V2__stars.sql",
        "alter table notes add stars int not null default 0;\n",
    );
    let events = fleet.events(&[]);
    let count = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!(
        (count("rehearsed"), count("migrated")),
        (5, 5),
        "{events:?}"
    );
    let last = events.last().unwrap();
    assert_eq!(
        (&last["result"], &last["migrated"]),
        (&"done".into(), &5.into())
    );
    assert_eq!(fleet.versions().await, "2:5");
    fleet.assert_equal().await;
    assert_eq!(
        fleet
            .scalar("select string_agg(state, ' ') from tenantry.migration_runs")
            .await,
        "done"
    );
    let known = "select string_agg(set || version || name, ' ' order by version) from tenantry.migrations where set = 'app'";
    assert_eq!(fleet.scalar(known).await, "app1notes app2stars");

    let (status, text) = fleet.run(&[]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("nothing to do"), "{text}");
    assert_eq!(
        fleet
            .scalar("select count(*) from tenantry.migration_runs")
            .await,
        "1"
    );
}

#[tokio::test]
async fn what_would_run_is_shown_and_changes_nothing() {
    let fleet = Fleet::of(3).await;
    fleet.write("V2__stars.sql", "alter table notes add stars int;\n");
    fleet.write("V3__hearts.sql", "alter table notes add hearts int;\n");
    let before = fleet.contents().await;
    let (status, text) = fleet.run(&["--dry-run"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("3 tenants at version 1"), "{text}");
    assert!(text.contains("V2__stars.sql, V3__hearts.sql"), "{text}");
    assert!(text.contains("acme, globex, tenant-3"), "{text}");
    let preview = fleet.events(&["--dry-run", "--to", "2", "--tenant", "globex"]);
    assert_eq!(
        preview[0]["groups"][0]["files"],
        serde_json::json!(["V2__stars.sql"])
    );
    assert_eq!(
        preview[0]["groups"][0]["tenants"],
        serde_json::json!(["globex"])
    );
    assert_eq!(fleet.contents().await, before);
    assert_eq!(
        fleet
            .scalar("select count(*) from tenantry.migration_runs")
            .await,
        "0"
    );
}

#[tokio::test]
async fn a_part_of_the_files_or_of_the_tenants_is_enough() {
    let fleet = Fleet::of(4).await;
    fleet.write("V2__stars.sql", "alter table notes add stars int;\n");
    fleet.write("V3__hearts.sql", "alter table notes add hearts int;\n");
    assert_eq!(
        fleet
            .run(&["--to", "2", "--tenant", "acme", "--tenant", "tenant-4"])
            .0,
        0
    );
    assert_eq!(fleet.versions().await, "1:2 2:2");
    assert_eq!(fleet.run(&["--tenant", "acme"]).0, 0);
    assert_eq!(fleet.versions().await, "1:2 2:1 3:1");
    // Who is beyond is left alone.
    assert_eq!(fleet.run(&["--to", "2"]).0, 0);
    assert_eq!(fleet.versions().await, "2:3 3:1");
    let (status, text) = fleet.run(&["--to", "7"]);
    assert_eq!((status, text.contains("no version 7")), (9, true), "{text}");
    assert_eq!(fleet.run(&["--tenant", "nobody"]).0, 3);
    // One that runs late changes nothing about who is behind.
    fleet.write("U4__late.sql", "alter table notes add late int;\n");
    assert_eq!(fleet.run(&[]).0, 0);
    assert_eq!(fleet.versions().await, "4:4");
    fleet.assert_equal().await;
}
