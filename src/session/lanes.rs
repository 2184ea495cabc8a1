//! Lanes: small pools, each for a part of the tenants.
//!
//! A backend caches every table it ever touched, and a prepared statement belongs to the tenant it
//! was prepared for. So a tenant keeps to few connections: those of its first lane, or of its second
//! when the first is busy. A flood by one tenant fills its lanes and no others.

use std::collections::HashSet;
use std::hash::{Hash as _, Hasher as _};
use std::num::NonZeroUsize;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use deadpool::managed::{BuildError, Object, Pool, PoolError, Timeouts};
use deadpool_postgres::Runtime;
use siphasher::sip::SipHasher13;

use super::connection::{OpenError, Opener, Preparing};
use super::{Query, Session, Settings, WriteFailure};
use crate::error::Failure;
use crate::guard::TenantContext;
use crate::names::{RoleName, TenantId};
use crate::plan::Bindings;
use crate::postgres::Database;
use crate::registry::{Registry, Tenant};
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
    /// The tenants that it may become, as far as this process has met them.
    admitted: RwLock<HashSet<TenantId>>,
}

impl Lane {
    /// Lets the lane's login become the tenant, when it meets the tenant for the first time.
    async fn admit(&self, registry: &Registry, tenant: &Tenant) -> Result<(), Failure> {
        let Some(role) = &self.role else {
            return Ok(());
        };
        let known = |admitted: &HashSet<TenantId>| admitted.contains(&tenant.id);
        if known(&self.admitted.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        registry.admit_to_lane(role, &tenant.role).await?;
        let mut admitted = self
            .admitted
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        admitted.insert(tenant.id);
        Ok(())
    }
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
            Ok(Lane {
                pool,
                role,
                admitted: RwLock::default(),
            })
        };
        Ok(Self {
            all: (0..config.lanes.get())
                .map(lane)
                .collect::<Result<_, BuildError>>()?,
            registry,
            wait: config.wait,
            idle: config.idle,
            statement_timeout: config.statement_timeout.as_millis().to_string().into(),
        })
    }

    /// Reads in a session of the context's tenant, which there is no other way to; once more where
    /// that can help: when the connection had died before anything was run on it (as a restart of
    /// Postgres does to all of them), or when what was prepared no longer fits the tables.
    pub(crate) async fn read(
        &self,
        context: &TenantContext,
        query: &Query,
        bindings: &Bindings,
    ) -> Result<Rows, Failure> {
        let error = match self.open(context).await?.read(query, bindings).await {
            Ok(rows) => return Ok(rows),
            Err(error) => error,
        };
        if error.is_dead_connection() || error.is_stale_statement() {
            tracing::debug!(%error, "reading once more");
            return Ok(self.open(context).await?.read(query, bindings).await?);
        }
        Err(error.into())
    }

    /// Writes in a session of the context's tenant. It is tried anew only where everything has been
    /// undone for certain: because Postgres says so, and what others do may be over by then.
    pub(crate) async fn write(
        &self,
        context: &TenantContext,
        queries: &[&Query],
        bindings: &Bindings,
    ) -> Result<Vec<Rows>, WriteFailure> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut session = self.open(context).await?;
            let failed = match session.write(queries, bindings).await {
                Ok(rows) => return Ok(rows),
                Err(failed) => failed,
            };
            let undone = failed.error.is_conflict() || failed.error.is_stale_statement();
            if !undone || tries == WRITE_TRIES {
                return Err(failed.into());
            }
            tracing::debug!(error = %failed.error, "writing once more");
            drop(session);
            // Two that have locked each other out should not meet again at once.
            tokio::time::sleep(BACK_OFF * tries).await;
        }
    }

    async fn open<'a>(&self, context: &'a TenantContext) -> Result<Session<'a>, Failure> {
        let tenant = context.tenant();
        let (lane, object) = self.connection(tenant.id).await.map_err(refused)?;
        lane.admit(&self.registry, tenant).await?;
        let settings = Settings::new(context, Arc::clone(&self.statement_timeout));
        Ok(Session::new(context, object, settings))
    }

    /// A free connection of the first lane, else of the second; else the next of the first.
    #[expect(
        clippy::disallowed_methods,
        reason = "the sessions' door to their pools"
    )]
    async fn connection(
        &self,
        tenant: TenantId,
    ) -> Result<(&Lane, Object<Opener>), PoolError<OpenError>> {
        let at_once = timeouts(Duration::ZERO);
        let (first, second) = preferred(tenant, self.all.len());
        for lane in [first, second] {
            let lane = &self.all[lane];
            match lane.pool.timeout_get(&at_once).await {
                Err(PoolError::Timeout(_)) => {}
                outcome => return Ok((lane, outcome?)),
            }
        }
        let lane = &self.all[first];
        Ok((lane, lane.pool.timeout_get(&timeouts(self.wait)).await?))
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

/// The two lanes that score highest for the tenant: rendezvous hashing. Neither depends on other
/// tenants, and with one lane more or less, all but its share of the tenants stay where they are.
fn preferred(tenant: TenantId, lanes: usize) -> (usize, usize) {
    let mut best = [(0, 0), (0, 0)];
    for lane in 0..lanes {
        let mut hasher = SipHasher13::new();
        (tenant, lane).hash(&mut hasher);
        let score = (hasher.finish(), lane);
        if score >= best[0] {
            best = [score, best[0]];
        } else if score > best[1] {
            best[1] = score;
        }
    }
    (best[0].1, best[1].1)
}

#[cfg(test)]
mod residue;

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn tenants() -> impl Iterator<Item = TenantId> {
        (0..10_000_u128).map(|n| TenantId(Uuid::from_u128(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))))
    }

    #[test]
    fn lanes_are_evenly_filled_and_differ() {
        let mut filled = [0; 8];
        for tenant in tenants() {
            let (first, second) = preferred(tenant, 8);
            assert_ne!(first, second);
            filled[first] += 1;
        }
        assert!(
            filled.iter().all(|count| (1100..1400).contains(count)),
            "{filled:?}"
        );
        assert_eq!(preferred(TenantId(Uuid::nil()), 1), (0, 0));
    }

    #[test]
    fn a_new_lane_takes_its_share_and_moves_nobody_else() {
        let moved = tenants()
            .filter(|&tenant| {
                let (before, after) = (preferred(tenant, 8).0, preferred(tenant, 9).0);
                assert!(before == after || after == 8);
                before != after
            })
            .count();
        assert!((900..1350).contains(&moved), "{moved}");
    }
}
