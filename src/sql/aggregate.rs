//! Values over many rows.

use super::read::{Shape, value};
use super::writer::{Alias, Writer};
use crate::model::RelationId;
use crate::plan::{AggregateRead, stands_alone};
use crate::schema::{Aggregate, AggregateFunction};

/// `count(*)`, or `row(count(*), sum(t0."total"))`.
pub(super) fn totals(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    reads: &[AggregateRead],
) {
    let alone = stands_alone(reads);
    writer.push(if alone { "" } else { "row(" });
    writer.list(reads, |writer, read| {
        value(writer, Shape::Record, read.wire, |writer| {
            aggregate(writer, relation, alias, read.aggregate);
        });
    });
    writer.push(if alone { "" } else { ")" });
}

/// `sum(t0."total")`
pub(super) fn aggregate(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    aggregate: Aggregate,
) {
    call(writer, relation, alias, aggregate, false);
}

/// The same, but equal from scan to scan: a cursor holds it. Floats are added up as `numeric`.
pub(super) fn exact(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    aggregate: Aggregate,
) {
    call(writer, relation, alias, aggregate, true);
}

fn call(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    aggregate: Aggregate,
    exact: bool,
) {
    let Aggregate::Of(function, column) = aggregate else {
        writer.push("count(*)");
        return;
    };
    writer.push(match function {
        AggregateFunction::CountDistinct => "count(distinct ",
        AggregateFunction::Sum => "sum(",
        AggregateFunction::Avg => "avg(",
        AggregateFunction::Min => "min(",
        AggregateFunction::Max => "max(",
        AggregateFunction::StdDev => "stddev(",
        AggregateFunction::Variance => "variance(",
        AggregateFunction::BoolAnd => "bool_and(",
        AggregateFunction::BoolOr => "bool_or(",
    });
    writer.operand(relation, alias, column);
    let ty = &writer.model.relation(relation).column(column).ty;
    if exact && function.is_inexact(ty) {
        writer.push("::\"numeric\"");
    }
    writer.push(")");
    if function.is_cast_to_float(ty) {
        writer.push("::\"float8\"");
    }
}
