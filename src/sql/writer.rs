//! Where SQL text is put together: aliases and parameters are numbered in the order of their use,
//! so that equal plans print equally.

use std::fmt::{self, Write as _};

use super::{Constants, Ident, Layout, Statement};
use crate::model::{ColumnId, Model, Relation, RelationId, RelationKind};
use crate::plan::{Call, ParamId, ParamSource, Params, Predicate};

pub(super) struct Writer<'m> {
    pub(super) model: &'m Model,
    params: &'m Params,
    /// None where none is to become a constant.
    pub(super) limits: Option<&'m Constants>,
    text: String,
    used: Vec<ParamId>,
    /// The number of each parameter that is used.
    numbers: Vec<Option<usize>>,
    aliases: usize,
    /// Functions of the app may run: by name, in a view, or in a policy.
    runs_functions: bool,
    /// Tables that stand for a page cut from them, with the name that a whole row has there.
    pages: Vec<(Alias, Ident)>,
    /// Conditions on lists that have been judged in a join.
    judged: Vec<(*const Predicate, Alias)>,
}

/// The name of a table within the statement: `t0`, `t1`, …
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alias(usize);

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0)
    }
}

impl<'m> Writer<'m> {
    pub(super) fn new(model: &'m Model, params: &'m Params) -> Self {
        Self {
            model,
            params,
            limits: None,
            text: String::new(),
            used: Vec::new(),
            numbers: vec![None; params.len()],
            aliases: 0,
            runs_functions: false,
            pages: Vec::new(),
            judged: Vec::new(),
        }
    }

    pub(super) fn finish(self, layout: Layout) -> Statement {
        Statement {
            text: self.text,
            params: self.used,
            layout,
            runs_functions: self.runs_functions,
            runs_anything: self.model.runs_anything,
        }
    }

    pub(super) fn alias(&mut self) -> Alias {
        self.aliases += 1;
        Alias(self.aliases - 1)
    }

    pub(super) fn push(&mut self, text: &'static str) {
        self.text.push_str(text);
    }

    pub(super) fn display(&mut self, value: impl fmt::Display) {
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{value}");
    }

    /// `item, item, …`
    pub(super) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.separated(items, ", ", &mut write);
    }

    pub(super) fn separated<T>(
        &mut self,
        items: &[T],
        separator: &'static str,
        mut write: impl FnMut(&mut Self, &T),
    ) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.push(separator);
            }
            write(self, item);
        }
    }

    /// Static text with a number behind it.
    pub(super) fn numbered(&mut self, text: &'static str, number: usize) {
        self.push(text);
        self.display(number);
    }

    /// `"issues"`
    pub(super) fn name(&mut self, relation: RelationId) {
        let relation = self.model.relation(relation);
        if let Some(schema) = &relation.elsewhere {
            self.display(schema);
            self.push(".");
        }
        self.display(&relation.name);
    }

    /// `"title"`
    pub(super) fn column_name(&mut self, relation: RelationId, column: ColumnId) {
        let name = self.model.relation(relation).column(column).name.clone();
        self.display(name);
    }

    /// Whether a parameter is a text, or an array of texts, whatever stands for its values' type.
    pub(super) fn is_text(&self, id: ParamId) -> bool {
        self.params.get(id).cast.is_none()
    }

    /// `"issues" t0`
    pub(super) fn table(&mut self, relation: RelationId, alias: Alias) {
        let Relation {
            kind, row_security, ..
        } = self.model.relation(relation);
        self.runs_functions |= *kind != RelationKind::Table || *row_security;
        self.name(relation);
        self.push(" ");
        self.display(alias);
    }

    /// `t0."title"`, or `"issue_age_in_days"(t0.*)` where a function computes it.
    pub(super) fn column(&mut self, relation: RelationId, alias: Alias, column: ColumnId) {
        let model = self.model;
        let column = model.relation(relation).column(column);
        if let Some(function) = &column.computed {
            self.runs_functions = true;
            self.display(function);
            self.push("(");
            self.row(alias);
            self.push(")");
            return;
        }
        self.display(alias);
        self.push(".");
        self.display(&column.name);
    }

    /// `"search_issues"("query" => $1::"text")`; a function of a row has it before its arguments.
    pub(super) fn call(&mut self, call: &Call, row: Option<Alias>) {
        let model = self.model;
        let function = model.function(call.function);
        self.runs_functions = true;
        self.display(&function.name);
        self.push("(");
        if let Some(alias) = row {
            self.row(alias);
            self.push(if call.arguments.is_empty() { "" } else { ", " });
        }
        self.list(&call.arguments, |writer, argument| {
            writer.push(if argument.variadic { "variadic " } else { "" });
            if let Some(name) = &argument.name {
                writer.display(name);
                writer.push(" => ");
            }
            writer.param(argument.param);
        });
        self.push(")");
    }

    /// All columns that may be read: `t0.*`, or each by its name.
    pub(super) fn columns(&mut self, relation: RelationId, alias: Alias) {
        let model = self.model;
        let relation = model.relation(relation);
        if relation.is_wholly_readable() {
            self.display(alias);
            self.push(".*");
            return;
        }
        let columns = relation.columns.iter();
        let readable: Vec<_> = columns.filter(|column| column.grants.select).collect();
        self.list(&readable, |writer, column| {
            writer.display(alias);
            writer.push(".");
            writer.display(&column.name);
        });
    }

    /// A whole row: `t0.*`, which is one value between parentheses.
    pub(super) fn row(&mut self, alias: Alias) {
        self.display(alias);
        let page = self.pages.iter().find(|(page, _)| *page == alias);
        if let Some((_, name)) = page {
            let name = name.clone();
            self.push(".");
            self.display(name);
        } else {
            self.push(".*");
        }
    }

    /// From here on the table is a page cut from itself, whose column `row` holds the whole row.
    pub(super) fn enter_page(&mut self, alias: Alias, row: Ident) {
        self.pages.push((alias, row));
    }

    /// From here on the table is itself again.
    pub(super) fn leave_page(&mut self, alias: Alias) {
        self.pages.retain(|(page, _)| *page != alias);
    }

    /// From here on the outcome of a condition on lists is found in a join.
    pub(super) fn judge(&mut self, condition: &Predicate, alias: Alias) {
        self.judged.push((std::ptr::from_ref(condition), alias));
    }

    pub(super) fn judged(&self, condition: &Predicate) -> Option<Alias> {
        let known = self
            .judged
            .iter()
            .find(|(known, _)| std::ptr::eq(*known, condition));
        known.map(|(_, alias)| *alias)
    }

    /// The joins end with the query that they are in.
    pub(super) fn forget_judged(&mut self, count: usize) {
        let kept = self.judged.len().saturating_sub(count);
        self.judged.truncate(kept);
    }

    /// A column that a value is compared with: of a domain over an enum `t0."mood"::"mood"`.
    pub(super) fn operand(&mut self, relation: RelationId, alias: Alias, column: ColumnId) {
        self.column(relation, alias, column);
        let ty = &self.model.relation(relation).column(column).ty;
        if let (true, Some(base)) = (ty.enum_domain, &ty.cast) {
            self.push("::");
            self.display(base);
        }
    }

    /// `$1::"uuid"`: each parameter has one number, however often it is used.
    pub(super) fn param(&mut self, id: ParamId) {
        let used = &mut self.used;
        let number = *self.numbers[id.0].get_or_insert_with(|| {
            used.push(id);
            used.len()
        });
        let _ = write!(self.text, "${number}::");
        match &self.params.get(id).cast {
            Some(name) => self.display(name.clone()),
            None => self.push("text"),
        }
        if self.params.get(id).array {
            self.push("[]");
        }
    }

    /// `$1::"int8"`, or `51` where the limit is a constant.
    pub(super) fn limit(&mut self, id: ParamId) {
        if let ParamSource::Limit(limit, one_more) = self.params.get(id).source
            && let Some(constant) = self.limits.and_then(|limits| limits.get(limit))
        {
            self.display(constant + u32::from(one_more));
        } else {
            self.param(id);
        }
    }

    /// `t1."issue_id" = t0."id" and …`: pairs of (column of the left, column of the right).
    pub(super) fn join_condition(
        &mut self,
        left: (RelationId, Alias),
        right: (RelationId, Alias),
        on: &[(ColumnId, ColumnId)],
    ) {
        self.separated(on, " and ", |writer, (left_column, right_column)| {
            writer.column(left.0, left.1, *left_column);
            writer.push(" = ");
            writer.column(right.0, right.1, *right_column);
        });
    }
}
