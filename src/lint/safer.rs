//! The safer way, as SQL with comments, in terms of the tables at hand.

use super::snapshot::{Column, Constraint, ConstraintKind, Index, Relation};
use crate::migrate::Statement;

/// What cannot be in the transaction of other files.
const FILE: &str = "in a file that begins with `-- tenantry: no transaction`";

/// For tables that tenants share: there are no such files for them.
pub(super) fn by_hand(safer: &str) -> String {
    let by_hand = "by hand, after `set search_path to shared`, as files for shared tables run in one transaction";
    safer.replace(FILE, by_hand)
}

/// What comes before such a file is committed first, so that nobody waits for what came before it.
const APART: &str = "-- then, in a file that begins with `-- tenantry: no transaction`:";

pub(super) fn required(table: &Relation, column: &Column) -> String {
    let (t, c, r#type) = (&table.sql, &column.sql, &column.r#type);
    format!(
        "alter table {t} add column {c} {type} not null default …;\n\
         -- or, where each row has a value of its own, first without it:\n\
         alter table {t} add column {c} {type};"
    )
}

pub(super) fn not_null(table: &Relation, column: &Column) -> String {
    let (t, c) = (&table.sql, &column.sql);
    let name = joined(&[t, c, "not_null"]);
    format!(
        "alter table {t} add constraint {name} check ({c} is not null) not valid;\n\
         {APART}\n\
         alter table {t} validate constraint {name};\n\
         -- and in a third file, where Postgres believes the constraint and searches for nothing:\n\
         alter table {t} alter column {c} set not null;\n\
         alter table {t} drop constraint {name};"
    )
}

pub(super) fn constraint(table: &Relation, constraint: &Constraint) -> String {
    let (t, k, definition) = (&table.sql, &constraint.sql, &constraint.definition);
    format!(
        "alter table {t} add constraint {k} {definition} not valid;\n\
         {APART}\n\
         alter table {t} validate constraint {k};"
    )
}

pub(super) fn index(index: &Index) -> String {
    format!(
        "-- in a file that begins with `-- tenantry: no transaction`:\n{};",
        concurrently(index)
    )
}

pub(super) fn unique(table: &Relation, index: &Index, constraint: &Constraint) -> String {
    let kind = match constraint.kind {
        ConstraintKind::PrimaryKey => "primary key",
        ConstraintKind::Unique => "unique",
        _ => return "-- Postgres has no other way to add such a constraint: do it when few are at work".to_owned(),
    };
    let (t, k, i) = (&table.sql, &constraint.sql, &index.sql);
    format!(
        "-- in a file that begins with `-- tenantry: no transaction`:\n{};\n\
         -- and in the next file:\n\
         alter table {t} add constraint {k} {kind} using index {i};",
        concurrently(index)
    )
}

fn concurrently(index: &Index) -> String {
    let (create, rest) = match index.definition.strip_prefix("CREATE UNIQUE INDEX ") {
        Some(rest) => ("create unique index", rest),
        None => (
            "create index",
            index.definition.trim_start_matches("CREATE INDEX "),
        ),
    };
    let rest = rest.replacen(" USING btree", "", 1);
    let rest = rest
        .replacen(" ON ", " on ", 1)
        .replacen(" USING ", " using ", 1);
    format!("{create} concurrently if not exists {rest}")
}

pub(super) fn refresh(view: &Relation) -> String {
    let v = &view.sql;
    format!("create unique index on {v} (…);  -- once\nrefresh materialized view concurrently {v};")
}

pub(super) fn change_type(table: &Relation, column: &Column) -> String {
    let (t, c, r#type) = (&table.sql, &column.sql, &column.r#type);
    let new = joined(&[c, "new"]);
    format!(
        "alter table {t} add column {new} {type};\n\
         {APART}\n\
         update {t} set {new} = {c} where {new} is null;\n\
         -- write to both until nobody reads the old one, then drop it in a later release"
    )
}

pub(super) fn add_column(table: &Relation, column: &Column) -> String {
    let (t, c, r#type) = (&table.sql, &column.sql, &column.r#type);
    match &column.default {
        Some(default) => format!(
            "alter table {t} add column {c} {type};\n\
             alter table {t} alter column {c} set default {default};\n\
             {APART}\n\
             update {t} set {c} = default where {c} is null;"
        ),
        None => format!(
            "-- a column that a trigger fills:\n\
             alter table {t} add column {c} {type};\n\
             {APART}\n\
             update {t} set {c} = … where {c} is null;"
        ),
    }
}

pub(super) fn rewrite(table: &Relation) -> String {
    format!(
        "-- {} as it is, and a new table or column beside it, filled\n\
         -- in a file that begins with `-- tenantry: no transaction`",
        table.sql
    )
}

pub(super) fn partition(table: &Relation) -> String {
    let t = &table.sql;
    format!(
        "alter table {t} add constraint … check (…) not valid;  -- what will be checked\n\
         {APART}\n\
         alter table {t} validate constraint …;\n\
         -- and in a third file, where Postgres believes the constraint, this statement"
    )
}

pub(super) fn drop_column(table: &Relation, column: &Column) -> String {
    let (t, c) = (&table.sql, &column.sql);
    format!(
        "comment on column {t}.{c} is '@omit';  -- takes it out of the API and keeps the data\n\
         -- and in a later release, when nobody has missed it:\n\
         -- tenantry: allow drops-column nobody has missed it\n\
         alter table {t} drop column {c};"
    )
}

pub(super) fn drop_table(table: &Relation) -> String {
    let t = &table.sql;
    format!(
        "comment on table {t} is '@omit';  -- takes it out of the API and keeps the data\n\
         -- and in a later release, when nobody has missed it:\n\
         -- tenantry: allow drops-table nobody has missed it\n\
         drop table {t};"
    )
}

pub(super) fn empty(table: &Relation) -> String {
    format!(
        "create table {} as table {};  -- what there was, for as long as it may be wanted back",
        joined(&[&table.sql, "before"]),
        table.sql
    )
}

pub(super) fn rename_column(table: &Relation, old: &Column, new: &Column) -> String {
    let (t, old, new) = (&table.sql, unquoted(&old.sql), &new.sql);
    format!(
        "comment on column {t}.{new} is '@name {old}';  -- in the same file: the API keeps its name"
    )
}

pub(super) fn rename_table(old: &Relation, new: &Relation) -> String {
    let (old, new) = (&old.name, &new.sql);
    format!("comment on table {new} is '@name {old}';  -- in the same file: the API keeps its name")
}

pub(super) fn apart(statement: &Statement) -> String {
    let text = statement.text();
    let first = text.lines().next().unwrap_or_default();
    let more = if text.lines().nth(1).is_some() {
        " …"
    } else {
        ";"
    };
    format!(
        "-- in a file that begins with `-- tenantry: no transaction`, which locks nothing for longer than a statement:\n{first}{more}"
    )
}

/// A name made of names.
fn joined(parts: &[&str]) -> String {
    let quoted = parts.iter().any(|part| part.starts_with('"'));
    let name: Vec<_> = parts.iter().map(|part| unquoted(part)).collect();
    let name = name.join("_");
    if quoted { format!("\"{name}\"") } else { name }
}

/// Without the quotes around it: what is doubled within stays so.
fn unquoted(name: &str) -> &str {
    let inner = name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'));
    inner.unwrap_or(name)
}
