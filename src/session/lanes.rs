//! Lanes: small pools, each for a part of the tenants.
//!
//! A backend caches every table it ever touched, and a prepared statement belongs to the tenant it
//! was prepared for. So a tenant keeps to few connections: those of its first lane, or of its second
//! when the first is busy. A flood by one tenant fills its lanes and no others.

mod places;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{BuildError, Object, Pool, PoolError, Timeouts};
use deadpool_postgres::Runtime;

use places::{Place, Places};

use super::connection::{Access, OpenError, Opener, Preparing, Transaction};
use super::error::SessionError;
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
}

/// A pool of connections, and the role they log in as.
struct Lane {
    pool: Pool<Opener>,
    /// None where all lanes share one login, which may become every tenant.
    role: Option<RoleName>,
}

/// How often a transaction is tried that others have pushed aside.
const WRITE_TRIES: u32 = 4;

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
        })
    }

    /// Reads in a session of the context's tenant, which there is no other way to; once more where
    /// that can help: when the connection had died before the server took anything (as a restart of
    /// Postgres does to all of them), or when what was prepared no longer fits the tables.
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
        let mut session = self.open(context).await?;
        let mut result = session.transact(&transaction).await;
        if let Err(Failed { error, .. }) = &result
            && (error.is_dead_connection() || error.is_stale_statement())
        {
            tracing::debug!(%error, "reading once more");
            drop((result, session));
            session = self.open(context).await?;
            // Another connection may have prepared it as long ago.
            session.forget(&[query]);
            result = session.transact(&transaction).await;
        }
        let mut rows = result.map_err(|failed| failed.error)?;
        Ok(rows.next().ok_or(SessionError::Closed)?)
    }

    /// Writes in a session of the context's tenant. It is tried anew only where everything has been
    /// undone for certain: because Postgres says so, and what others do may be over by then.
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
        let (mut tries, mut is_stale) = (0, false);
        loop {
            tries += 1;
            let mut session = self.open(context).await?;
            if is_stale {
                session.forget(queries);
            }
            let failed = match session.transact(&transaction).await {
                Ok(rows) => return Ok(rows.collect()),
                Err(failed) => failed,
            };
            is_stale = failed.error.is_stale_statement();
            let undone = failed.error.is_conflict() || is_stale;
            if !undone || tries == WRITE_TRIES {
                return Err(failed.into());
            }
            tracing::debug!(error = %failed.error, "writing once more");
            drop(session);
            // Two that have locked each other out should not meet again at once.
            tokio::time::sleep(BACK_OFF * tries).await;
        }
    }

    /// Waits for the tenant's turn, then for a connection, for a limited time together.
    async fn open<'a>(&self, context: &'a TenantContext) -> Result<Session<'a>, Failure> {
        let tenant = context.tenant();
        let place = self.places.of(tenant.id);
        self.admit(&place, tenant).await?;
        let found = match Arc::clone(&place.turns).try_acquire_owned() {
            Ok(turn) => (turn, self.connection(&place).await?),
            Err(_) => tokio::time::timeout(self.wait, async {
                let turn = Arc::clone(&place.turns).acquire_owned().await;
                let turn = turn.map_err(|_| Failure::overloaded(1))?;
                Ok::<_, Failure>((turn, self.connection(&place).await?))
            })
            .await
            .map_err(|_| Failure::overloaded(1).with_log("no turn came in time"))??,
        };
        let (turn, object) = found;
        let timeout = match tenant.limits.get(Limit::Timeout) {
            Some(own) => own.to_string().into(),
            None => Arc::clone(&self.statement_timeout),
        };
        let settings = Settings::new(context, timeout);
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
