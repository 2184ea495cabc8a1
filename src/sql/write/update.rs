//! New values of rows that exist.

use super::{
    Alias, Sorted, Writer, keep, kept_columns, kept_rows, kept_sources, kept_value, rows_of,
    same_row,
};
use crate::model::{ColumnId, RelationId, TypeKind};
use crate::plan::{Assignment, At, Find, KeptColumn, ParamId, Slot, Update};
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
    if let Find::Kept(slot) = update.find {
        return update_kept(writer, update, slot);
    }
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
    keep(writer, &update.kept, Sorted::ByKey, |_| {});
}

/// New values for rows that were kept, each with its own:
///
/// ```sql
/// with w as (
///   update "comments" t0 set "issue_id" = k0.a0[s.x0]
///   from unnest(current_setting('tenantry.kept_1_0')::"uuid"[]) with ordinality k(k0, n)
///   join unnest($1::"int4"[]) with ordinality s(x0, n) on s.n = k.n,
///        (select current_setting('tenantry.kept_0_0')::"uuid"[] as a0 offset 0) k0
///   where t0."id" = k.k0
///   returning t0."id" as k0
/// )
/// select …
/// ```
fn update_kept(writer: &mut Writer<'_>, update: &Update, slot: Slot) {
    let relation = update.relation;
    let target = writer.alias();
    let mut arrays = Vec::new();
    for (_, assignment) in &update.set {
        if let Assignment::Kept(_, At::Number(number) | At::NumberIfAny(number)) = assignment
            && !arrays.contains(number)
        {
            arrays.push(*number);
        }
    }
    writer.push("with w as (update ");
    writer.table(relation, target);
    writer.push(" set ");
    writer.list(&update.set, |writer, (column, assignment)| {
        writer.column_name(relation, *column);
        writer.push(" = ");
        match assignment {
            Assignment::Kept(value, at) => {
                kept_value(writer, *value);
                writer.push("[");
                match at {
                    At::Row => writer.push("k.n"),
                    At::Number(number) | At::NumberIfAny(number) => {
                        let index = arrays.iter().position(|array| array == number);
                        writer.numbered("s.x", index.unwrap_or_default());
                    }
                }
                writer.push("]");
            }
            assignment => assigned(writer, (relation, target), *column, assignment),
        }
    });
    writer.push(" from ");
    kept_rows(writer, relation, slot);
    if !arrays.is_empty() {
        writer.push(" join ");
        rows_of(writer, &arrays);
        writer.push(" on s.n = k.n");
    }
    kept_sources(
        writer,
        update
            .set
            .iter()
            .filter_map(|(_, assignment)| match assignment {
                Assignment::Kept(value, _) => Some(*value),
                _ => None,
            }),
    );
    writer.push(" where ");
    same_row(writer, relation, target, "k");
    writer.push(" returning ");
    kept_columns(writer, relation, Some(target), &update.kept.columns);
    writer.push(")");
    keep(writer, &update.kept, Sorted::ByKey, |_| {});
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
        // Rows that were kept have a statement of another form.
        Assignment::Kept(..) => writer.push("null"),
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
