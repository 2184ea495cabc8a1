//! Tables for the tests of names.

use crate::model::{Column, ColumnType, Comment, OwnAggregates, Relation, RelationKind, TypeKind};
use crate::sql::Ident;

/// A table of integers that are never null, without a key.
pub(super) fn table(name: &str, columns: &[&str]) -> Relation {
    let column = |name: &&str| Column {
        name: Ident::new(name),
        ty: ColumnType {
            kind: TypeKind::Int4,
            cast: Some(Ident::new("int4")),
            sortable: true,
            enum_domain: false,
            aggregates: OwnAggregates::default(),
        },
        not_null: true,
        generated: false,
        has_default: false,
        computed: None,
        default: None,
        comment: Comment::default(),
    };
    Relation {
        name: Ident::new(name),
        kind: RelationKind::Table,
        comment: Comment::default(),
        columns: columns.iter().map(column).collect(),
        keys: Vec::new(),
    }
}
