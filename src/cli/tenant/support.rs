//! `tenantry tenant support`.

use clap::Args;
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use super::{Named, Session};
use crate::cli::exit::Refused;
use crate::cli::output::{self, moment};
use crate::error::Failure;
use crate::registry::{Reason, Visit};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    named: Named,

    /// As what: owner, admin, member or viewer.
    #[arg(long, default_value = "viewer")]
    role: String,

    /// For how long.
    #[arg(long, value_name = "N", default_value_t = 30)]
    minutes: u16,

    /// Why. The tenant's owner reads it.
    #[arg(long)]
    reason: String,
}

pub(super) async fn run(session: &Session, arguments: &Arguments) -> anyhow::Result<()> {
    let role = arguments.role.parse();
    let visit = Visit {
        role: role
            .map_err(|error| Refused::from(Failure::bad_input("role", format!("{error}"))))?,
        minutes: arguments.minutes,
        reason: Reason::parse(&arguments.reason).map_err(Refused::from)?,
    };
    let tenant = arguments.named.parse()?;
    let entered = session.registry.let_in(&session.by, &tenant, &visit).await;
    let entered = entered.map_err(Refused::from)?;
    let subdomain = &entered.tenant.subdomain;
    if session.json {
        output::json(&json!({
            "subdomain": subdomain.as_str(),
            "accessToken": entered.token.as_str(),
            "expiresAt": entered.expires_at.format(&Rfc3339)?,
        }));
        return Ok(());
    }
    let until = moment(Some(entered.expires_at));
    eprintln!("at {subdomain}, until {until} UTC: Authorization: Bearer …");
    output::write(&format!("{}\n", entered.token.as_str()));
    Ok(())
}
