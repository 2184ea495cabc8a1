//! `groups`: what they are made by, which of them are wanted, and what is read of each.

use std::sync::Arc;

use super::compare::is_true;
use super::computed::{
    AggregateRead, ComputedField, GroupKey, GroupOrder, GroupValue, Grouping, Truncation,
};
use super::error::InputError;
use super::filter;
use super::format::{Format, Pattern};
use super::input::Input;
use super::order::{self, Direction};
use super::params::{ParamSource, ValueSource};
use super::types::{Predicate, ResponseKey};
use super::{Env, Result, Selected, State, aggregate, row};
use crate::model::{ColumnId, RelationId, TypeKind};
use crate::schema::{Aggregate, FieldMeaning, InputMeaning, TimeUnit, ToOne};
use crate::sql::Ident;

pub(super) fn plan(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    selected: &Selected<'_>,
) -> Result<Grouping> {
    let (mut keys, mut order, mut having) = (Vec::new(), None, Predicate::ALWAYS);
    let (mut first, mut offset) = (None, None);
    for (meaning, value) in env.arguments(state, selected)? {
        match (meaning, value) {
            (InputMeaning::By, Input::List(items)) => {
                keys = self::keys(env, state, relation, items)
                    .map_err(|error| state.error(selected, &format!("by: {error}")))?;
            }
            (InputMeaning::Having, value @ Input::Object(_)) => {
                having = filter::plan(env, state, relation, value)
                    .map_err(|error| state.error(selected, &format!("having.{error}")))?;
            }
            (InputMeaning::OrderBy, Input::List(items)) => order = Some(items),
            (InputMeaning::First, Input::Leaf(source)) => first = given(env, source),
            (InputMeaning::Offset, Input::Leaf(source)) => offset = given(env, source),
            _ => {}
        }
    }
    if keys.is_empty() {
        return Err(state.error(selected, "by: name what rows of a group have in common"));
    }
    let order = self::order(&keys, order.unwrap_or_default())
        .map_err(|error| state.error(selected, &format!("orderBy: {error}")))?;
    let options = &env.api.options;
    let (default, max) = (options.default_limit, options.max_limit);
    let limit = state.limits.add(first, "first", default, max, state.path());
    let int8 = || Some(Ident::new("int8"));
    let limit_param = state.param(ParamSource::Limit(limit, false), int8(), false);
    let offset = offset.map(|source| state.param(ParamSource::Offset(source), int8(), false));
    let mut reads = Vec::new();
    let fields = fields(env, state, relation, selected, &keys, &mut reads)?;
    Ok(Grouping {
        keys,
        reads,
        having,
        order,
        limit,
        limit_param,
        offset,
        fields,
    })
}

/// Null is "left out".
fn given(env: &Env<'_>, source: ValueSource) -> Option<ValueSource> {
    let is_null = source.resolve(env.inputs.variables).is_null();
    (!is_null).then_some(source)
}

fn keys(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    items: Vec<Input<'_>>,
) -> Result<Vec<GroupKey>, InputError> {
    let mut keys: Vec<GroupKey> = Vec::with_capacity(items.len());
    for item in items {
        let (key, name) = key(env, state, relation, item, Vec::new())?;
        if position(&keys, &key.hops, key.column).is_some() {
            return Err(InputError::new(format!("{name} is there twice")));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// `{customer: {country: true}}`: hops along to-one relations, then a column; with its name.
fn key<'a>(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    input: Input<'a>,
    mut hops: Vec<Arc<ToOne>>,
) -> Result<(GroupKey, &'a str), InputError> {
    let member = order::only(input)?;
    match (&member.def.meaning, member.value) {
        (InputMeaning::ToOne(link), value) => {
            hops.push(Arc::clone(link));
            key(env, state, link.target, value, hops)
        }
        (InputMeaning::Column(column), value) => {
            let truncation = truncation(env, state, relation, *column, value)
                .map_err(|error| InputError::new(format!("{}: {error}", member.name)))?;
            let read = row::column_read(env, relation, *column);
            let key = GroupKey {
                hops,
                column: *column,
                truncation,
                codec: read.codec,
                wire: read.wire,
            };
            Ok((key, member.name))
        }
        _ => Err(InputError::new(format!(
            "{} is nothing to group by",
            member.name
        ))),
    }
}

/// `true`, or how a date or a time is cut off.
fn truncation(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    column: ColumnId,
    value: Input<'_>,
) -> Result<Option<Truncation>, InputError> {
    let Input::Object(members) = value else {
        return if is_true(env, &value) {
            Ok(None)
        } else {
            Err(InputError::new("say true, or leave it out"))
        };
    };
    let (mut unit, mut zone) = (None, None);
    for member in members {
        match (&member.def.meaning, member.value) {
            (InputMeaning::Truncate, Input::Keyword(word)) => {
                unit = TimeUnit::ALL
                    .into_iter()
                    .find(|unit| unit.keyword() == word);
            }
            (InputMeaning::TimeZone, Input::Leaf(source)) => zone = given(env, source),
            _ => {}
        }
    }
    let Some(unit) = unit else {
        return match zone {
            Some(_) => Err(InputError::new("timeZone goes with truncate")),
            None => Ok(None),
        };
    };
    Ok(Some(
        match env.api.model.relation(relation).column(column).ty.kind {
            TypeKind::Date => Truncation::Date(unit),
            TypeKind::Timestamp => Truncation::Local(unit),
            _ => Truncation::Moment(
                unit,
                zone.map(|zone| {
                    let text = Format::Text(Pattern::None);
                    state.param(ParamSource::Value(zone, text), None, false)
                }),
            ),
        },
    ))
}

fn position(keys: &[GroupKey], hops: &[Arc<ToOne>], column: ColumnId) -> Option<usize> {
    keys.iter()
        .position(|key| key.column == column && key.hops == hops)
}

/// The wanted order, made total by the keys that it does not name.
fn order(keys: &[GroupKey], items: Vec<Input<'_>>) -> Result<Vec<GroupOrder>, InputError> {
    let mut order = Vec::with_capacity(items.len() + keys.len());
    for item in items {
        order.push(order_key(keys, item)?);
    }
    for place in 0..keys.len() {
        let value = GroupValue::Key(place);
        if order.iter().all(|key: &GroupOrder| key.value != value) {
            order.push(GroupOrder {
                value,
                descending: false,
                nulls_first: false,
            });
        }
    }
    Ok(order)
}

fn order_key(keys: &[GroupKey], item: Input<'_>) -> Result<GroupOrder, InputError> {
    let member = order::only(item)?;
    let (value, direction) = if matches!(member.def.meaning, InputMeaning::GroupKey) {
        let (place, direction) = key_place(keys, member.value, Vec::new())?;
        (GroupValue::Key(place), direction)
    } else {
        let (aggregate, direction) = order::aggregate(member)?;
        (GroupValue::Aggregate(aggregate), direction)
    };
    let nulls_first = match value {
        GroupValue::Key(_) => direction.nulls_first.unwrap_or(direction.descending),
        GroupValue::Aggregate(_) => direction.nulls_first.unwrap_or(false),
    };
    Ok(GroupOrder {
        value,
        descending: direction.descending,
        nulls_first,
    })
}

/// Which of the keys an order names.
fn key_place(
    keys: &[GroupKey],
    input: Input<'_>,
    mut hops: Vec<Arc<ToOne>>,
) -> Result<(usize, Direction), InputError> {
    let member = order::only(input)?;
    match (&member.def.meaning, member.value) {
        (InputMeaning::ToOne(link), value) => {
            hops.push(Arc::clone(link));
            key_place(keys, value, hops)
        }
        (InputMeaning::Column(column), Input::Keyword(word)) => position(keys, &hops, *column)
            .map(|place| (place, Direction::of(&word)))
            .ok_or_else(|| InputError::new(format!("{} is not among `by`", member.name))),
        _ => Err(InputError::new(format!(
            "groups cannot be sorted by {}",
            member.name
        ))),
    }
}

/// What is read of each group.
fn fields(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    selected: &Selected<'_>,
    keys: &[GroupKey],
    reads: &mut Vec<AggregateRead>,
) -> Result<Vec<(ResponseKey, ComputedField)>> {
    let mut fields = Vec::new();
    let Some(type_name) = selected.def.map(|def| def.ty.name()) else {
        return Ok(fields);
    };
    for field in env.selected(type_name, &selected.fields)? {
        let value = match field.def.map(|def| &def.meaning) {
            None => ComputedField::Typename(Arc::clone(type_name)),
            Some(FieldMeaning::GroupKey) => {
                ComputedField::Object(key_fields(env, &field, keys, &mut Vec::new())?)
            }
            Some(FieldMeaning::Aggregates) => {
                ComputedField::Object(state.within(field.key, |state| {
                    aggregate::fields(env, state, relation, &field, reads)
                })?)
            }
            Some(_) => {
                ComputedField::Aggregate(aggregate::read(env, relation, Aggregate::Count, reads))
            }
        };
        fields.push((ResponseKey::new(field.key), value));
    }
    Ok(fields)
}

/// The group's key, as deep as the rows that it looks at; null where nothing is grouped by.
fn key_fields(
    env: &Env<'_>,
    selected: &Selected<'_>,
    keys: &[GroupKey],
    hops: &mut Vec<Arc<ToOne>>,
) -> Result<Vec<(ResponseKey, ComputedField)>> {
    let mut fields = Vec::new();
    let Some(type_name) = selected.def.map(|def| def.ty.name()) else {
        return Ok(fields);
    };
    for field in env.selected(type_name, &selected.fields)? {
        let value = match field.def.map(|def| &def.meaning) {
            Some(FieldMeaning::Column(column)) => {
                position(keys, hops, *column).map_or(ComputedField::Null, ComputedField::Key)
            }
            Some(FieldMeaning::ToOne(link)) => {
                hops.push(Arc::clone(link));
                let inner = key_fields(env, &field, keys, hops)?;
                hops.pop();
                ComputedField::Object(inner)
            }
            _ => ComputedField::Typename(Arc::clone(type_name)),
        };
        fields.push((ResponseKey::new(field.key), value));
    }
    Ok(fields)
}
