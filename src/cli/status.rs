//! `tenantry status`: at which versions the tenants are, who is behind or has failed and why, and whose tables somebody has
//! changed by hand.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::database::DatabaseArguments;
use super::exit::{Refused, Status};
use super::output::{self, moment};
use crate::config::TenantSql;
use crate::migrate::{Migrations, SchemaVersion};
use crate::registry::{Drift, MigrationFailure, TenantTables};

/// Exit status: 0 all tenants are at the version of the migrations, 1 failed, 2 wrong command line, 6 migrations of
/// some have failed, 11 the tables of some are not what the migrations make, 12 some are behind.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: DatabaseArguments,

    #[command(flatten)]
    tenant_sql: TenantSql,

    /// Does not look at the tables.
    #[arg(long)]
    no_drift: bool,

    /// How many connections look at tables.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=7))]
    jobs: u8,

    /// Prints JSON, with every tenant.
    #[arg(long)]
    json: bool,
}

/// How a tenant's version compares with that of the migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Current,
    Behind,
    /// It has run files that are not here.
    Ahead,
}

/// A tenant and what is known of its tables.
struct Line {
    tenant: TenantTables,
    state: State,
    /// None where nobody has looked.
    drift: Option<Drift>,
}

impl Arguments {
    pub(super) fn json(&self) -> bool {
        self.json
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let migrations = arguments.tenant_sql.load()?;
    let registry = arguments.database.registry().await?;
    let tenants = registry.tables().await.map_err(Refused::from)?;
    let drifts = if arguments.no_drift {
        tenants.iter().map(|_| None).collect()
    } else {
        let jobs = usize::from(arguments.jobs);
        let drifts = registry.drifts(&migrations, &tenants, jobs).await;
        let drifts = drifts.map_err(Refused::from)?.into_iter();
        drifts.map(Some).collect::<Vec<_>>()
    };
    let lines: Vec<_> = tenants
        .into_iter()
        .zip(drifts)
        .map(|(tenant, drift)| Line {
            state: state(tenant.version, &migrations),
            tenant,
            drift,
        })
        .collect();
    if arguments.json {
        output::json(&as_json(&lines, &migrations));
    } else {
        output::write(&text(&lines, &migrations));
    }
    verdict(&lines)
}

fn state(version: SchemaVersion, migrations: &Migrations) -> State {
    let wanted = migrations.version();
    if version == wanted {
        State::Current
    } else if version.app > wanted.app || version.base > wanted.base {
        State::Ahead
    } else {
        State::Behind
    }
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Behind => "behind",
            Self::Ahead => "ahead",
        }
    }
}

impl Line {
    fn failure(&self) -> Option<&MigrationFailure> {
        self.tenant.failure.as_ref()
    }

    fn has_drifted(&self) -> bool {
        matches!(self.drift, Some(Drift::Some(_) | Drift::Gone))
    }
}

/// What is said of a tenant without a schema.
const GONE: &str = "its schema is not there: bring it back from a backup, or purge the tenant";

/// What a script wants to know, the worst first.
fn verdict(lines: &[Line]) -> anyhow::Result<()> {
    let count = |is: &dyn Fn(&Line) -> bool| lines.iter().filter(|line| is(line)).count();
    let failed = count(&|line| line.failure().is_some());
    let behind = count(&|line| line.state == State::Behind);
    let drifted = count(&Line::has_drifted);
    let why = match (failed, behind, drifted) {
        (0, 0, 0) => return Ok(()),
        (0, 0, _) => Status::Drifted,
        (0, _, _) => Status::Behind,
        _ => Status::TenantsFailed,
    };
    let message = format!(
        "tenants: {failed} failed, {behind} behind, {drifted} with tables that are not the migrations'"
    );
    Err(Refused::new(why, message).told().into())
}

/// The versions, then whoever stands out.
fn text(lines: &[Line], migrations: &Migrations) -> String {
    let mut versions: BTreeMap<_, usize> = BTreeMap::new();
    for line in lines {
        let SchemaVersion { base, app, .. } = line.tenant.version;
        *versions.entry((app, base, line.state)).or_default() += 1;
    }
    let wanted = migrations.version();
    let mut text = vec![format!(
        "the migrations' version is {} (base {})",
        wanted.app, wanted.base
    )];
    for ((app, base, state), count) in versions.iter().rev() {
        let tenants = if *count == 1 { "tenant" } else { "tenants" };
        let state = state.word();
        text.push(format!(
            "{count} {tenants} at version {app} (base {base}): {state}"
        ));
    }
    for line in lines {
        let name = &line.tenant.subdomain;
        if let Some(failure) = line.failure() {
            text.push(format!("{name}: {}", told(failure)));
        } else if line.state == State::Behind {
            text.push(format!(
                "{name}: behind, at version {}",
                line.tenant.version.app
            ));
        }
        match &line.drift {
            Some(Drift::Some(_)) => text.push(format!(
                "{name}: its tables are not what the migrations make (tenantry diff {name})"
            )),
            Some(Drift::Gone) => text.push(format!("{name}: {GONE}")),
            Some(Drift::Unknown(reason)) => text.push(format!("{name}: not compared, {reason}")),
            _ => {}
        }
    }
    text.push(String::new());
    text.join("\n")
}

fn told(failure: &MigrationFailure) -> String {
    let what = if failure.rehearsal {
        "its rehearsal failed"
    } else {
        "it failed"
    };
    let place = match (&failure.file, failure.line) {
        (Some(file), Some(line)) => format!(" in {file}, line {line}"),
        _ => String::new(),
    };
    let excerpt = failure.excerpt.as_ref();
    let excerpt = excerpt.map_or(String::new(), |excerpt| format!(" (in: {excerpt})"));
    let at = moment(Some(failure.at));
    format!("{what}{place} at {at}: {}{excerpt}", failure.message)
}

fn as_json(lines: &[Line], migrations: &Migrations) -> Value {
    let wanted = migrations.version();
    let tenants: Vec<_> = lines.iter().map(tenant_as_json).collect();
    let count = |is: &dyn Fn(&Line) -> bool| lines.iter().filter(|line| is(line)).count();
    json!({
        "appVersion": wanted.app,
        "baseVersion": wanted.base,
        "migrations": digest(wanted),
        "counts": {
            "tenants": lines.len(),
            "current": count(&|line| line.state == State::Current),
            "behind": count(&|line| line.state == State::Behind),
            "ahead": count(&|line| line.state == State::Ahead),
            "failed": count(&|line| line.failure().is_some()),
            "drifted": count(&Line::has_drifted),
        },
        "tenants": tenants,
    })
}

fn tenant_as_json(line: &Line) -> Value {
    let TenantTables {
        id,
        subdomain,
        status,
        workspace,
        version,
        ..
    } = &line.tenant;
    let (drift, fingerprint, reason) = match &line.drift {
        None => (None, None, None),
        Some(Drift::None(own)) => (Some(false), Some(own.as_str()), None),
        Some(Drift::Some(own)) => (Some(true), Some(own.as_str()), None),
        Some(Drift::Gone) => (Some(true), None, Some(GONE)),
        Some(Drift::Unknown(reason)) => (None, None, Some(reason.as_str())),
    };
    let failure = line.failure().map(|failure| {
        json!({
            "file": failure.file,
            "line": failure.line,
            "excerpt": failure.excerpt,
            "sqlState": failure.sql_state,
            "message": failure.message,
            "rehearsal": failure.rehearsal,
            "at": failure.at.format(&Rfc3339).ok(),
        })
    });
    json!({
        "id": id.to_string(),
        "subdomain": subdomain.as_str(),
        "schema": workspace.schema.as_str(),
        "status": status.word().to_uppercase(),
        "appVersion": version.app,
        "baseVersion": version.base,
        "migrations": digest(*version),
        "state": line.state.word(),
        "failure": failure,
        "drift": drift,
        "notComparedBecause": reason,
        "fingerprint": fingerprint,
    })
}

/// JavaScript's numbers would lose digits.
fn digest(version: SchemaVersion) -> String {
    format!("{:016x}", version.digest)
}
