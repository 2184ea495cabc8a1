//! Tenants' own domains: looks for proofs of whose they are, and looks again every day.

mod address;
mod page;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;

use crate::dns::{Dns, DnsError};
use crate::error::{Code, Failure};
use crate::guard::PublicUrl;
use crate::mail::Mailer;
use crate::registry::{Domain, Registry};
use page::Pages;

/// Knows where proofs are.
pub(crate) struct Domains {
    dns: Dns,
    pages: Pages,
}

/// What looks after those that are verified.
pub(crate) struct Watch {
    pub(crate) domains: Arc<Domains>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) mailer: Arc<Mailer>,
    pub(crate) public_url: PublicUrl,
    /// For how many days a domain stays verified whose proof is gone; it is never looked for when 0.
    pub(crate) days: u16,
}

impl Domains {
    /// Asks this name server and this proxy, or else those of the machine and the domains themselves.
    pub(crate) fn new(
        dns: Option<SocketAddr>,
        proxy: Option<SocketAddr>,
    ) -> Result<Self, DnsError> {
        Ok(Self {
            dns: Dns::new(dns)?,
            pages: Pages::new(proxy),
        })
    }

    /// Whether the proof is in the DNS, or else on a page of the domain. What nobody answers for is not known.
    pub(crate) async fn is_proven(&self, domain: &Domain) -> Result<bool, DnsError> {
        let value = domain.record_value();
        let texts = self.dns.texts(&domain.record_name()).await;
        if matches!(&texts, Ok(texts) if texts.contains(&value)) {
            return Ok(true);
        }
        match self
            .pages
            .has_line(&self.dns, &domain.name, &domain.page_path(), &value)
            .await
        {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(problem) => {
                tracing::debug!(domain = %domain.name, %problem, "no page with a proof");
            }
        }
        texts.map(|_| false)
    }

    /// The same for somebody who waits for it.
    pub(crate) async fn prove(&self, domain: &Domain) -> Result<(), Failure> {
        let proven = self.is_proven(domain).await.map_err(|error| {
            let message = "the DNS did not answer for this domain: try again later";
            let mut failure = Failure::new(Code::Overloaded, message).with_log(error);
            failure.details.retry_after = Some(5);
            failure
        })?;
        if proven {
            return Ok(());
        }
        let message = format!(
            "there is neither a TXT record {} with the text {} yet, nor a page {} with that line: it may take a while \
             to be seen",
            domain.record_name(),
            domain.record_value(),
            domain.page_url(),
        );
        Err(Failure::conflict("name", message))
    }
}
