//! The files that the fleet has run, whichever tenant was the first: one that changes afterwards would make tenants differ.

use std::collections::HashMap;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error};

use super::shared::SHARED_SCHEMA;
use crate::migrate::{Migrations, SetName, Stamp};

/// Why files are not those that the fleet has run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilesError {
    #[error(
        "{} since the fleet has run it: a file that has run must not change; undo the change and put it into a \
         new file (or start anew, with `dev --reset`)", .0.join("; ")
    )]
    Edited(Vec<String>),
    #[error(
        "the fleet has run {}, and there is no such file here: are these the files of an older release? \
         (`dev --reset` starts anew)",
        .0.join(", ")
    )]
    Gone(Vec<String>),
    #[error(
        "the fleet has run other files, {first} the first of them: are these the right ones (--tenant-sql)?"
    )]
    OtherApp { first: String },
    #[error("cannot read what the fleet has run: {}", crate::error::postgres_reason(.0))]
    Postgres(#[from] Error),
}

impl FilesError {
    /// Whether it is the files that are wrong, and not the connection.
    pub(crate) fn is_about_files(&self) -> bool {
        !matches!(self, Self::Postgres(_))
    }
}

/// Adds the files to those that have run, in the transaction that has run them.
pub(crate) async fn record(client: &Client, migrations: &Migrations) -> Result<(), Error> {
    let Columns {
        sets,
        versions,
        names,
        checksums,
    } = columns(migrations);
    let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
        (&sets, Type::TEXT_ARRAY),
        (&versions, Type::INT4_ARRAY),
        (&names, Type::TEXT_ARRAY),
        (&checksums, Type::TEXT_ARRAY),
    ];
    client
        .execute_typed(
            "insert into tenantry.migrations (set, version, name, checksum) \
             select * from unnest($1, $2, $3, $4) on conflict do nothing",
            &parameters,
        )
        .await?;
    Ok(())
}

/// The stamps of all files, as columns of a statement.
struct Columns<'a> {
    sets: Vec<&'static str>,
    versions: Vec<i32>,
    names: Vec<&'a str>,
    checksums: Vec<String>,
}

fn columns(migrations: &Migrations) -> Columns<'_> {
    let stamps: Vec<Stamp<'_>> = migrations.stamps().collect();
    Columns {
        sets: stamps.iter().map(|stamp| stamp.set.word()).collect(),
        versions: stamps.iter().map(|stamp| stamp.version).collect(),
        names: stamps.iter().map(|stamp| stamp.name).collect(),
        checksums: stamps
            .iter()
            .map(|stamp| stamp.checksum.to_string())
            .collect(),
    }
}

/// Compares the files with those that have run: all that are wrong are named, not only the first.
pub(crate) async fn check(client: &Client, migrations: &Migrations) -> Result<(), FilesError> {
    let here: HashMap<(&str, i32), Stamp<'_>> = migrations
        .stamps()
        .map(|stamp| ((stamp.set.word(), stamp.version), stamp))
        .collect();
    let statement = "select set, version, name, checksum from tenantry.migrations order by 1, 2";
    let (mut edited, mut gone) = (Vec::new(), Vec::new());
    let (mut first, mut same) = (None, 0);
    for row in client.query_typed(statement, &[]).await? {
        let (set, version): (&str, i32) = (row.try_get(0)?, row.try_get(1)?);
        let (name, checksum): (&str, &str) = (row.try_get(2)?, row.try_get(3)?);
        let file = format!("V{version}__{name}");
        let is_app = set == SetName::App.word();
        match here.get(&(set, version)) {
            None => gone.push(file.clone()),
            Some(stamp) if stamp.name != name => {
                edited.push(format!("{file} has become V{version}__{}", stamp.name));
            }
            Some(stamp) if stamp.checksum.to_string() != checksum => {
                edited.push(format!("{file} has changed"));
            }
            Some(_) => same += usize::from(is_app),
        }
        if is_app && first.is_none() {
            first = Some((
                file,
                here.get(&(set, version)).map(|stamp| stamp.name) == Some(name),
            ));
        }
    }
    edited.extend(edited_shared(client, migrations).await?);
    // Nobody edits all files, the first one's name included.
    if let (0, Some((first, false))) = (same, first) {
        return Err(FilesError::OtherApp { first });
    }
    if !edited.is_empty() {
        return Err(FilesError::Edited(edited));
    }
    if !gone.is_empty() {
        return Err(FilesError::Gone(gone));
    }
    Ok(())
}

/// The files for shared tables that are not what has run. Replicas of an older release may lack some.
async fn edited_shared(client: &Client, migrations: &Migrations) -> Result<Vec<String>, Error> {
    let Some(set) = &migrations.shared else {
        return Ok(Vec::new());
    };
    let history = format!("{SHARED_SCHEMA}.{}", set.history());
    let known = "select to_regclass($1) is not null";
    let row = client
        .query_typed_one(known, &[(&history, Type::TEXT)])
        .await?;
    if !row.try_get::<_, bool>(0)? {
        return Ok(Vec::new());
    }
    let here: HashMap<i32, (&str, String)> = set.stamps().collect();
    let statement = format!("select version, name, checksum from {history} order by 1");
    let mut edited = Vec::new();
    for row in client.query_typed(&statement, &[]).await? {
        let version: i32 = row.try_get(0)?;
        let (name, checksum): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
        let file = format!("V{version}__{name} (for shared tables)");
        match here.get(&version) {
            Some((own, _)) if *own != name => {
                edited.push(format!("{file} has become V{version}__{own}"));
            }
            Some((_, own)) if own != checksum => edited.push(format!("{file} has changed")),
            _ => {}
        }
    }
    Ok(edited)
}
