//! Where each tenant belongs: its two lanes, and its turns in them.

use std::collections::HashMap;
use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, PoisonError, RwLock};

use siphasher::sip::SipHasher13;
use tokio::sync::{OnceCell, Semaphore};

use super::locked::Locks;
use crate::names::TenantId;

/// A tenant's place among the lanes.
pub(super) struct Place {
    pub(super) first: usize,
    pub(super) second: usize,
    /// As many as its lanes have connections. Whoever has none waits for another request of the same
    /// tenant, and not in front of a lane: there a flood would stand before everybody else.
    pub(super) turns: Arc<Semaphore>,
    /// The logins of its lanes may become the tenant.
    pub(super) admitted: OnceCell<()>,
    pub(super) locks: Locks,
}

/// The places of the tenants that this process has met.
pub(super) struct Places {
    lanes: usize,
    turns: usize,
    /// Several, so that requests do not meet at one lock.
    shards: [RwLock<HashMap<TenantId, Arc<Place>>>; 16],
}

impl Places {
    pub(super) fn new(lanes: usize, connections_per_lane: usize) -> Self {
        Self {
            lanes,
            turns: connections_per_lane * lanes.min(2),
            shards: Default::default(),
        }
    }

    pub(super) fn of(&self, tenant: TenantId) -> Arc<Place> {
        // The last byte of a UUID is random in all of its versions that are in use.
        let shard = &self.shards[usize::from(tenant.0.as_bytes()[15] & 15)];
        let known = shard.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = known.get(&tenant) {
            return Arc::clone(place);
        }
        drop(known);
        let (first, second) = preferred(tenant, self.lanes);
        let place = || {
            Arc::new(Place {
                first,
                second,
                turns: Arc::new(Semaphore::new(self.turns)),
                admitted: OnceCell::new(),
                locks: Locks::default(),
            })
        };
        let mut places = shard.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(places.entry(tenant).or_insert_with(place))
    }
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
