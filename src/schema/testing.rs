//! Tables for the tests of names.

use crate::model::{Column, ColumnType, Relation, RelationKind, TypeKind};

/// A table of integers that are never null, without a key.
pub(super) fn table(name: &str, columns: &[&str]) -> Relation {
    let column = |name: &&str| Column {
        not_null: true,
        ..Column::bare(name, ColumnType::builtin(TypeKind::Int4, "int4"))
    };
    Relation::bare(
        name,
        RelationKind::Table,
        columns.iter().map(column).collect(),
    )
}
