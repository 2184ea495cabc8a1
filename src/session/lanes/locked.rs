//! How requests wait for a tenant whose tables are locked, as by its migration.
//!
//! Most locks are gone after some milliseconds, for which a request waits in Postgres, on its
//! connection. That connection belongs to other tenants too, so before long it is given back.
//! From then on the tenant's requests wait here, and look one after the other whether the lock is
//! gone, each for a moment: they have one connection at most, whatever their number.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout_at};

use crate::error::Failure;

/// How long a request waits in Postgres for a lock that nobody has met yet, in milliseconds.
const FIRST: u64 = 250;

/// The same for one that is known.
const NEXT: u64 = 20;

/// The pause before the same request looks again.
const PAUSE: Duration = Duration::from_millis(40);

/// How long a lock is believed to be there after it was met.
const BELIEVED: Duration = Duration::from_millis(500);

/// What is known of locks on a tenant's tables.
pub(super) struct Locks {
    start: Instant,
    /// Until when they are believed to be there: milliseconds since `start`, 0 for not at all.
    until: AtomicU64,
    queue: Semaphore,
}

impl Default for Locks {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            until: AtomicU64::new(0),
            queue: Semaphore::new(1),
        }
    }
}

impl Locks {
    /// One request's patience; without a `limit`, it waits in Postgres for as long as statements may take.
    pub(super) fn patience(&self, limit: Duration) -> Patience<'_> {
        Patience {
            locks: self,
            deadline: (!limit.is_zero()).then(|| Instant::now() + limit),
            has_met_one: false,
        }
    }

    fn are_there(&self) -> bool {
        let until = self.until.load(Ordering::Relaxed);
        until > 0 && self.millis(Instant::now()) < until
    }

    fn met(&self) {
        let until = self.millis(Instant::now() + BELIEVED);
        self.until.store(until, Ordering::Relaxed);
    }

    fn gone(&self) {
        self.until.store(0, Ordering::Relaxed);
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.duration_since(self.start).as_millis()).unwrap_or(u64::MAX)
    }
}

/// How long one request waits for locks.
pub(super) struct Patience<'l> {
    locks: &'l Locks,
    deadline: Option<Instant>,
    has_met_one: bool,
}

impl<'l> Patience<'l> {
    /// Stands in line while the tenant's tables are locked.
    pub(super) async fn turn(&self) -> Result<Option<SemaphorePermit<'l>>, Failure> {
        let Some(deadline) = self.deadline.filter(|_| self.locks.are_there()) else {
            return Ok(None);
        };
        let turn = timeout_at(deadline, self.locks.queue.acquire()).await;
        let turn = turn.map_err(|_| Failure::migrating())?;
        // The one before may have found that they are gone.
        Ok(turn.ok().filter(|_| self.locks.are_there()))
    }

    /// Postgres' `lock_timeout`, in milliseconds; 0 for none.
    pub(super) fn in_postgres(&self) -> u64 {
        let Some(deadline) = self.deadline else {
            return 0;
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let left = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        let wanted = if self.locks.are_there() { NEXT } else { FIRST };
        wanted.min(left).max(1)
    }

    /// Waits after a lock was met, on whole tables or only on some rows. False when it has been too long.
    pub(super) async fn go_on(&mut self, on_tables: bool) -> bool {
        self.has_met_one = true;
        if on_tables {
            self.locks.met();
        }
        let next = Instant::now() + PAUSE;
        let may = self.deadline.is_some_and(|deadline| next < deadline);
        if may {
            sleep(PAUSE).await;
        }
        may
    }

    /// The transaction met no lock, or not any more.
    pub(super) fn over(&self) {
        if self.has_met_one {
            self.locks.gone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn who_meets_a_lock_waits_and_looks_again() {
        let locks = Locks::default();
        let mut patience = locks.patience(LIMIT);
        assert!(
            patience.turn().await.unwrap().is_none(),
            "nobody knows of a lock"
        );
        assert_eq!(patience.in_postgres(), FIRST);
        assert!(patience.go_on(true).await);
        let turn = patience.turn().await.unwrap();
        assert!(turn.is_some());
        assert_eq!(patience.in_postgres(), NEXT);
        // Others have to wait for that turn; the one that has it finds the lock gone.
        let other = locks.patience(LIMIT);
        let (turn_of_other, ()) = tokio::join!(other.turn(), async {
            sleep(Duration::from_millis(10)).await;
            patience.over();
            drop(turn);
        });
        assert!(
            turn_of_other.unwrap().is_none(),
            "there is nothing to queue for"
        );
        assert_eq!(other.in_postgres(), FIRST);
    }

    #[tokio::test]
    async fn patience_ends() {
        let locks = Locks::default();
        let limit = 4 * PAUSE;
        let mut patience = locks.patience(limit);
        let started = Instant::now();
        while patience.go_on(true).await {}
        let waited = started.elapsed();
        assert!(
            waited + 2 * PAUSE > limit && waited < 4 * limit,
            "{waited:?}"
        );
        assert!(patience.in_postgres() >= 1, "0 would be for ever");
        let _turn = locks.patience(LIMIT).turn().await.unwrap().unwrap();
        locks.met();
        let refused = locks.patience(Duration::from_millis(100)).turn().await;
        assert_eq!(refused.unwrap_err().code.as_str(), "TENANT_MIGRATING");
    }

    #[tokio::test]
    async fn a_lock_is_forgotten_when_nobody_meets_it_any_more() {
        let locks = Locks::default();
        // Rows that somebody else changes keep nobody from the tables.
        assert!(locks.patience(LIMIT).go_on(false).await);
        assert!(locks.patience(LIMIT).turn().await.unwrap().is_none());
        assert!(locks.patience(LIMIT).go_on(true).await);
        assert!(locks.patience(LIMIT).turn().await.unwrap().is_some());
        // One who has not met it says nothing of it.
        locks.patience(LIMIT).over();
        assert!(locks.patience(LIMIT).turn().await.unwrap().is_some());
        sleep(BELIEVED).await;
        assert!(locks.patience(LIMIT).turn().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn without_a_limit_postgres_is_waited_for() {
        let locks = Locks::default();
        let mut patience = locks.patience(Duration::ZERO);
        assert_eq!(patience.in_postgres(), 0);
        assert!(!patience.go_on(true).await);
        assert!(patience.turn().await.unwrap().is_none());
    }
}
