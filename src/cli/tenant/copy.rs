//! `tenantry tenant clone`, `export` and `import`.

use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use tokio::io::BufWriter;

use super::{Named, Session};
use crate::cli::exit::Refused;
use crate::cli::output;
use crate::config::TenantSql;
use crate::error::Failure;
use crate::names::{DisplayName, Subdomain};
use crate::registry::CopyName;

#[derive(Debug, Args)]
pub(super) struct Clone {
    #[command(flatten)]
    named: Named,

    /// The subdomain of the copy.
    subdomain: String,

    /// The name of the copy; that of the original when left out.
    #[arg(long)]
    name: Option<String>,

    #[command(flatten)]
    tenant_sql: TenantSql,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    named: Named,

    /// The archive to write, a new file; `-` is standard output.
    file: PathBuf,

    /// Puts it in the place of a file that is there, once it is whole.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The archive; `-` is standard input.
    file: PathBuf,

    /// The subdomain of the tenant; that of the exported one when left out.
    #[arg(long)]
    subdomain: Option<String>,

    #[command(flatten)]
    tenant_sql: TenantSql,
}

impl Export {
    pub(super) fn is_to_standard_output(&self) -> bool {
        is_standard(&self.file)
    }
}

pub(super) async fn clone(session: &Session, arguments: &Clone) -> anyhow::Result<()> {
    let migrations = session.migrations(&arguments.tenant_sql).await?;
    let name = arguments
        .name
        .as_deref()
        .map(DisplayName::parse)
        .transpose();
    let name =
        name.map_err(|error| Refused::from(Failure::bad_input("name", error.to_string())))?;
    let copy = CopyName {
        name,
        subdomain: claim(&arguments.subdomain)?,
    };
    let tenant = arguments.named.parse()?;
    let made = session
        .registry
        .clone_tenant(&migrations, &session.by, &tenant, &copy)
        .await;
    session.print(&made.map_err(Refused::from)?);
    Ok(())
}

pub(super) async fn export(session: &Session, arguments: &Export) -> anyhow::Result<()> {
    let tenant = arguments.named.parse()?;
    let (registry, by) = (&session.registry, &session.by);
    let exported = if arguments.is_to_standard_output() {
        let out = BufWriter::new(tokio::io::stdout());
        registry.export_tenant(by, &tenant, out).await
    } else {
        let draft = Draft::begin(&arguments.file, arguments.force)?;
        let out = BufWriter::new(tokio::fs::File::from_std(draft.file.try_clone()?));
        let exported = registry.export_tenant(by, &tenant, out).await;
        if exported.is_ok() {
            draft.keep()?;
        }
        exported
    };
    let exported = exported.map_err(Refused::from)?;
    let (rows, tables) = (exported.rows, exported.tables);
    if session.json && !arguments.is_to_standard_output() {
        output::json(&json!({"rows": rows, "tables": tables}));
    } else {
        eprintln!("exported {rows} rows of {tables} tables");
    }
    Ok(())
}

pub(super) async fn import(session: &Session, arguments: &Import) -> anyhow::Result<()> {
    let migrations = session.migrations(&arguments.tenant_sql).await?;
    let subdomain = arguments.subdomain.as_deref().map(claim).transpose()?;
    let (registry, by) = (&session.registry, &session.by);
    let made = if is_standard(&arguments.file) {
        registry
            .import_tenant(&migrations, by, subdomain, tokio::io::stdin())
            .await
    } else {
        let file = tokio::fs::File::open(&arguments.file).await;
        let file = file.with_context(|| format!("cannot open {}", arguments.file.display()))?;
        let file = tokio::io::BufReader::with_capacity(1 << 16, file);
        registry
            .import_tenant(&migrations, by, subdomain, file)
            .await
    };
    session.print(&made.map_err(Refused::from)?);
    Ok(())
}

/// A file that is removed unless it is kept.
struct Draft {
    file: std::fs::File,
    path: PathBuf,
    /// What it is called in the end.
    wanted: PathBuf,
    kept: bool,
}

impl Draft {
    /// In the place of another file only once it is whole: until then, it lies beside.
    fn begin(wanted: &Path, replace: bool) -> anyhow::Result<Self> {
        let mut path = wanted.as_os_str().to_owned();
        if replace {
            path.push(format!(".{}.part", std::process::id()));
        }
        let path = PathBuf::from(path);
        // Nobody else may read it.
        let mut options = std::fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&path);
        let file = match file {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let message = format!(
                    "the file {} is there already: add --force to replace it",
                    path.display()
                );
                return Err(Refused::not_possible(message).into());
            }
            file => file.with_context(|| format!("cannot make the file {}", path.display()))?,
        };
        Ok(Self {
            file,
            path,
            wanted: wanted.to_owned(),
            kept: false,
        })
    }

    fn keep(mut self) -> anyhow::Result<()> {
        std::fs::rename(&self.path, &self.wanted)
            .with_context(|| format!("cannot make the file {}", self.wanted.display()))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn is_standard(file: &Path) -> bool {
    file == Path::new("-")
}

fn claim(subdomain: &str) -> anyhow::Result<Subdomain> {
    let claimed = Subdomain::claim(subdomain);
    Ok(claimed
        .map_err(|error| Refused::from(Failure::bad_input("subdomain", error.to_string())))?)
}
