//! All rows of a tenant as they were at one moment.

use serde::{Deserialize, Serialize};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CopyOutStream, Row, Transaction};

use super::misfit;
use crate::error::Failure;
use crate::names::{SchemaName, TenantId};
use crate::registry::shared::SHARED_SCHEMA;
use crate::sql::Ident;

/// What refinery keeps, which the copy has of its own.
pub(super) const HISTORIES: [&str; 2] = ["tenantry_base_history", "tenantry_app_history"];

/// A table with rows of its own, or one made of partitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Table {
    pub(super) name: String,
    /// Without those that Postgres computes.
    pub(super) columns: Vec<String>,
    pub(super) partitioned: bool,
}

impl Table {
    fn from_row(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            name: row.try_get(0)?,
            partitioned: row.try_get(1)?,
            columns: row.try_get(2)?,
        })
    }
}

/// Where a sequence is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sequence {
    pub(super) name: String,
    pub(super) last_value: i64,
    pub(super) is_called: bool,
}

/// How rows travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// What Postgres reads fastest.
    Text,
    /// What everybody reads, with a line of headings.
    Csv,
}

/// A transaction that sees one moment.
pub(super) struct Snapshot<'a> {
    transaction: &'a Transaction<'a>,
    schema: SchemaName,
    pub(super) tables: Vec<Table>,
    /// Shared ones that have rows of tenants.
    pub(super) shared: Vec<Table>,
    pub(super) sequences: Vec<Sequence>,
    /// Materialized views that have been filled.
    pub(super) filled: Vec<String>,
}

/// Values are written so that every server reads them back the same.
pub(super) async fn settle(
    transaction: &Transaction<'_>,
    schema: &SchemaName,
) -> Result<(), tokio_postgres::Error> {
    let path = format!("{}, extensions", schema.quoted());
    let statement = "select set_config('search_path', $1, true), \
         set_config('datestyle', 'ISO', true), set_config('intervalstyle', 'postgres', true), \
         set_config('extra_float_digits', '3', true), set_config('bytea_output', 'hex', true), \
         set_config('timezone', 'UTC', true), set_config('lock_timeout', '5s', true), \
         set_config('xmloption', 'content', true), \
         set_config('client_connection_check_interval', '1s', true)";
    transaction
        .query_typed(statement, &[(&path, Type::TEXT)])
        .await?;
    Ok(())
}

impl<'a> Snapshot<'a> {
    /// Looks at a schema, in a transaction that is repeatable and only reads. Tables cannot be changed until it ends.
    pub(super) async fn take(
        transaction: &'a Transaction<'a>,
        schema: &SchemaName,
    ) -> Result<Snapshot<'a>, Failure> {
        settle(transaction, schema).await.map_err(misfit)?;
        // Rows that a policy hides from the owner are an error, not left out.
        let hidden = transaction.batch_execute("set local row_security = off");
        hidden.await.map_err(misfit)?;
        let mut snapshot = Self {
            transaction,
            schema: schema.clone(),
            tables: Vec::new(),
            shared: Vec::new(),
            sequences: Vec::new(),
            filled: Vec::new(),
        };
        snapshot.look().await.map_err(misfit)?;
        snapshot.shared = shared_tables(transaction).await.map_err(misfit)?;
        Ok(snapshot)
    }

    async fn look(&mut self) -> Result<(), tokio_postgres::Error> {
        let schema = self.schema.as_str();
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&schema, Type::TEXT), (&&HISTORIES[..], Type::TEXT_ARRAY)];
        let statement = "select c.relname::text, c.relkind = 'p', array(select a.attname::text from pg_attribute a \
               where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' \
               order by a.attnum) \
             from pg_class c join pg_namespace n on n.oid = c.relnamespace \
             where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> all ($2) \
             order by c.oid";
        for row in self.transaction.query_typed(statement, &parameters).await? {
            let table = Table::from_row(&row)?;
            let lock = format!(
                "lock table {} in access share mode",
                self.qualified(&table.name)
            );
            self.transaction.batch_execute(&lock).await?;
            if !table.columns.is_empty() {
                self.tables.push(table);
            }
        }
        let statement = "select c.relname::text, c.relkind = 'S', c.relispopulated \
             from pg_class c join pg_namespace n on n.oid = c.relnamespace \
             where n.nspname = $1 and c.relkind in ('S', 'm') order by c.oid";
        for row in self
            .transaction
            .query_typed(statement, &parameters[..1])
            .await?
        {
            let name: String = row.try_get(0)?;
            if row.try_get(1)? {
                self.sequences.push(self.sequence(name).await?);
            } else if row.try_get(2)? {
                self.filled.push(name);
            }
        }
        Ok(())
    }

    async fn sequence(&self, name: String) -> Result<Sequence, tokio_postgres::Error> {
        let statement = format!(
            "select last_value, is_called from {}",
            self.qualified(&name)
        );
        let row = self.transaction.query_typed_one(&statement, &[]).await?;
        Ok(Sequence {
            name,
            last_value: row.try_get(0)?,
            is_called: row.try_get(1)?,
        })
    }

    /// The rows of a table; each piece of the stream is a whole one.
    pub(super) async fn rows(
        &self,
        table: &Table,
        format: Format,
    ) -> Result<CopyOutStream, Failure> {
        let only = if table.partitioned { "" } else { "only " };
        let from = format!("{only}{}", self.qualified(&table.name));
        self.copy(table, &from, format).await
    }

    /// The rows of a tenant in a shared table.
    pub(super) async fn shared_rows(
        &self,
        table: &Table,
        tenant: TenantId,
        format: Format,
    ) -> Result<CopyOutStream, Failure> {
        // There, policies are forced on the owner, who sees all rows by one of them.
        let statement = "select set_config('row_security', 'on', true), set_config('tenantry.copied', $1, true)";
        let tenant = tenant.to_string();
        let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&tenant, Type::TEXT)];
        let set = self.transaction.query_typed(statement, &parameters).await;
        set.map_err(misfit)?;
        let from = format!(
            "{SHARED_SCHEMA}.{} where tenant_id::text = current_setting('tenantry.copied')",
            Ident::new(&table.name)
        );
        self.copy(table, &from, format).await
    }

    async fn copy(
        &self,
        table: &Table,
        from: &str,
        format: Format,
    ) -> Result<CopyOutStream, Failure> {
        let columns = list(&table.columns);
        let format = match format {
            Format::Text => "",
            Format::Csv => " (format csv, header)",
        };
        let statement = format!("copy (select {columns} from {from}) to stdout{format}");
        self.transaction.copy_out(&statement).await.map_err(misfit)
    }

    fn qualified(&self, name: &str) -> String {
        format!("{}.{}", self.schema.quoted(), Ident::new(name))
    }
}

/// In the order in which they were made: what others refer to comes first.
async fn shared_tables(transaction: &Transaction<'_>) -> Result<Vec<Table>, tokio_postgres::Error> {
    let statement = "select c.relname::text, c.relkind = 'p', array(select a.attname::text from pg_attribute a \
           where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' \
           order by a.attnum) \
         from pg_policy p join pg_class c on c.oid = p.polrelid \
         where p.polname = 'tenantry_bound' and not c.relispartition order by c.oid";
    let rows = transaction.query_typed(statement, &[]).await?;
    rows.iter().map(Table::from_row).collect()
}

/// Names, as they stand in a statement.
pub(super) fn list(names: &[String]) -> String {
    let names: Vec<_> = names
        .iter()
        .map(|name| Ident::new(name).to_string())
        .collect();
    names.join(", ")
}
