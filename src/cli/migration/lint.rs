//! `tenantry migration lint`: runs migrations on a Postgres that lives for a moment, and says what they would do.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use crate::apis::HIDDEN_TABLES;
use crate::cli::exit::Refused;
use crate::cli::{dev, output, scratch};
use crate::config::TenantSql;
use crate::lint::{self, Course, Finding, Level, Sizes, Subject};
use crate::migrate::{MigrationFile, Migrations};
use crate::postgres::Database;
use crate::registry::{NewTenant, Registry, RequestLogin, Upgrade};

/// Exit status: 0 nothing to say but notes, 1 failed, 2 wrong command line, 10 there are warnings or errors.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    tenant_sql: TenantSql,

    /// Only files after this version: those before have run everywhere. When left out, each file is looked at as if those
    /// before it had run everywhere.
    #[arg(long, value_name = "VERSION")]
    since: Option<i32>,

    /// Only files that are not there in this commit or branch of git, such as `origin/main`.
    #[arg(
        long,
        value_name = "COMMIT",
        conflicts_with = "since",
        requires = "tenant_sql"
    )]
    base: Option<String>,

    /// Only files that some tenant of this database has yet to run. Tells how many rows the tables have there, and merely
    /// notes what takes long in large tables only where they are small. Nothing is run there.
    #[arg(long, value_name = "URL", conflicts_with_all = ["since", "base"])]
    database_url: Option<String>,

    /// How findings are printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Prints JSON.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// An array of objects.
    Json,
    /// Annotations of a workflow of GitHub's.
    Github,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let migrations = arguments.tenant_sql.load()?;
    let (since, sizes) = match (&arguments.database_url, &arguments.base) {
        (Some(url), _) => in_use(&Database::parse(url)?).await?,
        (None, Some(base)) => (Some(version_in(base, &arguments, &migrations)?), None),
        (None, None) => (arguments.since, None),
    };
    let mut findings = find(&migrations, since).await?;
    if let Some(sizes) = sizes {
        sizes.apply(&mut findings);
    }
    print(&arguments, &findings);
    match summary(&findings) {
        Some(summary) => Err(Refused::found(summary).into()),
        None => Ok(()),
    }
}

/// The last version that a commit has.
fn version_in(commit: &str, arguments: &Arguments, migrations: &Migrations) -> anyhow::Result<i32> {
    let dir = arguments.tenant_sql.tenant_sql.as_deref();
    let mut git = std::process::Command::new("git");
    git.arg("-C").arg(dir.unwrap_or(Path::new(".")));
    git.args(["ls-tree", "--name-only", "--end-of-options", commit, "./"]);
    let output = git.output().context("cannot run git")?;
    anyhow::ensure!(
        output.status.success(),
        "git does not know {commit}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let names = String::from_utf8_lossy(&output.stdout);
    let known: HashSet<&str> = names.lines().collect();
    let files = migrations.app.after(0).iter();
    let known = files.filter(|file| known.contains(file.name()));
    Ok(known.map(MigrationFile::version).max().unwrap_or(0))
}

/// The version that all tenants of a database have reached, and how large their tables are.
async fn in_use(database: &Database) -> anyhow::Result<(Option<i32>, Option<Sizes>)> {
    let (client, _) = database.connect().await?;
    let statement = "select min(app_version) from tenantry.tenants where status <> 'deleted'";
    let row = client.query_one(statement, &[]).await?;
    let version: Option<i32> = row.try_get(0)?;
    // Without tenants nothing is in use, whatever the version.
    Ok((
        Some(version.unwrap_or(i32::MAX)),
        Some(Sizes::read(&client).await?),
    ))
}

async fn find(migrations: &Migrations, since: Option<i32>) -> anyhow::Result<Vec<Finding>> {
    let settled = migrations.app.settled(since.unwrap_or(0));
    if since.is_some() && migrations.app.after(settled).is_empty() {
        return Ok(Vec::new());
    }
    let course = match since {
        Some(_) => Course::Together,
        None => Course::OneByOne,
    };
    let before = migrations.clone().up_to(settled)?.without_rows();
    let files = migrations.app.after(settled);
    scratch::with(async |database| findings(database, before, files, course).await).await
}

/// Makes a tenant of the version before, and runs the files there.
async fn findings(
    database: Database,
    before: Migrations,
    files: &[MigrationFile],
    course: Course,
) -> anyhow::Result<Vec<Finding>> {
    let registry = Registry::open(
        database.clone(),
        RequestLogin::Managed,
        &before,
        Upgrade::Run,
    )
    .await?;
    let registry = Arc::new(registry);
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
        database: &database,
        schema: &tenant.schema,
        role: &tenant.role,
        shared: registry.shared_schema(),
        hidden: &HIDDEN_TABLES,
        options: &scratch::options(),
    };
    Ok(lint::lint(&subject, before.app.last(), files, course).await?)
}

fn print(arguments: &Arguments, findings: &[Finding]) {
    let dir = arguments.tenant_sql.tenant_sql.as_ref();
    let place = dir.map_or_else(|| "sql/tenant".into(), |dir| dir.display().to_string());
    let place = format!("{}/", place.trim_end_matches('/'));
    match arguments.format {
        _ if arguments.json => output::json(&lint::json(findings, &place)),
        Format::Json => output::json(&lint::json(findings, &place)),
        Format::Github => output::write(&lint::github(findings, &place)),
        Format::Text => output::write(&lint::text(findings, &place)),
    }
}

/// None when there is nothing but notes.
fn summary(findings: &[Finding]) -> Option<String> {
    let count = |level| findings.iter().filter(|found| found.level == level).count();
    let counts = [(Level::Error, "error"), (Level::Warning, "warning")];
    let told = counts.map(|(level, name)| match count(level) {
        0 => None,
        1 => Some(format!("1 {name}")),
        n => Some(format!("{n} {name}s")),
    });
    let told: Vec<_> = told.into_iter().flatten().collect();
    if told.is_empty() {
        return None;
    }
    let all = told.join(" and ");
    Some(format!(
        "{all}; docs/lint.md explains them, and `-- tenantry: allow RULE REASON` above a statement allows what is meant"
    ))
}
