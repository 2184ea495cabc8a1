//! The prepared statements of one connection: by tenant and query, as many as fit.

use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;

use super::QueryId;
use crate::names::TenantId;

/// What a connection has prepared, the least recently used first to go.
///
/// Prepared for a tenant, a statement is always run under the `search_path` it was analysed under;
/// Postgres would analyse it anew otherwise.
pub(super) struct Statements {
    cache: LruCache<(TenantId, QueryId), Use>,
    /// What the server is to forget, with the next transaction.
    unwanted: Vec<Name>,
    count: u64,
}

/// How the server knows a statement.
pub(super) type Name = Arc<str>;

enum Use {
    /// Seen once: most of what is seen once is not seen again.
    Once,
    Prepared(Name),
}

/// How to run a query this time.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Analysed and run at once, without a name.
    Unnamed,
    /// Analysed under this name, and run.
    Prepare(Name),
    Prepared(Name),
}

impl Statements {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            cache: LruCache::new(capacity),
            unwanted: Vec::new(),
            count: 0,
        }
    }

    /// How to run the query, which will have been prepared after that if it was used before.
    pub(super) fn way(&mut self, tenant: TenantId, query: QueryId) -> Way {
        let key = (tenant, query);
        match self.cache.get_mut(&key) {
            Some(Use::Prepared(name)) => Way::Prepared(Arc::clone(name)),
            Some(used @ Use::Once) => {
                self.count += 1;
                let name: Name = format!("q{}", self.count).into();
                *used = Use::Prepared(Arc::clone(&name));
                Way::Prepare(name)
            }
            None => {
                if let Some((_, evicted)) = self.cache.push(key, Use::Once) {
                    self.discard(evicted);
                }
                Way::Unnamed
            }
        }
    }

    /// Forgets a statement that failed: it may not have been prepared, or no longer fit the tenant's tables.
    pub(super) fn forget(&mut self, tenant: TenantId, query: QueryId) {
        if let Some(used) = self.cache.pop(&(tenant, query)) {
            self.discard(used);
        }
    }

    fn discard(&mut self, used: Use) {
        if let Use::Prepared(name) = used {
            self.unwanted.push(name);
        }
    }

    pub(super) fn unwanted(&mut self) -> impl Iterator<Item = Name> {
        self.unwanted.drain(..)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_leaves_is_closed_on_the_server() {
        let tenant = TenantId(Uuid::nil());
        let mut statements = Statements::new(NonZeroUsize::new(2).unwrap());
        let [first, second, third] = [1, 2, 3].map(QueryId);
        assert_eq!(statements.way(tenant, first), Way::Unnamed);
        assert_eq!(statements.way(tenant, first), Way::Prepare("q1".into()));
        assert_eq!(statements.way(tenant, first), Way::Prepared("q1".into()));
        statements.way(tenant, second);
        assert_eq!(statements.unwanted().count(), 0);
        statements.way(tenant, third);
        assert_eq!(statements.unwanted().collect::<Vec<_>>(), ["q1".into()]);
        assert_eq!(statements.way(tenant, third), Way::Prepare("q2".into()));
        statements.forget(tenant, third);
        assert_eq!(statements.unwanted().collect::<Vec<_>>(), ["q2".into()]);
        assert_eq!(statements.way(tenant, third), Way::Unnamed);
    }
}
