//! `tenantry migrate`: the tables of all tenants, brought to the version of the migrations.

pub(super) mod killed;
mod preview;
mod progress;
mod summary;
mod warnings;

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use super::at_least_one;
use super::database::DatabaseArguments;
use super::exit::{Refused, Status};
use super::output;
use crate::config::TenantSql;
use crate::fleet::{self, Canaries, Canary, End, FleetError, NotAtomic, Options, Waiting};
use crate::migrate::{LoadError, Migrations};
use crate::names::TenantId;
use crate::postgres::Database;
use crate::registry::{Registry, RequestLogin, TenantRef, Upgrade};
use progress::Progress;

pub(super) use progress::Logged;
pub(super) use summary::{complete, refusal};
pub(super) use warnings::Scale;

/// Exit status: 0 all tenants are at the version, 2 wrong command line, 3 no such tenant, 4 --atomic is not possible, 6
/// some tenants could not be migrated, 7 some could not be rehearsed, or files for shared tables have failed (no tenant has changed), 8 another run is at work
/// (with --no-wait), 9 the files are none, or were edited after they ran; 1 for anything else.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(super) struct Arguments {
    #[command(flatten)]
    database: DatabaseArguments,

    #[command(flatten)]
    tenant_sql: TenantSql,

    /// Shows what would run where, and changes nothing.
    #[arg(long)]
    dry_run: bool,

    /// Only this tenant, by subdomain or id; may be given several times.
    #[arg(long = "tenant", value_name = "TENANT")]
    tenants: Vec<String>,

    /// Does not run the app's files after this version.
    #[arg(long, value_name = "VERSION")]
    to: Option<i32>,

    /// Does not try the migrations in every tenant's schema first. A tenant whose rows break a new constraint is found
    /// after others have been migrated then.
    #[arg(long)]
    no_rehearsal: bool,

    /// Migrates all tenants or none. Their tables stay locked until the last one is done, and requests wait. A connection for
    /// each job takes a prepared transaction (`max_prepared_transactions`); without them, one does all of it.
    #[arg(long, conflicts_with = "canary")]
    atomic: bool,

    /// Who goes first, alone: tenants, and a share of those that are behind (`acme,5%`). When one of them fails, no other is
    /// begun. The first tenant when left out.
    #[arg(long, value_name = "TENANTS", value_delimiter = ',')]
    canary: Vec<Canary>,

    /// How many tenants are migrated at the same time. As many as there are cores when left out.
    #[arg(long, short, value_name = "N", value_parser = at_least_one)]
    jobs: Option<NonZeroUsize>,

    /// After so many failures, no other tenant is begun.
    #[arg(long, value_name = "N", default_value = "1", value_parser = at_least_one)]
    max_failures: NonZeroUsize,

    /// For how many milliseconds a statement waits for a table that is in use. Requests that come meanwhile wait, too.
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    lock_timeout: u32,

    /// How often a tenant is tried again whose tables are in use, with longer and longer pauses: ten times take some
    /// twenty seconds.
    #[arg(long, value_name = "N", default_value_t = 10)]
    lock_retries: u32,

    /// Makes no pauses between tenants. Requests to those that have just been migrated are planned anew, which takes time: without
    /// this, it is spread out.
    #[arg(long)]
    full_speed: bool,

    /// Ends when another run is at work, rather than wait for its end.
    #[arg(long)]
    no_wait: bool,

    /// Prints a JSON object for each event, one on a line.
    #[arg(long)]
    json: bool,

    /// Adds Postgres' details to failures. They may quote rows.
    #[arg(long)]
    show_details: bool,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    if arguments.dry_run {
        let migrations = arguments.tenant_sql.load()?;
        return preview::run(&arguments, migrations).await;
    }
    let database = arguments.database.database()?;
    let progress = Progress::new(arguments.json);
    let opened = arguments.open(database.clone(), &progress).await;
    if opened.is_err()
        && let Err(error) = fleet::settle(&database).await
    {
        tracing::debug!(%error, "nothing was settled");
    }
    let (registry, migrations) = opened?;
    let options = arguments.options(&registry).await?;
    let summary = fleet::migrate(&registry, &migrations, &options, &progress).await;
    progress.end();
    let summary = summary.map_err(not_done)?;
    let refused = (summary.end != End::Done).then(|| refusal(&summary, arguments.show_details));
    if arguments.json {
        let finished = summary::as_json(&summary, refused.as_ref(), arguments.show_details);
        output::json_line(&finished);
    } else if refused.is_none() {
        output::write(&complete(&summary));
    }
    refused.map_or(Ok(()), |refused| Err(refused.told().into()))
}

impl Arguments {
    pub(super) fn json(&self) -> bool {
        self.json
    }

    async fn open(
        &self,
        database: Database,
        progress: &Progress,
    ) -> anyhow::Result<(Registry, Migrations)> {
        let migrations = self.tenant_sql.load()?;
        progress.tell(warnings::find_shared(&database, &migrations, Scale::Fleet).await);
        let login = RequestLogin::AsItIs;
        let registry = Registry::open(database, login, &migrations, Upgrade::Run).await?;
        Ok((registry, self.cut(migrations)?))
    }

    /// Leaves out what `--to` leaves out, once all files are known to be those that have run.
    fn cut(&self, migrations: Migrations) -> Result<Migrations, LoadError> {
        match self.to {
            Some(version) => migrations.up_to(version),
            None => Ok(migrations),
        }
    }

    async fn options(&self, registry: &Registry) -> anyhow::Result<Options> {
        let mut only = Vec::new();
        for tenant in &self.tenants {
            let tenant = TenantRef::parse(tenant).map_err(Refused::from)?;
            only.push(id(registry, &tenant).await?);
        }
        let (mut named, mut percent) = (Vec::new(), 0.0);
        for canary in &self.canary {
            match canary {
                Canary::Tenant(tenant) => named.push(id(registry, tenant).await?),
                Canary::Share(share) => percent = *share,
            }
        }
        let canaries = if self.canary.is_empty() {
            Canaries::One
        } else {
            Canaries::Chosen { named, percent }
        };
        let defaults = Options::default();
        Ok(Options {
            jobs: self.jobs.unwrap_or(defaults.jobs),
            rehearsal: !self.no_rehearsal,
            atomic: self.atomic,
            canaries,
            only,
            max_failures: self.max_failures,
            lock_timeout: Duration::from_millis(self.lock_timeout.into()),
            lock_retries: self.lock_retries,
            full_speed: self.full_speed,
            waiting: if self.no_wait {
                Waiting::NotAtAll
            } else {
                Waiting::UntilItIsDone
            },
        })
    }
}

async fn id(registry: &Registry, tenant: &TenantRef) -> Result<TenantId, Refused> {
    let record = registry.tenant_record(tenant).await;
    Ok(record.map_err(Refused::from)?.id)
}

fn not_done(error: FleetError) -> anyhow::Error {
    match error {
        // Whoever lost the connection does not know what has become of it.
        FleetError::NotAtomic(error @ NotAtomic::Undecided(_)) => anyhow::Error::new(error),
        FleetError::NotAtomic(error) => Refused::not_possible(error.to_string()).into(),
        FleetError::NobodyNew(_) | FleetError::NoApi(_) => {
            Refused::new(Status::RehearsalFailed, error.to_string()).into()
        }
        FleetError::Elsewhere { .. } => Refused::new(Status::BadFiles, error.to_string()).into(),
        FleetError::AtWork(_) => Refused::new(Status::AnotherRun, error.to_string()).into(),
        error => error.into(),
    }
}
