//! API keys of requests: looked up once, and kept until access to the tenant changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use quick_cache::sync::Cache;

use super::Identity;
use super::lookups::Lookups;
use crate::error::Failure;
use crate::names::TenantId;
use crate::registry::{ApiKey, KEY_PREFIX, Registry, Tenant};
use crate::secret::Secret;

/// Keys that are kept; the others are asked for again.
const KEPT: usize = 10_000;

/// A key at a tenant, as of the last change of access there: revoking one is such a change.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Question {
    tenant: TenantId,
    changed_at: Option<SystemTime>,
    hash: [u8; 32],
}

struct Known {
    key: ApiKey,
    /// The minute since 1970 in which its use was last written down.
    noted: AtomicU64,
}

pub(super) struct Keys {
    registry: Arc<Registry>,
    known: Cache<Question, Arc<Known>>,
    lookups: Lookups,
}

impl Keys {
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        Self {
            registry,
            known: Cache::new(KEPT),
            lookups: Lookups::new(),
        }
    }

    /// Whether a token is meant to be a key.
    pub(super) fn is_key(token: &str) -> bool {
        token.starts_with(KEY_PREFIX)
    }

    pub(super) async fn identify(&self, tenant: &Tenant, text: &str) -> Result<Identity, Failure> {
        let question = Question {
            tenant: tenant.id,
            changed_at: tenant.access_changed_at,
            hash: Secret::received(text).hash(),
        };
        let known = match self.known.get(&question) {
            Some(known) => known,
            None => self.look_up(question).await?,
        };
        let now = SystemTime::now();
        if known.key.expires_at.is_some_and(|at| at <= now) {
            return Err(Failure::unauthenticated("the API key has expired"));
        }
        self.note(&known, now);
        let (key, role) = (known.key.id, known.key.role);
        Ok(Identity::ApiKey { key, role })
    }

    /// Keys that are none are not kept: there is no end of them.
    async fn look_up(&self, question: Question) -> Result<Arc<Known>, Failure> {
        let _turn = self.lookups.turn().await?;
        let (tenant, hash) = (question.tenant, &question.hash);
        let key = self.registry.api_key(tenant, hash).await?;
        let key = key.ok_or_else(|| Failure::unauthenticated("the API key is not valid here"))?;
        let known = Arc::new(Known {
            key,
            noted: AtomicU64::new(0),
        });
        self.known.insert(question, Arc::clone(&known));
        Ok(known)
    }

    /// Has the use written down, once in a minute, and by nobody who waits for it.
    fn note(&self, known: &Known, now: SystemTime) {
        let minute = now
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs() / 60);
        let before = known.noted.load(Ordering::Relaxed);
        let first = before < minute
            && known
                .noted
                .compare_exchange(before, minute, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if first {
            let (registry, id) = (Arc::clone(&self.registry), known.key.id);
            tokio::spawn(async move {
                if let Err(error) = registry.api_key_used(id).await {
                    tracing::warn!(%error, "the use of an API key could not be written down");
                }
            });
        }
    }
}
