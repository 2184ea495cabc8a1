//! New values of rows that exist.

use super::{Alias, Sorted, Writer, keep, kept_columns, same_row};
use crate::model::{ColumnId, RelationId, TypeKind};
use crate::plan::{Assignment, Find, KeptColumn, ParamId, Update};
use crate::schema::Change;
use crate::sql::predicate::predicate;

/// ```sql
/// with w as (update "issues" t0 set "title" = $1::"text" where t0."id" = $2::"uuid" returning t0."id" as k0)
/// select …
/// ```
///
/// Rows that a filter finds are locked first, in the order of their keys, so that two of these
/// cannot lock each other out.
pub(super) fn update(writer: &mut Writer<'_>, update: &Update) {
    let relation = update.relation;
    let columns = &update.kept.columns;
    let target = writer.alias();
    let locks = update.set.is_empty() || matches!(update.find, Find::Filter(_));
    writer.push("with ");
    if locks {
        writer.push(if update.set.is_empty() { "w" } else { "l" });
        writer.push(" as materialized (select ");
        kept_columns(writer, relation, Some(target), columns);
        writer.push(" from ");
        writer.table(relation, target);
        writer.push(" where ");
        condition(writer, relation, target, &update.find);
        let mut glue = [" order by "].into_iter().chain(std::iter::repeat(", "));
        for column in columns {
            if let KeptColumn::Column(column) = column {
                writer.push(glue.next().unwrap_or(", "));
                writer.column(relation, target, *column);
            }
        }
        writer.push(" for update)");
    }
    if !update.set.is_empty() {
        let target = if locks { writer.alias() } else { target };
        writer.push(if locks {
            ", w as (update "
        } else {
            "w as (update "
        });
        writer.table(relation, target);
        writer.push(" set ");
        writer.list(&update.set, |writer, (column, assignment)| {
            writer.column_name(relation, *column);
            writer.push(" = ");
            assigned(writer, (relation, target), *column, assignment);
        });
        if locks {
            writer.push(" from l where ");
            same_row(writer, relation, target, "l");
        } else {
            writer.push(" where ");
            condition(writer, relation, target, &update.find);
        }
        writer.push(" returning ");
        kept_columns(writer, relation, Some(target), columns);
        writer.push(")");
    }
    keep(writer, &update.kept, Sorted::ByKey);
}

/// Which rows; those that were kept stand in the `from` of the statement as `k`.
pub(super) fn condition(writer: &mut Writer<'_>, relation: RelationId, target: Alias, find: &Find) {
    match find {
        Find::Key(key) => writer.separated(key, " and ", |writer, (column, param)| {
            writer.operand(relation, target, *column);
            writer.push(" = ");
            writer.param(*param);
        }),
        Find::Filter(filter) => predicate(writer, relation, target, filter),
        Find::Kept(_) => same_row(writer, relation, target, "k"),
    }
}

fn assigned(
    writer: &mut Writer<'_>,
    (relation, target): (RelationId, Alias),
    column: ColumnId,
    assignment: &Assignment,
) {
    match assignment {
        Assignment::Value(value) => writer.param(*value),
        Assignment::Change(change, operand) => {
            changed(writer, (relation, target), column, *change, *operand);
        }
    }
}

/// What a column becomes: a number that is null counts as 0, a list or a document as empty.
fn changed(
    writer: &mut Writer<'_>,
    (relation, target): (RelationId, Alias),
    column: ColumnId,
    change: Change,
    operand: ParamId,
) {
    let ty = &writer.model.relation(relation).column(column).ty;
    let is_json = matches!(ty.kind, TypeKind::Jsonb);
    let old = |writer: &mut Writer<'_>| writer.column(relation, target, column);
    match change {
        Change::Increment => {
            writer.push("coalesce(");
            old(writer);
            writer.push(", 0) + ");
            writer.param(operand);
        }
        Change::Append | Change::Prepend => {
            writer.push(if is_json { "coalesce(" } else { "" });
            if change == Change::Append {
                old(writer);
                writer.push(" || ");
                writer.param(operand);
            } else {
                writer.param(operand);
                writer.push(" || ");
                old(writer);
            }
            if is_json {
                writer.push(", ");
                writer.param(operand);
                writer.push(")");
            }
        }
        Change::Remove if is_json => {
            old(writer);
            writer.push(" - ");
            writer.param(operand);
        }
        Change::Remove => {
            writer.push("case when ");
            old(writer);
            writer.push(" is not null then array(select e.item from unnest(");
            old(writer);
            writer.push(") with ordinality e(item, n) where (e.item = any(");
            writer.param(operand);
            writer.push(")) is not true order by e.n) end");
        }
    }
}
