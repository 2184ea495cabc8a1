//! `--atomic`: all tenants or none.
//!
//! One connection migrates all tenants in one transaction, and commits. Several need a second phase: each prepares its
//! transaction, a row of the registry says that all are to be committed, and then they are. Whoever is killed before that row is
//! there has changed nothing; after it, the next run commits what is left.

mod capacity;
mod preparable;
mod prepared;
mod unsettled;

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use futures_util::future::try_join_all;
use tokio_postgres::Client;
use uuid::Uuid;

use super::lock::RunLock;
use super::queue::{Job, Queue};
use super::tenant::{Done, migrate_tenant};
use super::work::Crew;
use super::{Behind, End, Event, Failure, FleetError, Mode, Phase, Summary, Watch};
use crate::migrate::Stop;
use crate::names::{Subdomain, TenantId, brief};
use crate::registry::record_files;

pub(super) use prepared::recover;
pub(crate) use unsettled::{Runs, Unsettled, look as look_at_runs};

/// What its connections are called, for whoever looks at `pg_stat_activity`, the next run among them.
const APPLICATION_NAME: &str = "tenantry atomic";

/// Why all tenants cannot be migrated at once.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAtomic {
    #[error(
        "{0} runs without a transaction, so that nobody could undo it: migrate without --atomic"
    )]
    Autocommit(String),
    #[error(
        "{file} does not run in one transaction with the files before it: {why}. Migrate with --to {before} first, and then once \
         more for the rest, or migrate without --atomic"
    )]
    NewValue {
        file: String,
        why: String,
        before: i32,
    },
    #[error(
        "{tenants} tenants at once need some {needed} locks, and the server has room for {room}, of which {used} are taken: \
         set max_locks_per_transaction to {wanted} or more and restart it (it is {setting}), or migrate without --atomic"
    )]
    LockTable {
        tenants: usize,
        needed: i64,
        room: i64,
        used: i64,
        wanted: i64,
        setting: i64,
    },
    #[error(
        "{}a transaction of {} cannot be committed together with those of other connections, and nothing has changed: {reason}. \
         Run it with --jobs 1, where one connection commits all, or without --atomic; or have the files do without it: \
         in place of a temporary table, an ordinary one that is dropped in the end, or a common table expression",
        .tenant.as_ref().map(|tenant| format!("{tenant}: ")).unwrap_or_default(), brief(files)
    )]
    NotPrepared {
        /// One of those with whom it is so; nobody knows when it shows at the end.
        tenant: Option<Subdomain>,
        /// What does it, or all that has run.
        files: Vec<String>,
        reason: String,
    },
    #[error(
        "the connection was lost while all were committed ({0}): run it again, and what was decided is done"
    )]
    Undecided(String),
}

impl<W: Watch> Crew<'_, W> {
    /// Migrates all of these tenants, or none of them.
    pub(super) async fn bring_up_together(
        &self,
        lock: &RunLock,
        run: Uuid,
        tenants: Vec<Behind>,
        summary: &mut Summary,
    ) -> Result<(), FleetError> {
        let all = tenants.len();
        let prepared = prepared::available(lock.client()).await?;
        let wanted = self.options.jobs.get().min(all);
        // One that prepares has no advantage over one that commits.
        let connections = if prepared < 2 {
            1
        } else {
            wanted.min(prepared)
        };
        if let Err(failure) = self.check_capacity(&tenants, connections).await? {
            return self.give_up(lock, vec![*failure], all, summary).await;
        }
        if connections > 1 {
            self.check_preparable(run, &tenants).await?;
        }
        if connections < wanted {
            self.watch.see(&Event::FewerJobs {
                connections,
                prepared,
            });
        }
        self.watch.see(&Event::Phase(Phase::All, all));
        let files = preparable::files(self.env.migrations, &tenants);
        let clients = try_join_all((0..connections).map(|_| self.connect())).await?;
        let shift = Shift {
            crew: self,
            queue: Queue::new(tenants),
            state: Mutex::default(),
        };
        try_join_all(clients.iter().map(|client| shift.worker(client))).await?;
        let State { migrated, failed } = shift
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if !failed.is_empty() {
            let undone = clients
                .iter()
                .map(|client| client.batch_execute("rollback"));
            try_join_all(undone).await?;
            return self.give_up(lock, failed, all, summary).await;
        }
        match &clients[..] {
            [client] => self.commit(client, &migrated).await?,
            clients => {
                let committed = self.commit_prepared(lock.client(), run, clients, &migrated);
                committed.await.map_err(|error| about(error, files))?;
            }
        }
        summary.migrated = migrated.len();
        Ok(())
    }

    async fn connect(&self) -> Result<Client, FleetError> {
        let database = self.env.registry.database();
        Ok(database
            .with_application_name(APPLICATION_NAME)
            .connect()
            .await?
            .0)
    }

    /// Remembers why nothing has changed.
    async fn give_up(
        &self,
        lock: &RunLock,
        failed: Vec<Failure>,
        all: usize,
        summary: &mut Summary,
    ) -> Result<(), FleetError> {
        for failure in &failed {
            // As in a rehearsal, all was undone.
            failure.record(lock.client(), Mode::Rehearsal).await?;
        }
        summary.end = End::Failed;
        summary.left = all - failed.len();
        summary.failed = failed;
        Ok(())
    }

    async fn commit(&self, client: &Client, migrated: &[TenantId]) -> Result<(), FleetError> {
        record_files(client, self.env.migrations).await?;
        prepared::tell(client, migrated).await?;
        let committed = client.batch_execute("commit").await;
        committed.map_err(NotAtomic::undecided)
    }
}

/// The tenants, and what has become of them.
struct Shift<'a, W> {
    crew: &'a Crew<'a, W>,
    queue: Queue,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    migrated: Vec<TenantId>,
    failed: Vec<Failure>,
}

impl<W: Watch> Shift<'_, W> {
    /// Migrates its share of the tenants in a transaction, which is left open.
    async fn worker(&self, client: &Client) -> Result<(), FleetError> {
        client.batch_execute("begin").await?;
        while let Some(job) = self.queue.next().await {
            self.work(client, job).await?;
        }
        Ok(())
    }

    async fn work(&self, client: &Client, job: Job) -> Result<(), FleetError> {
        let (crew, started, mode) = (self.crew, Instant::now(), Mode::Joint);
        let tenant = &job.tenant;
        match migrate_tenant(client, &crew.env, tenant, mode).await {
            Ok(Done::Migrated) => {
                self.change(|state| state.migrated.push(tenant.id));
                let took = started.elapsed();
                crew.watch.see(&Event::Done { tenant, mode, took });
            }
            Ok(Done::NotBehind) => crew.watch.see(&Event::NotBehind),
            Ok(Done::UpTo(file)) => return Err(NotAtomic::from(file).into()),
            Err(error)
                if error.is_passing()
                    && !client.is_closed()
                    && job.tries < crew.options.lock_retries =>
            {
                let (tries, reason) = (job.tries + 1, error.to_string());
                let reason = &*reason;
                crew.watch.see(&Event::PutOff {
                    tenant,
                    tries,
                    reason,
                });
                self.queue.put_off(job);
            }
            Err(error) => {
                let failure = Failure::new(tenant, &error, crew.env.migrations);
                crew.watch.see(&Event::Failed {
                    failure: &failure,
                    mode,
                });
                self.change(|state| state.failed.push(failure));
                self.queue.close();
            }
        }
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The error, with the files that may be the reason where it has none.
fn about(mut error: FleetError, all: Vec<String>) -> FleetError {
    if let FleetError::NotAtomic(NotAtomic::NotPrepared { files, .. }) = &mut error
        && files.is_empty()
    {
        *files = all;
    }
    error
}

impl From<Stop<'_>> for NotAtomic {
    fn from(stop: Stop<'_>) -> Self {
        let file = stop.name().to_owned();
        match stop {
            Stop::Autocommit(_) => Self::Autocommit(file),
            Stop::NewValue(value) => Self::NewValue {
                file,
                why: value.to_string(),
                before: value.before(),
            },
        }
    }
}

impl NotAtomic {
    /// Nobody knows yet which files it is about.
    fn not_prepared(error: &tokio_postgres::Error) -> Self {
        Self::NotPrepared {
            tenant: None,
            files: Vec::new(),
            reason: crate::error::postgres_reason(error),
        }
    }

    /// Nobody knows whether a COMMIT without an answer has come through.
    fn undecided(error: tokio_postgres::Error) -> FleetError {
        if error.as_db_error().is_some() {
            return error.into();
        }
        Self::Undecided(crate::error::postgres_reason(&error)).into()
    }
}
