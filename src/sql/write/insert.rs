//! New rows: the statement that adds them, and their values.

use super::{Sorted, Writer, keep, kept_columns, kept_sources, kept_value, rows_of};
use crate::model::{ColumnId, RelationId};
use crate::plan::{At, Case, Conflict, Insert, InsertColumn, ParamId};

/// ```sql
/// with w as (
///   insert into "issues" ("title", "status")
///   select s.x0, case when s.x2 then s.x1 else ('open'::issue_status)::"issue_status" end
///   from unnest($1::"text"[], $2::"issue_status"[], $3::"bool"[]) with ordinality s(x0, x1, x2, n)
///   order by s.n
///   on conflict ("id") do update set "title" = excluded."title"
///   returning "id" as k0
/// )
/// select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', …) from w
/// ```
///
/// One statement for any number of rows, which go in one by one in the order of the input. A column
/// that no row gives is not named, one that some rows give has its default spelled out.
pub(super) fn insert(writer: &mut Writer<'_>, insert: &Insert) {
    let relation = insert.relation;
    let arrays = arrays(insert);
    writer.push("with w as (insert into ");
    writer.name(relation);
    if !insert.columns.is_empty() {
        writer.push(" (");
        writer.list(&insert.columns, |writer, column| {
            writer.column_name(relation, column.column);
        });
        writer.push(")");
    }
    writer.push(" select ");
    writer.list(&insert.columns, |writer, column| {
        value(writer, relation, &arrays, column);
    });
    writer.push(" from ");
    if arrays.is_empty() {
        writer.push("generate_series(1, ");
        writer.param(insert.count);
        writer.push(") s(n)");
    } else {
        rows_of(writer, &arrays);
    }
    let cases = insert.columns.iter().flat_map(|column| &column.cases);
    kept_sources(
        writer,
        cases.filter_map(|case| match case {
            Case::Kept(value, _) => Some(*value),
            Case::Given { .. } => None,
        }),
    );
    unless(writer, insert, &arrays);
    writer.push(" order by s.n");
    if let Some(conflict) = &insert.conflict {
        on_conflict(writer, relation, conflict);
    }
    writer.push(" returning ");
    kept_columns(writer, relation, None, &insert.kept.columns);
    writer.push(")");
    keep(writer, &insert.kept, Sorted::No, |writer| {
        if let Some(message) = insert.complete {
            writer.push(", case when count(*) <> ");
            writer.param(insert.count);
            writer.push(" then tenantry.fail('P0001', ");
            writer.param(message);
            writer.push(") end");
        }
    });
}

/// The arrays that a row's values come from, in the order of their use.
fn arrays(insert: &Insert) -> Vec<ParamId> {
    let mut arrays = Vec::new();
    let mut add = |param: ParamId| {
        if !arrays.contains(&param) {
            arrays.push(param);
        }
    };
    for case in insert.columns.iter().flat_map(|column| &column.cases) {
        match case {
            Case::Given { values, given } => {
                add(*values);
                if let Some(given) = given {
                    add(*given);
                }
            }
            Case::Kept(_, At::Number(number) | At::NumberIfAny(number)) => add(*number),
            Case::Kept(_, At::Row) => {}
        }
    }
    for (_, param) in &insert.unless {
        add(*param);
    }
    arrays
}

/// ` where not exists (select from "labels" u where u."name" = s.x0)`
fn unless(writer: &mut Writer<'_>, insert: &Insert, arrays: &[ParamId]) {
    if insert.unless.is_empty() {
        return;
    }
    let existing = writer.alias();
    writer.push(" where not exists (select from ");
    writer.table(insert.relation, existing);
    writer.push(" where ");
    writer.separated(&insert.unless, " and ", |writer, (column, param)| {
        writer.operand(insert.relation, existing, *column);
        writer.push(" = ");
        array(writer, arrays, *param);
    });
    writer.push(")");
}

fn array(writer: &mut Writer<'_>, arrays: &[ParamId], param: ParamId) {
    let index = arrays.iter().position(|array| *array == param);
    writer.numbered("s.x", index.unwrap_or_default());
}

/// The value of a column in the row at hand: the first case that applies, else the default.
fn value(writer: &mut Writer<'_>, relation: RelationId, arrays: &[ParamId], column: &InsertColumn) {
    let def = writer.model.relation(relation).column(column.column);
    let (default, cast) = (def.default.clone(), def.ty.cast.clone());
    let mut open = false;
    for case in &column.cases {
        let condition = match case {
            Case::Given { given, .. } => given.map(|given| (given, " then ")),
            Case::Kept(_, At::NumberIfAny(number)) => Some((*number, " is not null then ")),
            Case::Kept(..) => None,
        };
        if let Some((condition, then)) = condition {
            writer.push(if open { " when " } else { "case when " });
            array(writer, arrays, condition);
            writer.push(then);
            open = true;
        } else if open {
            writer.push(" else ");
        }
        match case {
            Case::Given { values, .. } => {
                array(writer, arrays, *values);
                if let (Some(ty), true) = (&cast, writer.is_text(*values)) {
                    writer.push("::");
                    writer.display(ty.clone());
                }
            }
            Case::Kept(value, at) => {
                kept_value(writer, *value);
                writer.push("[");
                match at {
                    At::Row => writer.push("s.n"),
                    At::Number(number) | At::NumberIfAny(number) => array(writer, arrays, *number),
                }
                writer.push("]");
            }
        }
        if condition.is_none() {
            writer.push(if open { " end" } else { "" });
            return;
        }
    }
    if let (Some(default), Some(ty)) = (default, &cast) {
        writer.push(" else (");
        writer.display(default);
        writer.push(")::");
        writer.display(ty.clone());
    }
    writer.push(" end");
}

fn on_conflict(writer: &mut Writer<'_>, relation: RelationId, conflict: &Conflict) {
    let name = |writer: &mut Writer<'_>, column: &ColumnId| writer.column_name(relation, *column);
    writer.push(" on conflict (");
    writer.list(&conflict.key, name);
    writer.push(")");
    if conflict.update.is_empty() {
        writer.push(" do nothing");
        return;
    }
    writer.push(" do update set ");
    writer.list(&conflict.update, |writer, column| {
        name(writer, column);
        writer.push(" = excluded.");
        name(writer, column);
    });
}
