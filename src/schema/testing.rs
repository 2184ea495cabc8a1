//! Tables for the tests of names.

use crate::model::{
    Column, ColumnGrants, ColumnType, Comment, Grants, Relation, RelationKind, TypeKind,
};
use crate::sql::Ident;

/// A table of integers that are never null, without a key.
pub(super) fn table(name: &str, columns: &[&str]) -> Relation {
    let column = |name: &&str| Column {
        name: Ident::new(name),
        ty: ColumnType::builtin(TypeKind::Int4, "int4"),
        not_null: true,
        generated: false,
        has_default: false,
        computed: None,
        default: None,
        grants: ColumnGrants::READ,
        comment: Comment::default(),
    };
    Relation {
        name: Ident::new(name),
        elsewhere: None,
        kind: RelationKind::Table,
        comment: Comment::default(),
        grants: Grants::NONE,
        lockable: false,
        row_security: false,
        columns: columns.iter().map(column).collect(),
        keys: Vec::new(),
    }
}
