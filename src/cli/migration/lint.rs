//! `tenantry migration lint`: runs migrations on a Postgres that lives for a moment, and says what they would do.

use clap::{Args, ValueEnum};

use super::trial::{self, Since};
use crate::cli::exit::{Refused, Status};
use crate::cli::output;
use crate::config::TenantSql;
use crate::lint::{self, Finding, Level, Sizes};
use crate::postgres::Database;

/// Exit status: 0 nothing to say but notes, 1 failed, 2 wrong command line, 13 there are warnings or errors.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    tenant_sql: TenantSql,

    /// Only the app's files after this version: those before, and those for shared tables, have run everywhere. When left
    /// out, each file is looked at as if those before it had run everywhere.
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

impl Arguments {
    pub(super) fn json(&self) -> bool {
        self.json || self.format == Format::Json
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let migrations = arguments.tenant_sql.load()?;
    let mut sizes = None;
    let since = match (&arguments.database_url, &arguments.base) {
        (Some(url), _) => {
            let (client, _connection) = Database::parse(url)?.connect().await?;
            let shared = Sizes::read_shared(&client).await?;
            sizes = Some([Sizes::read(&client).await?, shared]);
            Since::of_fleet(&client, &migrations).await?
        }
        (None, Some(commit)) => Since::commit(commit, &arguments.tenant_sql, &migrations)?,
        (None, None) => Since::version(arguments.since),
    };
    let mut findings = trial::find(&migrations, since).await?;
    for (findings, sizes) in findings.iter_mut().zip(sizes.iter().flatten()) {
        sizes.apply(findings);
    }
    print(&arguments, &findings);
    match summary(&findings.concat()) {
        Some(summary) => Err(Refused::new(Status::Findings, summary).told().into()),
        None => Ok(()),
    }
}

/// Those of the app's files, and those of files for shared tables, which run before them.
fn print(arguments: &Arguments, [app, shared]: &[Vec<Finding>; 2]) {
    let [of_app, of_shared] = arguments.tenant_sql.prefixes();
    let [of_app, of_shared] = [of_app.as_str(), of_shared.as_str()];
    let text = |print: fn(&[Finding], &str) -> String| {
        output::write(&(print(shared, of_shared) + &print(app, of_app)));
    };
    match arguments.format {
        Format::Github if !arguments.json => text(lint::github),
        Format::Text if !arguments.json => text(lint::text),
        _ => {
            let objects = [lint::json(shared, of_shared), lint::json(app, of_app)];
            output::json(&objects.concat().into());
        }
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
