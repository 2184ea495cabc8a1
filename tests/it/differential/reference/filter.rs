//! `where`, told of one row at a time: it matches or it does not.

use std::cmp::Ordering;

use async_graphql::Value;

use super::input::{cell, items, members};
use crate::differential::world::{At, Cell, Kind, World};

type Matches = Result<bool, String>;

pub(super) fn matches(world: &World, at: At, filter: &Value) -> Matches {
    let mut all = true;
    for (name, value) in members(filter)? {
        all &= condition(world, at, name, value)?;
    }
    Ok(all)
}

fn condition(world: &World, at: At, name: &str, value: &Value) -> Matches {
    if *value == Value::Null {
        return Err(format!("{name} must not be null"));
    }
    let each = || {
        items(value)
            .into_iter()
            .map(|item| matches(world, at, item))
    };
    match name {
        "and" => return each().try_fold(true, |all, one| Ok(all & one?)),
        "or" => return each().try_fold(false, |any, one| Ok(any | one?)),
        "not" => return Ok(!matches(world, at, value)?),
        _ => {}
    }
    let table = &world.tables[at.table];
    if let Some(place) = table
        .columns
        .iter()
        .position(|column| column.field() == name)
    {
        let mut all = true;
        for (operator, operand) in members(value)? {
            let kind = table.columns[place].kind;
            all &= compare(&table.rows[at.row][place], kind, operator, operand)?;
        }
        return Ok(all);
    }
    let links = world.links(at.table).into_iter();
    let mut found = links.map(|link| (link, world.link(at.table, link)));
    let (link, (target, _)) = found
        .find(|(_, (_, known))| known == name)
        .ok_or("no such field")?;
    let linked = world.follow(at, link);
    let count = |filter: &Value| {
        let each = linked
            .iter()
            .map(|&row| matches(world, At { table: target, row }, filter));
        each.collect::<Result<Vec<_>, _>>()
    };
    if matches!(link, crate::differential::world::Link::ToOne(_)) {
        return Ok(count(value)?.contains(&true));
    }
    let mut all = true;
    for (quantifier, filter) in members(value)? {
        let matching = count(filter)?;
        all &= match quantifier.as_str() {
            "some" => matching.contains(&true),
            "every" => !matching.contains(&false),
            _ => !matching.contains(&true),
        };
    }
    Ok(all)
}

fn compare(left: &Cell, kind: Kind, operator: &str, operand: &Value) -> Matches {
    if *operand == Value::Null {
        return Err(format!("{operator} must not be null"));
    }
    let one = || cell(kind, operand);
    let any = || {
        let cells = items(operand).into_iter().map(|item| cell(kind, item));
        Ok::<_, String>(cells.collect::<Result<Vec<_>, _>>()?.contains(left))
    };
    let order = |wanted: &[Ordering]| {
        let right = one()?;
        Ok(*left != Cell::Null && wanted.contains(&order(left, &right)))
    };
    match operator {
        "isNull" => Ok((*left == Cell::Null) == (*operand == Value::Boolean(true))),
        "eq" => Ok(*left == one()?),
        "ne" => Ok(*left != one()?),
        "in" => any(),
        "notIn" => Ok(!any()?),
        "lt" => order(&[Ordering::Less]),
        "lte" => order(&[Ordering::Less, Ordering::Equal]),
        "gt" => order(&[Ordering::Greater]),
        "gte" => order(&[Ordering::Greater, Ordering::Equal]),
        _ if kind == Kind::Tags => {
            let (Cell::Tags(left), Cell::Tags(right)) = (left, one()?) else {
                return Ok(false);
            };
            Ok(match operator {
                "contains" => right.iter().all(|tag| left.contains(tag)),
                "containedBy" => left.iter().all(|tag| right.contains(tag)),
                "overlaps" => left.iter().any(|tag| right.contains(tag)),
                _ => return Err(format!("{operator} is unknown")),
            })
        }
        _ => {
            let (Cell::Text(right), left) = (one()?, left) else {
                return Err(format!("{operator} takes a text"));
            };
            let Cell::Text(left) = left else {
                return Ok(false);
            };
            Ok(match operator {
                "startsWith" => left.starts_with(&right),
                "endsWith" => left.ends_with(&right),
                "contains" => left.contains(&right),
                _ => return Err(format!("{operator} is unknown")),
            })
        }
    }
}

/// The order of two values that are not null.
pub(super) fn order(left: &Cell, right: &Cell) -> Ordering {
    match (left, right) {
        (Cell::Bool(left), Cell::Bool(right)) => left.cmp(right),
        (Cell::Int(left), Cell::Int(right)) => left.cmp(right),
        (Cell::Float(left), Cell::Float(right)) => left.total_cmp(right),
        (Cell::Text(left), Cell::Text(right)) => left.cmp(right),
        (Cell::Tags(left), Cell::Tags(right)) => left.cmp(right),
        _ => panic!("{left:?} and {right:?} do not compare"),
    }
}
