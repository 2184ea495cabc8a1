//! What a function that clients may call takes and returns.

use super::comment::Comment;
use super::types::{Column, ColumnType, RelationId};
use crate::sql::Ident;

/// Index into [`Model::functions`](super::Model::functions).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionId(pub usize);

/// A function that clients may call.
#[derive(Debug)]
pub struct Function {
    pub name: Ident,
    /// The types of its arguments, which tell it from others of its name.
    pub signature: String,
    pub comment: Comment,
    /// What it is called among those of its name: of several, the arguments' names are part of it.
    pub label: String,
    /// May write, and is a mutation.
    pub volatile: bool,
    /// The relation whose row is the first argument, before those in `arguments`.
    pub row: Option<RelationId>,
    pub arguments: Vec<Argument>,
    pub result: FunctionResult,
    /// Returns any number of them.
    pub set: bool,
}

#[derive(Debug)]
pub struct Argument {
    /// None where it can be told by its position only.
    pub name: Option<Ident>,
    pub ty: ColumnType,
    pub has_default: bool,
    pub variadic: bool,
}

#[derive(Debug)]
pub enum FunctionResult {
    Nothing,
    Value { ty: ColumnType, not_null: bool },
    Row(RelationId),
}

impl Function {
    /// The column that a function of a row stands for; none where it returns no single value.
    pub fn column(&self, name: &str) -> Option<Column> {
        let FunctionResult::Value { ty, not_null } = &self.result else {
            return None;
        };
        let mut comment = self.comment.clone();
        comment.name = None;
        Some(Column {
            not_null: *not_null,
            generated: true,
            computed: Some(self.name.clone()),
            comment,
            ..Column::bare(name, ty.clone())
        })
    }
}
