//! Tokens from elsewhere: whose they are at a tenant, looked up once and remembered until the tenant changes.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::Identity;
use crate::error::{Code, Failure};
use crate::names::{MemberRole, TenantId, UserId};
use crate::oidc::{Bearer, Issuers, Tenants};
use crate::registry::{Arrival, Registry, RegistryError, Tenant};

/// People who are remembered; the others are looked up again.
const PEOPLE: usize = 50_000;

/// For how long somebody who was not let in is not looked up again.
const REFUSED_FOR: Duration = Duration::from_secs(3);

/// Look-ups at the same time: the registry's connections serve others, too.
const LOOKUPS: usize = 2;

/// How long a request waits for its turn to look up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who holds a token, at one tenant. The role is among it: who comes with another one is another arrival.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Person {
    tenant: TenantId,
    issuer: Arc<str>,
    subject: Box<str>,
    role: Option<MemberRole>,
}

#[derive(Debug, Clone)]
enum Known {
    /// As long as the tenant has this revision: whatever takes access away or changes a role makes a new one.
    Member {
        user: UserId,
        role: MemberRole,
        revision: i64,
    },
    Stranger {
        message: Box<str>,
        since: Instant,
    },
}

/// Knows the people of trusted issuers.
pub(super) struct Foreign {
    issuers: Issuers,
    registry: Arc<Registry>,
    people: Cache<Person, Known>,
    turns: Semaphore,
}

impl Foreign {
    pub(super) fn new(issuers: Issuers, registry: Arc<Registry>) -> Self {
        Self {
            issuers,
            registry,
            people: Cache::new(PEOPLE),
            turns: Semaphore::new(LOOKUPS),
        }
    }

    /// What a token says; none when it is of none of the trusted issuers.
    pub(super) async fn verify(&self, token: &str) -> Result<Option<Arc<Bearer>>, Failure> {
        self.issuers.verify(token).await
    }

    /// Who holds the token at this tenant.
    pub(super) async fn identify(
        &self,
        tenant: &Tenant,
        verified: &Bearer,
    ) -> Result<Identity, Failure> {
        let named = match &verified.tenants {
            Tenants::Unnamed => false,
            Tenants::Named(names) => {
                if !names.iter().any(|name| is(tenant, name)) {
                    let message = "the token belongs to another tenant";
                    return Err(Failure::new(Code::Forbidden, message));
                }
                true
            }
        };
        let person = Person {
            tenant: tenant.id,
            issuer: Arc::clone(&verified.issuer),
            subject: verified.subject.as_str().into(),
            role: verified.role,
        };
        let (user, role) = match self.known(&person, tenant) {
            Some(known) => known?,
            None => self.look_up(person, tenant, verified, named).await?,
        };
        Ok(Identity::Member {
            user,
            role: verified.role.unwrap_or(role),
        })
    }

    fn known(
        &self,
        person: &Person,
        tenant: &Tenant,
    ) -> Option<Result<(UserId, MemberRole), Failure>> {
        match self.people.get(person)? {
            Known::Member {
                user,
                role,
                revision,
            } => (revision >= tenant.revision).then_some(Ok((user, role))),
            Known::Stranger { message, since } => (since.elapsed() < REFUSED_FOR)
                .then(|| Err(Failure::new(Code::Forbidden, String::from(message)))),
        }
    }

    async fn look_up(
        &self,
        person: Person,
        tenant: &Tenant,
        verified: &Bearer,
        named: bool,
    ) -> Result<(UserId, MemberRole), Failure> {
        let turn = timeout(PATIENCE, self.turns.acquire()).await;
        let _turn = turn
            .map_err(|_| RegistryError::Busy)?
            .map_err(|_| RegistryError::Busy)?;
        // The request before in the queue may have been the same person's.
        if let Some(known) = self.known(&person, tenant) {
            return known;
        }
        let email = verified.email.as_deref();
        let arrival = Arrival {
            issuer: &verified.issuer,
            subject: &verified.subject,
            email: email.filter(|_| verified.email_verified),
            name: verified.name.as_deref(),
            named,
            role: verified.role,
        };
        match self.registry.arrive(tenant, arrival).await {
            Ok(arrived) => {
                let known = Known::Member {
                    user: arrived.user,
                    role: arrived.role,
                    revision: tenant.revision,
                };
                self.people.insert(person, known);
                Ok((arrived.user, arrived.role))
            }
            Err(failure) => {
                if failure.code == Code::Forbidden {
                    let known = Known::Stranger {
                        message: (*failure.message).into(),
                        since: Instant::now(),
                    };
                    self.people.insert(person, known);
                }
                Err(failure)
            }
        }
    }
}

/// Whether a claim names the tenant: by its id, or by its subdomain.
fn is(tenant: &Tenant, name: &str) -> bool {
    // What looks like an id is one, whatever somebody called their subdomain.
    match name.parse::<Uuid>() {
        Ok(id) => tenant.id.0 == id,
        Err(_) => tenant.subdomain.as_str().eq_ignore_ascii_case(name),
    }
}
