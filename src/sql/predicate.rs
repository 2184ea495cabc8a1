//! Conditions. Each is true or it is not: rows without a value never fall between the two.

use super::aggregate::aggregate;
use super::writer::{Alias, Writer};
use crate::model::{RelationId, TypeKind};
use crate::plan::{Operand, ParamId, Predicate};
use crate::schema::{ListLink, Operator};

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
            match operand {
                Operand::Column(column) => writer.column(relation, alias, *column),
                Operand::Aggregate(value) => aggregate(writer, relation, alias, *value),
            }
            writer.push(if *yes { " is null" } else { " is not null" });
        }
        Predicate::Compare {
            operand,
            operator,
            param,
        } => {
            compare(writer, relation, alias, *operand, *operator, *param);
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
        Predicate::Any(link, inner) => any(writer, relation, alias, link, inner),
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
        Predicate::Any(..) | Predicate::ToOne(..) | Predicate::Not(_)
    ) {
        writer.push("not ");
        predicate(writer, relation, alias, inner);
        return;
    }
    writer.push("(");
    predicate(writer, relation, alias, inner);
    writer.push(") is not true");
}

fn any(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    link: &ListLink,
    inner: &Predicate,
) {
    let target = writer.alias();
    writer.push("exists (select from ");
    let target_relation = match link {
        ListLink::Direct(link) => {
            writer.table(link.target, target);
            writer.push(" where ");
            writer.join_condition((link.target, target), (relation, alias), &link.on);
            link.target
        }
        ListLink::Through(link) => {
            let junction = writer.alias();
            writer.table(link.junction, junction);
            writer.push(" join ");
            writer.table(link.target, target);
            writer.push(" on ");
            let far: Vec<_> = link
                .far
                .iter()
                .map(|&(ours, theirs)| (theirs, ours))
                .collect();
            writer.join_condition((link.target, target), (link.junction, junction), &far);
            writer.push(" where ");
            writer.join_condition((link.junction, junction), (relation, alias), &link.near);
            link.target
        }
    };
    and_also(writer, target_relation, target, inner);
    writer.push(")");
}

fn compare(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    operand: Operand,
    operator: Operator,
    param: ParamId,
) {
    let not_null = operand.is_not_null(writer.model.relation(relation));
    let left = |writer: &mut Writer<'_>| left(writer, relation, alias, operand, operator);
    let infix = |writer: &mut Writer<'_>, symbol: &'static str| {
        left(writer);
        writer.push(symbol);
        writer.param(param);
    };
    match operator {
        Operator::Eq => infix(writer, " = "),
        Operator::Ne if not_null => infix(writer, " <> "),
        Operator::Ne => infix(writer, " is distinct from "),
        Operator::In => {
            infix(writer, " = any(");
            writer.push(")");
        }
        Operator::NotIn if not_null => {
            infix(writer, " <> all(");
            writer.push(")");
        }
        Operator::NotIn => {
            writer.push("(");
            infix(writer, " = any(");
            writer.push(")) is not true");
        }
        Operator::Lt => infix(writer, " < "),
        Operator::Lte => infix(writer, " <= "),
        Operator::Gt => infix(writer, " > "),
        Operator::Gte => infix(writer, " >= "),
        Operator::Like | Operator::StartsWith | Operator::EndsWith | Operator::Contains => {
            infix(writer, " like ");
        }
        Operator::ILike | Operator::IStartsWith | Operator::IEndsWith | Operator::IContains => {
            infix(writer, " ilike ");
        }
        Operator::IEq => {
            writer.push("lower(");
            left(writer);
            writer.push(") = lower(");
            writer.param(param);
            writer.push(")");
        }
        Operator::Regex => infix(writer, " ~ "),
        Operator::IRegex => infix(writer, " ~* "),
        Operator::JsonContains | Operator::ArrayContains => infix(writer, " @> "),
        Operator::HasKey => infix(writer, " ? "),
        Operator::ArrayContainedBy => infix(writer, " <@ "),
        Operator::ArrayOverlaps => infix(writer, " && "),
        // Planned as a condition of its own.
        Operator::IsNull => writer.push("true"),
    }
}

/// The operand as the operator takes it: as text where its type has no comparison of its own.
fn left(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    operand: Operand,
    operator: Operator,
) {
    match operand {
        Operand::Column(column) => writer.operand(relation, alias, column),
        Operand::Aggregate(value) => aggregate(writer, relation, alias, value),
    }
    let Some(ty) = operand.ty(writer.model.relation(relation)) else {
        return;
    };
    let comparable = ty.cast.is_some() && (ty.sortable || matches!(ty.kind, TypeKind::Jsonb));
    let textual = matches!(
        operator,
        Operator::Like
            | Operator::ILike
            | Operator::StartsWith
            | Operator::EndsWith
            | Operator::Contains
            | Operator::IStartsWith
            | Operator::IEndsWith
            | Operator::IContains
            | Operator::IEq
            | Operator::Regex
            | Operator::IRegex
    );
    let as_text = !comparable || (textual && matches!(ty.kind, TypeKind::Char));
    if as_text {
        writer.push("::text");
    }
}
