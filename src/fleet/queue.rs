//! The tenants that wait for their turn: several workers take from it, and give back what has to wait a little longer.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Behind;

/// The first pause before another try; each one is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A tenant, and how often it has been tried.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) tenant: Behind,
    pub(super) tries: u32,
}

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ready: VecDeque<Job>,
    waiting: Vec<(Instant, Job)>,
}

impl Queue {
    pub(super) fn new(tenants: Vec<Behind>) -> Self {
        let ready = tenants
            .into_iter()
            .map(|tenant| Job { tenant, tries: 0 })
            .collect();
        let waiting = Vec::new();
        Self {
            state: Mutex::new(State { ready, waiting }),
        }
    }

    /// The next tenant; none when nobody waits any more. What another worker gives back later, it takes itself.
    pub(super) async fn next(&self) -> Option<Job> {
        loop {
            let due = {
                let mut state = self.state();
                let now = Instant::now();
                let due = state.waiting.iter().position(|(at, _)| *at <= now);
                if let Some(index) = due {
                    return Some(state.waiting.swap_remove(index).1);
                }
                if let Some(job) = state.ready.pop_front() {
                    return Some(job);
                }
                state.waiting.iter().map(|(at, _)| *at).min()?
            };
            sleep_until(due).await;
        }
    }

    /// Puts a tenant off, longer each time; no two of them for exactly as long.
    pub(super) fn put_off(&self, mut job: Job) {
        let pause = (FIRST_PAUSE * 2_u32.pow(job.tries.min(10))).min(LONGEST_PAUSE);
        let pause = pause.mul_f64(rand::random_range(0.5..1.0));
        job.tries += 1;
        self.state().waiting.push((Instant::now() + pause, job));
    }

    pub(super) fn is_empty(&self) -> bool {
        let state = self.state();
        state.ready.is_empty() && state.waiting.is_empty()
    }

    /// Leaves those that wait alone, and says how many they are.
    pub(super) fn close(&self) -> usize {
        let mut state = self.state();
        let left = state.ready.len() + state.waiting.len();
        state.ready.clear();
        state.waiting.clear();
        left
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::migrate::SchemaVersion;
    use crate::names::{SchemaName, Subdomain, TenantId};

    fn tenant(name: &str) -> Behind {
        Behind {
            id: TenantId(Uuid::nil()),
            subdomain: Subdomain::parse(name).unwrap(),
            schema: SchemaName::parse(name).unwrap(),
            version: SchemaVersion {
                base: 1,
                app: 1,
                digest: 1,
            },
        }
    }

    #[tokio::test]
    async fn who_is_put_off_comes_again_and_holds_nobody_up() {
        let queue = Queue::new(vec![tenant("busy"), tenant("idle")]);
        let started = Instant::now();
        let mut seen = Vec::new();
        while let Some(job) = queue.next().await {
            seen.push(format!("{} {}", job.tenant.subdomain, job.tries));
            if job.tenant.subdomain.as_str() == "busy" && job.tries < 3 {
                queue.put_off(job);
            }
        }
        assert_eq!(seen[..3], ["busy 0", "idle 0", "busy 1"]);
        assert_eq!(seen.len(), 5);
        // At least half of 100, 200 and 400 milliseconds.
        assert!(started.elapsed() >= Duration::from_millis(350));
    }

    #[tokio::test]
    async fn a_closed_queue_has_nobody_left() {
        let queue = Queue::new(vec![tenant("one"), tenant("two"), tenant("three")]);
        let job = queue.next().await.unwrap();
        queue.put_off(job);
        assert_eq!(queue.close(), 3);
        assert!(queue.next().await.is_none());
    }
}
