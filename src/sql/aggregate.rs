//! Values over many rows.

use super::read::{Shape, value};
use super::writer::{Alias, Writer};
use crate::model::RelationId;
use crate::plan::AggregateRead;
use crate::schema::{Aggregate, AggregateFunction};

/// `count(*)`, or `row(count(*), sum(t0."total"))`.
pub(super) fn totals(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    reads: &[AggregateRead],
) {
    let several = reads.len() > 1;
    writer.push(if several { "row(" } else { "" });
    writer.list(reads, |writer, read| {
        value(writer, Shape::Record, read.wire, |writer| {
            aggregate(writer, relation, alias, read.aggregate);
        });
    });
    writer.push(if several { ")" } else { "" });
}

/// `sum(t0."total")`
pub(super) fn aggregate(
    writer: &mut Writer<'_>,
    relation: RelationId,
    alias: Alias,
    aggregate: Aggregate,
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
    writer.push(")");
    if function.is_cast_to_float(&writer.model.relation(relation).column(column).ty) {
        writer.push("::\"float8\"");
    }
}
