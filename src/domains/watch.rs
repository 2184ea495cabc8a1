//! Looks for the proofs of verified domains every day, and tells owners when one is gone.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use super::Watch;
use crate::mail::{Mail, MailKind};
use crate::registry::{DueDomain, Lost, RegistryError};

const EVERY: Duration = Duration::from_hours(1);

impl Watch {
    /// Looks after domains; for ever. Any number of replicas do so, and each domain is looked at by one.
    pub(crate) async fn keep(&self) {
        if self.days == 0 {
            return std::future::pending().await;
        }
        let mut rounds = interval(EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "the domains of tenants cannot be looked after");
            }
        }
    }

    async fn round(&self) -> Result<(), RegistryError> {
        loop {
            let due = self.registry.due_domains().await?;
            if due.is_empty() {
                return Ok(());
            }
            for domain in &due {
                self.look(domain).await?;
            }
        }
    }

    async fn look(&self, due: &DueDomain) -> Result<(), RegistryError> {
        let domain = &due.domain;
        match self.domains.is_proven(domain).await {
            Ok(true) => return self.registry.domain_found(due).await,
            Ok(false) => {}
            // Perhaps it is us who cannot ask: tomorrow is another day.
            Err(error) => {
                tracing::warn!(domain = %domain.name, %error, "whether a domain's proof is there is not known");
                return Ok(());
            }
        }
        let (kind, until) = match self.registry.domain_lost(due, self.days).await? {
            Some(Lost::Now(until)) => (MailKind::DomainLost, until),
            Some(Lost::GivenUp) => (MailKind::DomainUnverified, OffsetDateTime::now_utc()),
            Some(Lost::Before) | None => return Ok(()),
        };
        tracing::warn!(domain = %domain.name, tenant.subdomain = %due.subdomain, ?kind, "a domain's proof is gone");
        for to in self.registry.owners(due.tenant).await? {
            self.mailer.send(Mail {
                id: Uuid::now_v7(),
                kind,
                to,
                tenant_id: Some(due.tenant.0),
                tenant: Some(due.tenant_name.clone()),
                url: self.public_url.of_tenant(&due.subdomain),
                token: None,
                domain: Some(domain.name.to_string()),
                email: None,
                expires_at: until,
            });
        }
        Ok(())
    }
}
