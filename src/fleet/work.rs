//! Many tenants at once: as many connections as there are jobs, and tables in use are tried again later.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio::time::sleep;
use tokio_postgres::Client;

use super::queue::{Job, Queue};
use super::tenant::{Done, Env, Mode, TenantError, migrate_tenant};
use super::{Behind, Event, Failure, FleetError, Options, Watch};

/// A backend keeps what it knows of every table that it has touched: after so many tenants it is let go.
const TENANTS_PER_CONNECTION: usize = 100;

/// Behind each tenant there is a pause of twice the time that it took, up to this. Every statement of a tenant is planned
/// anew after a migration: when hundreds of tenants a second are migrated that is more work than there are cores, and
/// everybody's requests wait. What takes long by itself is not held up.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// What has become of the tenants.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) done: usize,
    pub(super) failed: Vec<Failure>,
    /// Files that were left out, and why.
    pub(super) unrehearsed: BTreeMap<String, String>,
    /// Nobody looked at these, as enough had failed.
    pub(super) left: usize,
}

/// Those who work, and how.
pub(super) struct Crew<'a, W> {
    pub(super) env: Env<'a>,
    pub(super) options: &'a Options,
    pub(super) watch: &'a W,
}

impl<W: Watch> Crew<'_, W> {
    /// Works on all tenants, or until so many have failed.
    pub(super) async fn work_off(
        &self,
        tenants: Vec<Behind>,
        mode: Mode,
        most_failures: usize,
    ) -> Result<Tally, FleetError> {
        let workers = self.options.jobs.get().min(tenants.len());
        let shift = Shift {
            crew: self,
            mode,
            most_failures,
            queue: Queue::new(tenants),
            tally: Mutex::default(),
        };
        try_join_all((0..workers).map(|_| shift.worker())).await?;
        Ok(shift
            .tally
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner))
    }
}

struct Shift<'a, W> {
    crew: &'a Crew<'a, W>,
    mode: Mode,
    most_failures: usize,
    queue: Queue,
    tally: Mutex<Tally>,
}

impl<W: Watch> Shift<'_, W> {
    async fn worker(&self) -> Result<(), FleetError> {
        let mut connection: Option<(Client, usize)> = None;
        while let Some(job) = self.queue.next().await {
            let fresh = connection
                .take_if(|(client, used)| client.is_closed() || *used >= TENANTS_PER_CONNECTION)
                .is_some();
            if fresh || connection.is_none() {
                let (client, _) = self.crew.env.registry.database().connect().await?;
                connection = Some((client, 0));
            }
            if let Some((client, used)) = &mut connection {
                *used += 1;
                let started = Instant::now();
                self.work(client, job).await?;
                if !self.crew.options.full_speed && !self.queue.is_empty() {
                    sleep((started.elapsed() * 2).min(LONGEST_PAUSE)).await;
                }
            }
        }
        Ok(())
    }

    async fn work(&self, client: &Client, job: Job) -> Result<(), FleetError> {
        let started = Instant::now();
        let (crew, mode) = (self.crew, self.mode);
        let tenant = &job.tenant;
        let outcome = migrate_tenant(client, &crew.env, tenant, mode).await;
        if let Ok(Done::UpTo(file)) = &outcome {
            let (name, why) = (file.name().to_owned(), file.to_string());
            self.tally(|tally| _ = tally.unrehearsed.insert(name, why));
        }
        match outcome {
            Ok(Done::Migrated | Done::UpTo(_)) => {
                self.tally(|tally| tally.done += 1);
                let took = started.elapsed();
                crew.watch.see(&Event::Done { tenant, mode, took });
            }
            Ok(Done::NotBehind) => crew.watch.see(&Event::NotBehind),
            Err(error) if error.is_passing() && job.tries < crew.options.lock_retries => {
                let (tries, reason) = (job.tries + 1, error.to_string());
                crew.watch.see(&Event::PutOff {
                    tenant,
                    tries,
                    reason: &reason,
                });
                self.queue.put_off(job);
            }
            Err(error) => self.fail(client, tenant, &error).await?,
        }
        Ok(())
    }

    async fn fail(
        &self,
        client: &Client,
        tenant: &Behind,
        error: &TenantError,
    ) -> Result<(), FleetError> {
        let failure = Failure::new(tenant, error, self.crew.env.migrations);
        if client.is_closed() {
            let (client, _) = self.crew.env.registry.database().connect().await?;
            failure.record(&client, self.mode).await?;
        } else {
            failure.record(client, self.mode).await?;
        }
        let mode = self.mode;
        self.crew.watch.see(&Event::Failed {
            failure: &failure,
            mode,
        });
        self.tally(|tally| {
            tally.failed.push(failure);
            if tally.failed.len() >= self.most_failures {
                tally.left += self.queue.close();
            }
        });
        Ok(())
    }

    fn tally(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
