//! Lists as planned: which rows, in which order, which page of them, and what is asked of it.

use std::sync::Arc;

use super::types::{
    AggregateRead, Call, ComputedField, Grouping, LimitId, ParamId, Predicate, ResponseKey,
    Selection, Wire,
};
use crate::model::{ColumnId, RelationId};
use crate::schema::{Aggregate, ListLink, Nearness, Through, ToMany, ToOne};
use crate::sql::Ident;

/// A list with its page.
#[derive(Debug)]
pub struct Connection {
    pub relation: RelationId,
    pub link: Link,
    pub filter: Predicate,
    /// Ends with a key of the relation, so that it is total.
    pub order: Vec<OrderKey>,
    /// So many of its keys were asked for.
    pub asked_keys: usize,
    pub page: Page,
    pub fields: Vec<(ResponseKey, ConnectionField)>,
    /// What each row consists of: one selection for each `nodes` and each `edges { node }`.
    pub groups: Vec<Selection>,
    /// The rows begin with the values of the order's keys.
    pub cursors: bool,
    pub needs: Needs,
    /// What is computed over all rows, in one scan.
    pub totals: Vec<AggregateRead>,
    pub groupings: Vec<Grouping>,
    /// Tells this list's cursors from those of others.
    pub fingerprint: u64,
    /// Rows have a unique key. Without one, cursors are offsets.
    pub keyed: bool,
}

impl Connection {
    /// How many values it consists of.
    pub fn parts(&self) -> usize {
        usize::from(self.needs.rows)
            + usize::from(!self.totals.is_empty())
            + usize::from(self.needs.behind)
            + self.groupings.len()
    }

    /// What the order looks at beyond the row.
    pub fn order_ways(&self) -> impl Iterator<Item = Way<'_>> {
        self.order.iter().map(OrderKey::way)
    }
}

/// What a connection has beside its rows.
#[derive(Debug, Default, Clone, Copy)]
pub struct Needs {
    pub rows: bool,
    /// Whether rows lie beyond the start of the page (of a backward page: beyond its end).
    pub behind: bool,
}

#[derive(Debug)]
pub enum Link {
    /// All rows of the relation.
    All,
    Children(Arc<ToMany>),
    Through(Arc<Through>),
    /// The rows that a function returns, in its own order unless they are sorted.
    Call(Call),
}

#[derive(Debug)]
pub struct Page {
    pub direction: Direction,
    pub limit: LimitId,
    /// The limit as a parameter; one more than asked for when that tells whether there is more.
    pub limit_param: ParamId,
    pub one_more: bool,
    pub after: Option<CursorParams>,
    pub before: Option<CursorParams>,
    pub offset: Option<ParamId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

/// A cursor: one parameter for each key of the order; empty where rows have no key, and then it is
/// an offset.
#[derive(Debug)]
pub struct CursorParams(pub Vec<ParamId>);

#[derive(Debug)]
pub enum ConnectionField {
    Typename(Arc<str>),
    /// Index into [`Connection::groups`].
    Nodes(usize),
    Edges(Vec<(ResponseKey, EdgeField)>),
    PageInfo(Vec<(ResponseKey, PageField)>),
    /// Index into [`Connection::totals`].
    TotalCount(usize),
    Aggregates(Vec<(ResponseKey, ComputedField)>),
    /// Index into [`Connection::groupings`].
    Groups(usize),
}

#[derive(Debug)]
pub enum EdgeField {
    Typename(Arc<str>),
    Cursor,
    /// Index into [`Connection::groups`].
    Node(usize),
}

#[derive(Debug)]
pub enum PageField {
    Typename(Arc<str>),
    HasNextPage,
    HasPreviousPage,
    StartCursor,
    EndCursor,
}

/// One key of a list's order: a value of the row, or of a row that to-one relations lead to.
#[derive(Debug, Clone)]
pub struct OrderKey {
    pub hops: Vec<Arc<ToOne>>,
    pub value: OrderValue,
    /// What a cursor's value is cast to.
    pub cast: Option<Ident>,
    /// How a cursor's value leaves Postgres.
    pub wire: Wire,
    pub descending: bool,
    pub nulls_first: bool,
    pub nullable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderValue {
    Column(ColumnId),
    /// Over the rows of a list.
    Aggregate(ListLink, Aggregate),
    /// How near a column is to a value.
    Near(ColumnId, Nearness, ParamId),
}

/// What is looked at beyond a row: the row that hops lead to, and perhaps a value over a list of it.
#[derive(Debug, Clone, Copy)]
pub struct Way<'p> {
    pub hops: &'p [Arc<ToOne>],
    pub list: Option<(&'p ListLink, Aggregate)>,
}

impl OrderKey {
    pub fn way(&self) -> Way<'_> {
        Way {
            hops: &self.hops,
            list: match &self.value {
                OrderValue::Column(_) | OrderValue::Near(..) => None,
                OrderValue::Aggregate(link, aggregate) => Some((link, *aggregate)),
            },
        }
    }

    /// The column of the row itself that it is.
    pub fn own_column(&self) -> Option<ColumnId> {
        match self.value {
            OrderValue::Column(column) if self.hops.is_empty() => Some(column),
            _ => None,
        }
    }
}
