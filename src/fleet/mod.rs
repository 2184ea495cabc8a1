//! Brings all tenants to the version of the migrations: rehearsed first, then one transaction for each, many at once.
//!
//! [`migrate`] has the order of things. Whatever stops it, running it again goes on where it stopped: who is behind is
//! told by the registry, and a tenant's version changes in the transaction that runs its files.

mod atomic;
mod behind;
mod canaries;
mod failure;
mod lock;
mod preview;
mod queue;
mod sample;
mod tenant;
mod unfinished;
mod work;

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use tokio_postgres::Client;
use uuid::Uuid;

use crate::error::postgres_reason;
use crate::migrate::{LoadError, MigrationError, Migrations, SchemaVersion};
use crate::names::TenantId;
use crate::postgres::ConnectError;
use crate::registry::{FilesError, Registry, RegistryError};
use lock::RunLock;
use tenant::Env;
use work::{Crew, Tally};

pub(crate) use atomic::{NotAtomic, Runs, Unsettled, look_at_runs};
pub(crate) use behind::{Behind, count as count_behind};
pub(crate) use canaries::{Canaries, Canary};
pub(crate) use failure::Failure;
pub(crate) use lock::{OtherRun, Waiting, settle};
pub(crate) use preview::{Group, Preview, preview};
pub(crate) use sample::sample;
pub(crate) use tenant::Mode;

/// How to go about it.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Connections that work at the same time.
    pub(crate) jobs: NonZeroUsize,
    /// Whether all tenants are tried first, and nothing happens when one of them cannot be migrated.
    pub(crate) rehearsal: bool,
    /// Whether all are migrated or none.
    pub(crate) atomic: bool,
    pub(crate) canaries: Canaries,
    /// These tenants and no others; all, when there are none.
    pub(crate) only: Vec<TenantId>,
    /// After so many failures no other tenant is begun.
    pub(crate) max_failures: NonZeroUsize,
    pub(crate) lock_timeout: Duration,
    /// How often a tenant is tried again whose tables are in use.
    pub(crate) lock_retries: u32,
    /// Whether there are no pauses between tenants.
    pub(crate) full_speed: bool,
    pub(crate) waiting: Waiting,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            jobs: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            rehearsal: true,
            atomic: false,
            canaries: Canaries::One,
            only: Vec::new(),
            max_failures: NonZeroUsize::MIN,
            lock_timeout: Duration::from_millis(500),
            lock_retries: 10,
            full_speed: false,
            waiting: Waiting::UntilItIsDone,
        }
    }
}

/// Hears of what happens while it happens.
pub(crate) trait Watch {
    fn see(&self, event: &Event<'_>);

    /// Is shown who is behind, before anything runs there, and says why nothing is to, if so.
    fn look(
        &self,
        _registry: &Registry,
        _migrations: &Migrations,
        _behind: &[Behind],
    ) -> impl Future<Output = Option<String>> + Send {
        async { None }
    }
}

#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// For another run, which is not always known.
    Waiting(Option<&'a OtherRun>),
    Started {
        tenants: usize,
        version: SchemaVersion,
    },
    /// So many tenants come next.
    Phase(Phase, usize),
    Done {
        tenant: &'a Behind,
        mode: Mode,
        took: Duration,
    },
    /// Somebody else has migrated the next one, or it is gone.
    NotBehind,
    /// Its tables were in use: it is tried again.
    PutOff {
        tenant: &'a Behind,
        tries: u32,
        reason: &'a str,
    },
    Failed {
        failure: &'a Failure,
        mode: Mode,
    },
    /// All at once takes a prepared transaction for each connection, and the server has no more of them.
    FewerJobs {
        connections: usize,
        prepared: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Rehearsal,
    Canaries,
    All,
}

/// What has become of the fleet.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) version: SchemaVersion,
    /// How many were behind.
    pub(crate) behind: usize,
    pub(crate) rehearsed: usize,
    /// Files that no rehearsal could try, as what comes before them is to be committed first, and why. Nor could it try those
    /// after them.
    pub(crate) unrehearsed: BTreeMap<String, String>,
    pub(crate) migrated: usize,
    pub(crate) failed: Vec<Failure>,
    /// Behind still, without having been tried.
    pub(crate) left: usize,
    pub(crate) end: End,
    pub(crate) took: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Nobody is behind.
    Done,
    /// Some tenants could not be rehearsed: nothing has changed.
    RehearsalFailed,
    /// Some tenants could not be migrated; others may have been.
    Failed,
}

/// Why nobody knows what has become of the fleet, or why nothing was done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FleetError {
    #[error("another run is at work{}", .0.as_ref().map(|run| format!(": {run}")).unwrap_or_default())]
    AtWork(Option<OtherRun>),
    #[error(transparent)]
    Connection(#[from] ConnectError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("the registry answered: {}", postgres_reason(.0))]
    Postgres(#[from] tokio_postgres::Error),
    #[error("the registry's migrations are broken: {0}")]
    Load(#[from] LoadError),
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    History(#[from] MigrationError),
    #[error(transparent)]
    NotAtomic(#[from] NotAtomic),
    #[error(
        "the files run for all tenants, but not for a new one, so that nobody could sign up: {0}"
    )]
    NobodyNew(String),
    #[error("nothing is migrated: {0}")]
    NoApi(String),
    #[error("{file} names {schema}, the schema of one tenant, and would run for all of them")]
    Elsewhere { file: String, schema: String },
}

/// Migrates whoever is behind.
///
/// The registry was opened with these migrations, so that they are known not to have been edited.
pub(crate) async fn migrate(
    registry: &Registry,
    migrations: &Migrations,
    options: &Options,
    watch: &impl Watch,
) -> Result<Summary, FleetError> {
    let started = Instant::now();
    let mut lock = RunLock::take(registry, options.waiting, watch).await?;
    let tenants = behind::list(lock.client(), migrations, &options.only).await?;
    let version = migrations.version();
    let mut summary = Summary::new(version, tenants.len());
    watch.see(&Event::Started {
        tenants: tenants.len(),
        version,
    });
    if !tenants.is_empty() {
        refuse_elsewhere(lock.client(), migrations, &tenants).await?;
        let run = lock.sign(migrations, tenants.len()).await?;
        if let Some(reason) = watch.look(registry, migrations, &tenants).await {
            return Err(FleetError::NoApi(reason));
        }
        let env = Env {
            registry,
            migrations,
            lock_timeout: options.lock_timeout,
        };
        let crew = Crew {
            env,
            options,
            watch,
        };
        crew.bring_up(&lock, run, tenants, &mut summary).await?;
    }
    (summary.failed).sort_by(|one, other| one.tenant.subdomain.cmp(&other.tenant.subdomain));
    lock.release(summary.migrated, summary.failed.len()).await?;
    summary.took = started.elapsed();
    Ok(summary)
}

impl<W: Watch> Crew<'_, W> {
    /// Rehearsal, canaries, all the others, and those that have signed up meanwhile with an older replica.
    async fn bring_up(
        &self,
        lock: &RunLock,
        run: Uuid,
        mut tenants: Vec<Behind>,
        summary: &mut Summary,
    ) -> Result<(), FleetError> {
        if self.options.rehearsal {
            self.watch
                .see(&Event::Phase(Phase::Rehearsal, tenants.len()));
            let all = usize::MAX; // for the list of failures to be whole
            let tally = self.work_off(tenants.clone(), Mode::Rehearsal, all).await?;
            failure::forget_rehearsals(lock.client(), &tenants, &tally.failed).await?;
            summary.rehearsed = tally.done;
            summary.unrehearsed = tally.unrehearsed;
            if !tally.failed.is_empty() {
                summary.end = End::RehearsalFailed;
                summary.failed = tally.failed;
                summary.left = tenants.len() - summary.failed.len();
                return Ok(());
            }
            rehearse_newcomer(&self.env).await?;
        }
        if self.options.atomic {
            return self.bring_up_together(lock, run, tenants, summary).await;
        }
        let canaries = self.options.canaries.take(&mut tenants);
        if !canaries.is_empty() {
            self.watch
                .see(&Event::Phase(Phase::Canaries, canaries.len()));
            summary.add(self.work_off(canaries, Mode::Migration, 1).await?);
            if summary.end != End::Done {
                summary.left += tenants.len();
                return Ok(());
            }
        }
        while !tenants.is_empty() {
            self.watch.see(&Event::Phase(Phase::All, tenants.len()));
            let most = self.options.max_failures.get();
            let more = most - summary.failed.len();
            summary.add(self.work_off(tenants, Mode::Migration, more).await?);
            if summary.failed.len() >= most {
                break;
            }
            let client = lock.client();
            tenants = behind::list(client, self.env.migrations, &self.options.only).await?;
            tenants.retain(|tenant| summary.failed.iter().all(|one| one.tenant.id != tenant.id));
        }
        Ok(())
    }
}

impl Summary {
    fn new(version: SchemaVersion, behind: usize) -> Self {
        Self {
            version,
            behind,
            rehearsed: 0,
            unrehearsed: BTreeMap::new(),
            migrated: 0,
            failed: Vec::new(),
            left: 0,
            end: End::Done,
            took: Duration::ZERO,
        }
    }

    fn add(&mut self, tally: Tally) {
        self.migrated += tally.done;
        self.left += tally.left;
        self.failed.extend(tally.failed);
        if !self.failed.is_empty() {
            self.end = End::Failed;
        }
    }
}

/// Runs the files for a tenant that does not exist, too: from a version at which nobody can sign up there is no way back.
/// Files run for every tenant: what names one tenant's schema would change that one's tables again and again.
async fn refuse_elsewhere(
    client: &Client,
    migrations: &Migrations,
    behind: &[Behind],
) -> Result<(), FleetError> {
    let oldest = behind.iter().map(|tenant| tenant.version.app).min();
    let pending = migrations.app.after(oldest.unwrap_or_default());
    let statement = "select schema_name from tenantry.tenants";
    let rows = client.query_typed(statement, &[]).await?;
    let schemas = rows.iter().map(|row| row.try_get(0));
    let schemas = schemas.collect::<Result<HashSet<String>, _>>()?;
    for file in pending {
        if let Some(schema) = file.named_schema(&schemas) {
            return Err(FleetError::Elsewhere {
                file: file.name().to_owned(),
                schema: schema.to_owned(),
            });
        }
    }
    Ok(())
}

async fn rehearse_newcomer(env: &Env<'_>) -> Result<(), FleetError> {
    let rehearsed = env.registry.rehearse_newcomer(env.migrations).await;
    rehearsed.map_err(|failure| FleetError::NobodyNew(failure.reason()))
}

#[cfg(test)]
mod tests;
