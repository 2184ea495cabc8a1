//! Tokens whose signature has been checked already, so that each is checked once and not with each request.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

/// Parts with a lock of their own, so that requests hardly ever wait for each other.
const PARTS: usize = 16;

/// How many tokens each part remembers: together those of 8,192 people, who ask again and again.
const TOKENS: NonZeroUsize = NonZeroUsize::new(512).unwrap();

/// Longer ones are not remembered, so that memory has a bound. The service's own have some 350 bytes.
const LONGEST: usize = 1024;

/// What good tokens say, by the whole text of the token.
pub(super) struct Verified<C> {
    parts: [Mutex<LruCache<Box<str>, C>>; PARTS],
}

impl<C> Default for Verified<C> {
    fn default() -> Self {
        Self {
            parts: std::array::from_fn(|_| Mutex::new(LruCache::new(TOKENS))),
        }
    }
}

impl<C: Clone> Verified<C> {
    pub(super) fn get(&self, token: &str) -> Option<C> {
        self.part(token).get(token).cloned()
    }

    /// Remembers a token that is good, and nothing else: what is kept, nobody can choose who cannot sign.
    pub(super) fn put(&self, token: &str, claims: C) {
        if token.len() <= LONGEST {
            self.part(token).put(token.into(), claims);
        }
    }

    fn part(&self, token: &str) -> MutexGuard<'_, LruCache<Box<str>, C>> {
        // The end is of the signature, and as good as random.
        let [byte, _] = token.as_bytes().last_chunk().unwrap_or(&[0; 2]);
        let part = &self.parts[usize::from(*byte) % PARTS];
        part.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_has_a_bound() {
        let verified = Verified::default();
        let tokens: Vec<_> = (0..20_000).map(|number| format!("{number:05}..")).collect();
        for (number, token) in tokens.iter().enumerate() {
            verified.put(token, number);
        }
        let last = tokens.len() - 1;
        assert_eq!(verified.get(&tokens[last]), Some(last));
        assert_eq!(verified.get(&tokens[0]), None);
        let kept = tokens.iter().filter(|token| verified.get(token).is_some());
        assert!(kept.count() <= PARTS * TOKENS.get());
        verified.put(&"x".repeat(LONGEST + 1), 0);
        assert_eq!(verified.get(&"x".repeat(LONGEST + 1)), None);
        assert_eq!(verified.get(""), None);
    }
}
