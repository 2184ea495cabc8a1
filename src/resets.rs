//! Requests for new passwords: answered at once, whether or not there is such an account, and looked into afterwards. And
//! for other addresses.

mod addresses;

use std::sync::Arc;

use time::OffsetDateTime;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::error::Failure;
use crate::guard::PublicUrl;
use crate::mail::{Mail, MailKind, Mailer};
use crate::registry::{Registry, RegistryError, Tenant};
use crate::request::RequestInfo;

/// Requests that wait to be looked into.
const WAITING: usize = 1000;

/// Requests that are looked into at the same time.
const AT_ONCE: usize = 1;

/// Takes requests, and has mails sent to those whom there are accounts of.
pub(crate) struct Resets {
    registry: Arc<Registry>,
    mailer: Arc<Mailer>,
    public_url: PublicUrl,
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Resets {
    pub(crate) fn new(
        registry: Arc<Registry>,
        mailer: Arc<Mailer>,
        public_url: PublicUrl,
    ) -> Arc<Self> {
        Arc::new(Self {
            registry,
            mailer,
            public_url,
            places: Arc::new(Semaphore::new(WAITING)),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }

    /// Promises to look for the account. Nothing of the answer, nor the time until it comes, depends on what is found.
    pub(crate) fn request(
        self: &Arc<Self>,
        tenant: Option<Arc<Tenant>>,
        email: String,
        client: &RequestInfo,
    ) -> Result<(), Failure> {
        self.registry.count_guess(client.ip)?;
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Failure::overloaded(30))?;
        let (resets, client) = (Arc::clone(self), client.clone());
        tokio::spawn(async move {
            let _place = place;
            let Ok(_turn) = resets.turns.acquire().await else {
                return;
            };
            if let Err(error) = resets.look(tenant.as_deref(), &email, &client).await {
                tracing::error!(request.id = &*client.id, %error, "a request for a new password is lost");
            }
        });
        Ok(())
    }

    async fn look(
        &self,
        tenant: Option<&Tenant>,
        email: &str,
        client: &RequestInfo,
    ) -> Result<(), RegistryError> {
        let id = tenant.map(|tenant| tenant.id);
        let Some(found) = self.registry.begin_reset(id, email, client).await? else {
            return Ok(());
        };
        let url = match tenant {
            Some(tenant) => self.public_url.of_tenant(&tenant.subdomain),
            None => self.public_url.of_platform(),
        };
        self.mailer.send(Mail {
            id: Uuid::now_v7(),
            kind: MailKind::PasswordReset,
            to: found.email.as_str().to_owned(),
            tenant_id: id.map(|id| id.0),
            tenant: tenant.map(|tenant| tenant.name.clone()),
            url,
            token: Some(found.token.as_str().to_owned()),
            domain: None,
            email: None,
            expires_at: OffsetDateTime::from(found.expires_at),
        });
        Ok(())
    }
}
