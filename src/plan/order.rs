//! `orderBy`: the keys of a list's order, made total by a key of the relation.

use std::sync::Arc;

use super::error::InputError;
use super::filter::{add, compared_as, format};
use super::format::{Format, Pattern};
use super::input::{Input, Member};
use super::row::{codec, column_read};
use super::types::{OrderKey, OrderValue, Wire};
use super::{Env, State};
use crate::model::{ColumnId, RelationId};
use crate::schema::{Aggregate, InputMeaning, ListLink, Nearness, ToOne};
use crate::sql::Ident;

/// The keys, and how many of them were asked for.
pub(super) fn plan(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    input: Option<Input<'_>>,
) -> Result<(Vec<OrderKey>, usize), InputError> {
    let mut order = Vec::new();
    if let Some(Input::List(items)) = input {
        for item in items {
            order.push(key(env, state, relation, item, Vec::new())?);
        }
    }
    let asked = order.len();
    complete(env, relation, &mut order);
    Ok((order, asked))
}

/// `{assignee: {name: DESC}}`: hops along to-one relations, then a column with its direction.
fn key(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    input: Input<'_>,
    mut hops: Vec<Arc<ToOne>>,
) -> Result<OrderKey, InputError> {
    let member = only(input)?;
    match (&member.def.meaning, member.value) {
        (InputMeaning::Column(column), Input::Keyword(word)) => {
            let Direction {
                descending,
                nulls_first,
            } = Direction::of(&word);
            let nulls_first = nulls_first.unwrap_or(descending);
            Ok(order_key(
                env,
                relation,
                *column,
                hops,
                descending,
                nulls_first,
            ))
        }
        (InputMeaning::ToOne(link), value) => {
            hops.push(Arc::clone(link));
            key(env, state, link.target, value, hops)
        }
        (InputMeaning::Near(column, nearness), value) => {
            near_key(env, state, (relation, *column, *nearness), value, hops)
        }
        (InputMeaning::ToMany(link), value) => {
            let (aggregate, direction) = aggregate(only(value)?)?;
            list_key(env, link, aggregate, direction, hops)
                .ok_or_else(|| InputError::new(format!("{} has no such value", member.name)))
        }
        _ => Err(InputError::new(format!(
            "{} is no key to sort by",
            member.name
        ))),
    }
}

/// The only field of a key.
pub(super) fn only(input: Input<'_>) -> Result<Member<'_>, InputError> {
    let Input::Object(mut members) = input else {
        return Err(InputError::new("a key must not be null"));
    };
    members
        .pop()
        .ok_or_else(|| InputError::new("a key must name a field"))
}

/// `sum: {total: DESC}`: an aggregate with its direction.
pub(super) fn aggregate(member: Member<'_>) -> Result<(Aggregate, Direction), InputError> {
    let (aggregate, value) = match (&member.def.meaning, member.value) {
        (InputMeaning::Count, value) => (Aggregate::Count, value),
        (InputMeaning::Aggregate(function), value) => {
            let inner = only(value)?;
            let InputMeaning::Column(column) = inner.def.meaning else {
                return Err(InputError::new(format!("{} is no column", inner.name)));
            };
            (Aggregate::Of(*function, column), inner.value)
        }
        _ => {
            let problem = format!("{} is no key to sort by", member.name);
            return Err(InputError::new(problem));
        }
    };
    match value {
        Input::Keyword(word) => Ok((aggregate, Direction::of(&word))),
        _ => Err(InputError::new("a direction must not be null")),
    }
}

/// A `SortOrder`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Direction {
    pub(super) descending: bool,
    /// Where it says so.
    pub(super) nulls_first: Option<bool>,
}

impl Direction {
    pub(super) fn of(word: &str) -> Self {
        Self {
            descending: word.starts_with("DESC"),
            nulls_first: word
                .split_once("_NULLS_")
                .map(|(_, place)| place == "FIRST"),
        }
    }
}

fn order_key(
    env: &Env<'_>,
    relation: RelationId,
    column: ColumnId,
    hops: Vec<Arc<ToOne>>,
    descending: bool,
    nulls_first: bool,
) -> OrderKey {
    let def = env.api.model.relation(relation).column(column);
    OrderKey {
        // A row that is not there has no values.
        nullable: !def.not_null || !hops.is_empty(),
        value: OrderValue::Column(column),
        cast: compared_as(&def.ty),
        wire: column_read(env, relation, column).wire,
        descending,
        nulls_first,
        hops,
    }
}

/// A value over the rows of a list. Unlike columns, what has none comes last in both directions:
/// who asks for the greatest sums does not ask for those who have none.
fn list_key(
    env: &Env<'_>,
    link: &ListLink,
    aggregate: Aggregate,
    direction: Direction,
    hops: Vec<Arc<ToOne>>,
) -> Option<OrderKey> {
    let ty = aggregate.exact_result(env.api.model.relation(link.target()))?;
    Some(OrderKey {
        value: OrderValue::Aggregate(link.clone(), aggregate),
        cast: compared_as(&ty),
        wire: codec(env, &ty).1,
        descending: direction.descending,
        nulls_first: direction.nulls_first.unwrap_or(false),
        nullable: !aggregate.counts(),
        hops,
    })
}

/// How near a column is to a value, the nearest first unless it is said otherwise.
fn near_key(
    env: &Env<'_>,
    state: &mut State,
    (relation, column, nearness): (RelationId, ColumnId, Nearness),
    input: Input<'_>,
    hops: Vec<Arc<ToOne>>,
) -> Result<OrderKey, InputError> {
    let def = env.api.model.relation(relation).column(column);
    let Input::Object(members) = input else {
        return Err(InputError::new("a key must not be null"));
    };
    let mut direction = None;
    let mut param = None;
    for member in members {
        match (&member.def.meaning, member.value) {
            (InputMeaning::Direction, Input::Keyword(word)) => {
                direction = Some(Direction::of(&word));
            }
            (InputMeaning::NearTo, value) => {
                let (format, cast) = match nearness {
                    Nearness::Distance => (format(env, &def.ty.kind), def.ty.cast.clone()),
                    _ => (Format::Text(Pattern::None), None),
                };
                param = Some(add(state, value, format, cast, false)?);
            }
            _ => return Err(InputError::new("a direction must not be null")),
        }
    }
    let param = param.ok_or_else(|| InputError::new("a value is required"))?;
    let given = direction.map(|direction| direction.descending);
    let distance = nearness != Nearness::Rank;
    Ok(OrderKey {
        value: OrderValue::Near(column, nearness, param),
        cast: Some(Ident::new(if nearness == Nearness::Distance {
            "float8"
        } else {
            "float4"
        })),
        wire: Wire::Binary,
        // What is similar is not far, by `<->`.
        descending: match nearness {
            Nearness::Similarity => !given.unwrap_or(true),
            _ => given.unwrap_or(!distance),
        },
        nulls_first: direction
            .and_then(|direction| direction.nulls_first)
            .unwrap_or(false),
        nullable: !def.not_null || !hops.is_empty(),
        hops,
    })
}

/// Adds the columns of the relation's key that are not among the keys yet. A relation without a key
/// is ordered by all of its columns that can be; its cursors are offsets then.
fn complete(env: &Env<'_>, relation: RelationId, order: &mut Vec<OrderKey>) {
    let def = env.api.model.relation(relation);
    let is_unique = |columns: &[ColumnId], order: &[OrderKey]| {
        columns
            .iter()
            .all(|column| order.iter().any(|key| key.own_column() == Some(*column)))
    };
    let identity = def.identity();
    let unique = def.keys.iter().any(|key| {
        key.columns
            .iter()
            .all(|&column| def.column(column).not_null)
            && is_unique(&key.columns, order)
    });
    if unique {
        return;
    }
    let rest: Vec<ColumnId> = match identity {
        Some(key) => key.columns.clone(),
        None => def
            .column_ids()
            .filter(|&column| {
                let column = def.column(column);
                column.ty.sortable && column.computed.is_none()
            })
            .collect(),
    };
    // In the direction of the last key, so that one index can serve the whole order.
    let descending = order.last().is_some_and(|key| key.descending) && identity.is_some();
    for column in rest {
        if !order.iter().any(|key| key.own_column() == Some(column)) {
            order.push(order_key(
                env,
                relation,
                column,
                Vec::new(),
                descending,
                descending,
            ));
        }
    }
}
