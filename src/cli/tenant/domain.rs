//! `tenantry tenant domain …`: a tenant's own domains.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Named, Session};
use crate::cli::exit::Refused;
use crate::cli::output::{self, Table};
use crate::config::ProofFlags;
use crate::error::Failure;
use crate::names::{DomainName, TenantId};
use crate::registry::audit::{self, Entry, Kind};
use crate::registry::{Access, Domain, RegistryError, domains};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Claims a domain for a tenant, and tells what proves it.
    Add(One),
    /// Lists a tenant's domains.
    List(Named),
    /// Looks for the proof; from then on, requests to the domain reach the tenant.
    Verify(Verify),
    /// Gives a domain up, verified or not.
    Remove(One),
}

#[derive(Debug, Args)]
struct One {
    #[command(flatten)]
    named: Named,

    /// As app.example.com.
    domain: String,
}

#[derive(Debug, Args)]
struct Verify {
    #[command(flatten)]
    one: One,

    #[command(flatten)]
    proofs: ProofFlags,
}

pub(super) async fn run(session: &Session, arguments: Arguments) -> anyhow::Result<()> {
    let found = match arguments.command {
        Command::List(named) => list(session, &named).await?,
        Command::Add(one) => vec![change(session, &one, Change::Add).await?],
        Command::Remove(one) => vec![change(session, &one, Change::Remove).await?],
        Command::Verify(Verify { one, proofs }) => {
            let (tenant, name) = one.find(session).await?;
            let claimed = session.registry.domain(tenant, &name).await?;
            let domain = claimed.ok_or_else(|| Refused::from(domains::unknown()))?;
            if !domain.verified {
                let proven = proofs.domains()?.prove(&domain).await;
                proven.map_err(Refused::from)?;
            }
            vec![change(session, &one, Change::Verify(domain)).await?]
        }
    };
    print(session, &found);
    Ok(())
}

enum Change {
    Add,
    Verify(Domain),
    Remove,
}

impl One {
    async fn find(&self, session: &Session) -> anyhow::Result<(TenantId, DomainName)> {
        let name = DomainName::parse_written(&self.domain);
        let name =
            name.map_err(|error| Refused::from(Failure::bad_input("domain", error.to_string())))?;
        let record = session.registry.tenant_record(&self.named.parse()?).await;
        Ok((record.map_err(Refused::from)?.id, name))
    }
}

async fn list(session: &Session, named: &Named) -> anyhow::Result<Vec<Domain>> {
    let record = session.registry.tenant_record(&named.parse()?).await;
    let transaction = session.registry.begin(Access::Read).await?;
    let found = domains::list(&transaction, record.map_err(Refused::from)?.id).await?;
    transaction.commit().await?;
    Ok(found)
}

/// One transaction, with its entry in the audit log.
async fn change(session: &Session, one: &One, change: Change) -> anyhow::Result<Domain> {
    let (tenant, name) = one.find(session).await?;
    let transaction = session.registry.begin(Access::Write).await?;
    let (action, changed) = match &change {
        Change::Add => ("addDomain", domains::add(&transaction, tenant, &name).await),
        Change::Verify(domain) => {
            let verified = domains::verified(&transaction, tenant, domain).await;
            ("verifyDomain", verified)
        }
        Change::Remove => (
            "removeDomain",
            domains::remove(&transaction, tenant, &name).await,
        ),
    };
    let domain = changed.map_err(Refused::from)?;
    let entry = Entry {
        tenant: Some(tenant),
        kind: Kind::Access,
        actor: session.by.actor.clone(),
        request: None,
        action: action.to_owned(),
        details: json!({"domain": domain.name.as_str()}),
        failed: None,
    };
    let written = async {
        audit::record(&transaction, &entry).await?;
        transaction.commit().await?;
        Ok::<_, RegistryError>(())
    };
    written.await?;
    Ok(domain)
}

fn print(session: &Session, domains: &[Domain]) {
    if session.json {
        let domains: Vec<_> = domains.iter().map(as_json).collect();
        output::json(&Value::Array(domains));
        return;
    }
    let mut table = Table::new([
        "DOMAIN",
        "VERIFIED",
        "TXT RECORD",
        "OR PAGE",
        "WITH THE TEXT",
    ]);
    for domain in domains {
        table.push([
            domain.name.to_string(),
            if domain.verified { "yes" } else { "no" }.to_owned(),
            domain.record_name(),
            domain.page_url(),
            domain.record_value(),
        ]);
    }
    table.print();
}

/// The names are those of the GraphQL type `TenantDomain`.
fn as_json(domain: &Domain) -> Value {
    json!({
        "name": domain.name.as_str(),
        "verified": domain.verified,
        "record": {"name": domain.record_name(), "value": domain.record_value()},
        "page": {"url": domain.page_url(), "value": domain.record_value()},
    })
}
