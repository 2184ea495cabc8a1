//! Conditions on rows, as planned.

use std::borrow::Cow;
use std::sync::Arc;

use super::types::ParamId;
use crate::model::{ColumnId, ColumnType, Relation, TypeKind};
use crate::schema::{Aggregate, ListLink, Operator, ToOne};

/// A condition on a row of a relation.
#[derive(Debug)]
pub enum Predicate {
    And(Vec<Predicate>),
    Or(Vec<Predicate>),
    /// Everything that does not match, rows without a value included.
    Not(Box<Predicate>),
    IsNull(Operand, bool),
    IsEmpty(Operand, bool),
    Compare {
        operand: Operand,
        operator: Operator,
        param: ParamId,
    },
    /// At least one element of an array matches.
    AnyElement(ColumnId, Box<Predicate>),
    ToOne(Arc<ToOne>, Box<Predicate>),
    /// At least one of the linked rows matches.
    Any(ListLink, Box<Predicate>),
    /// What is computed over those of the linked rows that match the first matches the second.
    Over(ListLink, Box<Predicate>, Box<Predicate>),
}

/// What a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    Column(ColumnId),
    /// Of the rows of a list or a group.
    Aggregate(Aggregate),
    /// How many elements an array has.
    Length(ColumnId),
    /// The element at hand of [`Predicate::AnyElement`].
    Element(ColumnId),
    /// What a JSON column has at a path.
    At(ColumnId, ParamId),
    /// The same as a text.
    TextAt(ColumnId, ParamId),
}

impl Operand {
    /// The type of its values, where it has any.
    pub fn ty(self, relation: &Relation) -> Option<Cow<'_, ColumnType>> {
        let builtin = |kind, name| Some(Cow::Owned(ColumnType::builtin(kind, name)));
        match self {
            Self::Column(column) => Some(Cow::Borrowed(&relation.column(column).ty)),
            Self::Aggregate(aggregate) => aggregate.result(relation).map(Cow::Owned),
            Self::Length(_) => builtin(TypeKind::Int4, "int4"),
            Self::Element(column) => match &relation.column(column).ty.kind {
                TypeKind::Array { element, .. } => Some(Cow::Borrowed(&**element)),
                _ => None,
            },
            Self::At(..) => builtin(TypeKind::Jsonb, "jsonb"),
            Self::TextAt(..) => builtin(TypeKind::Text, "text"),
        }
    }

    pub fn is_not_null(self, relation: &Relation) -> bool {
        match self {
            Self::Column(column) | Self::Length(column) => relation.column(column).not_null,
            Self::Aggregate(aggregate) => aggregate.counts(),
            Self::Element(_) | Self::At(..) | Self::TextAt(..) => false,
        }
    }
}

impl Predicate {
    pub const ALWAYS: Self = Self::And(Vec::new());

    /// All of these conditions, those that always hold aside.
    pub fn all(mut conditions: Vec<Self>) -> Self {
        conditions.retain(|condition| !condition.is_always());
        match conditions.pop() {
            Some(only) if conditions.is_empty() => only,
            last => {
                conditions.extend(last);
                Self::And(conditions)
            }
        }
    }

    pub fn is_always(&self) -> bool {
        matches!(self, Self::And(all) if all.is_empty())
    }
}
