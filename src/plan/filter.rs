//! `where`: conditions on rows, and the parameters they compare with.

use std::sync::Arc;

use super::compare::comparisons;
use super::error::InputError;
use super::format::{Format, Pattern};
use super::input::{Input, Member};
use super::params::{ParamSource, ValueSource};
use super::predicate::{Operand, Predicate};
use super::types::ParamId;
use super::{Env, State};
use crate::model::{ColumnId, ColumnType, Equality, RelationId, TypeKind};
use crate::schema::{
    Aggregate, AggregateFunction, EnumMeaning, InputMeaning, ListLink, Quantifier, TypeDef,
};
use crate::sql::Ident;

type Result<T> = std::result::Result<T, InputError>;

/// All of the given conditions hold.
pub(super) fn plan(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    input: Input<'_>,
) -> Result<Predicate> {
    let Input::Object(members) = input else {
        return Err(InputError::new("a filter must not be null; leave it out"));
    };
    let mut all = Vec::with_capacity(members.len());
    for member in members {
        all.push(condition(env, state, relation, member)?);
    }
    Ok(Predicate::all(all))
}

fn condition(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    member: Member<'_>,
) -> Result<Predicate> {
    let Member { name, def, value } = member;
    if matches!(value, Input::Null) {
        return Err(InputError::new(format!(
            "{name}: null is no condition; use isNull, or leave it out"
        )));
    }
    let nested = |error: InputError| InputError::new(format!("{name}.{error}"));
    Ok(match &def.meaning {
        InputMeaning::And => Predicate::And(list(env, state, relation, value).map_err(nested)?),
        InputMeaning::Or => Predicate::Or(list(env, state, relation, value).map_err(nested)?),
        InputMeaning::Not => {
            Predicate::Not(Box::new(plan(env, state, relation, value).map_err(nested)?))
        }
        InputMeaning::Column(column) => {
            let operand = Operand::Column(*column);
            comparisons(env, state, relation, operand, value).map_err(nested)?
        }
        InputMeaning::Count => {
            let operand = Operand::Aggregate(Aggregate::Count);
            comparisons(env, state, relation, operand, value).map_err(nested)?
        }
        InputMeaning::Aggregate(function) => {
            aggregates(env, state, relation, *function, value).map_err(nested)?
        }
        InputMeaning::ToOne(link) => {
            let inner = plan(env, state, link.target, value).map_err(nested)?;
            Predicate::ToOne(Arc::clone(link), Box::new(inner))
        }
        InputMeaning::ToMany(link) => quantified(env, state, link, value).map_err(nested)?,
        _ => return Err(InputError::new(format!("{name} is no condition"))),
    })
}

fn list(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    input: Input<'_>,
) -> Result<Vec<Predicate>> {
    let Input::List(items) = input else {
        return Ok(Vec::new());
    };
    items
        .into_iter()
        .map(|item| plan(env, state, relation, item))
        .collect()
}

/// `every` is "none that does not match"; `none` is "not any".
pub(super) fn quantify(
    quantifier: Quantifier,
    inner: Predicate,
    any: impl Fn(Predicate) -> Predicate,
) -> Predicate {
    let not = |inner| Predicate::Not(Box::new(inner));
    match quantifier {
        Quantifier::Some => any(inner),
        Quantifier::None => not(any(inner)),
        Quantifier::Every => not(any(not(inner))),
    }
}

fn quantified(
    env: &Env<'_>,
    state: &mut State,
    link: &ListLink,
    input: Input<'_>,
) -> Result<Predicate> {
    let target = link.target();
    let Input::Object(members) = input else {
        return Ok(Predicate::ALWAYS);
    };
    let (mut all, mut rows, mut values) = (Vec::new(), None, Vec::new());
    for member in members {
        let name = member.name;
        let nested = |error: InputError| InputError::new(format!("{name}: {error}"));
        match member.def.meaning {
            InputMeaning::Quantifier(quantifier) => {
                let inner = plan(env, state, target, member.value).map_err(nested)?;
                all.push(quantify(quantifier, inner, |inner| {
                    Predicate::Any(link.clone(), Box::new(inner))
                }));
            }
            InputMeaning::Where => {
                rows = Some(plan(env, state, target, member.value).map_err(nested)?);
            }
            _ => values.push(condition(env, state, target, member)?),
        }
    }
    let values = Predicate::all(values);
    if !values.is_always() {
        let rows = Box::new(rows.unwrap_or(Predicate::ALWAYS));
        all.push(Predicate::Over(link.clone(), rows, Box::new(values)));
    } else if rows.is_some() {
        return Err(InputError::new(
            "where: goes with a condition on count, sum and the like; did you mean some?",
        ));
    }
    Ok(Predicate::all(all))
}

/// `{total: {gt: 100}}`, of one function.
fn aggregates(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    function: AggregateFunction,
    input: Input<'_>,
) -> Result<Predicate> {
    let Input::Object(members) = input else {
        return Ok(Predicate::ALWAYS);
    };
    let mut all = Vec::with_capacity(members.len());
    for Member { name, def, value } in members {
        let InputMeaning::Column(column) = def.meaning else {
            continue;
        };
        if matches!(value, Input::Null) {
            return Err(InputError::new(format!(
                "{name}: null is no condition; use isNull, or leave it out"
            )));
        }
        let operand = Operand::Aggregate(Aggregate::Of(function, column));
        let nested = |error: InputError| InputError::new(format!("{name}.{error}"));
        all.push(comparisons(env, state, relation, operand, value).map_err(nested)?);
    }
    Ok(Predicate::all(all))
}

/// The type a column is compared in: its own, or text where it has no order or cannot be named.
pub(super) fn compared_as(ty: &ColumnType) -> Option<Ident> {
    match ty.kind {
        TypeKind::Json => Some(Ident::new("jsonb")),
        _ => ty.cast.clone().filter(|_| ty.equality == Equality::Native),
    }
}

/// A value of a column's type.
pub(super) fn column_param(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    column: ColumnId,
    value: Input<'_>,
) -> Result<ParamId> {
    let ty = &env.api.model.relation(relation).column(column).ty;
    value_param(env, state, ty, compared_as(ty), value)
}

/// A value of a type, which may be null.
pub(super) fn value_param(
    env: &Env<'_>,
    state: &mut State,
    ty: &ColumnType,
    cast: Option<Ident>,
    value: Input<'_>,
) -> Result<ParamId> {
    let value = match value {
        Input::Null => Input::Leaf(ValueSource::Literal(serde_json::Value::Null)),
        value => value,
    };
    add(state, value, format(env, &ty.kind), cast, false)
}

pub(super) fn add(
    state: &mut State,
    value: Input<'_>,
    format: Format,
    cast: Option<Ident>,
    array: bool,
) -> Result<ParamId> {
    let source = match value {
        Input::Leaf(source) => ParamSource::Value(source, format),
        Input::List(items) => {
            let Format::List(element) = format else {
                return Err(InputError::new("a list does not fit"));
            };
            ParamSource::List(sources(items)?, *element)
        }
        _ => return Err(InputError::new("a value is required")),
    };
    Ok(state.param(source, cast, array))
}

fn sources(items: Vec<Input<'_>>) -> Result<Vec<ValueSource>> {
    items
        .into_iter()
        .map(|item| match item {
            Input::Leaf(source) => Ok(source),
            Input::Null => Ok(ValueSource::Literal(serde_json::Value::Null)),
            Input::List(inner) => {
                // A nested list without variables is a literal of its own.
                let mut values = Vec::new();
                for source in sources(inner)? {
                    let ValueSource::Literal(value) = source else {
                        return Err(InputError::new(
                            "a variable inside a nested list is not supported; pass the whole list",
                        ));
                    };
                    values.push(value);
                }
                Ok(ValueSource::Literal(values.into()))
            }
            _ => Err(InputError::new("a value does not fit")),
        })
        .collect()
}

/// How values of a type are written for Postgres.
pub(super) fn format(env: &Env<'_>, kind: &TypeKind) -> Format {
    match kind {
        TypeKind::Bool => Format::Boolean,
        TypeKind::Int2 | TypeKind::Int4 => Format::Int,
        TypeKind::Int8 | TypeKind::Oid => Format::BigInt,
        TypeKind::Float4 | TypeKind::Float8 => Format::Float,
        TypeKind::Numeric => Format::Decimal,
        TypeKind::Text | TypeKind::Char => Format::Text(Pattern::None),
        TypeKind::Uuid => Format::Uuid,
        TypeKind::Json | TypeKind::Jsonb => Format::Json,
        TypeKind::Bytea => Format::Bytes,
        TypeKind::Enum(ty) => {
            let found = env.api.blueprint.types.values().find_map(|def| match def {
                TypeDef::Enum(def) => match &def.meaning {
                    EnumMeaning::Labels(names) if names.ty.name == ty.name => {
                        Some(Arc::clone(names))
                    }
                    _ => None,
                },
                _ => None,
            });
            found.map_or(Format::Literal, Format::Enum)
        }
        TypeKind::Array {
            element,
            dimensions,
        } => {
            let mut format = format(env, &element.kind);
            for _ in 0..*dimensions {
                format = Format::List(Box::new(format));
            }
            format
        }
        TypeKind::TimestampTz
        | TypeKind::Timestamp
        | TypeKind::Date
        | TypeKind::Time
        | TypeKind::Interval
        | TypeKind::Range { .. }
        | TypeKind::Other(_) => Format::Literal,
        TypeKind::Hstore => Format::Hstore,
    }
}
