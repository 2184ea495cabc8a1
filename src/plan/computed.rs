//! Values over many rows, and rows in groups, as planned.

use std::sync::Arc;

use super::types::{LimitId, ParamId, Predicate, ResponseKey, Wire};
use crate::encode::Codec;
use crate::model::ColumnId;
use crate::schema::{Aggregate, TimeUnit, ToOne};

/// A value over many rows, and how it leaves Postgres.
#[derive(Debug)]
pub struct AggregateRead {
    pub aggregate: Aggregate,
    pub codec: Codec,
    pub wire: Wire,
    pub non_null: bool,
}

/// Whether the aggregates are one value by itself, and no record: one that is never null, as a list
/// is never null either.
pub fn stands_alone(reads: &[AggregateRead]) -> bool {
    matches!(reads, [read] if read.non_null)
}

/// A field of what is computed over rows.
#[derive(Debug)]
pub enum ComputedField {
    Typename(Arc<str>),
    /// A part of a group's key that nothing is grouped by.
    Null,
    /// Its place among the keys of the group.
    Key(usize),
    /// Its place among the aggregates that are read.
    Aggregate(usize),
    Object(Vec<(ResponseKey, ComputedField)>),
}

/// The rows of a list in groups.
#[derive(Debug)]
pub struct Grouping {
    pub keys: Vec<GroupKey>,
    pub reads: Vec<AggregateRead>,
    pub having: Predicate,
    /// Names every key, so that it is total.
    pub order: Vec<GroupOrder>,
    pub limit: LimitId,
    pub limit_param: ParamId,
    pub offset: Option<ParamId>,
    pub fields: Vec<(ResponseKey, ComputedField)>,
}

/// What the rows of a group have in common: the value of a column of the row, or of a row that
/// to-one relations lead to.
#[derive(Debug)]
pub struct GroupKey {
    pub hops: Vec<Arc<ToOne>>,
    pub column: ColumnId,
    pub truncation: Option<Truncation>,
    pub codec: Codec,
    pub wire: Wire,
}

/// How a date or a time is cut off.
#[derive(Debug, Clone, Copy)]
pub enum Truncation {
    Date(TimeUnit),
    /// A date and time without a time zone.
    Local(TimeUnit),
    /// In the time zone that the parameter names, or in UTC.
    Moment(TimeUnit, Option<ParamId>),
}

#[derive(Debug)]
pub struct GroupOrder {
    pub value: GroupValue,
    pub descending: bool,
    pub nulls_first: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupValue {
    /// Index into [`Grouping::keys`].
    Key(usize),
    Aggregate(Aggregate),
}
