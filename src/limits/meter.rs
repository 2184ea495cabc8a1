//! How fast requests may come, and how many may run at once: counted without a lock.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// So many requests a second on average, and so many at once before that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) per_second: u64,
    pub(crate) burst: u64,
}

const SECOND: u64 = 1_000_000_000;

/// When the next request would come if all came at their rate, in nanoseconds: the whole state of a
/// leaky bucket, as the generic cell rate algorithm keeps it.
/// <https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm>
#[derive(Debug, Default)]
pub(crate) struct Bucket(AtomicU64);

impl Bucket {
    /// Takes a request, or tells after how many nanoseconds it would.
    pub(super) fn take(&self, rate: Rate, now: u64) -> Result<(), u64> {
        let interval = SECOND / rate.per_second.clamp(1, SECOND);
        let patience = interval.saturating_mul(rate.burst.max(1) - 1);
        let mut due = self.0.load(Ordering::Relaxed);
        loop {
            let ahead = due.saturating_sub(now);
            if ahead > patience {
                return Err(ahead - patience);
            }
            let next = due.max(now).saturating_add(interval);
            match self
                .0
                .compare_exchange_weak(due, next, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return Ok(()),
                Err(other) => due = other,
            }
        }
    }
}

/// What a tenant is doing on this replica. It outlives changes of the tenant's row.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    bucket: Bucket,
    running: AtomicU32,
    /// Somebody who belongs to the tenant has been here since this was last written down.
    active: AtomicBool,
}

/// Two copies of a tenant are the same whatever it is doing.
impl PartialEq for Meter {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Meter {}

/// Why a request has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    /// They come too fast; another one is taken after so many seconds.
    Rate(u32),
    /// Too many run at once.
    Running,
}

/// A request that counts as running until it is dropped.
#[derive(Debug)]
pub(crate) struct Running(Arc<Meter>);

impl Meter {
    /// Counts a request, if the rate allows for it.
    pub(super) fn arrive(&self, rate: Rate) -> Result<(), Excess> {
        self.bucket
            .take(rate, now())
            .map_err(|wait| Excess::Rate(seconds(wait)))
    }

    /// Marks the tenant as active. Most find it marked already, and write nothing.
    pub(crate) fn mark(&self) {
        if !self.active.load(Ordering::Relaxed) {
            self.active.store(true, Ordering::Relaxed);
        }
    }

    /// Takes the mark away, and tells whether there was one.
    pub(crate) fn take_mark(&self) -> bool {
        self.active.load(Ordering::Relaxed) && self.active.swap(false, Ordering::Relaxed)
    }

    /// Counts an operation as running, if no more than that do.
    pub(super) fn run(self: &Arc<Self>, most: u64) -> Result<Running, Excess> {
        let running = Running(Arc::clone(self));
        let before = self.running.fetch_add(1, Ordering::Relaxed);
        if u64::from(before) < most {
            Ok(running)
        } else {
            Err(Excess::Running)
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whole seconds, as Retry-After has them.
pub(super) fn seconds(nanoseconds: u64) -> u32 {
    u32::try_from(nanoseconds.div_ceil(SECOND)).unwrap_or(u32::MAX)
}

/// Nanoseconds since the first time that this was asked, and a little: nothing is due at zero.
pub(super) fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_taken_and_then_the_rate() {
        let bucket = Bucket::default();
        let rate = Rate {
            per_second: 10,
            burst: 5,
        };
        let mut now = 7 * SECOND;
        for _ in 0..5 {
            assert_eq!(bucket.take(rate, now), Ok(()));
        }
        assert_eq!(bucket.take(rate, now), Err(SECOND / 10));
        now += SECOND / 10;
        assert_eq!(bucket.take(rate, now), Ok(()));
        assert_eq!(bucket.take(rate, now), Err(SECOND / 10));
        now += 100 * SECOND;
        let taken = (0..100).filter(|_| bucket.take(rate, now).is_ok()).count();
        assert_eq!(taken, 5, "a long pause saves up no more than a burst");
    }

    #[test]
    fn absurd_rates_are_no_panic() {
        let bucket = Bucket::default();
        for (per_second, burst) in [(0, 0), (u64::MAX, u64::MAX), (1, u64::MAX), (u64::MAX, 0)] {
            let _ = bucket.take(Rate { per_second, burst }, u64::MAX);
        }
    }

    #[test]
    fn all_threads_together_get_no_more_than_the_burst() {
        let bucket = Bucket::default();
        let rate = Rate {
            per_second: 1,
            burst: 1000,
        };
        let count = || {
            (0..1000)
                .filter(|_| bucket.take(rate, SECOND).is_ok())
                .count()
        };
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(count)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(taken, 1000);
    }

    #[test]
    fn what_ends_makes_room() {
        let meter = Arc::new(Meter::default());
        let first = meter.run(2).unwrap();
        let _second = meter.run(2).unwrap();
        assert_eq!(meter.run(2).unwrap_err(), Excess::Running);
        assert_eq!(meter.run(2).unwrap_err(), Excess::Running);
        drop(first);
        assert!(meter.run(2).is_ok());
    }

    #[test]
    fn a_mark_is_taken_once() {
        let meter = Meter::default();
        assert!(!meter.take_mark());
        meter.mark();
        meter.mark();
        assert!(meter.take_mark());
        assert!(!meter.take_mark());
    }
}
