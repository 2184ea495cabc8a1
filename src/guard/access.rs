//! Whether a token still says the truth: a comparison for nearly all, one look-up for those from before a change.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use quick_cache::sync::Cache;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::names::{MemberRole, SessionId, TenantId, UserId};
use crate::registry::{Registry, RegistryError, Tenant};

/// How much later than a change a token has to be to be beyond doubt: the clocks of replicas and database may differ,
/// and a change is dated before it is committed.
const DOUBT: Duration = Duration::from_mins(1);

/// Verdicts that are kept; the others are asked for again.
const VERDICTS: usize = 10_000;

/// Look-ups at the same time: after a change at a large tenant, the registry's connections serve others, too.
const LOOKUPS: usize = 2;

/// How long a request waits for its turn to look up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Of whom the verdict is, and after which change.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Question {
    tenant: TenantId,
    changed_at: SystemTime,
    user: UserId,
    session: Option<SessionId>,
}

/// What the registry said of tokens from before the last change of access.
pub(super) struct Access {
    registry: Arc<Registry>,
    verdicts: Cache<Question, Option<MemberRole>>,
    turns: Semaphore,
}

/// What a token claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) user: UserId,
    pub(super) role: MemberRole,
    pub(super) session: Option<SessionId>,
    /// Seconds since 1970.
    pub(super) issued_at: u64,
}

impl Access {
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        Self {
            registry,
            verdicts: Cache::new(VERDICTS),
            turns: Semaphore::new(LOOKUPS),
        }
    }

    /// The role that holds now: the token's own, unless access has changed since; none when it was taken away.
    pub(super) async fn role(
        &self,
        tenant: &Tenant,
        claim: Claim,
    ) -> Result<Option<MemberRole>, RegistryError> {
        let Some(changed_at) = tenant.access_changed_at else {
            return Ok(Some(claim.role));
        };
        if is_later(claim.issued_at, changed_at) {
            return Ok(Some(claim.role));
        }
        // From before there were sessions: nobody could say that it has ended.
        if claim.session.is_none() {
            return Ok(None);
        }
        let question = Question {
            tenant: tenant.id,
            changed_at,
            user: claim.user,
            session: claim.session,
        };
        let ask = async {
            let turn = timeout(PATIENCE, self.turns.acquire()).await;
            let _turn = turn
                .map_err(|_| RegistryError::Busy)?
                .map_err(|_| RegistryError::Busy)?;
            let registry = &self.registry;
            registry.role_of(tenant.id, claim.user, claim.session).await
        };
        self.verdicts.get_or_insert_async(&question, ask).await
    }
}

fn is_later(issued_at: u64, changed_at: SystemTime) -> bool {
    let beyond_doubt = changed_at
        .checked_add(DOUBT)
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    beyond_doubt.is_none_or(|at| issued_at > at.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_the_minute_after_a_change_are_doubted() {
        let changed = UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (issued, later) in [
            (0, false),
            (1_000_000, false),
            (1_000_060, false),
            (1_000_061, true),
            (u64::MAX, true),
        ] {
            assert_eq!(is_later(issued, changed), later, "{issued}");
        }
    }
}
