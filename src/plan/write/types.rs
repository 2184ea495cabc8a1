//! A planned write: statements that change rows, and one that reads the answer.
//!
//! A statement does not see what it writes itself, so the answer is read by another one. What rows
//! it is about is kept between the two in the transaction: the keys of the rows written, in a
//! [`Slot`].

use std::sync::Arc;

use crate::model::{ColumnId, Model, RelationId, TypeKind};
use crate::plan::{ParamId, Predicate, ResponseKey, Selection};

/// One field of a mutation.
#[derive(Debug)]
pub struct Write {
    pub relation: RelationId,
    /// In order; the answer comes after the last.
    pub steps: Vec<WriteStep>,
    /// The rows that the answer is read of.
    pub slot: Slot,
    /// The rows found are deleted by the statement that reads the answer, which sees them as they
    /// were.
    pub delete: Option<Find>,
    pub answer: Answer,
}

/// One statement.
#[derive(Debug)]
pub enum WriteStep {
    Insert(Insert),
    Update(Update),
}

/// New rows, in the order of the input.
#[derive(Debug)]
pub struct Insert {
    pub relation: RelationId,
    pub columns: Vec<InsertColumn>,
    pub count: ParamId,
    pub slot: Slot,
}

/// A column that the input gives.
#[derive(Debug)]
pub struct InsertColumn {
    pub column: ColumnId,
    /// An array with a value for each row.
    pub values: ParamId,
    /// An array that says which rows give it; the others get the default. None when all do.
    pub given: Option<ParamId>,
}

/// New values for the rows found; without any, they are locked and stay as they are.
#[derive(Debug)]
pub struct Update {
    pub relation: RelationId,
    pub find: Find,
    pub set: Vec<(ColumnId, Assignment)>,
    pub slot: Slot,
}

#[derive(Debug)]
pub enum Assignment {
    Value(ParamId),
}

/// Which rows.
#[derive(Debug)]
pub enum Find {
    Key(Vec<(ColumnId, ParamId)>),
    Filter(Predicate),
    /// Those that were found before.
    Kept(Slot),
}

/// A place for the keys of rows, and for their number, while the transaction lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot(pub usize);

/// What the field answers.
#[derive(Debug)]
pub enum Answer {
    /// One row or null.
    Row(Selection),
    Rows {
        fields: Vec<(ResponseKey, AnswerField)>,
        /// What each row consists of: one selection for each `nodes`.
        groups: Vec<Selection>,
        count: bool,
    },
}

#[derive(Debug)]
pub enum AnswerField {
    Typename(Arc<str>),
    AffectedCount,
    /// Index into the groups.
    Nodes(usize),
}

/// How a row is found again within the transaction that wrote it.
#[derive(Debug, Clone)]
pub enum RowKey {
    Columns(Vec<ColumnId>),
    /// By the place where it is stored: the table has no key.
    Place,
}

impl RowKey {
    pub fn of(model: &Model, relation: RelationId) -> Self {
        let relation = model.relation(relation);
        let usable = |column: &ColumnId| {
            let ty = &relation.column(*column).ty;
            ty.cast.is_some() && !matches!(ty.kind, TypeKind::Array { .. })
        };
        match relation.identity() {
            Some(key) if key.columns.iter().all(usable) => Self::Columns(key.columns.clone()),
            _ => Self::Place,
        }
    }
}
