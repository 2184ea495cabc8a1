//! Rows of elsewhere go into a schema that nobody else sees yet.

use bytes::Bytes;
use serde_json::Value;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CopyInSink, Transaction};

use super::misfit;
use super::snapshot::{Format, HISTORIES, Sequence, Table, list, settle};
use crate::error::Failure;
use crate::names::{SchemaName, TenantId};
use crate::registry::shared::SHARED_SCHEMA;
use crate::sql::Ident;

/// A schema between two states: without keys and triggers, until [`Load::finish`].
pub(super) struct Load<'a> {
    transaction: &'a Transaction<'a>,
    schema: &'a SchemaName,
    put_back: Vec<String>,
}

impl<'a> Load<'a> {
    pub(super) async fn begin(
        transaction: &'a Transaction<'a>,
        schema: &'a SchemaName,
    ) -> Result<Load<'a>, Failure> {
        settle(transaction, schema).await.map_err(misfit)?;
        let parameters: [(&(dyn ToSql + Sync), Type); 2] = [
            (&schema.as_str(), Type::TEXT),
            (&&HISTORIES[..], Type::TEXT_ARRAY),
        ];
        let statement = "select tenantry.begin_load($1, $2)";
        let row = transaction.query_typed_one(statement, &parameters).await;
        let row = row.map_err(misfit)?;
        Ok(Self {
            transaction,
            schema,
            put_back: row.try_get(0).map_err(misfit)?,
        })
    }

    /// Where the rows of a table go.
    pub(super) async fn rows(
        &self,
        table: &Table,
        format: Format,
    ) -> Result<CopyInSink<Bytes>, Failure> {
        let into = format!("{}.{}", self.schema.quoted(), Ident::new(&table.name));
        self.copy(table, &into, format).await
    }

    /// Makes room for the rows of a shared table, whose number is that in the list which [`Load::adopt`] gets.
    pub(super) async fn expect_shared(&self, index: usize, table: &Table) -> Result<(), Failure> {
        let (into, columns) = (shared_place(index), list(&table.columns));
        let name = Ident::new(&table.name);
        let statement = format!(
            "create temporary table {into} on commit drop as select {columns} from {SHARED_SCHEMA}.{name} with no data"
        );
        self.transaction
            .batch_execute(&statement)
            .await
            .map_err(misfit)
    }

    /// Where such rows go.
    pub(super) async fn shared_rows(
        &self,
        index: usize,
        table: &Table,
        format: Format,
    ) -> Result<CopyInSink<Bytes>, Failure> {
        let into = format!("pg_temp.{}", shared_place(index));
        self.copy(table, &into, format).await
    }

    /// Makes the rows of shared tables the tenant's, before its own come, which may refer to them. Tells how many had to be left out, by table.
    pub(super) async fn adopt(&self, tenant: TenantId, shared: &[Table]) -> Result<Value, Failure> {
        let names: Vec<_> = shared.iter().map(|table| &*table.name).collect();
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&tenant.0, Type::UUID), (&names, Type::TEXT_ARRAY)];
        let statement = "select tenantry.adopt_shared_rows($1, $2)";
        let row = self
            .transaction
            .query_typed_one(statement, &parameters)
            .await;
        row.and_then(|row| row.try_get(0)).map_err(misfit)
    }

    /// What refers to their keys follows them, in the tables that have been loaded since.
    pub(super) async fn follow(&self) -> Result<(), Failure> {
        let schema = self.schema.as_str();
        let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&schema, Type::TEXT)];
        let statement = "select tenantry.follow_renewed_keys($1)";
        let followed = self.transaction.query_typed(statement, &parameters).await;
        followed.map(drop).map_err(misfit)
    }

    async fn copy(
        &self,
        table: &Table,
        into: &str,
        format: Format,
    ) -> Result<CopyInSink<Bytes>, Failure> {
        let columns = list(&table.columns);
        let format = match format {
            Format::Text => "",
            Format::Csv => " (format csv, header match)",
        };
        let statement = format!("copy {into} ({columns}) from stdin{format}");
        self.transaction.copy_in(&statement).await.map_err(misfit)
    }

    /// Keys, triggers, sequences and materialized views are as they would be had the rows always been here.
    pub(super) async fn finish(
        self,
        sequences: &[Sequence],
        filled: &[String],
    ) -> Result<(), Failure> {
        let statement = "select setval(c.oid, $3, $4) from pg_class c join pg_namespace n on n.oid = c.relnamespace \
             where n.nspname = $1 and c.relname = $2 and c.relkind = 'S'";
        let schema = self.schema.as_str();
        for sequence in sequences {
            let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
                (&schema, Type::TEXT),
                (&sequence.name, Type::TEXT),
                (&sequence.last_value, Type::INT8),
                (&sequence.is_called, Type::BOOL),
            ];
            let set = self.transaction.query_typed(statement, &parameters).await;
            set.map_err(misfit)?;
        }
        let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
            (&schema, Type::TEXT),
            (&self.put_back, Type::TEXT_ARRAY),
            (&filled, Type::TEXT_ARRAY),
        ];
        let statement = "select tenantry.end_load($1, $2, $3)";
        let ended = self.transaction.query_typed(statement, &parameters).await;
        ended.map(drop).map_err(misfit)
    }
}

/// As `tenantry.adopt_shared_rows` counts them.
fn shared_place(index: usize) -> String {
    format!("tenantry_shared_{}", index + 1)
}
