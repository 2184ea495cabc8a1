//! The commands that change a tenant: rename, change-subdomain, suspend, resume, delete, restore.

use clap::Args;

use super::{Named, Session};
use crate::cli::ask;
use crate::cli::exit::Refused;
use crate::error::Failure;
use crate::names::{DisplayName, Subdomain};
use crate::registry::{Change, Reason};

#[derive(Debug, Args)]
pub(super) struct Rename {
    #[command(flatten)]
    named: Named,

    /// The new name.
    name: String,
}

#[derive(Debug, Args)]
pub(super) struct ChangeSubdomain {
    #[command(flatten)]
    named: Named,

    /// The new subdomain.
    subdomain: String,

    /// For how many days the old one leads to the new one, and is nobody else's.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    redirect_days: u16,
}

#[derive(Debug, Args)]
pub(super) struct Suspend {
    #[command(flatten)]
    named: Named,

    /// Why; for the trail, and for whoever looks at the tenant.
    #[arg(long)]
    reason: String,
}

#[derive(Debug, Args)]
pub(super) struct Delete {
    #[command(flatten)]
    named: Named,

    /// For how many days it can be restored for certain, before `purge --expired` takes it.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    keep_days: u16,

    /// Does not ask.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn rename(session: &Session, arguments: &Rename) -> anyhow::Result<()> {
    let name = DisplayName::parse(&arguments.name)
        .map_err(|error| Refused::from(Failure::bad_input("name", error.to_string())))?;
    apply(session, &arguments.named, &Change::Rename(name)).await
}

pub(super) async fn move_to(session: &Session, arguments: &ChangeSubdomain) -> anyhow::Result<()> {
    let subdomain = Subdomain::claim(&arguments.subdomain)
        .map_err(|error| Refused::from(Failure::bad_input("subdomain", error.to_string())))?;
    let change = Change::Move {
        subdomain,
        redirect_days: arguments.redirect_days,
    };
    apply(session, &arguments.named, &change).await
}

pub(super) async fn suspend(session: &Session, arguments: &Suspend) -> anyhow::Result<()> {
    let reason = Reason::parse(&arguments.reason).map_err(Refused::from)?;
    apply(session, &arguments.named, &Change::Suspend(reason)).await
}

pub(super) async fn resume(session: &Session, named: &Named) -> anyhow::Result<()> {
    apply(session, named, &Change::Resume).await
}

pub(super) async fn delete(session: &Session, arguments: &Delete) -> anyhow::Result<()> {
    let tenant = arguments.named.parse()?;
    let record = session.registry.tenant_record(&tenant).await;
    let record = record.map_err(Refused::from)?;
    let (subdomain, name, users) = (&record.subdomain, &record.name, record.users);
    let question = format!("Delete the tenant {subdomain} ({name}, {users} users)? [y/N]");
    ask::confirm(arguments.yes, &question, "y")?;
    let change = Change::Delete {
        keep_days: arguments.keep_days,
    };
    apply(session, &arguments.named, &change).await
}

pub(super) async fn restore(session: &Session, named: &Named) -> anyhow::Result<()> {
    apply(session, named, &Change::Restore).await
}

async fn apply(session: &Session, named: &Named, change: &Change) -> anyhow::Result<()> {
    let changed = session
        .registry
        .change_tenant(&session.by, &named.parse()?, change)
        .await;
    session.print(&changed.map_err(Refused::from)?);
    Ok(())
}
