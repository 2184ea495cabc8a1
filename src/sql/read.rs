//! The columns of a row: its own, those of rows joined to it, and lists below it.

use super::page;
use super::writer::{Alias, Writer};
use crate::model::{FunctionResult, RelationId};
use crate::plan::{
    CallValue, ColumnRead, FieldValue, RootRow, RowJoin, RowSource, Selection, ToOneRow, Wire,
};

/// Whether columns stand for themselves or inside `row(…)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Columns,
    Record,
}

/// A row as planned, with the alias it is read by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) relation: RelationId,
    pub(super) alias: Alias,
}

/// `select t0."id", … from "issues" t0 where t0."id" = $1::"uuid"`
pub(super) fn row(writer: &mut Writer<'_>, row: &RootRow, shape: Shape) {
    let target = Target {
        relation: row.relation,
        alias: writer.alias(),
    };
    let joins = Joins::of(writer, target, [&row.selection]);
    writer.push("select ");
    shaped(writer, shape, |writer| {
        let mut columns = Columns::new(shape, &joins);
        columns.selection(writer, target, &row.selection);
        columns.is_empty()
    });
    writer.push(" from ");
    match &row.source {
        RowSource::Key(key) => {
            writer.table(target.relation, target.alias);
            joins.write(writer);
            writer.push(" where ");
            writer.separated(key, " and ", |writer, (column, param)| {
                writer.operand(target.relation, target.alias, *column);
                writer.push(" = ");
                writer.param(*param);
            });
        }
        RowSource::Call(call) => {
            writer.call(call, None);
            writer.push(" ");
            writer.display(target.alias);
            joins.write(writer);
            // No row is a row of nulls.
            writer.push(" where ");
            is_there(writer, target.alias);
        }
    }
}

/// Whether a function has returned a row.
fn is_there(writer: &mut Writer<'_>, alias: Alias) {
    writer.push("not (");
    writer.row(alias);
    writer.push(" is null)");
}

/// What a function returns: a value, or the array of its values in their order.
///
/// ```sql
/// array(select t0.v from "film_in_stock"($1::"int4") with ordinality t0 (v, n) order by t0.n limit $2::"int8")
/// ```
pub(super) fn call(writer: &mut Writer<'_>, shape: Shape, row: Option<Alias>, read: &CallValue) {
    if matches!(
        writer.model.function(read.call.function).result,
        FunctionResult::Nothing
    ) {
        writer.push("(select true from ");
        writer.call(&read.call, row);
        writer.push(")");
        return;
    }
    let Some(page) = &read.page else {
        value(writer, shape, read.wire, |writer| {
            writer.call(&read.call, row);
        });
        return;
    };
    let alias = writer.alias();
    writer.push("array(select ");
    value(writer, Shape::Columns, read.wire, |writer| {
        writer.display(alias);
        writer.push(".v");
    });
    writer.push(" from ");
    writer.call(&read.call, row);
    writer.push(" with ordinality ");
    writer.display(alias);
    writer.push(" (v, n) order by ");
    writer.display(alias);
    writer.push(".n limit ");
    writer.limit(page.limit);
    if let Some(offset) = page.offset {
        writer.push(" offset ");
        writer.param(offset);
    }
    writer.push(")");
}

/// Writes `columns`, inside `row(…)` where the shape asks for it. `columns` says whether it wrote
/// none; then a column stands in that nobody reads, as the row itself still counts.
pub(super) fn shaped(
    writer: &mut Writer<'_>,
    shape: Shape,
    columns: impl FnOnce(&mut Writer<'_>) -> bool,
) {
    if shape == Shape::Record {
        writer.push("row(");
    }
    if columns(writer) {
        writer.push("true");
    }
    if shape == Shape::Record {
        writer.push(")");
    }
}

/// The rows joined to a row, in the order in which the selections want them.
pub(super) struct Joins<'p> {
    list: Vec<Join<'p>>,
}

struct Join<'p> {
    row: &'p ToOneRow,
    parent: Target,
    target: Target,
}

impl<'p> Joins<'p> {
    pub(super) fn of(
        writer: &mut Writer<'_>,
        target: Target,
        selections: impl IntoIterator<Item = &'p Selection>,
    ) -> Self {
        let mut joins = Self { list: Vec::new() };
        for selection in selections {
            joins.add(writer, target, selection);
        }
        joins
    }

    fn add(&mut self, writer: &mut Writer<'_>, parent: Target, selection: &'p Selection) {
        for field in &selection.fields {
            if let FieldValue::ToOne(row) = &field.value {
                let target = Target {
                    relation: row.target,
                    alias: writer.alias(),
                };
                self.list.push(Join {
                    row,
                    parent,
                    target,
                });
                self.add(writer, target, &row.selection);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// ` left join "users" t1 on t1."id" = t0."assignee_id"`
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        for Join {
            row,
            parent,
            target,
        } in &self.list
        {
            let on = match &row.join {
                RowJoin::On(on) => on,
                RowJoin::Call(call) => {
                    writer.push(" left join lateral ");
                    writer.call(call, Some(parent.alias));
                    writer.push(" ");
                    writer.display(target.alias);
                    writer.push(" on true");
                    continue;
                }
            };
            writer.push(" left join ");
            writer.table(target.relation, target.alias);
            writer.push(" on ");
            let on: Vec<_> = on.iter().map(|&(ours, theirs)| (theirs, ours)).collect();
            writer.join_condition(
                (target.relation, target.alias),
                (parent.relation, parent.alias),
                &on,
            );
        }
    }

    fn alias_of(&self, row: &ToOneRow) -> Option<Target> {
        self.list
            .iter()
            .find(|join| std::ptr::eq(join.row, row))
            .map(|join| join.target)
    }
}

/// Writes columns one after the other.
pub(super) struct Columns<'a, 'p> {
    shape: Shape,
    joins: &'a Joins<'p>,
    count: usize,
}

impl<'a, 'p> Columns<'a, 'p> {
    pub(super) fn new(shape: Shape, joins: &'a Joins<'p>) -> Self {
        Self {
            shape,
            joins,
            count: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// A separator, where one is due.
    pub(super) fn next(&mut self, writer: &mut Writer<'_>) {
        if self.count > 0 {
            writer.push(", ");
        }
        self.count += 1;
    }

    pub(super) fn selection(
        &mut self,
        writer: &mut Writer<'_>,
        target: Target,
        selection: &Selection,
    ) {
        for field in &selection.fields {
            match &field.value {
                FieldValue::Typename(_) | FieldValue::Forbidden => {}
                FieldValue::Column(read) => self.column(writer, target, read),
                FieldValue::NodeId(id) => {
                    for read in &id.key {
                        self.column(writer, target, read);
                    }
                }
                FieldValue::ToOne(row) => {
                    let Some(joined) = self.joins.alias_of(row) else {
                        continue;
                    };
                    // Whether the row is there: a column that the join needs is not null then.
                    self.next(writer);
                    match &row.join {
                        RowJoin::On(on) => {
                            if let Some((_, theirs)) = on.first() {
                                writer.column(joined.relation, joined.alias, *theirs);
                                writer.push(" is not null");
                            }
                        }
                        RowJoin::Call(_) => is_there(writer, joined.alias),
                    }
                    self.selection(writer, joined, &row.selection);
                }
                FieldValue::Call(read) => {
                    self.next(writer);
                    call(writer, self.shape, Some(target.alias), read);
                }
                FieldValue::Connection(connection) => {
                    self.next(writer);
                    page::connection(writer, connection, Some(target));
                }
            }
        }
    }

    fn column(&mut self, writer: &mut Writer<'_>, target: Target, read: &ColumnRead) {
        self.next(writer);
        value(writer, self.shape, read.wire, |writer| {
            writer.column(target.relation, target.alias, read.column);
        });
    }
}

/// A value in the form that it leaves Postgres in.
pub(super) fn value(
    writer: &mut Writer<'_>,
    shape: Shape,
    wire: Wire,
    expression: impl FnOnce(&mut Writer<'_>),
) {
    match wire {
        Wire::Binary => expression(writer),
        Wire::OwnType if shape == Shape::Record => expression(writer),
        Wire::OwnType | Wire::Text { array: false } => {
            expression(writer);
            writer.push("::text");
        }
        Wire::Text { array: true } => {
            expression(writer);
            writer.push("::text[]");
        }
        Wire::Json { array } => {
            expression(writer);
            writer.push(if array { "::jsonb[]" } else { "::jsonb" });
        }
        Wire::Output => {
            writer.push("(to_jsonb(");
            expression(writer);
            writer.push(") #>> '{}')");
        }
    }
}
