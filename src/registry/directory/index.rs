//! A map that is read without locks, and written one change at a time.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

use arc_swap::ArcSwap;

/// A change copies one shard: with 10,000 entries, about 40 of them.
const SHARDS: usize = 256;

/// Whoever writes sees to it that nobody else does at the same time.
pub(super) struct Index<K, V> {
    hasher: RandomState,
    shards: Vec<ArcSwap<HashMap<K, V>>>,
}

impl<K, V> Default for Index<K, V> {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| ArcSwap::default()).collect(),
        }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Index<K, V> {
    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.shards[self.shard(key)].load().get(key).cloned()
    }

    /// Gives what was there before.
    pub(super) fn insert(&self, key: K, value: V) -> Option<V> {
        self.change(self.shard(&key), |shard| shard.insert(key, value))
    }

    pub(super) fn remove(&self, key: &K) -> Option<V> {
        self.change(self.shard(key), |shard| shard.remove(key))
    }

    /// Holds these entries and no others.
    pub(super) fn replace(&self, entries: impl Iterator<Item = (K, V)>) {
        let mut shards = vec![HashMap::new(); SHARDS];
        for (key, value) in entries {
            shards[self.shard(&key)].insert(key, value);
        }
        for (place, shard) in self.shards.iter().zip(shards) {
            place.store(Arc::new(shard));
        }
    }

    pub(super) fn each(&self, mut look: impl FnMut(&V)) {
        for shard in &self.shards {
            shard.load().values().for_each(&mut look);
        }
    }

    fn shard(&self, key: &K) -> usize {
        let hash = self.hasher.hash_one(key).to_le_bytes();
        usize::from(hash[0]) // 256 shards, a byte each
    }

    fn change<T>(&self, shard: usize, change: impl FnOnce(&mut HashMap<K, V>) -> T) -> T {
        let place = &self.shards[shard];
        let mut shard = HashMap::clone(&place.load());
        let outcome = change(&mut shard);
        place.store(Arc::new(shard));
        outcome
    }
}
