//! `tenantry status`: at which versions the tenants are, who is behind or has failed and why, and whose tables somebody has
//! changed by hand.

mod json;
mod text;

use clap::Args;

pub(super) use text::GONE;

use super::database::DatabaseArguments;
use super::exit::{Refused, Status};
use super::migrate::killed;
use super::output;
use crate::config::TenantSql;
use crate::fleet::{self, Runs};
use crate::migrate::{Migrations, SchemaVersion};
use crate::registry::{Drift, FilesError, MigrationFailure, Registry, TenantTables, check_files};

/// Exit status: 0 all tenants are at the version of the migrations, 1 failed, 2 wrong command line, 14 a killed `migrate
/// --atomic` holds tables, 9 the files are none, or not those that the fleet has run, 7 they do not run for a new tenant, 6
/// migrations of some have failed, 12 some are behind, 11 the tables of some are not what the migrations make.
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
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=6))]
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
    /// It has run others in the place of those that are here.
    Unlike,
}

/// A tenant and what is known of its tables.
struct Line {
    tenant: TenantTables,
    state: State,
    /// None where nobody has looked.
    drift: Option<Drift>,
}

/// All that is known.
struct Standing {
    wanted: SchemaVersion,
    runs: Runs,
    /// Why `migrate` would refuse the files.
    refused: Option<FilesError>,
    lines: Vec<Line>,
}

impl Arguments {
    pub(super) fn json(&self) -> bool {
        self.json
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let migrations = arguments.tenant_sql.load()?;
    let registry = arguments.database.registry().await?;
    let standing = Standing::find(&registry, &migrations, &arguments).await?;
    let refused = standing.verdict();
    if arguments.json {
        output::json(&json::of(&standing, refused.as_ref()));
    } else {
        output::write(&text::of(&standing));
    }
    refused.map_or(Ok(()), |refused| Err(refused.told().into()))
}

impl Standing {
    async fn find(
        registry: &Registry,
        migrations: &Migrations,
        arguments: &Arguments,
    ) -> anyhow::Result<Self> {
        let (client, _connection) = registry.database().connect().await?;
        let runs = fleet::look_at_runs(&client).await?;
        let refused = match check_files(&client, migrations).await {
            Err(error) if error.is_about_files() => Some(error),
            checked => checked.map(|()| None)?,
        };
        let tenants = registry.tables().await.map_err(Refused::from)?;
        let drifts = if arguments.no_drift {
            tenants.iter().map(|_| None).collect()
        } else if matches!(runs, Runs::Killed(_)) {
            let held = || Drift::Unknown("tables are held by a run that was killed".to_owned());
            tenants.iter().map(|_| Some(held())).collect()
        } else {
            let jobs = usize::from(arguments.jobs);
            let drifts = registry.drifts(migrations, &tenants, jobs).await;
            let drifts = drifts.map_err(Refused::from)?.into_iter();
            drifts.map(Some).collect::<Vec<_>>()
        };
        let lines = tenants.into_iter().zip(drifts).map(|(tenant, drift)| Line {
            state: State::of(tenant.version, migrations, refused.is_some()),
            tenant,
            drift,
        });
        Ok(Self {
            wanted: migrations.version(),
            runs,
            lines: lines.collect(),
            refused,
        })
    }

    fn count(&self, is: impl Fn(&Line) -> bool) -> usize {
        self.lines.iter().filter(|line| is(line)).count()
    }

    /// Why the schemas of some were not compared: their files make none.
    fn not_made(&self) -> Option<&str> {
        let mut reasons = self.lines.iter().filter_map(|line| match &line.drift {
            Some(Drift::NotMade(reason)) => Some(reason.as_str()),
            _ => None,
        });
        reasons.next()
    }

    /// What a script wants to know, the worst first.
    fn verdict(&self) -> Option<Refused> {
        let failed = self.count(|line| line.failure().is_some());
        let behind = self.count(Line::is_behind);
        let drifted = self.count(Line::has_drifted);
        let counts = format!(
            "tenants: {failed} failed, {behind} behind, {drifted} with tables that are not the migrations'"
        );
        if let Runs::Killed(runs) = &self.runs {
            return Some(Refused::new(Status::Unsettled, killed::sentence(runs)));
        }
        if let Some(error) = &self.refused {
            return Some(Refused::new(Status::BadFiles, error.to_string()));
        }
        if let Some(reason) = self.not_made() {
            let message = format!("{reason}; {counts}");
            return Some(Refused::new(Status::RehearsalFailed, message));
        }
        let why = match (failed, behind, drifted) {
            (0, 0, 0) => return None,
            (0, 0, _) => Status::Drifted,
            (0, _, _) => Status::Behind,
            _ => Status::TenantsFailed,
        };
        Some(Refused::new(why, counts))
    }
}

impl State {
    fn of(version: SchemaVersion, migrations: &Migrations, refused: bool) -> Self {
        let wanted = migrations.version();
        if version == wanted {
            Self::Current
        } else if version.app > wanted.app || version.base > wanted.base {
            Self::Ahead
        } else if refused && migrations.at(version).is_none() {
            Self::Unlike
        } else {
            Self::Behind
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Behind => "behind",
            Self::Ahead => "ahead",
            Self::Unlike => "unlike",
        }
    }
}

impl Line {
    fn failure(&self) -> Option<&MigrationFailure> {
        let failure = self.tenant.failure.as_ref();
        // What was tried and taken back is over where there is nothing to run any more.
        failure.filter(|_| self.state != State::Current)
    }

    fn is_behind(&self) -> bool {
        matches!(self.state, State::Behind | State::Unlike)
    }

    fn has_drifted(&self) -> bool {
        matches!(self.drift, Some(Drift::Some(_) | Drift::Gone))
    }
}
