//! What a schema holds at one moment, and what the transaction has locked of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use super::LintError;
use crate::names::SchemaName;

/// Postgres' number for an object, which stays when it is renamed.
pub(super) type Oid = u32;

/// In the order in which things were made.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Snapshot {
    pub(super) relations: BTreeMap<Oid, Relation>,
    pub(super) indexes: BTreeMap<Oid, Index>,
    pub(super) constraints: BTreeMap<Oid, Constraint>,
    pub(super) locks: Vec<(Oid, Mode)>,
}

/// A table or a view.
#[derive(Debug, Deserialize)]
pub(super) struct Relation {
    pub(super) name: String,
    /// The name as SQL has to have it.
    pub(super) sql: String,
    pub(super) kind: Kind,
    /// Where its rows are; another place after they have been written anew.
    pub(super) file: i64,
    pub(super) partition: bool,
    pub(super) comment: Option<String>,
    /// By their numbers, which stay.
    pub(super) columns: BTreeMap<i16, Column>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Kind {
    #[serde(rename = "r", alias = "p")]
    Table,
    #[serde(rename = "m")]
    MaterializedView,
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
pub(super) struct Column {
    pub(super) sql: String,
    pub(super) r#type: String,
    pub(super) required: bool,
    pub(super) default: Option<String>,
    /// An identity, or generated.
    pub(super) computed: bool,
    pub(super) inherited: bool,
    pub(super) comment: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Index {
    pub(super) sql: String,
    pub(super) table: Oid,
    pub(super) file: i64,
    /// Of columns, without a condition.
    pub(super) plain: bool,
    pub(super) definition: String,
}

impl Relation {
    /// A table whose rows are in others.
    pub(super) fn is_partitioned(&self) -> bool {
        self.kind == Kind::Table && self.file == 0
    }
}

impl Index {
    pub(super) fn is_unique(&self) -> bool {
        self.definition.starts_with("CREATE UNIQUE ")
    }

    /// As `refresh materialized view concurrently` wants it: of columns, and of all rows.
    pub(super) fn tells_rows_apart(&self) -> bool {
        self.is_unique() && self.plain
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Constraint {
    pub(super) name: String,
    pub(super) sql: String,
    pub(super) kind: ConstraintKind,
    pub(super) table: Oid,
    /// The table that a foreign key leads to.
    pub(super) other: Oid,
    pub(super) index: Oid,
    pub(super) definition: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum ConstraintKind {
    #[serde(rename = "c")]
    Check,
    #[serde(rename = "f")]
    ForeignKey,
    #[serde(rename = "p")]
    PrimaryKey,
    #[serde(rename = "u")]
    Unique,
    #[serde(rename = "x")]
    Exclusion,
    #[serde(other)]
    Other,
}

/// How a table is locked, as far as somebody would wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) enum Mode {
    /// Rows are written.
    #[serde(rename = "RowExclusiveLock")]
    RowExclusive,
    #[serde(rename = "ShareLock")]
    Share,
    #[serde(rename = "ShareRowExclusiveLock")]
    ShareRowExclusive,
    #[serde(rename = "ExclusiveLock")]
    Exclusive,
    #[serde(rename = "AccessExclusiveLock")]
    AccessExclusive,
}

impl Mode {
    /// Whether requests wait for it.
    pub(super) fn blocks(self) -> bool {
        self >= Self::Share
    }

    /// What nobody else can do.
    pub(super) fn forbids(self) -> &'static str {
        if self == Self::AccessExclusive {
            "read or write"
        } else {
            "write to"
        }
    }

    /// As the manual calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }
}

/// Reads what there is, and has Postgres tell of whole tables that it reads from now on.
pub(super) async fn read(
    transaction: &Transaction<'_>,
    schema: &SchemaName,
) -> Result<Snapshot, LintError> {
    let statement = include_str!("../../sql/lint/snapshot.sql");
    let schema = schema.as_str();
    let row = transaction
        .query_typed_one(statement, &[(&schema, Type::TEXT)])
        .await?;
    let json: serde_json::Value = row.try_get(0)?;
    serde_json::from_value(json).map_err(LintError::Catalog)
}
