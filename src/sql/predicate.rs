//! Conditions. Each is true or it is not: rows without a value never fall between the two.

use super::aggregate::aggregate;
use super::lists::{ListRows, over};
use super::search;
use super::writer::{Alias, Writer};
use crate::model::{ColumnId, Equality, RelationId, TypeKind};
use crate::plan::{Operand, ParamId, Predicate};
use crate::schema::{Call, ListLink, Offer, Operator};

pub(super) fn predicate(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    condition: &Predicate,
) {
    match condition {
        Predicate::And(all) if all.is_empty() => writer.push("true"),
        Predicate::Or(any) if any.is_empty() => writer.push("false"),
        Predicate::And(all) => group(writer, relation, alias, all, " and "),
        Predicate::Or(any) => group(writer, relation, alias, any, " or "),
        Predicate::Not(inner) => not(writer, relation, alias, inner),
        Predicate::IsNull(operand, yes) => {
            value(writer, relation, alias, *operand);
            writer.push(if *yes { " is null" } else { " is not null" });
        }
        Predicate::IsEmpty(operand, yes) => is_empty(writer, relation, alias, *operand, *yes),
        Predicate::Compare {
            operand,
            operator,
            param,
        } => {
            compare(writer, relation, alias, *operand, *operator, *param);
        }
        Predicate::AnyElement(column, inner) => {
            let element = writer.alias();
            // Not `from unnest(…)`, which would take rows of a composite type apart.
            writer.push("exists (select from (select unnest(");
            writer.column(relation, alias, *column);
            writer.push(") as element) ");
            writer.display(element);
            writer.push(" where ");
            predicate(writer, relation, element, inner);
            writer.push(")");
        }
        Predicate::ToOne(link, inner) => {
            let target = writer.alias();
            writer.push("exists (select from ");
            writer.table(link.target, target);
            writer.push(" where ");
            let on: Vec<_> = link
                .on
                .iter()
                .map(|&(ours, theirs)| (theirs, ours))
                .collect();
            writer.join_condition((link.target, target), (relation, alias), &on);
            and_also(writer, link.target, target, inner);
            writer.push(")");
        }
        Predicate::Any(link, inner) => any(writer, (relation, alias), link, inner),
        Predicate::Over(link, chosen, values) => {
            let parts = (link, &**chosen, &**values);
            over(writer, (relation, alias), condition, parts);
        }
    }
}

/// ` and …`, unless the condition always holds.
pub(super) fn and_also(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    condition: &Predicate,
) {
    if !condition.is_always() {
        writer.push(" and ");
        predicate(writer, relation, alias, condition);
    }
}

fn group(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    conditions: &[Predicate],
    glue: &'static str,
) {
    writer.push("(");
    writer.separated(conditions, glue, |writer, condition| {
        predicate(writer, relation, alias, condition);
    });
    writer.push(")");
}

/// Conditions on other rows are true or false; those on values may be null, which is not true.
fn not(writer: &mut Writer<'_>, relation: RelationId, alias: Alias, inner: &Predicate) {
    if matches!(
        inner,
        Predicate::Any(..) | Predicate::AnyElement(..) | Predicate::ToOne(..) | Predicate::Not(_)
    ) {
        writer.push("not ");
        predicate(writer, relation, alias, inner);
        return;
    }
    writer.push("(");
    predicate(writer, relation, alias, inner);
    writer.push(") is not true");
}

fn any(writer: &mut Writer<'_>, owner: (RelationId, Alias), link: &ListLink, inner: &Predicate) {
    let rows = ListRows::new(writer, link);
    writer.push("exists (select");
    rows.write(writer, Some(owner));
    and_also(writer, link.target(), rows.alias, inner);
    writer.push(")");
}

/// `cardinality(t0."topics") = 0`
fn is_empty(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    operand: Operand,
    yes: bool,
) {
    let ty = operand.ty(writer.model.relation(relation));
    let range = ty.is_some_and(|ty| matches!(ty.kind, TypeKind::Range { .. }));
    writer.push(match (range, yes) {
        (true, true) => "isempty(",
        (true, false) => "not isempty(",
        (false, _) => "cardinality(",
    });
    value(writer, relation, alias, operand);
    writer.push(match (range, yes) {
        (true, _) => ")",
        (false, true) => ") = 0",
        (false, false) => ") > 0",
    });
}

fn compare(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    operand: Operand,
    operator: Operator,
    param: ParamId,
) {
    let nullable = !operand.is_not_null(writer.model.relation(relation));
    let left = |writer: &mut Writer<'_>| left(writer, relation, alias, operand, operator);
    let infix = |writer: &mut Writer<'_>, symbol: &'static str| {
        left(writer);
        writer.push(symbol);
        writer.param(param);
    };
    match operator {
        Operator::Ne if nullable => infix(writer, " is distinct from "),
        Operator::In => {
            infix(writer, " = any(");
            writer.push(")");
        }
        Operator::NotIn if nullable => {
            writer.push("(");
            infix(writer, " = any(");
            writer.push(")) is not true");
        }
        Operator::NotIn => {
            infix(writer, " <> all(");
            writer.push(")");
        }
        // JSON has an order across kinds, which nobody means: any string is less than any number.
        Operator::Lt | Operator::Lte | Operator::Gt | Operator::Gte
            if matches!(operand, Operand::At(..)) =>
        {
            writer.push("(jsonb_typeof(");
            left(writer);
            writer.push(") = jsonb_typeof(");
            writer.param(param);
            writer.push(") and ");
            infix(writer, symbol(operator));
            writer.push(")");
        }
        Operator::IEq => {
            writer.push("lower(");
            left(writer);
            writer.push(") = lower(");
            writer.param(param);
            writer.push(")");
        }
        Operator::IIn => {
            writer.push("lower(");
            left(writer);
            writer.push(") = any(array(select lower(value) from unnest(");
            writer.param(param);
            writer.push(") value))");
        }
        Operator::Offer(Offer {
            call: Some(call), ..
        }) => matches(writer, relation, alias, (operand, *call, param)),
        Operator::Offer(offer) => {
            left(writer);
            writer.push(" ");
            writer.push(offer.symbol());
            writer.push(" ");
            writer.param(param);
        }
        plain => infix(writer, symbol(plain)),
    }
}

/// Operators that stand between the value and the parameter.
fn symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::Ne => " <> ",
        Operator::Lt => " < ",
        Operator::Lte => " <= ",
        Operator::Gt => " > ",
        Operator::Gte => " >= ",
        Operator::Like | Operator::StartsWith | Operator::EndsWith | Operator::Contains => " like ",
        Operator::ILike | Operator::IStartsWith | Operator::IEndsWith | Operator::IContains => {
            " ilike "
        }
        Operator::Regex => " ~ ",
        Operator::IRegex => " ~* ",
        _ => " = ",
    }
}

/// `t0."search" @@ websearch_to_tsquery('english'::regconfig, $1::text)`
fn matches(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    (operand, call, param): (Operand, Call, ParamId),
) {
    let Some(ty) = operand.ty(writer.model.relation(relation)) else {
        return;
    };
    search::words(writer, &ty, |writer| {
        value(writer, relation, alias, operand);
    });
    writer.push(" @@ ");
    search::query(writer, &ty, call, param);
}

/// The operand as the operator takes it: as text where its type has no comparison of its own.
fn left(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    operand: Operand,
    operator: Operator,
) {
    value(writer, relation, alias, operand);
    let Some(ty) = operand.ty(writer.model.relation(relation)) else {
        return;
    };
    writer.push(match (&ty.kind, operator) {
        (TypeKind::Json, _) => "::jsonb",
        (TypeKind::Char, operator) if operator.is_textual() => "::text",
        (_, Operator::Offer(_)) => "",
        _ if ty.cast.is_none() || ty.equality != Equality::Native => "::text",
        _ => "",
    });
}

/// The operand itself.
fn value(writer: &mut Writer<'_>, relation: RelationId, alias: Alias, operand: Operand) {
    match operand {
        Operand::Column(column) => writer.operand(relation, alias, column),
        Operand::Aggregate(value) => aggregate(writer, relation, alias, value),
        Operand::Length(column) => {
            writer.push("cardinality(");
            writer.column(relation, alias, column);
            writer.push(")");
        }
        Operand::Element(_) => {
            writer.display(alias);
            writer.push(".element");
            let ty = operand.ty(writer.model.relation(relation));
            if let Some(base) = ty
                .filter(|ty| ty.enum_domain)
                .and_then(|ty| ty.cast.clone())
            {
                writer.push("::");
                writer.display(base);
            }
        }
        Operand::At(column, path) => at(writer, relation, alias, (column, path), "::jsonb #> "),
        Operand::TextAt(column, path) => {
            at(writer, relation, alias, (column, path), "::jsonb #>> ");
        }
    }
}

/// `(t0."fields"::jsonb #> $1::"_text")`
fn at(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    (column, path): (ColumnId, ParamId),
    symbol: &'static str,
) {
    writer.push("(");
    writer.column(relation, alias, column);
    writer.push(symbol);
    writer.param(path);
    writer.push(")");
}
