//! `tenantry squash`: one file in place of many, from which new tenants get their tables.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::database::DatabaseArguments;
use super::exit::{Refused, Status};
use super::{dev, output, scratch};
use crate::config::TenantSql;
use crate::migrate::{Migrations, SchemaVersion, baseline_version};
use crate::names::Subdomain;
use crate::registry::TenantTables;
use crate::squash::{self, Baseline, Order, SquashError};

/// Exit status: 0 done, 1 failed, 2 wrong command line, 4 these files cannot be replaced, 9 they are no migrations, or
/// have no such version, 12 they cannot be removed yet: tenants are behind.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    tenant_sql: TenantSql,

    /// The last file that is to be replaced; all of them are when left out.
    #[arg(long, value_name = "VERSION")]
    to: Option<i32>,

    /// Removes the replaced files. All tenants of the database must have run them.
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
    if arguments.remove {
        nobody_is_behind(&arguments.database, &migrations, version).await?;
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
        let there = migrations.app.there(version).map(str::to_owned);
        remove(dir, &there.collect::<Vec<_>>())?;
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
    let place = dev::temporary_directory()?;
    let order = Order {
        dirs: (dir, shared.as_deref()),
        version,
        freeze: arguments.freeze_values,
        place: &place.join("tried"),
    };
    let made = scratch::with_cluster(async |cluster, database| {
        let made = Box::pin(squash::squash(cluster, database, migrations, &order));
        made.await.map_err(|error| match error {
            SquashError::Impossible(why) => Refused::not_possible(why.to_string()).into(),
            error => error.into(),
        })
    })
    .await;
    let _ = std::fs::remove_dir_all(place);
    made
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
    let (Some(first), count) = (behind.first(), behind.len()) else {
        return Ok(());
    };
    let others = match count - 1 {
        0 => "has".to_owned(),
        1 => "and another tenant have".to_owned(),
        others => format!("and {others} other tenants have"),
    };
    let message = format!(
        "{first} {others} not run the files up to version {version}, or others than these: run `tenantry migrate` \
         before they are removed"
    );
    Err(Refused::new(Status::Behind, message).into())
}

/// Those who have not run all files up to a version, or nobody knows.
fn behind<'a>(
    tenants: &'a [TenantTables],
    migrations: &Migrations,
    version: i32,
) -> Vec<&'a Subdomain> {
    let mut known: BTreeMap<SchemaVersion, bool> = BTreeMap::new();
    let mut has_run = |tenant: &TenantTables| {
        let known = known.entry(tenant.version);
        *known.or_insert_with(|| {
            tenant.version.app >= version && migrations.at(tenant.version).is_some()
        })
    };
    let behind = tenants.iter().filter(|tenant| !has_run(tenant));
    behind.map(|tenant| &tenant.subdomain).collect()
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
