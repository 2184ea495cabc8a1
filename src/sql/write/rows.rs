//! The answer of a write: the rows that it was about, and how many they were.

use super::update::condition;
use super::{Sorted, Writer, keep_columns, kept_columns, kept_rows, same_row};
use crate::plan::{Answer, Find, Kept, Selection, Write, row_key};
use crate::sql::read::{Columns, Joins, Shape, Target, shaped};

/// ```sql
/// select current_setting('tenantry.count_0')::int8,
///        array(select row(t0."id", …)
///              from unnest(current_setting('tenantry.kept_0_0')::"uuid"[]) with ordinality k(k0, n)
///              join "issues" t0 on t0."id" = k.k0 order by k.n)
/// ```
///
/// Rows are deleted by the statement that reads them, as it sees them as they were before:
///
/// ```sql
/// with d as (delete from "issues" t0 where t0."id" = $1::"uuid" returning t0."id" as k0)
/// select (select row(t1."id", …) from d k join "issues" t1 on t1."id" = k.k0),
///        (select num_nulls(set_config('tenantry.kept_0_0', …)) from d w)
/// ```
///
/// Their keys are kept for the audit log.
pub(super) fn answer(writer: &mut Writer<'_>, write: &Write) {
    let relation = write.relation;
    let key = row_key(writer.model, relation);
    if let Some(find) = &write.delete {
        let target = writer.alias();
        writer.push("with d as (delete from ");
        writer.table(relation, target);
        if let Find::Kept(slot) = find {
            writer.push(" using ");
            kept_rows(writer, relation, *slot);
        }
        writer.push(" where ");
        condition(writer, relation, target, find);
        writer.push(" returning ");
        kept_columns(writer, relation, Some(target), &key);
        writer.push(") ");
    }
    writer.push("select ");
    match &write.answer {
        Answer::Row(selection) => {
            writer.push("(");
            rows(writer, write, std::slice::from_ref(selection));
            writer.push(")");
        }
        Answer::Rows { groups, count, .. } => {
            if *count {
                affected(writer, write);
            }
            if !groups.is_empty() {
                writer.push(if *count { ", array(" } else { "array(" });
                rows(writer, write, groups);
                writer.push(")");
            }
            if !*count && groups.is_empty() {
                writer.push("true");
            }
        }
    }
    if write.delete.is_some() {
        writer.push(", (select num_nulls(");
        let columns = key;
        let slot = write.slot;
        keep_columns(writer, &Kept { slot, columns }, Sorted::No);
        writer.push(") from d w)");
    }
}

fn affected(writer: &mut Writer<'_>, write: &Write) {
    if write.delete.is_some() {
        writer.push("(select count(*) from d)");
    } else {
        writer.numbered("current_setting('tenantry.count_", write.slot.0);
        writer.push("')::int8");
    }
}

fn rows(writer: &mut Writer<'_>, write: &Write, groups: &[Selection]) {
    let target = Target {
        relation: write.relation,
        alias: writer.alias(),
    };
    let joins = Joins::of(writer, target, groups);
    writer.push("select ");
    shaped(writer, Shape::Record, |writer| {
        let mut columns = Columns::new(Shape::Record, &joins);
        for group in groups {
            columns.selection(writer, target, group);
        }
        columns.is_empty()
    });
    writer.push(" from ");
    if write.delete.is_some() {
        writer.push("d k");
    } else {
        kept_rows(writer, write.relation, write.slot);
    }
    writer.push(" join ");
    writer.table(write.relation, target.alias);
    writer.push(" on ");
    same_row(writer, write.relation, target.alias, "k");
    joins.write(writer);
    if write.delete.is_none() {
        writer.push(" order by k.n");
    } else {
        for index in 0..row_key(writer.model, write.relation).len() {
            writer.numbered(if index == 0 { " order by k.k" } else { ", k.k" }, index);
        }
    }
}
