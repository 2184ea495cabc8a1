//! Comparisons: what the operators of a filter say of a value.

use super::error::InputError;
use super::filter::{add, compared_as, format, quantify};
use super::format::{Format, Pattern};
use super::input::{Input, Member};
use super::predicate::{Operand, Predicate};
use super::types::ParamId;
use super::{Env, State};
use crate::model::{ColumnId, ColumnType, RelationId, TypeKind};
use crate::schema::{InputMeaning, Offer, Operator, RightSide};
use crate::sql::Ident;

type Result<T> = std::result::Result<T, InputError>;

/// All of the operators of a filter hold for what it looks at.
pub(super) fn comparisons(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    operand: Operand,
    input: Input<'_>,
) -> Result<Predicate> {
    let Input::Object(members) = input else {
        return Ok(Predicate::ALWAYS);
    };
    let mut all = Vec::with_capacity(members.len());
    for Member { name, def, value } in members {
        if matches!(value, Input::Null) {
            return Err(InputError::new(format!(
                "{name}: null compares with nothing; use isNull"
            )));
        }
        let condition = comparison(env, state, (relation, operand), &def.meaning, value)
            .map_err(|error| InputError::new(format!("{name}: {error}")))?;
        all.extend(condition);
    }
    Ok(Predicate::all(all))
}

/// None of the path in a JSON filter, which says only what the others are about.
fn comparison(
    env: &Env<'_>,
    state: &mut State,
    (relation, operand): (RelationId, Operand),
    meaning: &InputMeaning,
    value: Input<'_>,
) -> Result<Option<Predicate>> {
    let Some(ty) = operand.ty(env.api.model.relation(relation)) else {
        return Err(InputError::new("nothing to compare with"));
    };
    Ok(Some(match (meaning, operand) {
        (InputMeaning::Path, _) => return Ok(None),
        (InputMeaning::Operator(Operator::IsNull), _) => {
            Predicate::IsNull(operand, is_true(env, &value))
        }
        (InputMeaning::Operator(Operator::IsEmpty), _) => {
            Predicate::IsEmpty(operand, is_true(env, &value))
        }
        (InputMeaning::Operator(operator), _) => Predicate::Compare {
            operand,
            operator: *operator,
            param: compared(env, state, &ty, *operator, value)?,
        },
        (InputMeaning::Length, Operand::Column(column)) => {
            comparisons(env, state, relation, Operand::Length(column), value)?
        }
        // Quantified as conditions on related rows.
        (InputMeaning::Elements(quantifier), Operand::Column(column)) => {
            let inner = comparisons(env, state, relation, Operand::Element(column), value)?;
            quantify(*quantifier, inner, |inner| {
                Predicate::AnyElement(column, Box::new(inner))
            })
        }
        (InputMeaning::At, Operand::Column(column)) => paths(env, state, relation, column, value)?,
        (InputMeaning::TextAt, Operand::At(column, path)) => {
            let text = Operand::TextAt(column, path);
            comparisons(env, state, relation, text, value)?
        }
        _ => return Err(InputError::new("this is no condition")),
    }))
}

/// Conditions on what JSON has at paths, each path with its own.
fn paths(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    column: ColumnId,
    input: Input<'_>,
) -> Result<Predicate> {
    let Input::List(items) = input else {
        return Err(InputError::new("a list is required"));
    };
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let Input::Object(mut members) = item else {
            return Err(InputError::new("a path must not be null"));
        };
        let path = members
            .iter()
            .position(|member| matches!(member.def.meaning, InputMeaning::Path))
            .map(|index| members.remove(index).value)
            .ok_or_else(|| InputError::new("a path is required"))?;
        let keys = Format::List(Box::new(Format::Text(Pattern::None)));
        let path = add(state, path, keys, Some(Ident::new("_text")), false)?;
        let operand = Operand::At(column, path);
        all.push(comparisons(
            env,
            state,
            relation,
            operand,
            Input::Object(members),
        )?);
    }
    Ok(Predicate::all(all))
}

/// Booleans are part of the variables' shape, so that a plan may depend on them.
pub(super) fn is_true(env: &Env<'_>, input: &Input<'_>) -> bool {
    match input {
        Input::Leaf(source) => source.resolve(env.inputs.variables).as_bool() == Some(true),
        _ => false,
    }
}

/// What values of a type are compared with.
fn compared(
    env: &Env<'_>,
    state: &mut State,
    ty: &ColumnType,
    operator: Operator,
    value: Input<'_>,
) -> Result<ParamId> {
    let text = |pattern| (Format::Text(pattern), None, false);
    let (format, cast, array) = match operator {
        Operator::StartsWith | Operator::IStartsWith => text(Pattern::StartsWith),
        Operator::EndsWith | Operator::IEndsWith => text(Pattern::EndsWith),
        Operator::Contains | Operator::IContains => text(Pattern::Contains),
        Operator::Regex | Operator::IRegex => text(Pattern::Regex),
        Operator::Like | Operator::ILike => text(Pattern::None),
        // As the column's type: the spaces at the end of a `char(5)` don't count.
        Operator::IEq | Operator::IIn => {
            let format = Format::Text(Pattern::None);
            let many = operator == Operator::IIn;
            (
                if many {
                    Format::List(Box::new(format))
                } else {
                    format
                },
                compared_as(ty).filter(|_| matches!(ty.kind, TypeKind::Text)),
                many,
            )
        }
        Operator::In | Operator::NotIn => (
            Format::List(Box::new(format(env, &ty.kind))),
            compared_as(ty),
            true,
        ),
        Operator::Offer(offer) => offered(env, ty, offer),
        _ => (format(env, &ty.kind), compared_as(ty), false),
    };
    add(state, value, format, cast, array)
}

/// What an operator of the catalog takes: how it is written, the type, and whether it is an array.
fn offered(env: &Env<'_>, ty: &ColumnType, offer: &Offer) -> (Format, Option<Ident>, bool) {
    let text = || Format::Text(Pattern::None);
    match (offer.right_side(), &ty.kind) {
        // Their functions make a query of it.
        _ if offer.call.is_some() => (text(), None, false),
        (RightSide::Own, TypeKind::Text | TypeKind::Char) | (RightSide::Named("text"), _) => {
            (text(), None, false)
        }
        (RightSide::Own, TypeKind::Json) => (Format::Json, Some(Ident::new("jsonb")), false),
        (RightSide::Own, _) => (format(env, &ty.kind), ty.cast.clone(), false),
        (RightSide::Element, TypeKind::Range { element }) => {
            (format(env, &element.kind), element.cast.clone(), false)
        }
        (RightSide::Element, _) => (format(env, &ty.kind), None, false),
        (RightSide::Named(name), _) => match name.strip_prefix('_') {
            Some(_) => (
                Format::List(Box::new(text())),
                Some(Ident::new(name)),
                false,
            ),
            None => (text(), Some(Ident::new(name)), false),
        },
    }
}
