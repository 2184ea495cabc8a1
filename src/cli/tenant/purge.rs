//! `tenantry tenant purge`.

use clap::{ArgGroup, Args};
use serde_json::json;

use super::Session;
use crate::cli::ask;
use crate::cli::exit::Refused;
use crate::cli::output;
use crate::registry::{Purged, TenantRef};

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["tenant", "expired"])))]
pub(super) struct Arguments {
    /// The subdomain or id of a deleted tenant.
    tenant: Option<String>,

    /// Every deleted tenant that has been kept for its days, and those whose purge was interrupted.
    #[arg(long)]
    expired: bool,

    /// Does not ask.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(session: &Session, arguments: &Arguments) -> anyhow::Result<()> {
    let registry = &session.registry;
    let doomed = match &arguments.tenant {
        None => registry.expired_tenants().await.map_err(Refused::from)?,
        Some(tenant) => {
            let tenant = TenantRef::parse(tenant).map_err(Refused::from)?;
            let record = registry.tenant_record(&tenant).await;
            let record = record.map_err(Refused::from)?;
            vec![Purged {
                id: record.id,
                name: record.name,
                subdomain: record.subdomain.to_string(),
            }]
        }
    };
    if !doomed.is_empty() {
        confirm(arguments, &doomed)?;
    }
    let mut purged = Vec::new();
    for tenant in doomed {
        let tenant = registry
            .purge_tenant(&session.by, &TenantRef::Id(tenant.id))
            .await;
        let tenant = tenant.map_err(Refused::from)?;
        if !session.json {
            output::write(&format!("purged {} ({})\n", tenant.subdomain, tenant.id));
        }
        purged.push(json!({"id": tenant.id.to_string(), "name": tenant.name, "subdomain": tenant.subdomain}));
    }
    if session.json {
        output::json(&json!({"purged": purged}));
    }
    Ok(())
}

fn confirm(arguments: &Arguments, doomed: &[Purged]) -> anyhow::Result<()> {
    let names: Vec<_> = doomed
        .iter()
        .map(|tenant| tenant.subdomain.as_str())
        .collect();
    let (what, expected) = match &names[..] {
        [one] => (*one, *one),
        _ => ("these tenants", "purge"),
    };
    let list = names.join(", ");
    let question = format!(
        "This removes {list} for good. Nothing brings {what} back. Type {expected:?} to go on:"
    );
    ask::confirm(arguments.yes, &question, expected)
}
