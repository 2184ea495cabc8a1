//! Turns for work that is dear: few at a time, handed out tenant by tenant, so that whoever floods one waits there.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::error::Failure;
use crate::names::TenantId;

/// Where the work is asked for; none at the base domain.
type Place = Option<TenantId>;

/// Who may wait at one place. With tens of milliseconds a turn, more would wait for too long.
const QUEUE: usize = 100;

/// Who may wait at all.
const WAITING: usize = 5000;

/// How long somebody waits for a turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Seconds after which another try makes sense.
const RETRY_AFTER: u32 = 5;

#[derive(Debug)]
pub(super) struct Turns {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    waiting: usize,
    queues: HashMap<Place, VecDeque<oneshot::Sender<Turn>>>,
    /// The places where somebody waits, the next one first.
    order: VecDeque<Place>,
}

/// The right to work, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Option<Arc<Turns>>,
}

impl Turns {
    pub(super) fn new(at_once: usize) -> Arc<Self> {
        let state = State {
            free: at_once,
            waiting: 0,
            queues: HashMap::new(),
            order: VecDeque::new(),
        };
        Arc::new(Self {
            state: Mutex::new(state),
        })
    }

    /// Waits until it is this place's turn, and within the place one's own.
    pub(super) async fn take(self: &Arc<Self>, place: Place) -> Result<Turn, Failure> {
        let receiver = {
            let mut state = self.lock();
            if state.free > 0 {
                state.free -= 1;
                return Ok(Turn {
                    turns: Some(Arc::clone(self)),
                });
            }
            state.enqueue(place)?
        };
        match timeout(PATIENCE, receiver).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Failure::overloaded(RETRY_AFTER)),
        }
    }

    /// Hands a turn on to the next who still waits.
    fn pass_on(self: &Arc<Self>) {
        loop {
            let next = {
                let mut state = self.lock();
                let next = state.dequeue();
                if next.is_none() {
                    state.free += 1;
                }
                next
            };
            let Some(next) = next else { return };
            let turn = Turn {
                turns: Some(Arc::clone(self)),
            };
            match next.send(turn) {
                Ok(()) => return,
                Err(mut turn) => turn.turns = None, // nobody waits there any more
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enqueue(&mut self, place: Place) -> Result<oneshot::Receiver<Turn>, Failure> {
        let queue = self.queues.entry(place).or_default();
        // Those who have gone away free their places.
        if queue.len() >= QUEUE {
            let before = queue.len();
            queue.retain(|sender| !sender.is_closed());
            self.waiting -= before - queue.len();
        }
        if queue.len() >= QUEUE || self.waiting >= WAITING {
            return Err(Failure::overloaded(RETRY_AFTER));
        }
        if queue.is_empty() && !self.order.contains(&place) {
            self.order.push_back(place);
        }
        let (sender, receiver) = oneshot::channel();
        queue.push_back(sender);
        self.waiting += 1;
        Ok(receiver)
    }

    fn dequeue(&mut self) -> Option<oneshot::Sender<Turn>> {
        loop {
            let place = self.order.pop_front()?;
            let Some(queue) = self.queues.get_mut(&place) else {
                continue;
            };
            let next = queue.pop_front();
            if queue.is_empty() {
                self.queues.remove(&place);
            } else {
                self.order.push_back(place);
            }
            if next.is_some() {
                self.waiting -= 1;
                return next;
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.turns.take() {
            turns.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use uuid::Uuid;

    fn tenant(number: u128) -> TenantId {
        TenantId(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn the_only_one_of_its_place_is_next() {
        let turns = Turns::new(1);
        let first = turns.take(Some(tenant(1))).await.unwrap();
        let (sender, mut order) = tokio::sync::mpsc::unbounded_channel();
        for (number, count) in [(1, 5), (2, 1)] {
            for _ in 0..count {
                let (turns, sender) = (Arc::clone(&turns), sender.clone());
                tokio::spawn(async move {
                    let _turn = turns.take(Some(tenant(number))).await.unwrap();
                    sender.send(number).unwrap();
                });
                tokio::task::yield_now().await;
            }
        }
        drop((first, sender));
        let mut seen = Vec::new();
        while let Some(number) = order.recv().await {
            seen.push(number);
        }
        assert_eq!(seen, [1, 2, 1, 1, 1, 1]);
        assert_eq!(turns.lock().free, 1);
    }

    #[tokio::test]
    async fn queues_are_bounded_and_those_who_left_do_not_count() {
        let turns = Turns::new(1);
        let first = turns.take(Some(tenant(1))).await.unwrap();
        let wait = || {
            let turns = Arc::clone(&turns);
            tokio::spawn(async move { turns.take(Some(tenant(1))).await.map(drop) })
        };
        let waiting: Vec<_> = (0..QUEUE).map(|_| wait()).collect();
        tokio::task::yield_now().await;
        assert_eq!(
            turns.take(Some(tenant(1))).await.unwrap_err().code,
            Code::Overloaded
        );
        for task in &waiting {
            task.abort();
        }
        tokio::task::yield_now().await;
        let late = wait();
        tokio::task::yield_now().await;
        drop(first);
        late.await.unwrap().unwrap();
        assert!(turns.take(Some(tenant(2))).await.is_ok());
        let state = turns.lock();
        assert_eq!((state.free, state.waiting, state.queues.len()), (1, 0, 0));
    }
}
