//! The prepared statements of one connection: by tenant and query, as many as fit.

use std::num::NonZeroUsize;

use lru::LruCache;
use tokio_postgres::Statement;

use super::QueryId;
use crate::names::TenantId;

/// What a connection has prepared, the least recently used first to go.
///
/// Prepared for a tenant, a statement is always run under the `search_path` it was analysed under;
/// Postgres would analyse it anew otherwise. Dropping one closes it on the server.
pub(super) struct Statements {
    cache: LruCache<(TenantId, QueryId), Use>,
}

enum Use {
    /// Seen once: most of what is seen once is not seen again.
    Once,
    Prepared(Statement),
}

/// How to run a query this time.
pub(super) enum Way {
    /// Parsed and run at once, without a name.
    Unnamed,
    /// The same, and prepared beside it for the next time.
    Prepare,
    Prepared(Statement),
}

impl Statements {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            cache: LruCache::new(capacity),
        }
    }

    pub(super) fn way(&mut self, tenant: TenantId, query: QueryId) -> Way {
        match self.cache.get(&(tenant, query)) {
            Some(Use::Prepared(statement)) => Way::Prepared(statement.clone()),
            Some(Use::Once) => Way::Prepare,
            None => {
                self.cache.put((tenant, query), Use::Once);
                Way::Unnamed
            }
        }
    }

    pub(super) fn keep(&mut self, tenant: TenantId, query: QueryId, statement: Statement) {
        self.cache.put((tenant, query), Use::Prepared(statement));
    }

    /// Forgets a statement that no longer fits the tenant's tables.
    pub(super) fn forget(&mut self, tenant: TenantId, query: QueryId) {
        self.cache.pop(&(tenant, query));
    }
}
