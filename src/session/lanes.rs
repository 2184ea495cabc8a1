//! Lanes: small pools, each for a part of the tenants.
//!
//! A backend caches every table it ever touched, and a prepared statement belongs to the tenant it
//! was prepared for. So a tenant keeps to few connections: those of its first lane, or of its second
//! when the first is busy. A flood by one tenant fills its lanes and no others.

use std::hash::{Hash as _, Hasher as _};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{Pool, PoolError, Timeouts};
use deadpool_postgres::Runtime;
use siphasher::sip::SipHasher13;

use super::connection::{Checkout, Opener, Preparing};
use super::{Session, Settings};
use crate::error::Failure;
use crate::guard::TenantContext;
use crate::names::TenantId;
use crate::postgres::Database;

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
    pools: Vec<Pool<Opener>>,
    wait: Duration,
    idle: Duration,
    statement_timeout: Arc<str>,
}

const CONNECT: Duration = Duration::from_secs(10);

impl Lanes {
    /// `database` has the request login: a role that sees nothing.
    pub(crate) fn new(
        database: &Database,
        config: &LanesConfig,
    ) -> Result<Self, deadpool::managed::BuildError> {
        let pool = |_| {
            Pool::builder(Opener::new(database, config.preparing, config.lifetime))
                .max_size(config.connections_per_lane.get())
                .runtime(Runtime::Tokio1)
                .build()
        };
        Ok(Self {
            pools: (0..config.lanes.get())
                .map(pool)
                .collect::<Result<_, _>>()?,
            wait: config.wait,
            idle: config.idle,
            statement_timeout: config.statement_timeout.as_millis().to_string().into(),
        })
    }

    /// Opens a session for the context's tenant. There is no other way to one.
    pub(crate) async fn open<'a>(
        &self,
        context: &'a TenantContext,
    ) -> Result<Session<'a>, Failure> {
        let object = self
            .connection(context.tenant().id)
            .await
            .map_err(refused)?;
        Ok(Session {
            context,
            connection: Checkout::new(object),
            settings: Settings::new(context, Arc::clone(&self.statement_timeout)),
        })
    }

    /// A free connection of the first lane, else of the second; else the next of the first.
    #[expect(clippy::disallowed_methods, reason = "the sessions' door to their pools")]
    async fn connection(
        &self,
        tenant: TenantId,
    ) -> Result<deadpool::managed::Object<Opener>, PoolError<tokio_postgres::Error>> {
        let at_once = timeouts(Duration::ZERO);
        let (first, second) = preferred(tenant, self.pools.len());
        for lane in [first, second] {
            match self.pools[lane].timeout_get(&at_once).await {
                Err(PoolError::Timeout(_)) => {}
                outcome => return outcome,
            }
        }
        self.pools[first].timeout_get(&timeouts(self.wait)).await
    }

    /// Closes connections that nobody has used for a while; for ever.
    pub(crate) async fn tidy(&self) {
        let mut rounds = tokio::time::interval(
            self.idle
                .clamp(Duration::from_secs(1), Duration::from_secs(30)),
        );
        loop {
            rounds.tick().await;
            for pool in &self.pools {
                let _ = pool.retain(|_, metrics| metrics.last_used() < self.idle);
            }
        }
    }

    pub(crate) fn close(&self) {
        for pool in &self.pools {
            pool.close();
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

fn refused(error: PoolError<tokio_postgres::Error>) -> Failure {
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
