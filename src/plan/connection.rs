//! Lists: which rows, in which order, which page of them, and what of it is asked for.

use std::sync::Arc;

use super::computed::{AggregateRead, Grouping};
use super::input::Input;
use super::params::{ParamSource, ValueSource};
use super::predicate::Predicate;
use super::types::{
    Connection, ConnectionField, CursorParams, Direction, EdgeField, Link, Needs, Page, PageField,
    ResponseKey, Selection,
};
use super::{Env, Result, Selected, State, aggregate, cursor, filter, group, order, row};
use crate::model::RelationId;
use crate::schema::{Aggregate, FieldMeaning, InputMeaning};
use crate::sql::Ident;

/// The arguments of a list, as far as they are given.
#[derive(Default)]
struct Arguments<'a> {
    filter: Option<Input<'a>>,
    order: Option<Input<'a>>,
    first: Option<ValueSource>,
    last: Option<ValueSource>,
    after: Option<ValueSource>,
    before: Option<ValueSource>,
    offset: Option<ValueSource>,
}

pub(super) fn plan<'a>(
    env: &Env<'a>,
    state: &mut State,
    relation: RelationId,
    link: Link,
    selected: &Selected<'a>,
) -> Result<Connection> {
    let arguments = arguments(env, state, selected)?;
    let filter = match arguments.filter {
        Some(input) => filter::plan(env, state, relation, input)
            .map_err(|error| state.error(selected, &format!("where.{error}")))?,
        None => Predicate::ALWAYS,
    };
    // A function's own order means something: the best match first, perhaps.
    let unsorted = matches!(link, Link::Call(_)) && arguments.order.is_none();
    let (order, asked_keys) = if unsorted {
        (Vec::new(), 0)
    } else {
        order::plan(env, state, relation, arguments.order)
            .map_err(|error| state.error(selected, &format!("orderBy: {error}")))?
    };
    let (fields, groups, wants) = fields(env, state, relation, selected)?;

    let fingerprint = cursor::fingerprint(&env.api.model, relation, &order);
    let keyed = env.api.model.relation(relation).identity().is_some() && !unsorted;
    let direction = match (&arguments.first, &arguments.last) {
        (Some(_), Some(_)) => {
            return Err(state.error(selected, "first and last exclude each other"));
        }
        (_, Some(_)) => Direction::Backward,
        _ => Direction::Forward,
    };
    if !keyed && (direction == Direction::Backward || arguments.before.is_some()) {
        return Err(state.error(
            selected,
            if unsorted {
                "last and before need an orderBy"
            } else {
                "last and before need rows with a unique key; use first, after or offset"
            },
        ));
    }
    if arguments.offset.is_some()
        && (direction == Direction::Backward || (!keyed && arguments.after.is_some()))
    {
        return Err(state.error(selected, "offset goes with first only"));
    }
    let mut cursor_params = |source: Option<ValueSource>| {
        source.map(|cursor| CursorParams(cursor_params(state, &order, cursor, fingerprint, keyed)))
    };
    let (after, before) = (
        cursor_params(arguments.after),
        cursor_params(arguments.before),
    );
    let offset = arguments
        .offset
        .map(|source| state.param(ParamSource::Offset(source), Some(Ident::new("int8")), false));
    let options = &env.api.options;
    let (given, name) = match direction {
        Direction::Forward => (arguments.first, "first"),
        Direction::Backward => (arguments.last, "last"),
    };
    let path = state.path();
    let limits = (options.default_limit, options.max_limit);
    let limit = state.limits.add(given, name, limits.0, limits.1, path);
    // Whether there is more in the direction of reading shows in a row beyond the page.
    let (one_more, opposite) = match direction {
        Direction::Forward => (wants.next, wants.previous),
        Direction::Backward => (wants.previous, wants.next),
    };
    let behind = opposite
        && match direction {
            Direction::Forward => after.is_some() || offset.is_some(),
            Direction::Backward => before.is_some(),
        };
    let limit_param = state.param(
        ParamSource::Limit(limit, one_more),
        Some(Ident::new("int8")),
        false,
    );
    let page = Page {
        direction,
        limit,
        limit_param,
        one_more,
        after,
        before,
        offset,
    };
    let needs = Needs {
        rows: wants.rows,
        behind,
    };
    Ok(Connection {
        relation,
        link,
        filter,
        order,
        asked_keys,
        page,
        fields,
        groups,
        cursors: wants.cursors && keyed,
        needs,
        totals: wants.totals,
        groupings: wants.groupings,
        fingerprint,
        keyed,
    })
}

fn arguments<'a>(env: &Env<'a>, state: &State, selected: &Selected<'a>) -> Result<Arguments<'a>> {
    let mut arguments = Arguments::default();
    for (meaning, value) in env.arguments(state, selected)? {
        if matches!(meaning, InputMeaning::Argument(_)) {
            continue;
        }
        // Null is "left out" for the arguments of a list.
        let leaf = match value {
            Input::Null => continue,
            Input::Leaf(source) => {
                if source.resolve(env.inputs.variables).is_null() {
                    continue;
                }
                source
            }
            value => {
                match meaning {
                    InputMeaning::Where => arguments.filter = Some(value),
                    _ => arguments.order = Some(value),
                }
                continue;
            }
        };
        let place = match meaning {
            InputMeaning::First => &mut arguments.first,
            InputMeaning::Last => &mut arguments.last,
            InputMeaning::After => &mut arguments.after,
            InputMeaning::Before => &mut arguments.before,
            _ => &mut arguments.offset,
        };
        *place = Some(leaf);
    }
    Ok(arguments)
}

/// One parameter for each key; their values travel in Postgres' binary form.
fn cursor_params(
    state: &mut State,
    order: &[super::types::OrderKey],
    cursor: ValueSource,
    fingerprint: u64,
    keyed: bool,
) -> Vec<super::types::ParamId> {
    if !keyed {
        let source = ParamSource::CursorOffset {
            cursor,
            fingerprint,
        };
        return vec![state.param(source, Some(Ident::new("int8")), false)];
    }
    let keys = order.len();
    order
        .iter()
        .enumerate()
        .map(|(index, key)| {
            let source = ParamSource::CursorKey {
                cursor: cursor.clone(),
                fingerprint,
                keys,
                index,
            };
            state.param(source, key.cast.clone(), false)
        })
        .collect()
}

/// What the selected fields need beside the rows.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four questions, each by itself"
)]
struct Wants {
    rows: bool,
    cursors: bool,
    next: bool,
    previous: bool,
    totals: Vec<AggregateRead>,
    groupings: Vec<Grouping>,
}

type Fields = (Vec<(ResponseKey, ConnectionField)>, Vec<Selection>, Wants);

fn fields(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    selected: &Selected<'_>,
) -> Result<Fields> {
    let Some(type_name) = selected.def.map(|def| def.ty.name()) else {
        return Ok((Vec::new(), Vec::new(), Wants::default()));
    };
    let (mut fields, mut groups, mut wants) = (Vec::new(), Vec::new(), Wants::default());
    for field in env.selected(type_name, &selected.fields)? {
        let value = match field.def.map(|def| &def.meaning) {
            None => ConnectionField::Typename(Arc::clone(type_name)),
            Some(FieldMeaning::Nodes) => {
                wants.rows = true;
                let rows = state.within(field.key, |state| {
                    row::selection(env, state, relation, &field.fields)
                })?;
                groups.push(rows);
                ConnectionField::Nodes(groups.len() - 1)
            }
            Some(FieldMeaning::Edges) => {
                wants.rows = true;
                let edges = state.within(field.key, |state| {
                    edges(env, state, relation, &field, &mut groups, &mut wants)
                })?;
                ConnectionField::Edges(edges)
            }
            Some(FieldMeaning::PageInfo) => {
                ConnectionField::PageInfo(page_info(env, &field, &mut wants)?)
            }
            Some(FieldMeaning::Aggregates) => {
                let fields = state.within(field.key, |state| {
                    aggregate::fields(env, state, relation, &field, &mut wants.totals)
                })?;
                ConnectionField::Aggregates(fields)
            }
            Some(FieldMeaning::Groups) => {
                let grouping =
                    state.within(field.key, |state| group::plan(env, state, relation, &field))?;
                wants.groupings.push(grouping);
                ConnectionField::Groups(wants.groupings.len() - 1)
            }
            Some(_) => {
                let count = aggregate::read(env, relation, Aggregate::Count, &mut wants.totals);
                ConnectionField::TotalCount(count)
            }
        };
        fields.push((ResponseKey::new(field.key), value));
    }
    Ok((fields, groups, wants))
}

fn edges(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    selected: &Selected<'_>,
    groups: &mut Vec<Selection>,
    wants: &mut Wants,
) -> Result<Vec<(ResponseKey, EdgeField)>> {
    let mut fields = Vec::new();
    let Some(type_name) = selected.def.map(|def| def.ty.name()) else {
        return Ok(fields);
    };
    for field in env.selected(type_name, &selected.fields)? {
        let value = match field.def.map(|def| &def.meaning) {
            None => EdgeField::Typename(Arc::clone(type_name)),
            Some(FieldMeaning::Cursor) => {
                wants.cursors = true;
                EdgeField::Cursor
            }
            Some(_) => {
                let rows = state.within(field.key, |state| {
                    row::selection(env, state, relation, &field.fields)
                })?;
                groups.push(rows);
                EdgeField::Node(groups.len() - 1)
            }
        };
        fields.push((ResponseKey::new(field.key), value));
    }
    Ok(fields)
}

fn page_info(
    env: &Env<'_>,
    selected: &Selected<'_>,
    wants: &mut Wants,
) -> Result<Vec<(ResponseKey, PageField)>> {
    let mut fields = Vec::new();
    for field in env.selected("PageInfo", &selected.fields)? {
        let value = match field.def.map(|def| &def.meaning) {
            None => PageField::Typename("PageInfo".into()),
            Some(FieldMeaning::HasNextPage) => {
                wants.next = true;
                wants.rows = true;
                PageField::HasNextPage
            }
            Some(FieldMeaning::HasPreviousPage) => {
                wants.previous = true;
                wants.rows = true;
                PageField::HasPreviousPage
            }
            Some(meaning) => {
                wants.cursors = true;
                wants.rows = true;
                if matches!(meaning, FieldMeaning::StartCursor) {
                    PageField::StartCursor
                } else {
                    PageField::EndCursor
                }
            }
        };
        fields.push((ResponseKey::new(field.key), value));
    }
    Ok(fields)
}
