//! Lanes: small pools, each for a part of the tenants.
//!
//! A backend caches every table it ever touched, and a prepared statement belongs to the tenant it
//! was prepared for. So a tenant keeps to few connections: those of its first lane, or of its second
//! when the first is busy. A flood by one tenant fills its lanes and no others.

mod locked;
mod places;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{BuildError, Object, Pool, PoolError, Timeouts};
use deadpool_postgres::Runtime;

use locked::Patience;
use places::{Place, Places};

use super::connection::{Access, OpenError, Opener, Preparing, Transaction};
use super::error::{Lock, SessionError};
use super::{Failed, Note, Query, Session, Settings, WriteFailure};
use crate::error::Failure;
use crate::guard::TenantContext;
use crate::limits::Limit;
use crate::names::{RoleName, TenantId};
use crate::plan::Bindings;
use crate::postgres::Database;
use crate::registry::{self, Registry, Tenant};
use crate::rows::Rows;

#[derive(Debug, Clone)]
pub(crate) struct LanesConfig {
    pub(crate) lanes: NonZeroUsize,
    pub(crate) connections_per_lane: NonZeroUsize,
    pub(crate) preparing: Preparing,
    /// How long a request waits for a connection.
    pub(crate) wait: Duration,
    pub(crate) statement_timeout: Duration,
    /// How long a request waits for locks; for as long as statements may take when zero.
    pub(crate) lock_wait: Duration,
    pub(crate) lifetime: Duration,
    /// After how long without use a connection is closed.
    pub(crate) idle: Duration,
}

/// Opens sessions.
pub(crate) struct Lanes {
    all: Vec<Lane>,
    places: Places,
    registry: Arc<Registry>,
    wait: Duration,
    idle: Duration,
    statement_timeout: Arc<str>,
    lock_wait: Duration,
}

/// A pool of connections, and the role they log in as.
struct Lane {
    pool: Pool<Opener>,
    /// None where all lanes share one login, which may become every tenant.
    role: Option<RoleName>,
}

/// How often a transaction is tried that others have pushed aside.
const TRIES: u32 = 4;

/// How often one is tried whose connection was of no use.
const USELESS: u32 = 3;

const BACK_OFF: Duration = Duration::from_millis(5);

const CONNECT: Duration = Duration::from_secs(10);

impl Lanes {
    /// `database` has the request login: a role that sees nothing. With `roles`, each lane logs in
    /// as its own, by the same password.
    pub(crate) fn new(
        registry: Arc<Registry>,
        database: &Database,
        roles: Vec<RoleName>,
        config: &LanesConfig,
    ) -> Result<Self, BuildError> {
        let mut roles = roles.into_iter();
        let lane = |_| {
            let role = roles.next();
            let database = match &role {
                Some(role) => database.with_user(role.as_str()),
                None => database.clone(),
            };
            let opener = Opener::new(&database, config.preparing, config.lifetime);
            let pool = Pool::builder(opener)
                .max_size(config.connections_per_lane.get())
                .runtime(Runtime::Tokio1)
                .build()?;
            Ok(Lane { pool, role })
        };
        Ok(Self {
            all: (0..config.lanes.get())
                .map(lane)
                .collect::<Result<_, BuildError>>()?,
            places: Places::new(config.lanes.get(), config.connections_per_lane.get()),
            registry,
            wait: config.wait,
            idle: config.idle,
            statement_timeout: config.statement_timeout.as_millis().to_string().into(),
            lock_wait: config.lock_wait,
        })
    }

    /// Reads in a session of the context's tenant, which there is no other way to.
    pub(crate) async fn read(
        &self,
        context: &TenantContext,
        query: &Query,
        bindings: &Bindings,
    ) -> Result<Rows, Failure> {
        let transaction = Transaction {
            access: Access::Read,
            queries: &[query],
            bindings,
            note: None,
        };
        let rows = self.run(context, &transaction).await;
        let mut rows = rows.map_err(|failed| failed.error)?;
        Ok(rows.next().ok_or(SessionError::Closed)?)
    }

    /// Writes in a session of the context's tenant.
    pub(crate) async fn write(
        &self,
        context: &TenantContext,
        queries: &[&Query],
        bindings: &Bindings,
        note: Option<Note<'_>>,
    ) -> Result<Vec<Rows>, WriteFailure> {
        let transaction = Transaction {
            access: Access::of(context.identity()),
            queries,
            bindings,
            note,
        };
        Ok(self.run(context, &transaction).await?.collect())
    }

    /// Runs a transaction, and anew where everything has been undone for certain and another try may
    /// help: others were in the way, what was prepared no longer fits the tables, or the connection
    /// was of no use (as a restart of Postgres leaves all of them).
    async fn run(
        &self,
        context: &TenantContext,
        transaction: &Transaction<'_>,
    ) -> Result<impl Iterator<Item = Rows> + use<>, Failed> {
        let place = self.places.of(context.tenant().id);
        let mut patience = place.locks.patience(self.lock_wait);
        let (mut tries, mut is_stale) = (0, false);
        loop {
            let in_line = patience.turn().await?;
            let mut session = self.open(context, &place, &patience).await?;
            if is_stale {
                // Another connection may have prepared them as long ago.
                session.forget(transaction.queries);
            }
            let failed = match session.transact(transaction).await {
                Ok(rows) => {
                    patience.over();
                    return Ok(rows);
                }
                Err(failed) => failed,
            };
            let error = &failed.error;
            if let Some(lock) = error.met_lock() {
                drop((session, in_line));
                if patience.go_on(lock == Lock::Table).await {
                    continue;
                }
                return Err(failed);
            }
            tries += 1;
            is_stale = error.is_stale_statement();
            let undone = error.is_conflict() || is_stale;
            let reads = transaction.access == Access::Read;
            let useless = error.is_unopened() || reads && error.is_dead_connection();
            if !(undone && tries < TRIES || useless && tries < USELESS) {
                return Err(failed);
            }
            tracing::debug!(%error, "once more");
            if useless {
                session.connection.close();
            }
            drop((session, in_line));
            // Two that have locked each other out should not meet again at once.
            tokio::time::sleep(BACK_OFF * tries).await;
        }
    }

    /// Waits for the tenant's turn, then for a connection, for a limited time together.
    async fn open<'a>(
        &self,
        context: &'a TenantContext,
        place: &Place,
        patience: &Patience<'_>,
    ) -> Result<Session<'a>, Failure> {
        let tenant = context.tenant();
        self.admit(place, tenant).await?;
        let found = match Arc::clone(&place.turns).try_acquire_owned() {
            Ok(turn) => (turn, self.connection(place).await?),
            Err(_) => tokio::time::timeout(self.wait, async {
                let turn = Arc::clone(&place.turns).acquire_owned().await;
                let turn = turn.map_err(|_| Failure::overloaded(1))?;
                Ok::<_, Failure>((turn, self.connection(place).await?))
            })
            .await
            .map_err(|_| Failure::overloaded(1).with_log("no turn came in time"))??,
        };
        let (turn, object) = found;
        let timeout = match tenant.limits.get(Limit::Timeout) {
            Some(own) => own.to_string().into(),
            None => Arc::clone(&self.statement_timeout),
        };
        let settings = Settings::new(context, timeout, patience.in_postgres());
        Ok(Session::new(context, object, turn, settings))
    }

    /// Lets the logins of the tenant's lanes become the tenant, when it is met for the first time.
    async fn admit(&self, place: &Place, tenant: &Tenant) -> Result<(), Failure> {
        let grant = async || {
            let logins = self.logins_of(place);
            if logins.is_empty() {
                return Ok(());
            }
            self.registry.admit_to_lanes(&logins, &tenant.role).await
        };
        place.admitted.get_or_try_init(grant).await?;
        Ok(())
    }

    fn logins_of(&self, place: &Place) -> Vec<RoleName> {
        let lanes = [place.first, place.second];
        let roles = lanes.iter().filter_map(|&lane| self.all[lane].role.clone());
        roles.collect()
    }

    /// A free connection of the first lane, else of the second; else the next of the first.
    #[expect(
        clippy::disallowed_methods,
        reason = "the sessions' door to their pools"
    )]
    async fn connection(&self, place: &Place) -> Result<Object<Opener>, Failure> {
        let at_once = timeouts(Duration::ZERO);
        for lane in [place.first, place.second] {
            match self.all[lane].pool.timeout_get(&at_once).await {
                Err(PoolError::Timeout(_)) => {}
                outcome => return outcome.map_err(refused),
            }
        }
        let waiting = timeouts(self.wait);
        let pool = &self.all[place.first].pool;
        pool.timeout_get(&waiting).await.map_err(refused)
    }

    /// Closes connections that nobody has used for a while; for ever.
    pub(crate) async fn tidy(&self) {
        let mut rounds = tokio::time::interval(
            self.idle
                .clamp(Duration::from_secs(1), Duration::from_secs(30)),
        );
        loop {
            rounds.tick().await;
            for lane in &self.all {
                let _ = lane
                    .pool
                    .retain(|_, metrics| metrics.last_used() < self.idle);
            }
        }
    }

    pub(crate) fn close(&self) {
        for lane in &self.all {
            lane.pool.close();
        }
    }
}

impl registry::Lanes for Lanes {
    fn logins(&self, tenant: TenantId) -> Vec<RoleName> {
        self.logins_of(&self.places.of(tenant))
    }
}

fn timeouts(wait: Duration) -> Timeouts {
    Timeouts {
        wait: Some(wait),
        create: Some(CONNECT),
        recycle: None,
    }
}

fn refused(error: PoolError<OpenError>) -> Failure {
    // No connection in time, or none to be had: another try may find one.
    Failure::overloaded(1).with_log(error)
}

#[cfg(test)]
mod tests;
