//! Lists: one page of rows, with the total and what lies behind it where that is asked for.

use super::base::{Base, Bounds, Keys};
use super::lists::judges_all;
use super::read::{Columns, Joins, Shape, Target, shaped, value};
use super::writer::Writer;
use super::{aggregate, group};
use crate::plan::{
    Connection, Direction, FieldValue, Link, OrderKey, RowJoin, SelectedField, Wire,
};

/// Whether the rows alone answer the list, each column in a type that the driver knows.
pub(super) fn is_flat(connection: &Connection) -> bool {
    let needs = connection.needs;
    let keys_known = !connection.cursors
        || connection
            .order
            .iter()
            .all(|key| matches!(key.wire, Wire::Binary | Wire::OwnType));
    let alone = connection.totals.is_empty() && connection.groupings.is_empty() && !needs.behind;
    needs.rows && alone && keys_known
}

/// A list as one value: the array of its rows, or, with more beside it, a record of
/// (rows, totals, behind, groups, …), each where it is needed.
pub(super) fn connection(writer: &mut Writer<'_>, connection: &Connection, parent: Option<Target>) {
    let needs = connection.needs;
    let totals = !connection.totals.is_empty();
    let parts = connection.parts();
    if parts != 1 {
        writer.push("row(");
    }
    let mut separator = "";
    if needs.rows {
        writer.push("array(");
        rows(writer, connection, parent, Shape::Record);
        writer.push(")");
        separator = ", ";
    }
    if totals {
        writer.push(separator);
        writer.push("(select ");
        let base = Base::new(writer, connection, std::iter::empty());
        aggregate::totals(writer, connection.relation, base.alias, &connection.totals);
        writer.push(" from ");
        base.write(writer, connection, parent, Bounds::None);
        writer.push(")");
        separator = ", ";
    }
    if needs.behind {
        writer.push(separator);
        behind(writer, connection, parent);
        separator = ", ";
    }
    for grouping in &connection.groupings {
        writer.push(separator);
        group::groups(writer, connection, grouping, parent);
        separator = ", ";
    }
    if parts != 1 {
        writer.push(")");
    }
}

/// The rows of the page.
///
/// ```sql
/// select t0."id", t1."id" is not null, t1."name"
/// from (select t0.* from "issues" t0 where … order by t0."number" limit $1::"int8") t0
/// left join "users" t1 on t1."id" = t0."assignee_id"
/// order by t0."number"
/// ```
///
/// The page is cut before other rows are joined to it, so that they are looked up for its rows
/// only. Without joins there is nothing to cut before, and the inner query is all.
pub(super) fn rows(
    writer: &mut Writer<'_>,
    connection: &Connection,
    parent: Option<Target>,
    shape: Shape,
) {
    let base = Base::new(writer, connection, connection.order_ways());
    let target = Target {
        relation: connection.relation,
        alias: base.alias,
    };
    let joins = Joins::of(writer, target, &connection.groups);
    let backward = connection.page.direction == Direction::Backward;
    let wrapped = backward || !joins.is_empty();
    let keys = if wrapped {
        Keys::Outer(&base)
    } else {
        Keys::Inner(&base)
    };
    if wrapped {
        writer.enter_page(base.alias, base.named("row"));
    }
    writer.push("select ");
    shaped(writer, shape, |writer| {
        let mut columns = Columns::new(shape, &joins);
        if connection.cursors {
            for (index, key) in connection.order.iter().enumerate() {
                columns.next(writer);
                // A cursor holds the binary form; of types without a fixed oid, text has the same.
                let wire = if key.wire == Wire::OwnType {
                    Wire::OwnType
                } else {
                    Wire::Binary
                };
                value(writer, shape, wire, |writer| keys.write(writer, index, key));
            }
        }
        for group in &connection.groups {
            columns.selection(writer, target, group);
        }
        columns.is_empty()
    });
    writer.push(" from ");
    if !wrapped {
        page(writer, connection, parent, &base);
        return;
    }
    writer.leave_page(base.alias);
    cut(writer, connection, parent, &base);
    writer.enter_page(base.alias, base.named("row"));
    joins.write(writer);
    order_by(writer, connection, &keys, false);
    if connection.order.is_empty() {
        writer.push(" order by ");
        writer.display(base.alias);
        writer.push(".");
        writer.display(base.named("place"));
    }
    writer.leave_page(base.alias);
}

/// `(select t0.*, … from "issues" t0 …) t0`: the page, with what its table's columns do not tell.
fn cut(writer: &mut Writer<'_>, connection: &Connection, parent: Option<Target>, base: &Base<'_>) {
    writer.push("(select ");
    writer.columns(connection.relation, base.alias);
    if needs_row(writer, connection) {
        // By itself, the alias would mean a column of that name.
        writer.push(", coalesce(");
        writer.row(base.alias);
        writer.push(") as ");
        writer.display(base.named("row"));
    }
    if connection.order.is_empty() {
        writer.push(", row_number() over () as ");
        writer.display(base.named("place"));
    }
    let far = |(_, key): &(usize, &OrderKey)| key.own_column().is_none();
    for (index, key) in connection.order.iter().enumerate().filter(far) {
        writer.push(", ");
        Keys::Inner(base).write(writer, index, key);
        writer.push(" as ");
        base.exposed(writer, index);
    }
    writer.push(" from ");
    page(writer, connection, parent, base);
    writer.push(") ");
    writer.display(base.alias);
}

/// Whether functions of whole rows are called outside of the page's query.
fn needs_row(writer: &Writer<'_>, connection: &Connection) -> bool {
    let relation = writer.model.relation(connection.relation);
    let is_computed = |column| relation.column(column).computed.is_some();
    let sorts = |key: &OrderKey| key.own_column().is_some_and(is_computed);
    let reads = |field: &SelectedField| match &field.value {
        FieldValue::Typename(_) | FieldValue::NodeId(_) | FieldValue::Forbidden => false,
        FieldValue::Column(read) => is_computed(read.column),
        FieldValue::Call(_) => true,
        FieldValue::ToOne(row) => matches!(row.join, RowJoin::Call(_)),
        FieldValue::Connection(list) => matches!(list.link, Link::Call(_)),
    };
    let mut fields = connection.groups.iter().flat_map(|group| &group.fields);
    connection.order.iter().any(sorts) || fields.any(reads)
}

/// `"issues" t0 where … order by … limit $1 offset $2`
fn page(writer: &mut Writer<'_>, connection: &Connection, parent: Option<Target>, base: &Base<'_>) {
    base.write(writer, connection, parent, Bounds::Page);
    let reverse = connection.page.direction == Direction::Backward;
    order_by(writer, connection, &Keys::Inner(base), reverse);
    writer.push(" limit ");
    if base.joins_all_lists() || judges_all(&connection.filter) {
        // A limit that the planner cannot see: it would hope that the first rows come soon, and look
        // through all lists for each of them.
        writer.push("(select ");
        writer.param(connection.page.limit_param);
        writer.push(")");
    } else {
        writer.limit(connection.page.limit_param);
    }
    if let Some(offset) = connection.page.offset {
        writer.push(" offset ");
        writer.param(offset);
    }
    if let (false, Some(after)) = (connection.keyed, &connection.page.after) {
        writer.push(" offset ");
        writer.list(&after.0, |writer, place| writer.param(*place));
    }
}

fn order_by(writer: &mut Writer<'_>, connection: &Connection, keys: &Keys<'_>, reverse: bool) {
    if connection.order.is_empty() {
        return;
    }
    writer.push(" order by ");
    let indexed: Vec<_> = connection.order.iter().enumerate().collect();
    writer.list(&indexed, |writer, (index, key)| {
        keys.write(writer, *index, key);
        let descending = key.descending != reverse;
        let nulls_first = key.nulls_first != reverse;
        writer.push(if descending { " desc" } else { "" });
        // Postgres puts nulls first where the order is descending.
        if key.nullable && nulls_first != descending {
            writer.push(if nulls_first {
                " nulls first"
            } else {
                " nulls last"
            });
        }
    });
}

/// Whether there are rows on the side of the page that reading comes from.
fn behind(writer: &mut Writer<'_>, connection: &Connection, parent: Option<Target>) {
    let page = &connection.page;
    let exists = |writer: &mut Writer<'_>, bounds: Bounds| {
        writer.push("exists (select from ");
        let base = Base::new(writer, connection, connection.order_ways());
        base.write(writer, connection, parent, bounds);
        writer.push(")");
    };
    let cursor = match page.direction {
        Direction::Forward => &page.after,
        Direction::Backward => &page.before,
    };
    writer.push("(");
    match cursor {
        // The place of such a cursor is a number: rows lie before it, or it would not exist.
        Some(_) if !connection.keyed => writer.push("true"),
        Some(_) => exists(writer, Bounds::Beyond),
        None => {}
    }
    if let Some(offset) = page.offset {
        writer.push(if cursor.is_some() { " or (" } else { "(" });
        writer.param(offset);
        writer.push(" > 0 and ");
        exists(writer, Bounds::Page);
        writer.push(")");
    }
    writer.push(")");
}
