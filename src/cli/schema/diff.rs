//! `tenantry schema diff`: what migrations change in the GraphQL schema, and what of it breaks clients.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::apis::Apis;
use crate::cli::database::DatabaseArguments;
use crate::cli::exit::{Refused, Status};
use crate::cli::{output, scratch};
use crate::config::TenantSql;
use crate::postgres::Database;
use crate::schema::diff::{Difference, Impact, diff};

/// Exit status: 0 when nothing breaks, 1 failed, 2 wrong command line, 10 when something does.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    tenant_sql: TenantSql,

    /// The schema as it was: a version (the files up to it), or a file that `tenantry schema` has printed (`-` is
    /// standard input). When left out, what the tenants of the database have.
    #[arg(long, value_name = "VERSION|FILE")]
    from: Option<Side>,

    /// With a version for --from: the last one of the files for shared tables that had run. All of them when left out.
    #[arg(long, value_name = "VERSION", requires = "from")]
    from_shared: Option<i32>,

    /// The schema as it will be: a version or a file, too. When left out, what all files make.
    #[arg(long, value_name = "VERSION|FILE")]
    to: Option<Side>,

    /// From what on the exit status tells that clients break.
    #[arg(long, value_enum, default_value_t = FailOn::Breaking)]
    fail_on: FailOn,

    /// Prints JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    database: DatabaseArguments,
}

/// Where a schema comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Side {
    Files,
    Version(i32),
    Printed(PathBuf),
}

impl FromStr for Side {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.trim_start_matches(['V', 'U']).parse() {
            Ok(version) => Self::Version(version),
            Err(_) => Self::Printed(text.into()),
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Breaking,
    Dangerous,
    Nothing,
}

impl FailOn {
    fn includes(self, impact: Impact) -> bool {
        match self {
            Self::Breaking => impact == Impact::Breaking,
            Self::Dangerous => impact != Impact::Safe,
            Self::Nothing => false,
        }
    }
}

/// A schema, and what it is called.
struct Named {
    name: String,
    sdl: String,
    /// How many have it, where it is that of tenants.
    tenants: Option<usize>,
}

struct Comparison {
    before: Named,
    changes: Vec<Difference>,
}

impl Arguments {
    pub(super) fn json(&self) -> bool {
        self.json
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let (before, after) = schemas(&arguments).await?;
    let mut comparisons = Vec::new();
    for before in before {
        let changes = diff(&before.sdl, &after.sdl)
            .with_context(|| format!("{} and {}", before.name, after.name))?;
        comparisons.push(Comparison { before, changes });
    }
    let failing = |change: &&Difference| arguments.fail_on.includes(change.rule.impact());
    let changes = comparisons
        .iter()
        .flat_map(|comparison| &comparison.changes);
    let message = match changes.filter(failing).count() {
        0 => None,
        1 => Some("1 change may break clients".to_owned()),
        count => Some(format!("{count} changes may break clients")),
    };
    let refused = message.map(|message| Refused::new(Status::Breaking, message));
    if arguments.json {
        let mut value = as_json(&comparisons, &after.name);
        value["error"] = json!(refused.as_ref().map(Refused::as_json));
        output::json(&value);
    } else {
        output::write(&as_text(&comparisons, &after.name));
    }
    refused.map_or(Ok(()), |refused| Err(refused.told().into()))
}

/// All schemas that were, and the one that will be.
async fn schemas(arguments: &Arguments) -> anyhow::Result<(Vec<Named>, Named)> {
    let Arguments {
        tenant_sql, from, ..
    } = arguments;
    let to = arguments.to.as_ref().unwrap_or(&Side::Files);
    // What can be wrong comes first, before a server is started.
    let served = if from.is_none() {
        let database = arguments.database.database();
        served(database.context("there is no --from, either")?).await?
    } else {
        Vec::new()
    };
    let both = async |scratch: Option<&Database>| {
        // In this order, as in a database that goes from one to the other.
        let before = match from {
            Some(from) => {
                let shared = arguments.from_shared;
                vec![schema(from, shared, tenant_sql, scratch, "before").await?]
            }
            None => served,
        };
        Ok((
            before,
            schema(to, None, tenant_sql, scratch, "after").await?,
        ))
    };
    let is_printed = |side: &Side| matches!(side, Side::Printed(_));
    if from.as_ref().is_none_or(is_printed) && is_printed(to) {
        return both(None).await;
    }
    scratch::with(async |scratch| both(Some(&scratch)).await).await
}

/// Reads one that was printed, or makes it in a scratch database, of a tenant of that name.
async fn schema(
    side: &Side,
    shared: Option<i32>,
    tenant_sql: &TenantSql,
    scratch: Option<&Database>,
    tenant: &str,
) -> anyhow::Result<Named> {
    let named = |name: String, sdl: String| Named {
        name,
        sdl,
        tenants: None,
    };
    let (name, migrations) = match side {
        Side::Printed(file) => {
            let name = file.display().to_string();
            let sdl = read(file).with_context(|| format!("cannot read {name}"))?;
            return Ok(named(name, sdl));
        }
        Side::Files => ("the files".to_owned(), tenant_sql.load()?),
        Side::Version(version) => {
            let mut migrations = tenant_sql.load()?.up_to(*version)?;
            if let Some(shared) = shared {
                let cut = migrations.shared_up_to(shared);
                migrations = cut.context("shared tables")?;
            }
            // It is written for the tables as they are today.
            migrations.seed = None;
            (format!("version {version}"), migrations)
        }
    };
    let database = scratch.context("there is no scratch database")?;
    let api = scratch::api(database, &migrations, tenant).await;
    let api = api.with_context(|| format!("cannot make {name}"))?;
    Ok(named(name, api.sdl()))
}

fn read(file: &PathBuf) -> std::io::Result<String> {
    if file.as_os_str() != "-" {
        return std::fs::read_to_string(file);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

/// What tenants have now: one schema for each version.
async fn served(database: Database) -> anyhow::Result<Vec<Named>> {
    let registry = Arc::new(crate::registry::Registry::attach(database).await?);
    let tenants = registry.of_each_version().await?;
    let apis = Apis::new(registry, scratch::options());
    let mut named = Vec::new();
    for (tenant, count) in tenants {
        named.push(Named {
            name: format!("version {}", tenant.version.app),
            sdl: apis.load(&tenant).await?.sdl(),
            tenants: Some(count),
        });
    }
    Ok(named)
}

fn as_text(comparisons: &[Comparison], after: &str) -> String {
    let mut out = String::new();
    if comparisons.is_empty() {
        out.push_str("there are no tenants yet\n");
    }
    for Comparison { before, changes } in comparisons {
        let _ = match before.tenants {
            None => writeln!(out, "{} -> {after}", before.name),
            Some(1) => writeln!(out, "{} (1 tenant) -> {after}", before.name),
            Some(count) => writeln!(out, "{} ({count} tenants) -> {after}", before.name),
        };
        for impact in Impact::ALL {
            let mut told = String::new();
            for change in of(changes, impact) {
                let _ = writeln!(told, "    {} {}", change.path, change.message);
                if let Some(hint) = &change.hint {
                    let _ = writeln!(told, "        {hint}");
                }
            }
            if !told.is_empty() {
                let _ = write!(out, "  {}:\n{told}", impact.word());
            }
        }
        let counts = Impact::ALL.map(|impact| (of(changes, impact).count(), impact.word()));
        let counts = counts.map(|(count, word)| format!("{count} {word}"));
        let summary = if changes.is_empty() {
            "nothing changes".to_owned()
        } else {
            counts.join(", ")
        };
        let _ = writeln!(out, "  {summary}");
    }
    out
}

fn as_json(comparisons: &[Comparison], after: &str) -> Value {
    let all = || {
        comparisons
            .iter()
            .flat_map(|comparison| &comparison.changes)
    };
    let count = |impact| {
        all()
            .filter(|change| change.rule.impact() == impact)
            .count()
    };
    let comparisons = comparisons.iter().map(|Comparison { before, changes }| {
        let changes = changes.iter().map(|change| {
            json!({
                "impact": change.rule.impact().word(),
                "rule": change.rule.id(),
                "path": change.path,
                "message": change.message,
                "hint": change.hint,
            })
        });
        json!({
            "from": before.name,
            "to": after,
            "tenants": before.tenants,
            "changes": changes.collect::<Vec<_>>(),
        })
    });
    json!({
        "comparisons": comparisons.collect::<Vec<_>>(),
        "breaking": count(Impact::Breaking),
        "dangerous": count(Impact::Dangerous),
        "safe": count(Impact::Safe),
    })
}

fn of(changes: &[Difference], impact: Impact) -> impl Iterator<Item = &Difference> {
    let is = move |change: &&Difference| change.rule.impact() == impact;
    changes.iter().filter(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_versions_or_files() {
        let side = |text: &str| text.parse::<Side>().unwrap();
        assert_eq!(side("7"), Side::Version(7));
        assert_eq!(side("V07"), Side::Version(7));
        assert_eq!(side("-"), Side::Printed("-".into()));
        assert_eq!(
            side("V2/old.graphql"),
            Side::Printed("V2/old.graphql".into())
        );
    }
}
