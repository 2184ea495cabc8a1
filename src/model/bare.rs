//! Relations and columns of which nothing is known but their names and types: results of functions,
//! and tables of tests.

use super::Comment;
use super::types::{Column, ColumnGrants, ColumnType, Grants, Relation, RelationKind};
use crate::sql::Ident;

impl Relation {
    pub(crate) fn bare(name: &str, kind: RelationKind, columns: Vec<Column>) -> Self {
        Self {
            name: Ident::new(name),
            elsewhere: None,
            kind,
            comment: Comment::default(),
            grants: Grants::NONE,
            lockable: false,
            row_security: false,
            columns,
            keys: Vec::new(),
        }
    }
}

impl Column {
    /// One that may be read.
    pub(crate) fn bare(name: &str, ty: ColumnType) -> Self {
        Self {
            name: Ident::new(name),
            ty,
            not_null: false,
            generated: false,
            has_default: false,
            computed: None,
            default: None,
            grants: ColumnGrants::READ,
            comment: Comment::default(),
        }
    }
}
