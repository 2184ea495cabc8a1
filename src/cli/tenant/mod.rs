//! `tenantry tenant …`: what operators do with tenants, on the machine of the service.

mod change;
mod copy;
mod create;
mod domain;
mod limits;
mod list;
mod purge;
mod support;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::database::{DatabaseArguments, command_line};
use super::exit::Refused;
use super::output::{self, moment, size};
use crate::config::TenantSql;
use crate::migrate::Migrations;
use crate::registry::{By, Registry, TenantRecord, TenantRef, check_files};

/// Exit status: 0 done, 1 failed, 2 wrong command line, 3 no such tenant, 4 not possible (a name is taken,
/// a value is bad, the tenant is in another state), 5 not confirmed, 9 the files are not those that the fleet has run.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: DatabaseArguments,

    /// Prints JSON.
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a tenant and its owner.
    Create(create::Arguments),
    /// Lists tenants.
    List(list::Arguments),
    /// Shows all that is known of a tenant.
    Show(Named),
    /// Gives a tenant another name.
    Rename(change::Rename),
    /// Moves a tenant to another subdomain; the old one redirects for a while.
    ChangeSubdomain(change::ChangeSubdomain),
    /// Tells and changes the limits that a tenant has of its own.
    Limits(limits::Arguments),
    /// A tenant's own domains.
    Domain(domain::Arguments),
    /// Refuses a tenant's requests until it is resumed.
    Suspend(change::Suspend),
    /// Lifts a suspension.
    Resume(Named),
    /// Takes a tenant away from everybody; it can be restored while its data are kept.
    Delete(change::Delete),
    /// Brings a deleted tenant back.
    Restore(Named),
    /// Makes another tenant with the same rows and members, which then goes its own way.
    Clone(copy::Clone),
    /// Writes a tenant into an archive: a tar file of CSV files and a manifest.
    Export(copy::Export),
    /// Makes a tenant of an archive.
    Import(copy::Import),
    /// Lets you into a tenant, for a time and a reason that its owner sees; prints the access token.
    Support(support::Arguments),
    /// Removes deleted tenants for good: tables, role and people who belong nowhere else.
    Purge(purge::Arguments),
}

/// The tenant that a command is about.
#[derive(Debug, Args)]
struct Named {
    /// The tenant's subdomain or id.
    tenant: String,
}

impl Arguments {
    /// An archive on standard output is all that is there.
    pub(super) fn json(&self) -> bool {
        self.json
            && !matches!(&self.command, Command::Export(export) if export.is_to_standard_output())
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments {
        database,
        json,
        command,
    } = arguments;
    let session = Session {
        registry: database.registry().await?,
        by: command_line(),
        json,
    };
    match command {
        Command::Create(arguments) => create::run(&session, arguments).await,
        Command::List(arguments) => list::run(&session, arguments).await,
        Command::Show(named) => session.show(&named.parse()?).await,
        Command::Rename(arguments) => change::rename(&session, &arguments).await,
        Command::ChangeSubdomain(arguments) => change::move_to(&session, &arguments).await,
        Command::Limits(arguments) => limits::run(&session, &arguments).await,
        Command::Domain(arguments) => domain::run(&session, arguments).await,
        Command::Suspend(arguments) => change::suspend(&session, &arguments).await,
        Command::Resume(named) => change::resume(&session, &named).await,
        Command::Delete(arguments) => change::delete(&session, &arguments).await,
        Command::Restore(named) => change::restore(&session, &named).await,
        Command::Clone(arguments) => copy::clone(&session, &arguments).await,
        Command::Export(arguments) => copy::export(&session, &arguments).await,
        Command::Import(arguments) => copy::import(&session, &arguments).await,
        Command::Support(arguments) => support::run(&session, &arguments).await,
        Command::Purge(arguments) => purge::run(&session, &arguments).await,
    }
}

/// What every command needs.
struct Session {
    registry: Registry,
    by: By,
    json: bool,
}

impl Session {
    /// The migrations, if they are those that the fleet has run.
    async fn migrations(&self, sql: &TenantSql) -> anyhow::Result<Migrations> {
        let migrations = sql.load().context("cannot read the migrations")?;
        let connection = self.registry.connection().await?;
        check_files(&connection, &migrations).await?;
        Ok(migrations)
    }

    async fn show(&self, tenant: &TenantRef) -> anyhow::Result<()> {
        let record = self.registry.tenant_record(tenant).await;
        self.print(&record.map_err(Refused::from)?);
        Ok(())
    }

    fn print(&self, tenant: &TenantRecord) {
        if self.json {
            output::json(&as_json(tenant));
            return;
        }
        let mut table = output::Table::new(["", ""]);
        let mut row = |name: &str, value: String| {
            if !value.is_empty() {
                table.push([name.to_owned(), value]);
            }
        };
        row("id", tenant.id.to_string());
        row("name", tenant.name.clone());
        row("subdomain", tenant.subdomain.to_string());
        row("redirects from", tenant.redirects.join(", "));
        row("status", tenant.status.word().to_owned());
        if tenant.suspended_at.is_some() {
            row("suspended", moment(tenant.suspended_at));
        }
        row(
            "reason",
            tenant.suspension_reason.clone().unwrap_or_default(),
        );
        if tenant.deleted_at.is_some() {
            row("deleted", moment(tenant.deleted_at));
            row("kept until", moment(tenant.purge_after));
        }
        if tenant.purging {
            row("purge", "begun".to_owned());
        }
        row("owners", tenant.owners.join(", "));
        row("users", tenant.users.to_string());
        row("size", tenant.bytes.map(size).unwrap_or_default());
        row(
            "rows",
            tenant
                .rows
                .map(|rows| format!("about {rows}"))
                .unwrap_or_default(),
        );
        row("last activity", moment(tenant.last_activity_at));
        row("created", moment(Some(tenant.created_at)));
        row("version", version(tenant));
        row("schema", tenant.schema.to_string());
        row("role", tenant.role.to_string());
        table.print();
    }
}

impl Named {
    fn parse(&self) -> anyhow::Result<TenantRef> {
        Ok(TenantRef::parse(&self.tenant).map_err(Refused::from)?)
    }
}

/// The last migration of the app's tables, and of the service's own.
fn version(tenant: &TenantRecord) -> String {
    format!("{} (base {})", tenant.version.app, tenant.version.base)
}

/// The names are those of the GraphQL type `ManagedTenant`.
fn as_json(tenant: &TenantRecord) -> Value {
    let at = |at: Option<OffsetDateTime>| at.and_then(|at| at.format(&Rfc3339).ok());
    json!({
        "id": tenant.id.to_string(),
        "name": tenant.name,
        "subdomain": tenant.subdomain.as_str(),
        "redirects": tenant.redirects,
        "status": tenant.status.word().to_uppercase(),
        "suspendedAt": at(tenant.suspended_at),
        "suspensionReason": tenant.suspension_reason,
        "deletedAt": at(tenant.deleted_at),
        "purgeAfter": at(tenant.purge_after),
        "purging": tenant.purging,
        "owners": tenant.owners,
        "users": tenant.users,
        "bytes": tenant.bytes,
        "rows": tenant.rows,
        "lastActivityAt": at(tenant.last_activity_at),
        "createdAt": at(Some(tenant.created_at)),
        "appVersion": tenant.version.app,
        "baseVersion": tenant.version.base,
        "schema": tenant.schema.as_str(),
        "role": tenant.role.as_str(),
    })
}
