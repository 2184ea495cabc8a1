//! A planned write: statements that change rows, and one that reads the answer.
//!
//! A statement does not see what it writes itself, so the answer is read by another one, and rows
//! that refer to new ones are written by others. What they need of the rows before is kept in the
//! transaction, in a [`Slot`].

use std::sync::Arc;

use crate::model::{ColumnId, Model, RelationId, TypeKind};
use crate::plan::{Call, ParamId, Predicate, ResponseKey, Selection};
use crate::schema::{Change, ListLink};

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
    Lookup(Lookup),
    Follow(Follow),
    Delete(Delete),
    Call(CallStep),
}

/// A function that writes, and the rows that it returns, in its order.
#[derive(Debug)]
pub struct CallStep {
    pub relation: RelationId,
    pub call: Call,
    pub kept: Kept,
}

/// New rows, in the order of the input.
#[derive(Debug)]
pub struct Insert {
    pub relation: RelationId,
    pub columns: Vec<InsertColumn>,
    pub count: ParamId,
    pub conflict: Option<Conflict>,
    /// Leaves out rows for which there is one with these values: arrays, with one for each row.
    pub unless: Vec<(ColumnId, ParamId)>,
    /// What to say when a trigger has left rows out, where others rely on them.
    pub complete: Option<ParamId>,
    pub kept: Kept,
}

/// A column that the input gives, or a row that has been written before.
#[derive(Debug)]
pub struct InsertColumn {
    pub column: ColumnId,
    /// The first that applies to a row; where none does, the row gets the column's default.
    pub cases: Vec<Case>,
}

#[derive(Debug)]
pub enum Case {
    Given {
        /// An array with a value for each row.
        values: ParamId,
        /// An array that says which rows give it. None when all do.
        given: Option<ParamId>,
    },
    Kept(KeptValue, At),
}

/// A column of rows that were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptValue {
    pub slot: Slot,
    /// Its place among what is kept of each.
    pub index: usize,
    pub relation: RelationId,
    pub column: ColumnId,
}

/// Which of the rows that were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// That of the same number.
    Row,
    /// The one whose number stands in this array.
    Number(ParamId),
    /// The same; null where the case does not apply.
    NumberIfAny(ParamId),
}

/// What happens to a new row whose key exists.
#[derive(Debug)]
pub struct Conflict {
    pub key: Vec<ColumnId>,
    /// What the row that exists takes from the new one; nothing: it stays as it is.
    pub update: Vec<ColumnId>,
}

/// New values for the rows found; without any, they are locked and stay as they are.
#[derive(Debug)]
pub struct Update {
    pub relation: RelationId,
    pub find: Find,
    pub set: Vec<(ColumnId, Assignment)>,
    /// What to say when there is no row; none where that is no error.
    pub missing: Option<ParamId>,
    pub kept: Kept,
}

#[derive(Debug)]
pub enum Assignment {
    Value(ParamId),
    /// For rows that were kept: of other rows that were.
    Kept(KeptValue, At),
    /// From the value that the column has, by a parameter.
    Change(Change, ParamId),
    /// For rows that were kept: of each by itself.
    Each {
        /// An array with a value for each row.
        values: ParamId,
        /// An array that says which rows give it. None when all do.
        given: Option<ParamId>,
        change: Option<Change>,
    },
    Null,
}

/// The rows with the given keys, in their order.
#[derive(Debug)]
pub struct Lookup {
    pub relation: RelationId,
    /// Arrays with a value for each row that is looked for.
    pub key: Vec<(ColumnId, ParamId)>,
    /// What to say when one is missing; none where that is no error.
    pub missing: Option<ParamId>,
    /// Only rows that are linked to others.
    pub scope: Option<Scope>,
    pub kept: Kept,
}

/// A link to rows that were kept, of which the array names one for each row.
#[derive(Debug)]
pub struct Scope {
    pub link: ListLink,
    /// In the order of the link's columns.
    pub parent: Vec<KeptValue>,
    pub number: ParamId,
}

/// The rows that those kept are linked to, as far as there are any.
#[derive(Debug)]
pub struct Follow {
    pub relation: RelationId,
    /// (column of the row, value of the one that was kept)
    pub on: Vec<(ColumnId, KeptValue)>,
    pub missing: ParamId,
    pub kept: Kept,
}

/// Rows that were kept, removed.
#[derive(Debug)]
pub struct Delete {
    pub relation: RelationId,
    pub slot: Slot,
    /// Of a junction: only the rows between these and those of the slot, by the link's columns.
    pub between: Option<Between>,
}

/// Rows of a junction: (column, value, which of those kept).
#[derive(Debug)]
pub struct Between(pub Vec<(ColumnId, KeptValue, At)>);

/// Which rows.
#[derive(Debug)]
pub enum Find {
    Key(Vec<(ColumnId, ParamId)>),
    Filter(Predicate),
    /// Those that were found before.
    Kept(Slot),
}

/// A place for what is kept of rows, and for their number, while the transaction lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot(pub usize);

/// What is kept of each row.
#[derive(Debug, Clone)]
pub struct Kept {
    pub slot: Slot,
    /// Begins with the row's key.
    pub columns: Vec<KeptColumn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptColumn {
    Column(ColumnId),
    /// The table, or the part of it, that the row is stored in.
    Table,
    /// Where it is stored there.
    Place,
}

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

/// How a row is found again within the transaction that wrote it: by its key, or by the place where
/// it is stored when the table has none.
pub fn row_key(model: &Model, relation: RelationId) -> Vec<KeptColumn> {
    let relation = model.relation(relation);
    let usable = |column: &ColumnId| {
        let ty = &relation.column(*column).ty;
        ty.cast.is_some() && !matches!(ty.kind, TypeKind::Array { .. })
    };
    match relation.identity() {
        Some(key) if key.columns.iter().all(usable) => key
            .columns
            .iter()
            .copied()
            .map(KeptColumn::Column)
            .collect(),
        _ => vec![KeptColumn::Table, KeptColumn::Place],
    }
}
