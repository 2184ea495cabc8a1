//! The fleet against a real Postgres: what no command line shows.

use std::sync::Mutex;

use super::*;
use crate::testing::{Replica, TestDatabase};

/// Remembers which tenants were done.
#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Watch for Seen {
    fn see(&self, event: &Event<'_>) {
        if let Event::Done { tenant, mode, .. } = event {
            let name = format!("{mode:?} {}", tenant.subdomain);
            self.0.lock().unwrap().push(name);
        }
    }
}

fn files(files: &[(&str, &str)]) -> Migrations {
    let dir = tempfile::tempdir().unwrap();
    for (name, sql) in files {
        std::fs::write(dir.path().join(name), sql).unwrap();
    }
    Migrations::from_dir(dir.path()).unwrap()
}

async fn run(replica: &Replica, migrations: &Migrations) -> (Summary, Vec<String>) {
    let options = Options {
        jobs: NonZeroUsize::MIN,
        ..Options::default()
    };
    let seen = Seen::default();
    let summary = migrate(&replica.registry, migrations, &options, &seen).await;
    (summary.unwrap(), seen.0.into_inner().unwrap())
}

const FIRST: (&str, &str) = ("V1__t.sql", "create table t (id int primary key)");

#[tokio::test]
async fn a_tenant_of_an_older_release_is_looked_at_once() {
    let test = TestDatabase::new().await;
    let replica = test.replica_with(files(&[FIRST])).await;
    replica.sign_up("red").await;
    replica.sign_up("blue").await;
    let psql = test.superuser().await;
    let older = "update tenantry.tenants set migrations = 0 where subdomain = 'red'; \
         delete from tenantry.migrations";
    psql.batch_execute(older).await.unwrap();
    let (summary, seen) = run(&replica, &files(&[FIRST])).await;
    assert_eq!(
        (summary.behind, summary.migrated, summary.end),
        (1, 1, End::Done)
    );
    assert_eq!(seen, ["Rehearsal red", "Migration red"]);
    let versions = "select distinct migrations from tenantry.tenants";
    assert_eq!(psql.query(versions, &[]).await.unwrap().len(), 1);
    let known = "select from tenantry.migrations where set = 'app'";
    assert_eq!(psql.query(known, &[]).await.unwrap().len(), 1);
    assert_eq!(run(&replica, &files(&[FIRST])).await.0.behind, 0);
}

/// Tenants share connections, and nothing else.
#[tokio::test]
async fn what_a_file_leaves_in_the_session_is_gone_for_the_next_tenant() {
    let test = TestDatabase::of_ordinary_owner().await;
    let replica = test.replica_with(files(&[FIRST])).await;
    for tenant in ["red", "green", "blue"] {
        replica.sign_up(tenant).await;
    }
    let second = "create temp table left_over (id int);
        do $$ begin
          if current_setting('x.y', true) <> '' then raise 'left over'; end if;
          perform set_config('x.y', 'z', false), pg_advisory_lock(1), set_config('lock_timeout', '1', false);
        end $$;
        alter table t add first_value text not null default current_schema();";
    let migrations = files(&[FIRST, ("V2__u.sql", second)]);
    let (summary, _) = run(&replica, &migrations).await;
    assert_eq!(summary.end, End::Done, "{:?}", summary.failed);
    assert_eq!((summary.rehearsed, summary.migrated), (3, 3));
}

#[tokio::test]
async fn histories_that_contradict_the_files_fail_alone() {
    let test = TestDatabase::new().await;
    let replica = test.replica_with(files(&[FIRST])).await;
    let red = replica.sign_up("red").await.tenant;
    replica.sign_up("blue").await;
    let psql = test.superuser().await;
    let edited = format!(
        "update {}.tenantry_app_history set checksum = '1'",
        red.schema.quoted()
    );
    psql.batch_execute(&edited).await.unwrap();
    let migrations = files(&[FIRST, ("V2__u.sql", "alter table t add u int")]);
    let (summary, seen) = run(&replica, &migrations).await;
    assert_eq!((summary.end, summary.left), (End::RehearsalFailed, 1));
    assert_eq!(seen, ["Rehearsal blue"]);
    let failure = &summary.failed[0];
    assert!(failure.to_string().contains("V1__t"), "{failure}");
    assert_eq!(failure.place, None);
}

#[tokio::test]
async fn somebody_else_may_have_done_it() {
    let test = TestDatabase::new().await;
    let replica = test.replica_with(files(&[FIRST])).await;
    replica.sign_up("red").await;
    let migrations = files(&[FIRST, ("V2__u.sql", "alter table t add u int")]);
    let (client, _connection) = replica.registry.database().connect().await.unwrap();
    let tenants = behind::list(&client, &migrations, &[]).await.unwrap();
    let env = Env {
        registry: &replica.registry,
        migrations: &migrations,
        lock_timeout: Duration::from_millis(500),
    };
    for expected in ["Migrated", "NotBehind"] {
        let done = tenant::migrate_tenant(&client, &env, &tenants[0], Mode::Migration).await;
        assert_eq!(format!("{:?}", done.unwrap()), expected);
    }
}
