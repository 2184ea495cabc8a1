//! Commands that are killed half-way, and run again.

use std::process::{Child, Stdio};

use crate::harness::database::{names, scalar};
use crate::harness::{DataDir, Service, eventually, tenantry};

const TABLES: &str = "create table notes (id int primary key, body text);
    create materialized view slow as select pg_sleep(600 * count(*)) is null as slept from notes where body = 'slow';";

struct Place {
    service: Service,
    sql: String,
}

impl Place {
    fn new() -> Self {
        let dir = DataDir::new();
        let tables = dir.join("tables");
        std::fs::create_dir(&tables).unwrap();
        std::fs::write(tables.join("V1__tables.sql"), TABLES).unwrap();
        let sql = tables.to_str().unwrap().to_owned();
        let service = Service::dev_in(dir, &["--tenant-sql", &sql]);
        Self { service, sql }
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = tenantry(&["tenant"]);
        command
            .args(arguments)
            .arg("--data-dir")
            .arg(self.service.dir().data());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> i32 {
        self.start(arguments).wait().unwrap().code().unwrap()
    }
}

/// The row of the registry, schema and role come with the commit or not at all.
#[tokio::test]
async fn of_a_killed_clone_nothing_is_left() {
    let place = Place::new();
    let psql = place.service.psql().await;
    let schema = names(&psql, "acme").await.0;
    let slow = format!("insert into {schema}.notes values (1, 'slow')");
    psql.batch_execute(&slow).await.unwrap();
    let census = "select concat_ws(' ', (select count(*) from tenantry.tenants),
        (select count(*) from pg_namespace where nspname like 'tenant%'),
        (select count(*) from pg_roles where rolname like 'tenant%'))";
    let before = scalar(&psql, census).await;
    let clone = ["clone", "acme", "copy", "--tenant-sql", &place.sql];
    let mut killed = place.start(&clone);
    let sleeping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
    eventually("the clone is at its last step", async || {
        (scalar(&psql, sleeping).await? == "1").then_some(())
    })
    .await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    eventually("Postgres has noticed", async || {
        (scalar(&psql, sleeping).await? == "0").then_some(())
    })
    .await;
    assert_eq!(scalar(&psql, census).await, before);
    let quick = format!("update {schema}.notes set body = 'quick'");
    psql.batch_execute(&quick).await.unwrap();
    assert_eq!(place.run(&clone), 0);
    let copy = names(&psql, "copy").await.0;
    let body = format!("select body from {copy}.notes");
    assert_eq!(scalar(&psql, &body).await.unwrap(), "quick");
}

#[tokio::test]
async fn a_killed_purge_is_finished_by_the_next_one() {
    let place = Place::new();
    let psql = place.service.psql().await;
    let (schema, role) = names(&psql, "globex").await;
    assert_eq!(place.run(&["delete", "globex", "--yes"]), 0);
    // Somebody looks at a table of the tenant's, so that the purge has to wait.
    let look = format!("begin; lock table {schema}.notes in access share mode");
    let looker = place.service.psql().await;
    looker.batch_execute(&look).await.unwrap();
    let mut killed = place.start(&["purge", "globex", "--yes"]);
    eventually("the purge waits", async || {
        let waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'";
        (scalar(&psql, waiting).await? == "1").then_some(())
    })
    .await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    looker.batch_execute("rollback").await.unwrap();
    assert_eq!(place.run(&["restore", "globex"]), 4, "there is no way back");
    assert_eq!(place.run(&["purge", "--expired", "--yes"]), 0);
    let left = format!(
        "select count(*) from (select nspname as name from pg_namespace union all select rolname from pg_roles) as names
         where name in ('{schema}', '{role}')"
    );
    assert_eq!(scalar(&psql, &left).await.unwrap(), "0");
    assert_eq!(place.run(&["show", "globex"]), 3);
}
