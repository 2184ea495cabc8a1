//! `tenantry schema`: the GraphQL schema of the migrations, printed or compared.

mod diff;

use clap::{Args, Subcommand};

use super::scratch;
use crate::config::TenantSql;
use crate::platform;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// Prints the schema at the base domain, which is the same for all apps: sign-up, accounts, operators.
    #[arg(long, conflicts_with_all = ["tenant_sql", "shared_sql"])]
    platform: bool,

    #[command(flatten)]
    tenant_sql: TenantSql,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tells what migrations change in the GraphQL schema, and what of it breaks clients.
    Diff(diff::Arguments),
}

impl Arguments {
    pub(super) fn json(&self) -> bool {
        matches!(&self.command, Some(Command::Diff(arguments)) if arguments.json())
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command {
        Some(Command::Diff(arguments)) => diff::run(arguments).await,
        None if arguments.platform => {
            print!("{}", platform::sdl());
            Ok(())
        }
        None => print(&arguments.tenant_sql).await,
    }
}

async fn print(tenant_sql: &TenantSql) -> anyhow::Result<()> {
    let migrations = tenant_sql.load()?;
    let sdl = scratch::with(async |database| {
        let api = scratch::api(&database, &migrations, "reference").await?;
        Ok(api.sdl())
    });
    print!("{}", sdl.await?);
    Ok(())
}
