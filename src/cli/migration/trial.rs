//! Files, run on a Postgres that lives for a moment, as those before them have run everywhere.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tokio_postgres::Client;

use crate::apis::HIDDEN_TABLES;
use crate::cli::{dev, git, scratch};
use crate::config::TenantSql;
use crate::lint::{self, Course, Finding, Making, Rule, Subject};
use crate::migrate::{MigrationFile, MigrationSet, Migrations};
use crate::names::SchemaName;
use crate::postgres::Database;
use crate::registry::{NewTenant, Registry, RequestLogin, SHARED_SCHEMA, Upgrade, pending_shared};

/// The last versions that have run everywhere, of the app's files and of those for shared tables; where there is none, files are
/// looked at one by one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since {
    app: Option<i32>,
    shared: Option<i32>,
}

impl Since {
    /// A version of the app's files.
    pub(super) fn version(app: Option<i32>) -> Self {
        let shared = app.map(|_| i32::MAX);
        Self { app, shared }
    }

    /// The last versions that a commit has.
    pub(super) fn commit(
        commit: &str,
        sql: &TenantSql,
        migrations: &Migrations,
    ) -> anyhow::Result<Self> {
        let app = sql.tenant_sql.as_deref().unwrap_or(Path::new("."));
        let shared = match (sql.shared(), &migrations.shared) {
            (Some(dir), Some(set)) => version_in(commit, &dir, set)?,
            _ => i32::MAX,
        };
        Ok(Self {
            app: Some(version_in(commit, app, &migrations.app)?),
            shared: Some(shared),
        })
    }

    /// The last versions that all tenants of a database have reached.
    pub(super) async fn of_fleet(client: &Client, migrations: &Migrations) -> anyhow::Result<Self> {
        let statement = "select min(app_version) from tenantry.tenants where status <> 'deleted'";
        let row = client.query_one(statement, &[]).await?;
        let app: Option<i32> = row.try_get(0)?;
        let pending = pending_shared(client, migrations).await?;
        let shared = match (&migrations.shared, pending.first()) {
            (Some(set), Some(first)) if pending.len() < set.len() => first.version() - 1,
            _ => i32::MAX,
        };
        // Without tenants nothing is in use, whatever the version.
        Ok(Self {
            app: Some(app.unwrap_or(i32::MAX)),
            shared: Some(shared),
        })
    }
}

fn version_in(commit: &str, dir: &Path, set: &MigrationSet) -> anyhow::Result<i32> {
    let arguments = ["ls-tree", "--name-only", "--end-of-options", commit, "./"];
    let output = git::command(dir, &arguments)
        .output()
        .context("cannot run git")?;
    anyhow::ensure!(
        output.status.success(),
        "git does not know {commit}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let names = String::from_utf8_lossy(&output.stdout);
    let known: HashSet<&str> = names.lines().collect();
    let known = set.files().filter(|(_, name)| known.contains(name));
    Ok(known.map(|(version, _)| version).max().unwrap_or(0))
}

/// What is found in the app's files, and in those for shared tables.
pub(super) async fn find(
    migrations: &Migrations,
    since: Since,
) -> anyhow::Result<[Vec<Finding>; 2]> {
    let app = Part::of(&migrations.app, since.app);
    let shared = migrations.shared.as_ref();
    let shared = shared.and_then(|set| Part::of(set, since.shared));
    if app.is_none() && shared.is_none() {
        return Ok([Vec::new(), Vec::new()]);
    }
    scratch::with(async |database| {
        let mut found = [Vec::new(), Vec::new()];
        if let Some(part) = shared {
            found[1] = find_shared(&database, migrations, part).await?;
        }
        // Where shared tables cannot be made, no others can.
        let fails = found[1].iter().any(|finding| finding.rule == Rule::Fails);
        if let (Some(part), false) = (app, fails) {
            found[0] = find_app(&database, migrations, part).await?;
        }
        Ok(found)
    })
    .await
}

/// Files that are looked at.
struct Part<'a> {
    /// The last version that has run before.
    settled: i32,
    files: &'a [MigrationFile],
    course: Course,
}

impl<'a> Part<'a> {
    /// None where nothing is left.
    fn of(set: &'a MigrationSet, since: Option<i32>) -> Option<Self> {
        let settled = set.settled(since.unwrap_or(0));
        let files = set.after(settled);
        let course = match since {
            Some(_) => Course::Together,
            None => Course::OneByOne,
        };
        (since.is_none() || !files.is_empty()).then_some(Self {
            settled,
            files,
            course,
        })
    }
}

async fn find_shared(
    database: &Database,
    migrations: &Migrations,
    part: Part<'_>,
) -> anyhow::Result<Vec<Finding>> {
    if part.files.is_empty() {
        return Ok(Vec::new());
    }
    let before = migrations.clone().shared_up_to(part.settled)?;
    open(database, &before).await?;
    let subject = Subject {
        database,
        schema: &SchemaName::parse(SHARED_SCHEMA)?,
        base: None,
        api: None,
    };
    let found = lint::lint(&subject, None, part.files, part.course).await?;
    // The app's files find all of them there, as if they had been run.
    let (client, _connection) = database.connect().await?;
    client.batch_execute("drop schema shared cascade").await?;
    Ok(found)
}

/// Makes a tenant of the version before, and runs the files there.
async fn find_app(
    database: &Database,
    migrations: &Migrations,
    part: Part<'_>,
) -> anyhow::Result<Vec<Finding>> {
    let before = migrations.clone().up_to(part.settled)?.without_rows();
    let registry = Arc::new(open(database, &before).await?);
    let tenant = NewTenant::parse(
        "Reference",
        Some("reference"),
        "Owner",
        "owner@reference.test",
        "demo-password",
    )
    .map_err(dev::explain)?;
    let signed_up = registry.sign_up(&before, tenant).await;
    let tenant = signed_up.map_err(dev::explain)?.tenant;
    let subject = Subject {
        database,
        schema: &tenant.schema,
        base: None,
        api: Some(Making {
            role: &tenant.role,
            shared: registry.shared_schema(),
            hidden: &HIDDEN_TABLES,
            options: &scratch::options(),
        }),
    };
    Ok(lint::lint(&subject, before.app.last(), part.files, part.course).await?)
}

async fn open(database: &Database, migrations: &Migrations) -> anyhow::Result<Registry> {
    let (database, login) = (database.clone(), RequestLogin::Managed);
    Ok(Registry::open(database, login, migrations, Upgrade::Run).await?)
}
