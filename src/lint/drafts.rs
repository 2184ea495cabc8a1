//! What findings say: what happens, in one sentence, and the safer way.

use super::rules::{Level, Rule};
use super::safer;
use super::snapshot::{Column, Constraint, Index, Mode, Relation};
use crate::migrate::Statement;
use crate::model::Comment;

/// A finding without its place.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) rule: Rule,
    pub(super) level: Level,
    /// The table that it is about, by its bare name.
    pub(super) table: Option<String>,
    pub(super) message: String,
    pub(super) safer: Option<String>,
    /// The new name of what was renamed: a table, and maybe a column of it.
    pub(super) renamed: Option<(String, Option<String>)>,
}

impl Draft {
    /// About no table.
    pub(super) fn plain(rule: Rule, message: String) -> Self {
        Self {
            rule,
            level: rule.level(),
            table: None,
            message,
            safer: None,
            renamed: None,
        }
    }

    /// With these statements ahead of the safer way.
    pub(super) fn after(mut self, statements: &[String]) -> Self {
        if let (Some(safer), false) = (&mut self.safer, statements.is_empty()) {
            *safer = format!("{}\n{safer}", statements.join("\n"));
        }
        self
    }

    fn new(rule: Rule, table: &Relation, message: String, safer: String) -> Self {
        Self {
            table: Some(table.name.clone()),
            safer: Some(safer),
            ..Self::plain(rule, message)
        }
    }
}

pub(super) fn required_column(table: &Relation, column: &Column) -> Draft {
    let message = format!(
        "{} is not null and has no default: this fails in every tenant that has rows in {}",
        column.sql, table.sql
    );
    let safer = safer::required(table, column);
    Draft::new(Rule::RequiredColumn, table, message, safer)
}

/// There are rows where it was tried, and so it has failed.
pub(super) fn as_it_did_here(mut draft: Draft) -> Draft {
    draft.message.push_str(", as it did here");
    draft
}

pub(super) fn sets_not_null(table: &Relation, column: &Column) -> Draft {
    let message = format!(
        "nobody can read or write {} while all of it is searched for nulls in {c}, and where there is one, this fails",
        table.sql,
        c = column.sql
    );
    let safer = safer::not_null(table, column);
    Draft::new(Rule::SetsNotNull, table, message, safer)
}

pub(super) fn builds_index(table: &Relation, index: &Index) -> Draft {
    let safer = safer::index(table, index);
    Draft::new(
        Rule::BuildsIndex,
        table,
        while_built(table, index, ""),
        safer,
    )
}

pub(super) fn builds_index_again(table: &Relation, index: &Index) -> Draft {
    let message = while_built(table, index, " again");
    Draft::new(Rule::BuildsIndex, table, message, safer::reindex(index))
}

fn while_built(table: &Relation, index: &Index, again: &str) -> String {
    format!(
        "nobody can write to {} while the index {} is built{again}",
        table.sql, index.sql
    )
}

pub(super) fn adds_unique(table: &Relation, index: &Index, constraint: &Constraint) -> Draft {
    let message = format!(
        "nobody can read or write {} while the index of the constraint {} is built",
        table.sql, constraint.sql
    );
    let safer = safer::unique(table, index, constraint);
    Draft::new(Rule::AddsUnique, table, message, safer)
}

pub(super) fn checks(table: &Relation, constraint: &Constraint) -> Draft {
    let message = format!(
        "nobody can read or write {} while all of it is checked against {}",
        table.sql, constraint.sql
    );
    let safer = safer::constraint(table, constraint);
    Draft::new(Rule::ValidatesAtOnce, table, message, safer)
}

pub(super) fn looks_up(
    table: &Relation,
    other: Option<&Relation>,
    constraint: &Constraint,
) -> Draft {
    let (t, other) = (&table.sql, other.map_or("the other table", |o| &o.sql));
    let message = format!(
        "nobody can write to {t} or {other} while each row of {t} is looked up in {other} for {}",
        constraint.sql
    );
    let safer = safer::constraint(table, constraint);
    Draft::new(Rule::ValidatesAtOnce, table, message, safer)
}

/// Whatever else has Postgres read all of a table that it has locked.
pub(super) fn reads_all(table: &Relation, mode: Mode) -> Draft {
    let message = format!(
        "nobody can {} {} while all of it is checked",
        mode.forbids(),
        table.sql
    );
    let safer = safer::partition(table);
    Draft::new(Rule::ValidatesAtOnce, table, message, safer)
}

/// `because` says why, and what to do instead; none where the statement speaks for itself.
pub(super) fn rewrites(table: &Relation, because: Option<(String, String)>) -> Draft {
    let (because, safer) = because.unwrap_or_else(|| (String::new(), safer::rewrite(table)));
    let message = format!(
        "nobody can read or write {} while all of it and its indexes are written anew{because}",
        table.sql
    );
    Draft::new(Rule::RewritesTable, table, message, safer)
}

pub(super) fn as_type_changes(
    table: &Relation,
    (old, new): (&Column, &Column),
    statement: &Statement,
) -> (String, String) {
    let because = format!(
        ", as {} changes from {} to {}",
        new.sql, old.r#type, new.r#type
    );
    (because, safer::change_type(table, new, statement))
}

pub(super) fn as_column_is_filled(table: &Relation, column: &Column) -> (String, String) {
    let because = match &column.default {
        Some(default) => format!(
            ", as {} has a default that is computed for each row ({default})",
            column.sql
        ),
        None => format!(", as {} is computed for each row", column.sql),
    };
    (because, safer::add_column(table, column))
}

/// `key` is an index by which its rows can be told apart.
pub(super) fn refreshes(view: &Relation, key: Option<&Index>) -> Draft {
    let message = format!("nobody can read {} while it is filled", view.sql);
    let safer = safer::refresh(view, key);
    Draft::new(Rule::RefreshesView, view, message, safer)
}

/// `locked` is the table that requests wait for, since which line, and how it is locked.
pub(super) fn works_under_lock(
    table: &Relation,
    (locked, mode, line): (&Relation, Mode, u32),
    statement: &Statement,
) -> Draft {
    let message = format!(
        "rows of {} are changed while nobody can {} {}, which line {line} has locked ({}) for the rest of the transaction",
        table.sql,
        mode.forbids(),
        locked.sql,
        mode.name(),
    );
    let safer = safer::apart(statement);
    Draft::new(Rule::WorksUnderLock, table, message, safer)
}

pub(super) fn drops_table(table: &Relation, statement: &Statement) -> Draft {
    let safer = safer::drop_table(table, statement);
    let draft = Draft::new(Rule::DropsTable, table, lost(&table.sql), safer);
    unless_hidden(draft, table.comment.as_deref(), &table.sql)
}

pub(super) fn drops_column(table: &Relation, column: &Column, statement: &Statement) -> Draft {
    let name = format!("{}.{}", table.sql, column.sql);
    let safer = safer::drop_column(table, column, statement);
    let draft = Draft::new(Rule::DropsColumn, table, lost(&name), safer);
    unless_hidden(draft, column.comment.as_deref(), &name)
}

fn lost(name: &str) -> String {
    format!(
        "what {name} holds is lost, tenant by tenant, and clients that ask for it get errors from then on"
    )
}

/// What the API has not shown is missed by nobody.
fn unless_hidden(mut draft: Draft, comment: Option<&str>, name: &str) -> Draft {
    if Comment::parse(comment).omit {
        draft.level = Level::Note;
        draft.message = format!("what {name} holds is lost, tenant by tenant");
        draft.safer = None;
    }
    draft
}

pub(super) fn empties(table: &Relation) -> Draft {
    let message = format!("all rows of {} are lost, tenant by tenant", table.sql);
    Draft::new(Rule::EmptiesTable, table, message, safer::empty(table))
}

pub(super) fn renames_table(old: &Relation, new: &Relation) -> Draft {
    let safer = safer::rename_table(old, new);
    let mut draft = Draft::new(Rule::RenamesTable, new, missed(&old.sql), safer);
    draft.renamed = Some((new.sql.clone(), None));
    draft
}

pub(super) fn renames_column(table: &Relation, old: &Column, new: &Column) -> Draft {
    let name = format!("{}.{}", table.sql, old.sql);
    let safer = safer::rename_column(table, old, new);
    let mut draft = Draft::new(Rule::RenamesColumn, table, missed(&name), safer);
    draft.renamed = Some((table.sql.clone(), Some(new.sql.clone())));
    draft
}

fn missed(name: &str) -> String {
    format!("clients that ask for {name} get errors as soon as their tenant has been migrated")
}
