//! `tenantry squash`: one file in place of many, from which new tenants get their tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::database::DatabaseArguments;
use super::exit::{Refused, Status};
use super::scratch::{self, Scratch};
use super::{git, output};
use crate::config::TenantSql;
use crate::migrate::{Migrations, SchemaVersion, baseline_version};
use crate::names::brief;
use crate::registry::{TenantStatus, TenantTables};
use crate::squash::{self, Baseline, Order, SquashError};

/// Exit status: 0 done, 1 failed, 2 wrong command line, 4 these files cannot be replaced, or git has no commit of what is to be removed, 9 they are no migrations, or
/// have no such version, 12 they cannot be removed yet: tenants are behind.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    tenant_sql: TenantSql,

    /// The last file that is to be replaced; all of them are when left out.
    #[arg(long, value_name = "VERSION")]
    to: Option<i32>,

    /// Removes the replaced files. All tenants of the database must have run them, and in a repository of git they must have
    /// been committed.
    #[arg(long)]
    remove: bool,

    /// Gives all new tenants the values of today where the files compute them at each sign-up: the time, random keys.
    #[arg(long)]
    freeze_values: bool,

    /// Prints the file, and neither writes nor removes any.
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    database: DatabaseArguments,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let dir = arguments.tenant_sql.tenant_sql.as_deref();
    let dir = dir.context("whose migrations? Give --tenant-sql or TENANTRY_TENANT_SQL")?;
    let migrations = arguments.tenant_sql.load()?;
    let version = arguments.to.unwrap_or(migrations.app.version());
    let is_made = is_made(&migrations, version)?;
    let replaced = migrations.clone().up_to(version)?;
    let there: Vec<_> = migrations.app.there(version).map(str::to_owned).collect();
    if arguments.remove {
        nobody_is_behind(&arguments.database, &migrations, version).await?;
        if !arguments.dry_run {
            git_has_them(dir, &there)?;
        }
    }
    if !is_made {
        let Baseline { name, text } = make(&arguments, dir, &migrations, version).await?;
        if arguments.dry_run {
            output::write(&text);
            return Ok(());
        }
        write_whole(&dir.join(&name), &text)?;
        let files = match replaced.app.len() {
            1 => "1 file".to_owned(),
            count => format!("{count} files"),
        };
        output::write(&format!("{name} stands for {files}\n"));
        remove(dir, &older_baselines(dir, &name)?)?;
    }
    if arguments.dry_run {
        return Ok(());
    }
    if arguments.remove {
        remove(dir, &there)?;
    }
    Ok(())
}

/// Whether there is a baseline of this version. One of a later version is not gone back from.
fn is_made(migrations: &Migrations, version: i32) -> Result<bool, Refused> {
    let Some((name, last)) = migrations
        .app
        .baseline()
        .filter(|(_, last)| *last >= version)
    else {
        return Ok(false);
    };
    if last > version {
        let message = format!("{name} stands for all files up to version {last} already");
        return Err(Refused::not_possible(message));
    }
    output::write(&format!("{name} is there already\n"));
    Ok(true)
}

async fn make(
    arguments: &Arguments,
    dir: &Path,
    migrations: &Migrations,
    version: i32,
) -> anyhow::Result<Baseline> {
    let shared = arguments.tenant_sql.shared();
    scratch::with_cluster(async |scratch: Scratch<'_>| {
        let order = Order {
            dirs: (dir, shared.as_deref()),
            version,
            freeze: arguments.freeze_values,
            place: &scratch.directory.join("tried"),
        };
        let Scratch {
            cluster, database, ..
        } = scratch;
        let made = Box::pin(squash::squash(cluster, database, migrations, &order));
        made.await.map_err(|error| match error {
            SquashError::Impossible(why) => Refused::not_possible(why.to_string()).into(),
            error => error.into(),
        })
    })
    .await
}

/// Whoever has not run a file needs it.
async fn nobody_is_behind(
    database: &DatabaseArguments,
    migrations: &Migrations,
    version: i32,
) -> anyhow::Result<()> {
    let registry = database.registry().await?;
    let tenants = registry.tables().await.map_err(Refused::from)?;
    let behind = behind(&tenants, migrations, version);
    let Some(first) = behind.first() else {
        return Ok(());
    };
    let others = match behind.len() - 1 {
        0 => "has".to_owned(),
        1 => "and another tenant have".to_owned(),
        others => format!("and {others} other tenants have"),
    };
    let mut message = format!(
        "{} {others} not run the files up to version {version}, or others than these: run `tenantry migrate` \
         before they are removed",
        first.subdomain
    );
    let deleted = |tenant: &&&TenantTables| tenant.status == TenantStatus::Deleted;
    let deleted = behind.iter().filter(deleted);
    let deleted: Vec<_> = deleted.map(|tenant| tenant.subdomain.as_str()).collect();
    if let Some(one) = deleted.first() {
        let _ = write!(
            message,
            ". Deleted, and kept to be restored: {}. It migrates these, too; who is not to come back goes with \
             `tenantry tenant purge {one}`",
            brief(&deleted)
        );
    }
    Err(Refused::new(Status::Behind, message).into())
}

/// That what is removed can be brought back. Where git does not know, who removes it has to.
fn git_has_them(dir: &Path, files: &[String]) -> anyhow::Result<()> {
    let Some(uncommitted) = git::uncommitted(dir, files) else {
        if !files.is_empty() {
            let dir = dir.display();
            eprintln!(
                "warning: {dir} is in no repository of git: nothing brings back the files that are removed"
            );
        }
        return Ok(());
    };
    if uncommitted.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the last commit of git does not have, as it is now: {}. Nothing would bring back what is removed: commit it first",
        brief(&uncommitted)
    );
    Err(Refused::not_possible(message).into())
}

/// Those who have not run all files up to a version, or nobody knows.
fn behind<'a>(
    tenants: &'a [TenantTables],
    migrations: &Migrations,
    version: i32,
) -> Vec<&'a TenantTables> {
    let mut known: BTreeMap<SchemaVersion, bool> = BTreeMap::new();
    let mut has_run = |tenant: &TenantTables| {
        let known = known.entry(tenant.version);
        *known.or_insert_with(|| {
            tenant.version.app >= version && migrations.at(tenant.version).is_some()
        })
    };
    tenants.iter().filter(|tenant| !has_run(tenant)).collect()
}

/// What the new baseline stands for as well.
fn older_baselines(dir: &Path, new: &str) -> anyhow::Result<Vec<String>> {
    let mut older = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        let name = name.to_str().filter(|name| *name != new);
        older.extend(
            name.filter(|name| baseline_version(name).is_some())
                .map(str::to_owned),
        );
    }
    Ok(older)
}

fn remove(dir: &Path, files: &[String]) -> anyhow::Result<()> {
    for file in files {
        let path = dir.join(file);
        std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        output::write(&format!("removed {file}\n"));
    }
    Ok(())
}

/// All of a file, or none of it: not one that is half written.
fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    // Nobody takes a file of this name for a migration.
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}", std::process::id()));
    let unfinished = PathBuf::from(unfinished);
    let written = std::fs::File::create_new(&unfinished).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}
