//! Rows in groups.

use super::aggregate::aggregate;
use super::base::{Base, Bounds};
use super::predicate::predicate;
use super::read::{Shape, Target, value};
use super::writer::Writer;
use crate::plan::{Connection, GroupKey, GroupOrder, GroupValue, Grouping, Truncation, Way};

/// The groups as one value, an array.
///
/// ```sql
/// array(select row(t1."country", date_trunc('month', t0."sold_at", 'UTC'), count(*), sum(t0."total"))
///       from "sales" t0 left join "customers" t1 on t1."id" = t0."customer_id"
///       where … group by t1."country", date_trunc('month', t0."sold_at", 'UTC')
///       having count(*) > $1::"int8" order by … limit $2::"int8")
/// ```
pub(super) fn groups(
    writer: &mut Writer<'_>,
    connection: &Connection,
    grouping: &Grouping,
    parent: Option<Target>,
) {
    let ways = grouping.keys.iter().map(|key| Way {
        hops: &key.hops,
        list: None,
    });
    let base = Base::new(writer, connection, ways);
    writer.push("array(select row(");
    writer.list(&grouping.keys, |writer, group| {
        value(writer, Shape::Record, group.wire, |writer| {
            key(writer, connection, &base, group);
        });
    });
    for read in &grouping.reads {
        writer.push(", ");
        value(writer, Shape::Record, read.wire, |writer| {
            aggregate(writer, connection.relation, base.alias, read.aggregate);
        });
    }
    writer.push(") from ");
    base.write(writer, connection, parent, Bounds::None);
    writer.push(" group by ");
    writer.list(&grouping.keys, |writer, group| {
        key(writer, connection, &base, group);
    });
    if !grouping.having.is_always() {
        writer.push(" having ");
        predicate(writer, connection.relation, base.alias, &grouping.having);
    }
    writer.push(" order by ");
    writer.list(&grouping.order, |writer, order| {
        sorted(writer, connection, &base, grouping, order);
    });
    writer.push(" limit ");
    writer.limit(grouping.limit_param);
    if let Some(offset) = grouping.offset {
        writer.push(" offset ");
        writer.param(offset);
    }
    writer.push(")");
}

/// A key, with the same text wherever it stands: that is how Postgres knows that it is the same.
fn key(writer: &mut Writer<'_>, connection: &Connection, base: &Base<'_>, key: &GroupKey) {
    let (relation, alias) = base.owner(connection.relation, &key.hops);
    let column = |writer: &mut Writer<'_>| writer.operand(relation, alias, key.column);
    let Some(truncation) = key.truncation else {
        column(writer);
        return;
    };
    let (Truncation::Date(unit) | Truncation::Local(unit) | Truncation::Moment(unit, _)) =
        truncation;
    writer.push("date_trunc('");
    writer.push(unit.word());
    writer.push("', ");
    column(writer);
    match truncation {
        // As a date it would be taken for a moment, in the session's time zone.
        Truncation::Date(_) => writer.push("::\"timestamp\")::\"date\""),
        Truncation::Local(_) => writer.push(")"),
        Truncation::Moment(_, None) => writer.push(", 'UTC')"),
        Truncation::Moment(_, Some(zone)) => {
            writer.push(", ");
            writer.param(zone);
            writer.push(")");
        }
    }
}

fn sorted(
    writer: &mut Writer<'_>,
    connection: &Connection,
    base: &Base<'_>,
    grouping: &Grouping,
    order: &GroupOrder,
) {
    let nullable = match order.value {
        GroupValue::Key(place) => {
            key(writer, connection, base, &grouping.keys[place]);
            true
        }
        GroupValue::Aggregate(value) => {
            aggregate(writer, connection.relation, base.alias, value);
            !value.counts()
        }
    };
    writer.push(if order.descending { " desc" } else { "" });
    // Postgres puts nulls first where the order is descending.
    if nullable && order.nulls_first != order.descending {
        writer.push(if order.nulls_first {
            " nulls first"
        } else {
            " nulls last"
        });
    }
}
