//! Which database a command works on: that of a service, or of the `dev` in this directory.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::postgres::Database;
use crate::registry::audit::Actor;
use crate::registry::{By, Registry};

#[derive(Debug, Args)]
pub(super) struct DatabaseArguments {
    /// The service's database, with the login that owns it. When left out, that of the `tenantry dev`
    /// that runs in this directory.
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        hide_env_values = true,
        global = true
    )]
    database_url: Option<String>,

    /// Where that `dev` keeps its data.
    #[arg(long, value_name = "DIR", default_value = ".tenantry", global = true)]
    data_dir: PathBuf,
}

impl DatabaseArguments {
    pub(super) fn database(&self) -> anyhow::Result<Database> {
        if let Some(url) = &self.database_url {
            return Ok(Database::parse(url)?);
        }
        let file = self.data_dir.join("database-url");
        let url = std::fs::read_to_string(&file).with_context(|| {
            format!(
                "which database? Give --database-url or DATABASE_URL, or start `tenantry dev` here ({} is not there)",
                file.display()
            )
        })?;
        Ok(Database::parse(url.trim())?)
    }

    /// The registry in there, as it is.
    pub(super) async fn registry(&self) -> anyhow::Result<Registry> {
        Ok(Registry::attach(self.database()?).await?)
    }
}

/// Who runs the command, for the trail.
pub(super) fn command_line() -> By {
    let uid = nix::unistd::Uid::current();
    let user = match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        _ => uid.to_string(),
    };
    By {
        actor: Actor::CommandLine(user),
        request: None,
    }
}
