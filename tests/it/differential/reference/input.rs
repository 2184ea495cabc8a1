//! What a field's arguments say, once variables have values: a variable without one counts as left
//! out. <https://spec.graphql.org/October2021/#CoerceArgumentValues()>

use std::collections::HashMap;

use async_graphql::dynamic::ResolverContext;
use async_graphql::{Name, Value};
use async_graphql_value::Value as Ast;
use serde_json::{Map, Value as Json};

use crate::differential::world::{Cell, Kind, MOODS};

pub(super) fn arguments(context: &ResolverContext<'_>) -> HashMap<String, Value> {
    let variables: &super::Variables = context.ctx.data_unchecked();
    let given = context.ctx.item.node.arguments.iter();
    given
        .filter_map(|(name, value)| Some((name.node.to_string(), fill(&value.node, &variables.0)?)))
        .collect()
}

fn fill(value: &Ast, variables: &Map<String, Json>) -> Option<Value> {
    Some(match value {
        Ast::Variable(name) => {
            let value = variables.get(name.as_str())?;
            Value::from_json(value.clone()).unwrap()
        }
        Ast::List(items) => {
            let items = items
                .iter()
                .map(|item| fill(item, variables).unwrap_or_default());
            Value::List(items.collect())
        }
        Ast::Object(members) => {
            let members = members.iter();
            let given =
                members.filter_map(|(name, value)| Some((name.clone(), fill(value, variables)?)));
            Value::Object(given.collect())
        }
        plain => plain.clone().into_const()?,
    })
}

/// A list, or the single value that stands for a list of one.
pub(super) fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::List(items) => items.iter().collect(),
        single => vec![single],
    }
}

pub(super) fn members(value: &Value) -> Result<Vec<(&Name, &Value)>, String> {
    match value {
        Value::Object(members) => Ok(members.iter().collect()),
        other => Err(format!("{other} is no object")),
    }
}

pub(super) fn word(value: &Value) -> &str {
    match value {
        Value::Enum(word) => word.as_str(),
        Value::String(word) => word,
        _ => "",
    }
}

pub(super) fn cell(kind: Kind, value: &Value) -> Result<Cell, String> {
    let wrong = || format!("{value} is no {}", kind.graphql());
    Ok(match (kind, value) {
        (Kind::Int | Kind::BigInt, Value::Number(number)) => {
            Cell::Int(number.as_i64().ok_or_else(wrong)?)
        }
        (Kind::BigInt, Value::String(text)) => Cell::Int(text.parse().map_err(|_| wrong())?),
        (Kind::Float, Value::Number(number)) => Cell::Float(number.as_f64().ok_or_else(wrong)?),
        (Kind::Bool, Value::Boolean(yes)) => Cell::Bool(*yes),
        (Kind::Uuid, Value::String(text)) => Cell::Text(text.to_lowercase()),
        (Kind::Decimal, Value::String(text)) => {
            // Written with two digits behind the point.
            let hundredths = text.replace('.', "").parse().map_err(|_| wrong())?;
            Cell::Int(hundredths)
        }
        (Kind::Tags, value) => {
            let tags = items(value).into_iter().map(|tag| match tag {
                Value::String(tag) => Ok(tag.clone()),
                _ => Err(wrong()),
            });
            Cell::Tags(tags.collect::<Result<_, _>>()?)
        }
        (Kind::Text | Kind::Date | Kind::Moment, Value::String(text)) => Cell::Text(text.clone()),
        (Kind::Mood, value) => {
            let place = MOODS.iter().position(|(_, name)| *name == word(value));
            Cell::Int(i64::try_from(place.ok_or_else(wrong)?).unwrap())
        }
        _ => return Err(wrong()),
    })
}
