//! Writes: statements that change rows and keep their keys, and one that reads the answer by them.

mod insert;
mod rows;
mod update;

use super::writer::{Alias, Writer};
use super::{Layout, Statement};
use crate::model::{Model, RelationId};
use crate::plan::{
    At, Between, CallStep, Delete, Follow, Kept, KeptColumn, KeptValue, Lookup, ParamId, Params,
    Scope, Slot, Write, WriteStep, row_key,
};
use crate::schema::ListLink;

/// Prints a field of a mutation: a statement for each step, and the one whose only row is the
/// answer.
pub fn print_write(model: &Model, params: &Params, write: &Write) -> Vec<WriteStatement> {
    let steps = write.steps.iter().map(|step| {
        let mut writer = Writer::new(model, params);
        let relation = match step {
            WriteStep::Insert(step) => {
                insert::insert(&mut writer, step);
                step.relation
            }
            WriteStep::Update(step) => {
                update::update(&mut writer, step);
                step.relation
            }
            WriteStep::Lookup(step) => {
                lookup(&mut writer, step);
                step.relation
            }
            WriteStep::Follow(step) => {
                follow(&mut writer, step);
                step.relation
            }
            WriteStep::Delete(step) => {
                delete(&mut writer, step);
                step.relation
            }
            WriteStep::Call(step) => {
                call(&mut writer, step);
                return WriteStatement {
                    relation: None,
                    deletes: false,
                    statement: writer.finish(Layout::Columns),
                };
            }
        };
        WriteStatement {
            relation: Some(relation),
            deletes: matches!(step, WriteStep::Delete(_)),
            statement: writer.finish(Layout::Columns),
        }
    });
    let mut statements: Vec<_> = steps.collect();
    let mut writer = Writer::new(model, params);
    rows::answer(&mut writer, write);
    statements.push(WriteStatement {
        relation: Some(write.relation),
        deletes: write.delete.is_some(),
        statement: writer.finish(Layout::Columns),
    });
    statements
}

/// A statement, and what an error of it is about.
#[derive(Debug)]
pub struct WriteStatement {
    /// None where a function writes to who knows what.
    pub relation: Option<RelationId>,
    pub deletes: bool,
    pub statement: Statement,
}

/// ```sql
/// with w as (
///   select t0."id" as k0, s.n from unnest($1::"text"[]) with ordinality s(x0, n)
///   join "labels" t0 on t0."name" = s.x0
/// )
/// select set_config('tenantry.kept_0_0', …) from w
/// ```
fn lookup(writer: &mut Writer<'_>, lookup: &Lookup) {
    let relation = lookup.relation;
    let target = writer.alias();
    writer.push("with w as (select ");
    kept_columns(writer, relation, Some(target), &lookup.kept.columns);
    writer.push(", s.n from ");
    let arrays: Vec<_> = lookup.key.iter().map(|(_, param)| *param).collect();
    let arrays: Vec<_> = arrays
        .into_iter()
        .chain(lookup.scope.iter().map(|scope| scope.number))
        .collect();
    rows_of(writer, &arrays);
    if let Some(scope) = &lookup.scope {
        kept_sources(writer, scope.parent.iter().copied());
    }
    writer.push(" join ");
    writer.table(relation, target);
    writer.push(" on ");
    let key: Vec<_> = lookup.key.iter().enumerate().collect();
    writer.separated(&key, " and ", |writer, (index, (column, _))| {
        writer.operand(relation, target, *column);
        writer.numbered(" = s.x", *index);
    });
    if let Some(scope) = &lookup.scope {
        writer.push(" and ");
        in_scope(writer, (relation, target), scope, arrays.len() - 1);
    }
    writer.push(") select ");
    keep_columns(writer, &lookup.kept, Sorted::ByNumber);
    if let (Some(message), Some((_, first))) = (lookup.missing, lookup.key.first()) {
        writer.push(", case when count(*) < cardinality(");
        writer.param(*first);
        writer.push(") then tenantry.fail('23503', ");
        writer.param(message);
        writer.push(") end");
    }
    writer.push(" from w");
}

/// `t0."issue_id" = k0.a0[s.x1]`, or that a junction has a row between the two.
fn in_scope(
    writer: &mut Writer<'_>,
    (relation, target): (RelationId, Alias),
    scope: &Scope,
    number: usize,
) {
    let parent = |writer: &mut Writer<'_>, value: &KeptValue| {
        writer.push(" = ");
        kept_value(writer, *value);
        writer.numbered("[s.x", number);
        writer.push("]");
    };
    match &scope.link {
        ListLink::Direct(link) => {
            let on: Vec<_> = link.on.iter().zip(&scope.parent).collect();
            writer.separated(&on, " and ", |writer, ((theirs, _), value)| {
                writer.column(relation, target, *theirs);
                parent(writer, value);
            });
        }
        ListLink::Through(link) => {
            let junction = writer.alias();
            writer.push("exists (select from ");
            writer.table(link.junction, junction);
            writer.push(" where ");
            writer.join_condition((link.junction, junction), (relation, target), &link.far);
            for ((ours, _), value) in link.near.iter().zip(&scope.parent) {
                writer.push(" and ");
                writer.column(link.junction, junction, *ours);
                parent(writer, value);
            }
            writer.push(")");
        }
    }
}

/// The rows that one row refers to, or that refer to it.
fn follow(writer: &mut Writer<'_>, follow: &Follow) {
    let relation = follow.relation;
    let target = writer.alias();
    writer.push("with w as (select ");
    kept_columns(writer, relation, Some(target), &follow.kept.columns);
    writer.push(" from ");
    writer.table(relation, target);
    kept_sources(writer, follow.on.iter().map(|(_, value)| *value));
    writer.push(" where ");
    writer.separated(&follow.on, " and ", |writer, (column, value)| {
        writer.column(relation, target, *column);
        writer.push(" = ");
        kept_value(writer, *value);
        writer.push("[1]");
    });
    writer.push(") select ");
    keep_columns(writer, &follow.kept, Sorted::No);
    writer.push(", case when count(*) = 0 then tenantry.fail('23503', ");
    writer.param(follow.missing);
    writer.push(") end from w");
}

/// Rows that were kept, or those of a junction between such rows.
fn delete(writer: &mut Writer<'_>, delete: &Delete) {
    let relation = delete.relation;
    let target = writer.alias();
    writer.push("delete from ");
    writer.table(relation, target);
    writer.push(" using ");
    let Some(Between(columns)) = &delete.between else {
        kept_rows(writer, relation, delete.slot);
        writer.push(" where ");
        same_row(writer, relation, target, "k");
        return;
    };
    let numbers = columns.iter().find_map(|(_, _, at)| match at {
        At::Number(number) | At::NumberIfAny(number) => Some(*number),
        At::Row => None,
    });
    rows_of(writer, &numbers.into_iter().collect::<Vec<_>>());
    kept_sources(writer, columns.iter().map(|(_, value, _)| *value));
    writer.push(" where ");
    writer.separated(columns, " and ", |writer, (column, value, at)| {
        writer.column(relation, target, *column);
        writer.push(" = ");
        kept_value(writer, *value);
        writer.push(if *at == At::Row { "[s.n]" } else { "[s.x0]" });
    });
}

/// `unnest($1::"text"[], …) with ordinality s(x0, …, n)`
fn rows_of(writer: &mut Writer<'_>, arrays: &[ParamId]) {
    writer.push("unnest(");
    writer.list(arrays, |writer, array| writer.param(*array));
    writer.push(") with ordinality s(");
    for index in 0..arrays.len() {
        writer.numbered("x", index);
        writer.push(", ");
    }
    writer.push("n)");
}

/// `t0."id" as k0, …`: what is kept of each row.
fn kept_columns(
    writer: &mut Writer<'_>,
    relation: RelationId,
    target: Option<Alias>,
    columns: &[KeptColumn],
) {
    let columns: Vec<_> = columns.iter().enumerate().collect();
    writer.list(&columns, |writer, (index, column)| {
        if let Some(target) = target {
            writer.display(target);
            writer.push(".");
        }
        kept_column(writer, relation, **column);
        writer.numbered(" as k", *index);
    });
}

fn kept_column(writer: &mut Writer<'_>, relation: RelationId, column: KeptColumn) {
    match column {
        KeptColumn::Column(column) => writer.column_name(relation, column),
        KeptColumn::Table => writer.push("tableoid"),
        KeptColumn::Place => writer.push("ctid"),
    }
}

/// `t0."id" = k.k0 and …`
fn same_row(writer: &mut Writer<'_>, relation: RelationId, target: Alias, rows: &'static str) {
    let key = row_key(writer.model, relation);
    let key: Vec<_> = key.iter().enumerate().collect();
    writer.separated(&key, " and ", |writer, (index, column)| {
        writer.display(target);
        writer.push(".");
        kept_column(writer, relation, **column);
        writer.push(" = ");
        writer.push(rows);
        writer.numbered(".k", *index);
    });
}

/// The order in which rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sorted {
    /// As they come, which is the order of the input.
    No,
    ByKey,
    ByNumber,
}

/// ```sql
/// with w as materialized (select t0."id" as k0 from "close_issue"("id" => $1::"uuid") t0 where not (t0.* is null))
/// select …
/// ```
fn call(writer: &mut Writer<'_>, step: &CallStep) {
    let target = writer.alias();
    writer.push("with w as materialized (select ");
    kept_columns(writer, step.relation, Some(target), &step.kept.columns);
    writer.push(" from ");
    writer.call(&step.call, None);
    writer.push(" ");
    writer.display(target);
    writer.push(" where not (");
    writer.row(target);
    writer.push(" is null))");
    keep(writer, &step.kept, Sorted::No, |_| {});
}

/// Keeps the rows in `w`, and their number, for the statements that follow.
fn keep(writer: &mut Writer<'_>, kept: &Kept, sorted: Sorted, more: impl FnOnce(&mut Writer<'_>)) {
    writer.numbered(" select set_config('tenantry.count_", kept.slot.0);
    writer.push("', count(*)::text, true), ");
    keep_columns(writer, kept, sorted);
    more(writer);
    writer.push(" from w");
}

/// `set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true), …`
fn keep_columns(writer: &mut Writer<'_>, kept: &Kept, sorted: Sorted) {
    let indexes: Vec<_> = (0..kept.columns.len()).collect();
    writer.list(&indexes, |writer, index| {
        setting(writer, "set_config('tenantry.kept_", kept.slot, *index);
        writer.numbered("', coalesce(array_agg(w.k", *index);
        match sorted {
            Sorted::No => {}
            Sorted::ByNumber => writer.push(" order by w.n"),
            Sorted::ByKey => {
                writer.push(" order by ");
                writer.list(&indexes, |writer, index| writer.numbered("w.k", *index));
            }
        }
        writer.push(")::text, '{}'), true)");
    });
}

fn setting(writer: &mut Writer<'_>, text: &'static str, slot: Slot, index: usize) {
    writer.numbered(text, slot.0);
    writer.numbered("_", index);
}

/// `unnest(current_setting('tenantry.kept_0_0')::"uuid"[]) with ordinality k(k0, n)`
fn kept_rows(writer: &mut Writer<'_>, relation: RelationId, slot: Slot) {
    let key = row_key(writer.model, relation);
    let key: Vec<_> = key.iter().enumerate().collect();
    writer.push("unnest(");
    writer.list(&key, |writer, (index, column)| {
        kept_array(writer, relation, slot, *index, **column);
    });
    writer.push(") with ordinality k(");
    for (index, _) in &key {
        writer.numbered("k", *index);
        writer.push(", ");
    }
    writer.push("n)");
}

/// ` cross join (select current_setting('tenantry.kept_1_0')::"uuid"[] as a0 offset 0) k1`: arrays of rows that
/// were kept, each taken apart once.
fn kept_sources(writer: &mut Writer<'_>, values: impl Iterator<Item = KeptValue>) {
    let mut sources: Vec<(Slot, Vec<KeptValue>)> = Vec::new();
    for value in values {
        match sources.iter_mut().find(|(slot, _)| *slot == value.slot) {
            Some((_, known)) if known.contains(&value) => {}
            Some((_, known)) => known.push(value),
            None => sources.push((value.slot, vec![value])),
        }
    }
    for (slot, values) in &sources {
        writer.push(" cross join (select ");
        writer.list(values, |writer, value| {
            let column = KeptColumn::Column(value.column);
            kept_array(writer, value.relation, *slot, value.index, column);
            writer.numbered(" as a", value.index);
        });
        writer.numbered(" offset 0) k", slot.0);
    }
}

/// `k1.a0`
fn kept_value(writer: &mut Writer<'_>, value: KeptValue) {
    writer.numbered("k", value.slot.0);
    writer.numbered(".a", value.index);
}

/// `current_setting('tenantry.kept_0_0')::"uuid"[]`
fn kept_array(
    writer: &mut Writer<'_>,
    relation: RelationId,
    slot: Slot,
    index: usize,
    column: KeptColumn,
) {
    setting(writer, "current_setting('tenantry.kept_", slot, index);
    writer.push("')::");
    match column {
        KeptColumn::Column(column) => {
            let ty = &writer.model.relation(relation).column(column).ty;
            match ty.cast.clone() {
                Some(ty) => writer.display(ty),
                None => writer.push("text"),
            }
        }
        KeptColumn::Table => writer.push("oid"),
        KeptColumn::Place => writer.push("tid"),
    }
    writer.push("[]");
}
