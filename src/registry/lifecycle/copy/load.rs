//! Rows of elsewhere go into a schema that nobody else sees yet.

use bytes::Bytes;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CopyInSink, Transaction};

use super::misfit;
use super::snapshot::{Format, HISTORIES, Sequence, Table, list, settle};
use crate::error::Failure;
use crate::names::SchemaName;
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
        let name = format!("{}.{}", self.schema.quoted(), Ident::new(&table.name));
        let columns = list(&table.columns);
        let format = match format {
            Format::Text => "",
            Format::Csv => " (format csv, header match)",
        };
        let statement = format!("copy {name} ({columns}) from stdin{format}");
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
