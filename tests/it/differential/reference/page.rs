//! Lists: filtered, sorted, and cut into pages, each step for all rows.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Value;
use async_graphql::dynamic::{FieldValue, Object, ResolverContext, TypeRef};

use super::aggregates::{self, Rows};
use super::filter::{matches, order};
use super::input::{arguments, items, members, word};
use super::{Named, Resolved, any, field, row};
use crate::differential::world::{At, Cell, Link, World};

/// One page of a list. Cursors are rows, or places where rows have no key.
#[derive(Clone)]
pub(super) struct Page {
    table: usize,
    rows: Arc<[usize]>,
    all: Arc<[usize]>,
    /// The place of the first row.
    start: usize,
    total: usize,
    next: bool,
    previous: bool,
}

/// One key of an order: a way along to-one links, a column, and a direction.
struct Key {
    hops: Vec<usize>,
    column: usize,
    descending: bool,
    nulls_first: bool,
}

const DEFAULT: usize = 50;
const MOST: usize = 1000;

pub(super) fn list<'a>(
    context: &ResolverContext<'a>,
    world: &'a World,
    table: usize,
    mut rows: Vec<usize>,
) -> Resolved<'a> {
    let mut given = arguments(context);
    given.retain(|name, value| *value != Value::Null || name == "where");
    if let Some(filter) = given.get("where").filter(|filter| **filter != Value::Null) {
        let mut kept = Vec::new();
        for row in rows {
            if matches(world, At { table, row }, filter)? {
                kept.push(row);
            }
        }
        rows = kept;
    }
    let keys = keys(world, table, given.get("orderBy"))?;
    rows.sort_by(|&left, &right| compare(world, table, &keys, left, right));
    let total = rows.len();
    let asked = asked(
        &given,
        !world.tables[table].key.is_empty(),
        |row, cursor| compare(world, table, &keys, rows[row], cursor),
        total,
    )?;
    let Cut {
        start,
        end,
        next,
        previous,
    } = asked.cut(total);
    Ok(Some(FieldValue::owned_any(Page {
        table,
        rows: rows[start..end].into(),
        all: rows.into(),
        start,
        total,
        next,
        previous,
    })))
}

/// The arguments that choose a page; cursors are places in the list.
struct Asked {
    first: Option<usize>,
    last: Option<usize>,
    offset: Option<usize>,
    after: Option<usize>,
    before: Option<usize>,
    keyed: bool,
}

struct Cut {
    start: usize,
    end: usize,
    next: bool,
    previous: bool,
}

/// `side` tells where a row of the list lies, seen from the row that a cursor is of.
fn asked(
    given: &HashMap<String, Value>,
    keyed: bool,
    side: impl Fn(usize, usize) -> Ordering,
    total: usize,
) -> Result<Asked, String> {
    let number = |name: &str, most: usize| match given.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => {
            let number = number
                .as_u64()
                .and_then(|number| usize::try_from(number).ok());
            let number = number.filter(|number| *number <= most);
            number.map(Some).ok_or(format!("{name} is wrong"))
        }
        Some(_) => Err(format!("{name} is no number")),
    };
    // How many rows lie before the page, or before what comes after it.
    let place = |name: &str, inclusive: bool| -> Result<Option<usize>, String> {
        let Some(cursor) = given.get(name) else {
            return Ok(None);
        };
        let (kind, cursor) = word(cursor).split_once(':').ok_or("no cursor")?;
        let cursor: usize = cursor.parse().map_err(|_| "no cursor")?;
        if kind == "place" {
            return Ok(Some(cursor + 1));
        }
        let lies_before = |row: &usize| match side(*row, cursor) {
            Ordering::Less => true,
            Ordering::Equal => inclusive,
            Ordering::Greater => false,
        };
        Ok(Some((0..total).filter(lies_before).count()))
    };
    let asked = Asked {
        first: number("first", MOST)?,
        last: number("last", MOST)?,
        offset: number("offset", usize::MAX)?,
        after: place("after", true)?,
        before: place("before", false)?,
        keyed,
    };
    let backward = asked.last.is_some();
    let wrong = (asked.first.is_some() && backward)
        || (asked.offset.is_some() && (backward || (!keyed && asked.after.is_some())))
        || (!keyed && (backward || asked.before.is_some()));
    if wrong {
        return Err("the arguments exclude each other".into());
    }
    Ok(asked)
}

impl Asked {
    fn cut(&self, total: usize) -> Cut {
        let low = self.after.unwrap_or(0).min(total);
        let high = self.before.unwrap_or(total).max(low);
        if let Some(last) = self.last {
            let start = high.saturating_sub(last).max(low);
            return Cut {
                start,
                end: high,
                next: self.before.is_some_and(|before| before < total),
                previous: start > low,
            };
        }
        let start = (low + self.offset.unwrap_or(0)).min(high);
        let end = (start + self.first.unwrap_or(DEFAULT)).min(high);
        let skipped = self.offset.is_some_and(|offset| offset > 0) && high > low;
        Cut {
            start,
            end,
            next: end < high,
            // Without keys a cursor is a number, behind which something is taken to be.
            previous: skipped || self.after.is_some_and(|after| after > 0 || !self.keyed),
        }
    }
}

fn keys(world: &World, table: usize, order: Option<&Value>) -> Result<Vec<Key>, String> {
    let mut keys = Vec::new();
    for item in order.map(items).unwrap_or_default() {
        keys.push(key(world, table, item, Vec::new())?);
    }
    let def = &world.tables[table];
    let has = |keys: &[Key], column: usize| {
        keys.iter()
            .any(|key| key.hops.is_empty() && key.column == column)
    };
    let unique = def.unique.iter().chain([&def.key]).any(|unique| {
        let total = |column: &usize| !def.columns[*column].nullable && has(&keys, *column);
        !unique.is_empty() && unique.iter().all(total)
    });
    let keyed = !def.key.is_empty();
    let descending = keyed && keys.last().is_some_and(|key| key.descending);
    let more = match (unique, keyed) {
        (true, _) => Vec::new(),
        (false, true) => def.key.clone(),
        (false, false) => (0..def.columns.len()).collect(),
    };
    for column in more {
        if !has(&keys, column) {
            keys.push(Key {
                hops: Vec::new(),
                column,
                descending,
                nulls_first: descending,
            });
        }
    }
    Ok(keys)
}

fn key(world: &World, table: usize, item: &Value, mut hops: Vec<usize>) -> Result<Key, String> {
    let members = members(item)?;
    let [(name, value)] = members[..] else {
        return Err("a key has one field".into());
    };
    let def = &world.tables[table];
    if let Some(column) = def
        .columns
        .iter()
        .position(|column| column.field() == *name.as_str())
    {
        let direction = word(value);
        let descending = direction.starts_with("DESC");
        let nulls_first = match direction {
            "ASC_NULLS_FIRST" | "DESC_NULLS_FIRST" => true,
            "ASC_NULLS_LAST" | "DESC_NULLS_LAST" => false,
            _ => descending,
        };
        return Ok(Key {
            hops,
            column,
            descending,
            nulls_first,
        });
    }
    let hop = def
        .references
        .iter()
        .position(|reference| reference.name == name.as_str());
    let hop = hop.ok_or("no such key")?;
    hops.push(hop);
    key(world, def.references[hop].to, value, hops)
}

fn compare(world: &World, table: usize, keys: &[Key], left: usize, right: usize) -> Ordering {
    let value = |key: &Key, row: usize| {
        let mut at = At { table, row };
        for &hop in &key.hops {
            let to = world.tables[at.table].references[hop].to;
            match world.follow(at, Link::ToOne(hop)).first() {
                Some(&row) => at = At { table: to, row },
                None => return Cell::Null,
            }
        }
        world.tables[at.table].rows[at.row][key.column].clone()
    };
    let each = keys
        .iter()
        .map(|key| match (value(key, left), value(key, right)) {
            (Cell::Null, Cell::Null) => Ordering::Equal,
            (Cell::Null, _) if key.nulls_first => Ordering::Less,
            (Cell::Null, _) => Ordering::Greater,
            (_, Cell::Null) if key.nulls_first => Ordering::Greater,
            (_, Cell::Null) => Ordering::Less,
            (left, right) if key.descending => order(&right, &left),
            (left, right) => order(&left, &right),
        });
    each.fold(Ordering::Equal, Ordering::then)
}

impl Page {
    fn cursor(&self, world: &World, index: usize) -> Value {
        Value::from(if world.tables[self.table].key.is_empty() {
            format!("place:{}", self.start + index)
        } else {
            format!("row:{}", self.rows[index])
        })
    }
}

fn page<'c>(context: &'c ResolverContext<'_>) -> &'c Page {
    context.parent_value.downcast_ref().unwrap()
}

pub(super) fn connection_type(name: &str) -> Object {
    let list = |of: &str| TypeRef::named_nn_list_nn(of);
    Object::new(format!("{name}Connection"))
        .field(field("nodes", list(name), |context, _| {
            let page = page(context);
            let rows = page.rows.iter().map(|&found| row(page.table, found));
            Ok(Some(FieldValue::list(rows.collect::<Vec<_>>())))
        }))
        .field(field(
            "edges",
            list(&format!("{name}Edge")),
            |context, _| {
                let page = page(context);
                let edges =
                    (0..page.rows.len()).map(|index| FieldValue::owned_any((page.clone(), index)));
                Ok(Some(FieldValue::list(edges.collect::<Vec<_>>())))
            },
        ))
        .field(field(
            "pageInfo",
            TypeRef::named_nn("PageInfo"),
            |context, _| Ok(Some(FieldValue::owned_any(page(context).clone()))),
        ))
        .field(field(
            "aggregates",
            TypeRef::named_nn(aggregates::type_name(name)),
            |context, _| {
                let Page { table, all, .. } = page(context);
                let (table, rows) = (*table, Arc::clone(all));
                Ok(Some(FieldValue::owned_any(Rows { table, rows })))
            },
        ))
        .field(field("totalCount", any().nn(), |context, _| {
            Ok(Some(FieldValue::value(page(context).total)))
        }))
}

pub(super) fn edge_type(name: &str) -> Object {
    Object::new(format!("{name}Edge"))
        .field(field("cursor", any().nn(), |context, world| {
            let (page, index): &(Page, usize) = context.parent_value.downcast_ref().unwrap();
            Ok(Some(FieldValue::value(page.cursor(world, *index))))
        }))
        .field(field("node", Named(name.to_owned()).nn(), |context, _| {
            let (page, index): &(Page, usize) = context.parent_value.downcast_ref().unwrap();
            Ok(Some(row(page.table, page.rows[*index])))
        }))
}

pub(super) fn info_type() -> Object {
    let cursor = |name: &str, which: fn(usize) -> Option<usize>| {
        field(name, any().of(true), move |context, world| {
            let page = page(context);
            Ok(which(page.rows.len()).map(|index| FieldValue::value(page.cursor(world, index))))
        })
    };
    Object::new("PageInfo")
        .field(field("hasNextPage", any().nn(), |context, _| {
            Ok(Some(FieldValue::value(page(context).next)))
        }))
        .field(field("hasPreviousPage", any().nn(), |context, _| {
            Ok(Some(FieldValue::value(page(context).previous)))
        }))
        .field(cursor("startCursor", |length| (length > 0).then_some(0)))
        .field(cursor("endCursor", |length| length.checked_sub(1)))
}
