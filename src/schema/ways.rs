//! The ways from a row to the rows that it is linked to.

use std::sync::Arc;

use crate::model::{ColumnId, RelationId};

/// The row that a foreign key refers to.
#[derive(Debug, PartialEq, Eq)]
pub struct ToOne {
    pub target: RelationId,
    /// (column of this row, column of the target)
    pub on: Vec<(ColumnId, ColumnId)>,
    pub required: bool,
}

/// The rows that refer here by a foreign key.
#[derive(Debug, PartialEq, Eq)]
pub struct ToMany {
    pub target: RelationId,
    /// (column of the target, column of this row)
    pub on: Vec<(ColumnId, ColumnId)>,
    /// Whether an index finds the rows of one list.
    pub indexed: bool,
}

/// The rows that a junction table links to this one.
#[derive(Debug, PartialEq, Eq)]
pub struct Through {
    pub target: RelationId,
    pub junction: RelationId,
    /// (column of the junction, column of this row)
    pub near: Vec<(ColumnId, ColumnId)>,
    /// (column of the junction, column of the target)
    pub far: Vec<(ColumnId, ColumnId)>,
    /// Whether an index finds the rows of one list in the junction.
    pub indexed: bool,
}

/// Either way to many rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListLink {
    Direct(Arc<ToMany>),
    Through(Arc<Through>),
}

impl ListLink {
    pub fn target(&self) -> RelationId {
        match self {
            Self::Direct(link) => link.target,
            Self::Through(link) => link.target,
        }
    }

    pub fn is_indexed(&self) -> bool {
        match self {
            Self::Direct(link) => link.indexed,
            Self::Through(link) => link.indexed,
        }
    }

    /// (column that refers to the owner of the list, column of the owner)
    pub fn keys(&self) -> &[(ColumnId, ColumnId)] {
        match self {
            Self::Direct(link) => &link.on,
            Self::Through(link) => &link.near,
        }
    }
}
