//! `tenantry tenant create`.

use clap::Args;
use rand::distr::{Alphanumeric, SampleString as _};

use super::Session;
use crate::cli::ask;
use crate::cli::exit::Refused;
use crate::config::TenantSql;
use crate::registry::{NewTenant, TenantRef};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The organization's name.
    name: String,

    /// Where the tenant is to be found; made of the name when left out.
    #[arg(long)]
    subdomain: Option<String>,

    /// The owner's name.
    #[arg(long)]
    owner: String,

    /// The address that the owner logs in with.
    #[arg(long)]
    email: String,

    /// Reads the owner's password from the terminal or from standard input. Otherwise one is made, and printed once.
    #[arg(long)]
    password: bool,

    #[command(flatten)]
    tenant_sql: TenantSql,
}

pub(super) async fn run(session: &Session, arguments: Arguments) -> anyhow::Result<()> {
    let migrations = session.migrations(&arguments.tenant_sql).await?;
    let password = if arguments.password {
        ask::password()?
    } else {
        Alphanumeric.sample_string(&mut rand::rng(), 20)
    };
    let new = NewTenant::parse(
        &arguments.name,
        arguments.subdomain.as_deref(),
        &arguments.owner,
        &arguments.email,
        &password,
    );
    let mut new = new.map_err(Refused::from)?;
    new.by = Some(session.by.clone());
    let made = session.registry.sign_up(&migrations, new).await;
    let made = made.map_err(Refused::from)?;
    session.show(&TenantRef::Id(made.tenant.id)).await?;
    if !arguments.password {
        eprintln!("the owner's password, told only now: {password}");
    }
    Ok(())
}
