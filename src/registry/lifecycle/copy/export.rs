//! `export`: one archive that stands for itself, in formats that everybody reads.
//!
//! `manifest.json` comes first and says what there is, then the rows of each table as CSV in parts of a few megabytes,
//! shared tables before the tenant's own, and `end.json`, without which the archive is incomplete.

use std::pin::pin;

use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::io::AsyncWrite;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, CopyOutStream, IsolationLevel, Transaction};

use super::archive::Writer;
use super::misfit;
use super::snapshot::{Format, Sequence, Snapshot, Table};
use crate::error::Failure;
use crate::registry::Registry;
use crate::registry::lifecycle::{By, TenantRecord, TenantRef, failed};

pub(super) const FORMAT: &str = "tenantry-export";
pub(super) const FORMAT_VERSION: u32 = 1;

/// A part is closed when it has this many bytes.
const PART: usize = 4 << 20;

/// What went into an archive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exported {
    pub(crate) tables: usize,
    pub(crate) rows: u64,
}

/// The first entry of an archive.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    pub(super) format: String,
    pub(super) format_version: u32,
    pub(super) exported_at: String,
    pub(super) tenant: ExportedTenant,
    pub(super) app_version: i32,
    pub(super) base_version: i32,
    pub(super) members: Vec<ExportedMember>,
    /// In the order of the folders: `tables/001-projects/0001.csv`.
    pub(super) tables: Vec<Table>,
    /// Those in which the tenant has rows beside others: `shared/001-feedback/0001.csv`.
    #[serde(default)]
    pub(super) shared_tables: Vec<Table>,
    pub(super) sequences: Vec<Sequence>,
    pub(super) materialized_views: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ExportedTenant {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) subdomain: String,
    pub(super) limits: Value,
}

/// Who belongs to the tenant; never with anything that lets one log in.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ExportedMember {
    pub(super) id: uuid::Uuid,
    pub(super) email: String,
    pub(super) name: String,
    pub(super) role: String,
}

/// The last entry.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) rows: Vec<u64>,
    #[serde(default)]
    pub(super) shared_rows: Vec<u64>,
}

impl Registry {
    /// Writes a tenant as it is at this moment, a deleted one too. Takes the memory of one part.
    pub(crate) async fn export_tenant(
        &self,
        by: &By,
        tenant: &TenantRef,
        out: impl AsyncWrite + Unpin,
    ) -> Result<Exported, Failure> {
        let record = self.tenant_record(tenant).await?;
        self.trail(by, &record, "exportTenant").await?;
        let mut connection = self.connection().await?;
        write_archive(&mut connection, &record, out).await
    }

    /// Before anything leaves the house: whoever took it has been written down.
    pub(super) async fn trail(
        &self,
        by: &By,
        record: &TenantRecord,
        action: &str,
    ) -> Result<(), Failure> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await.map_err(failed)?;
        by.record(&transaction, record.id, action, json!({}))
            .await?;
        transaction.commit().await.map_err(failed)
    }
}

/// One transaction that sees one moment.
pub(super) async fn write_archive(
    client: &mut Client,
    record: &TenantRecord,
    out: impl AsyncWrite + Unpin,
) -> Result<Exported, Failure> {
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(failed)?;
    let now = OffsetDateTime::now_utc();
    let mut manifest = manifest(&transaction, record, now).await?;
    let snapshot = Snapshot::take(&transaction, &record.schema).await?;
    manifest.tables.clone_from(&snapshot.tables);
    manifest.shared_tables.clone_from(&snapshot.shared);
    manifest.sequences.clone_from(&snapshot.sequences);
    manifest.materialized_views.clone_from(&snapshot.filled);
    let time = u64::try_from(now.unix_timestamp()).unwrap_or_default();
    let mut archive = Writer::new(out, time);
    let text = serde_json::to_vec_pretty(&manifest).map_err(Failure::internal)?;
    archive
        .add("manifest.json", &text)
        .await
        .map_err(|error| unwritten(&error))?;
    let mut end = End::default();
    for (index, table) in snapshot.shared.iter().enumerate() {
        let rows = snapshot.shared_rows(table, record.id, Format::Csv).await?;
        let folder = folder(Rows::Shared, index, &table.name);
        end.shared_rows
            .push(write_table(rows, &folder, &mut archive).await?);
    }
    for (index, table) in snapshot.tables.iter().enumerate() {
        let rows = snapshot.rows(table, Format::Csv).await?;
        let folder = folder(Rows::Own, index, &table.name);
        end.rows
            .push(write_table(rows, &folder, &mut archive).await?);
    }
    let text = serde_json::to_vec(&end).map_err(Failure::internal)?;
    archive
        .add("end.json", &text)
        .await
        .map_err(|error| unwritten(&error))?;
    archive.finish().await.map_err(|error| unwritten(&error))?;
    Ok(Exported {
        tables: snapshot.tables.len() + snapshot.shared.len(),
        rows: end.rows.iter().chain(&end.shared_rows).sum(),
    })
}

/// What the registry knows of the tenant; its tables are not looked at yet.
async fn manifest(
    transaction: &Transaction<'_>,
    record: &TenantRecord,
    now: OffsetDateTime,
) -> Result<Manifest, Failure> {
    let tenant: [(&(dyn ToSql + Sync), Type); 1] = [(&record.id.0, Type::UUID)];
    let statement = "select limits, base_version, app_version from tenantry.tenants where id = $1";
    let row = transaction.query_typed_one(statement, &tenant).await;
    let row = row.map_err(failed)?;
    let statement = "select a.id, a.email, a.name, m.role from tenantry.memberships m \
         join tenantry.accounts a on a.id = m.account_id where m.tenant_id = $1 order by m.created_at, a.id";
    let members = transaction.query_typed(statement, &tenant).await;
    let member = |row: &tokio_postgres::Row| {
        Ok(ExportedMember {
            id: row.try_get(0)?,
            email: row.try_get(1)?,
            name: row.try_get(2)?,
            role: row.try_get(3)?,
        })
    };
    let members = members
        .map_err(failed)?
        .iter()
        .map(member)
        .collect::<Result<_, _>>();
    Ok(Manifest {
        format: FORMAT.to_owned(),
        format_version: FORMAT_VERSION,
        exported_at: now.format(&Rfc3339).map_err(Failure::internal)?,
        tenant: ExportedTenant {
            id: record.id.to_string(),
            name: record.name.clone(),
            subdomain: record.subdomain.to_string(),
            limits: row.try_get(0).map_err(failed)?,
        },
        base_version: row.try_get(1).map_err(failed)?,
        app_version: row.try_get(2).map_err(failed)?,
        members: members.map_err(failed)?,
        tables: Vec::new(),
        shared_tables: Vec::new(),
        sequences: Vec::new(),
        materialized_views: Vec::new(),
    })
}

/// Returns the number of rows. Every part begins with the headings, so that each is a table by itself.
async fn write_table(
    rows: CopyOutStream,
    folder: &str,
    archive: &mut Writer<impl AsyncWrite + Unpin>,
) -> Result<u64, Failure> {
    let mut stream = pin!(rows);
    let headings = stream.try_next().await.map_err(misfit)?.unwrap_or_default();
    let (mut rows, mut number) = (0, 1);
    let mut part = headings.to_vec();
    while let Some(row) = stream.try_next().await.map_err(misfit)? {
        if part.len() >= PART {
            archive
                .add(&part_name(folder, number), &part)
                .await
                .map_err(|error| unwritten(&error))?;
            part.truncate(headings.len());
            number += 1;
        }
        part.extend_from_slice(&row);
        rows += 1;
    }
    archive
        .add(&part_name(folder, number), &part)
        .await
        .map_err(|error| unwritten(&error))?;
    Ok(rows)
}

fn part_name(folder: &str, number: u32) -> String {
    format!("{folder}{number:04}.csv")
}

/// Whose table it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    Own,
    Shared,
}

/// A folder that every file system takes, whatever the table is called: `tables/001-projects/`.
pub(super) fn folder(rows: Rows, index: usize, table: &str) -> String {
    let root = match rows {
        Rows::Own => "tables",
        Rows::Shared => "shared",
    };
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '_'
        }
    };
    let name: String = table.chars().map(plain).collect();
    format!("{root}/{:03}-{name}/", index + 1)
}

fn unwritten(error: &std::io::Error) -> Failure {
    Failure::internal(format!("cannot write the archive: {error}"))
}
