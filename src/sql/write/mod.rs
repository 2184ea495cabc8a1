//! Writes: statements that change rows and keep their keys, and one that reads the answer by them.

mod rows;

use super::predicate::predicate;
use super::writer::{Alias, Writer};
use super::{Layout, Statement};
use crate::model::{Model, RelationId};
use crate::plan::{
    Assignment, Find, Insert, InsertColumn, Params, RowKey, Slot, Update, Write, WriteStep,
};

/// Prints a field of a mutation: a statement for each step, and the one whose only row is the
/// answer.
pub fn print_write(model: &Model, params: &Params, write: &Write) -> Vec<WriteStatement> {
    let steps = write.steps.iter().map(|step| {
        let mut writer = Writer::new(model, params);
        let relation = match step {
            WriteStep::Insert(step) => {
                insert(&mut writer, step);
                step.relation
            }
            WriteStep::Update(step) => {
                update(&mut writer, step);
                step.relation
            }
        };
        WriteStatement {
            relation,
            deletes: false,
            statement: writer.finish(Layout::Columns),
        }
    });
    let mut statements: Vec<_> = steps.collect();
    let mut writer = Writer::new(model, params);
    rows::answer(&mut writer, write);
    statements.push(WriteStatement {
        relation: write.relation,
        deletes: write.delete.is_some(),
        statement: writer.finish(Layout::Columns),
    });
    statements
}

/// A statement, and what an error of it is about.
#[derive(Debug)]
pub struct WriteStatement {
    pub relation: RelationId,
    pub deletes: bool,
    pub statement: Statement,
}

/// ```sql
/// with w as (
///   insert into "issues" ("title", "status")
///   select s.c0, case when s.g1 then s.c1 else ('open'::issue_status)::"issue_status" end
///   from unnest($1::"text"[], $2::"issue_status"[], $3::"bool"[]) with ordinality s(c0, c1, g1, n)
///   order by s.n
///   returning "id" as k0
/// )
/// select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', …) from w
/// ```
///
/// One statement for any number of rows, which go in one by one in the order of the input. A column
/// that no row gives is not named, one that some rows give has its default spelled out.
fn insert(writer: &mut Writer<'_>, insert: &Insert) {
    let relation = insert.relation;
    writer.push("with w as (insert into ");
    writer.name(relation);
    if !insert.columns.is_empty() {
        writer.push(" (");
        writer.list(&insert.columns, |writer, column| {
            let name = writer
                .model
                .relation(relation)
                .column(column.column)
                .name
                .clone();
            writer.display(name);
        });
        writer.push(")");
    }
    writer.push(" select ");
    let columns: Vec<_> = insert.columns.iter().enumerate().collect();
    writer.list(&columns, |writer, (index, column)| {
        cell(writer, relation, *index, column);
    });
    if insert.columns.is_empty() {
        writer.push("from generate_series(1, ");
        writer.param(insert.count);
        writer.push(")");
    } else {
        writer.push(" from unnest(");
        writer.list(&columns, |writer, (_, column)| {
            writer.param(column.values);
            if let Some(given) = column.given {
                writer.push(", ");
                writer.param(given);
            }
        });
        writer.push(") with ordinality s(");
        for (index, column) in &columns {
            writer.numbered("c", *index);
            writer.push(", ");
            if column.given.is_some() {
                writer.numbered("g", *index);
                writer.push(", ");
            }
        }
        writer.push("n) order by s.n");
    }
    writer.push(" returning ");
    let key = RowKey::of(writer.model, relation);
    key_columns(writer, relation, None, &key);
    writer.push(")");
    keep(writer, &key, insert.slot, false);
}

/// The value of a column in the row at hand.
fn cell(writer: &mut Writer<'_>, relation: RelationId, index: usize, column: &InsertColumn) {
    let def = writer.model.relation(relation).column(column.column);
    let (default, cast) = (def.default.clone(), def.ty.cast.clone());
    let value = |writer: &mut Writer<'_>| {
        writer.numbered("s.c", index);
        if let (Some(ty), true) = (&cast, writer.is_text(column.values)) {
            writer.push("::");
            writer.display(ty.clone());
        }
    };
    if column.given.is_none() {
        value(writer);
        return;
    }
    writer.numbered("case when s.g", index);
    writer.push(" then ");
    value(writer);
    if let (Some(default), Some(ty)) = (default, &cast) {
        writer.push(" else (");
        writer.display(default);
        writer.push(")::");
        writer.display(ty.clone());
    }
    writer.push(" end");
}

/// ```sql
/// with w as (update "issues" t0 set "title" = $1::"text" where t0."id" = $2::"uuid" returning t0."id" as k0)
/// select …
/// ```
///
/// Rows that a filter finds are locked first, in the order of their keys, so that two of these
/// cannot lock each other out.
fn update(writer: &mut Writer<'_>, update: &Update) {
    let relation = update.relation;
    let key = RowKey::of(writer.model, relation);
    let target = writer.alias();
    let locks = update.set.is_empty() || matches!(update.find, Find::Filter(_));
    writer.push("with ");
    if locks {
        writer.push(if update.set.is_empty() { "w" } else { "l" });
        writer.push(" as materialized (select ");
        key_columns(writer, relation, Some(target), &key);
        writer.push(" from ");
        writer.table(relation, target);
        writer.push(" where ");
        condition(writer, relation, target, &update.find);
        if let RowKey::Columns(columns) = &key {
            writer.push(" order by ");
            writer.list(columns, |writer, column| {
                writer.column(relation, target, *column);
            });
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
            let name = writer.model.relation(relation).column(*column).name.clone();
            writer.display(name);
            writer.push(" = ");
            match assignment {
                Assignment::Value(value) => writer.param(*value),
            }
        });
        if locks {
            writer.push(" from l where ");
            same_row(writer, relation, target, "l", &key);
        } else {
            writer.push(" where ");
            condition(writer, relation, target, &update.find);
        }
        writer.push(" returning ");
        key_columns(writer, relation, Some(target), &key);
        writer.push(")");
    }
    keep(writer, &key, update.slot, true);
}

/// Which rows; those that were kept stand in the `from` of the statement as `k`.
fn condition(writer: &mut Writer<'_>, relation: RelationId, target: Alias, find: &Find) {
    match find {
        Find::Key(key) => writer.separated(key, " and ", |writer, (column, param)| {
            writer.operand(relation, target, *column);
            writer.push(" = ");
            writer.param(*param);
        }),
        Find::Filter(filter) => predicate(writer, relation, target, filter),
        Find::Kept(_) => {
            let key = RowKey::of(writer.model, relation);
            same_row(writer, relation, target, "k", &key);
        }
    }
}

/// `t0."id" as k0, …`: what finds the rows again.
fn key_columns(writer: &mut Writer<'_>, relation: RelationId, target: Option<Alias>, key: &RowKey) {
    let prefix = |writer: &mut Writer<'_>| {
        if let Some(target) = target {
            writer.display(target);
            writer.push(".");
        }
    };
    match key {
        RowKey::Columns(columns) => {
            let columns: Vec<_> = columns.iter().enumerate().collect();
            writer.list(&columns, |writer, (index, column)| {
                prefix(writer);
                let name = writer
                    .model
                    .relation(relation)
                    .column(**column)
                    .name
                    .clone();
                writer.display(name);
                writer.numbered(" as k", *index);
            });
        }
        RowKey::Place => {
            prefix(writer);
            writer.push("tableoid as k0, ");
            prefix(writer);
            writer.push("ctid as k1");
        }
    }
}

/// `t0."id" = k.k0 and …`
fn same_row(
    writer: &mut Writer<'_>,
    relation: RelationId,
    target: Alias,
    keys: &'static str,
    key: &RowKey,
) {
    match key {
        RowKey::Columns(columns) => {
            let columns: Vec<_> = columns.iter().enumerate().collect();
            writer.separated(&columns, " and ", |writer, (index, column)| {
                writer.column(relation, target, **column);
                writer.push(" = ");
                writer.push(keys);
                writer.numbered(".k", *index);
            });
        }
        RowKey::Place => {
            for (index, column) in ["tableoid", "ctid"].into_iter().enumerate() {
                writer.push(if index == 0 { "" } else { " and " });
                writer.display(target);
                writer.push(".");
                writer.push(column);
                writer.push(" = ");
                writer.push(keys);
                writer.numbered(".k", index);
            }
        }
    }
}

/// How many columns a key has.
fn width(key: &RowKey) -> usize {
    match key {
        RowKey::Columns(columns) => columns.len(),
        RowKey::Place => 2,
    }
}

/// Keeps the keys of the rows in `w`, and their number, for the statements that follow. Rows of an
/// insert come in their order; others are sorted by their key.
fn keep(writer: &mut Writer<'_>, key: &RowKey, slot: Slot, sorted: bool) {
    writer.numbered(" select set_config('tenantry.count_", slot.0);
    writer.push("', count(*)::text, true)");
    for index in 0..width(key) {
        writer.numbered(", set_config('tenantry.kept_", slot.0);
        writer.numbered("_", index);
        writer.numbered("', coalesce(array_agg(w.k", index);
        if sorted {
            writer.push(" order by ");
            for index in 0..width(key) {
                writer.numbered(if index == 0 { "w.k" } else { ", w.k" }, index);
            }
        }
        writer.push(")::text, '{}'), true)");
    }
    writer.push(" from w");
}

/// `unnest(current_setting('tenantry.kept_0_0')::"uuid"[]) with ordinality k(k0, n)`
fn kept(writer: &mut Writer<'_>, relation: RelationId, key: &RowKey, slot: Slot) {
    writer.push("unnest(");
    for index in 0..width(key) {
        writer.push(if index == 0 { "" } else { ", " });
        writer.numbered("current_setting('tenantry.kept_", slot.0);
        writer.numbered("_", index);
        writer.push("')::");
        match key {
            RowKey::Columns(columns) => {
                let ty = &writer.model.relation(relation).column(columns[index]).ty;
                match ty.cast.clone() {
                    Some(ty) => writer.display(ty),
                    None => writer.push("text"),
                }
            }
            RowKey::Place => writer.push(if index == 0 { "oid" } else { "tid" }),
        }
        writer.push("[]");
    }
    writer.push(") with ordinality k(");
    for index in 0..width(key) {
        writer.numbered("k", index);
        writer.push(", ");
    }
    writer.push("n)");
}
