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
        let lockable = writer.model.relation(relation).lockable;
        writer.push(if lockable { " for update)" } else { ")" });
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
    let sorted = match update.find {
        // One row at most: Postgres would set up a sort for it.
        Find::Key(_) => Sorted::No,
        Find::Filter(_) | Find::Kept(_) => Sorted::ByKey,
    };
    keep(writer, &update.kept, sorted, |writer| {
        if let Some(message) = update.missing {
            writer.push(", case when count(*) = 0 then tenantry.fail('23503', ");
            writer.param(message);
            writer.push(") end");
        }
    });
}

/// New values for rows that were kept, each with its own:
///
/// ```sql
/// with w as (
///   update "comments" t0 set "issue_id" = k0.a0[s.x0]
///   from unnest(current_setting('tenantry.kept_1_0')::"uuid"[]) with ordinality k(k0, n)
///   join unnest($1::"int4"[]) with ordinality s(x0, n) on s.n = k.n
///   cross join (select current_setting('tenantry.kept_0_0')::"uuid"[] as a0 offset 0) k0
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
        match assignment {
            Assignment::Kept(_, At::Number(number) | At::NumberIfAny(number)) => {
                arrays.push(*number);
            }
            Assignment::Each { values, given, .. } => {
                arrays.push(*values);
                arrays.extend(given);
            }
            _ => {}
        }
    }
    writer.push("with w as (update ");
    writer.table(relation, target);
    writer.push(" set ");
    writer.list(&update.set, |writer, (column, assignment)| {
        writer.column_name(relation, *column);
        writer.push(" = ");
        kept_assigned(writer, (relation, target), (*column, assignment), &arrays);
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

/// The new value of a row that was kept.
fn kept_assigned(
    writer: &mut Writer<'_>,
    place: (RelationId, Alias),
    (column, assignment): (ColumnId, &Assignment),
    arrays: &[ParamId],
) {
    let array = |writer: &mut Writer<'_>, param: &ParamId| {
        let index = arrays.iter().position(|array| array == param);
        writer.numbered("s.x", index.unwrap_or_default());
    };
    match assignment {
        Assignment::Kept(value, at) => {
            let conditional = matches!(at, At::NumberIfAny(_));
            if let At::NumberIfAny(number) = at {
                writer.push("case when ");
                array(writer, number);
                writer.push(" is null then ");
                writer.column(place.0, place.1, column);
                writer.push(" else ");
            }
            kept_value(writer, *value);
            writer.push("[");
            match at {
                At::Row => writer.push("k.n"),
                At::Number(number) | At::NumberIfAny(number) => array(writer, number),
            }
            writer.push(if conditional { "] end" } else { "]" });
        }
        Assignment::Each {
            values,
            given,
            change,
        } => {
            let ty = &writer.model.relation(place.0).column(column).ty;
            let keys = matches!((change, &ty.kind), (Some(Change::Remove), TypeKind::Jsonb));
            let cast = ty.cast.clone().filter(|_| writer.is_text(*values) && !keys);
            let operand = |writer: &mut Writer<'_>| {
                array(writer, values);
                if let Some(ty) = &cast {
                    writer.push("::");
                    writer.display(ty.clone());
                }
                writer.push(if keys { "::text[]" } else { "" });
            };
            if change.is_some() || given.is_some() {
                writer.push("case when ");
                array(writer, given.as_ref().unwrap_or(values));
                writer.push(if given.is_some() {
                    " then "
                } else {
                    " is not null then "
                });
            }
            match change {
                Some(change) => changed(writer, place, column, *change, operand),
                None => operand(writer),
            }
            if change.is_some() || given.is_some() {
                writer.push(" else ");
                writer.column(place.0, place.1, column);
                writer.push(" end");
            }
        }
        assignment => assigned(writer, place, column, assignment),
    }
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
            let operand = |writer: &mut Writer<'_>| writer.param(*operand);
            changed(writer, (relation, target), column, *change, operand);
        }
        // The others are for rows that were kept.
        Assignment::Null | Assignment::Kept(..) | Assignment::Each { .. } => writer.push("null"),
    }
}

/// What a column becomes: a number that is null counts as 0, a list or a document as empty.
fn changed(
    writer: &mut Writer<'_>,
    (relation, target): (RelationId, Alias),
    column: ColumnId,
    change: Change,
    operand: impl Fn(&mut Writer<'_>),
) {
    let ty = &writer.model.relation(relation).column(column).ty;
    let is_json = matches!(ty.kind, TypeKind::Jsonb);
    let old = |writer: &mut Writer<'_>| writer.column(relation, target, column);
    match change {
        Change::Increment => {
            writer.push("coalesce(");
            old(writer);
            writer.push(", 0) + ");
            operand(writer);
        }
        Change::Append | Change::Prepend => {
            writer.push(if is_json { "coalesce(" } else { "" });
            if change == Change::Append {
                old(writer);
                writer.push(" || ");
                operand(writer);
            } else {
                operand(writer);
                writer.push(" || ");
                old(writer);
            }
            if is_json {
                writer.push(", ");
                operand(writer);
                writer.push(")");
            }
        }
        Change::Remove if is_json => {
            old(writer);
            writer.push(" - ");
            operand(writer);
        }
        Change::Remove => {
            writer.push("case when ");
            old(writer);
            writer.push(" is not null then array(select e.item from unnest(");
            old(writer);
            writer.push(") with ordinality e(item, n) where (e.item = any(");
            operand(writer);
            writer.push(")) is not true order by e.n) end");
        }
    }
}
