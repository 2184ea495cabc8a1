//! The safer way, as SQL with comments, in terms of the tables at hand. What only the author can know stands in comments, so that the rest runs.

use super::snapshot::{Column, Constraint, ConstraintKind, Index, Relation};
use super::words::{create_index, field_name, joined, sequence_of, tag, type_name};
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
        "-- where one value is right for all rows that there are:\n\
         -- alter table {t} add column {c} {type} not null default …;\n\
         -- where each row has a value of its own, first without it:\n\
         alter table {t} add column {c} {type};"
    )
}

/// The column alone.
pub(super) fn bare_column(table: &Relation, column: &Column) -> String {
    let (t, c, r#type) = (&table.sql, &column.sql, &column.r#type);
    match &column.default {
        Some(default) => {
            let sequence = sequence(default);
            let required = if column.required { " not null" } else { "" };
            format!("{sequence}alter table {t} add column {c} {type}{required} default {default};")
        }
        None => format!("alter table {t} add column {c} {type};"),
    }
}

/// Makes the sequence that a default takes numbers from.
fn sequence(default: &str) -> String {
    let sequence = sequence_of(default);
    sequence.map_or_else(String::new, |sequence| {
        format!("create sequence if not exists {sequence};\n")
    })
}

pub(super) fn not_null(table: &Relation, column: &Column) -> String {
    let (t, c) = (&table.sql, &column.sql);
    let name = joined(&[t, c], "not_null");
    format!(
        "alter table {t} add constraint {name} check ({c} is not null) not valid;\n\
         {APART}\n\
         alter table {t} validate constraint {name};\n\
         -- and in a third file, where Postgres believes the constraint and searches for nothing:\n\
         alter table {t} alter column {c} set not null;\n\
         alter table {t} drop constraint {name};"
    )
}

/// What Postgres can do in one way only.
const NO_OTHER_WAY: &str =
    "-- Postgres has no other way to add such a constraint: do it when few are at work";

pub(super) fn constraint(table: &Relation, constraint: &Constraint) -> String {
    if table.is_partitioned() && constraint.kind == ConstraintKind::ForeignKey {
        return NO_OTHER_WAY.to_owned();
    }
    let (t, k, definition) = (&table.sql, &constraint.sql, &constraint.definition);
    format!(
        "alter table {t} add constraint {k} {definition} not valid;\n\
         {APART}\n\
         alter table {t} validate constraint {k};"
    )
}

pub(super) fn index(table: &Relation, index: &Index) -> String {
    if table.is_partitioned() {
        let (i, create) = (&index.sql, create_index(table, index, ""));
        return format!(
            "{create};  -- of no partition yet, so that nobody waits\n\
             {APART}\n\
             -- create index concurrently … on each partition, and `alter index {i} attach partition …` for each"
        );
    }
    let create = create_index(table, index, " concurrently");
    format!("-- {FILE}:\n{create};")
}

/// An index that is there, and is built again.
pub(super) fn reindex(index: &Index) -> String {
    format!("-- {FILE}:\nreindex index concurrently {};", index.sql)
}

pub(super) fn unique(table: &Relation, index: &Index, constraint: &Constraint) -> String {
    let kind = match constraint.kind {
        ConstraintKind::PrimaryKey if !table.is_partitioned() => "primary key",
        ConstraintKind::Unique if !table.is_partitioned() => "unique",
        _ => return NO_OTHER_WAY.to_owned(),
    };
    // What stands behind the columns: `DEFERRABLE INITIALLY DEFERRED`.
    let definition = constraint.definition.rsplit_once(')');
    let deferrable = definition.map_or("", |(_, behind)| behind);
    let (t, k, i) = (&table.sql, &constraint.sql, &index.sql);
    let create = create_index(table, index, " concurrently");
    format!(
        "-- {FILE}:\n{create};\n\
         -- and in the next file:\n\
         alter table {t} add constraint {k} {kind} using index {i}{deferrable};"
    )
}

/// `key` says whether there is an index by which its rows can be told apart.
pub(super) fn refresh(view: &Relation, key: Option<&Index>) -> String {
    let v = &view.sql;
    let refresh = format!("refresh materialized view concurrently {v};");
    if key.is_some() {
        return refresh;
    }
    format!(
        "-- once, by columns that tell its rows apart: create unique index on {v} (…);\n\
         -- and from then on:\n-- {refresh}"
    )
}

pub(super) fn change_type(table: &Relation, column: &Column, statement: &Statement) -> String {
    let (t, c, r#type) = (&table.sql, &column.sql, &column.r#type);
    let new = joined(&[c], "new");
    let fill = if statement.says("USING") {
        format!("-- update {t} set {new} = …, as `using` has it, where {new} is null;")
    } else {
        format!("update {t} set {new} = {c} where {new} is null;")
    };
    format!(
        "alter table {t} add column {new} {type};\n\
         comment on column {t}.{new} is '@omit';  -- until it is read, and then with the comment of the old one\n\
         {APART}\n\
         {fill}\n\
         -- write to both until nobody reads the old one, then drop it in a later release"
    )
}

pub(super) fn add_column(table: &Relation, column: &Column) -> String {
    let (t, c, r#type) = (&table.sql, &column.sql, &column.r#type);
    let add = format!("alter table {t} add column {c} {type};");
    let Some(default) = &column.default else {
        return format!(
            "-- a column that a trigger fills:\n\
             {add}\n\
             {APART}\n\
             -- update {t} set {c} = … where {c} is null;"
        );
    };
    let sequence = sequence(default);
    format!(
        "{sequence}{add}\n\
         alter table {t} alter column {c} set default {default};\n\
         {APART}\n\
         update {t} set {c} = default where {c} is null;"
    )
}

pub(super) fn rewrite(table: &Relation) -> String {
    format!(
        "-- {} as it is, and a new table or column beside it, filled\n-- {FILE}",
        table.sql
    )
}

pub(super) fn partition(table: &Relation) -> String {
    let t = &table.sql;
    format!(
        "-- alter table {t} add constraint … check (…) not valid, of what will be checked\n\
         {APART}\n\
         -- alter table {t} validate constraint …\n\
         -- and in a third file, where Postgres believes the constraint, this statement"
    )
}

/// What is done first in place of a drop.
fn hide(object: &str, comment: Option<&str>, rule: &str) -> String {
    let omit = tag(object, "@omit", comment);
    format!(
        "{omit}  -- takes it out of the API and keeps the data\n\
         -- and in a later release, when nobody has missed it:\n\
         -- tenantry: allow {rule} nobody has missed it"
    )
}

pub(super) fn drop_column(table: &Relation, column: &Column, statement: &Statement) -> String {
    let (t, c) = (&table.sql, &column.sql);
    let comment = column.comment.as_deref();
    let hide = hide(&format!("column {t}.{c}"), comment, "drops-column");
    let cascade = if statement.says("CASCADE") {
        " cascade"
    } else {
        ""
    };
    format!("{hide}\nalter table {t} drop column {c}{cascade};")
}

pub(super) fn drop_table(table: &Relation, statement: &Statement) -> String {
    let t = &table.sql;
    let hide = hide(
        &format!("table {t}"),
        table.comment.as_deref(),
        "drops-table",
    );
    // Tables that go together may not go one by one.
    let own = statement.verb() == "DROP";
    let drop = if own {
        statement.text().to_owned()
    } else {
        format!("drop table {t}")
    };
    format!("{hide}\n{drop};")
}

pub(super) fn empty(table: &Relation) -> String {
    let before = joined(&[&table.sql], "before");
    format!(
        "create table {before} as table {};  -- what there was, for as long as it may be wanted back\n\
         comment on table {before} is '@omit';",
        table.sql
    )
}

/// Behind a renaming.
const KEEPS_ITS_NAME: &str = "  -- in the same file: the API keeps its name";

pub(super) fn rename_column(table: &Relation, old: &Column, new: &Column) -> String {
    let object = format!("column {}.{}", table.sql, new.sql);
    let name = format!("@name {}", field_name(&old.sql));
    tag(&object, &name, new.comment.as_deref()) + KEEPS_ITS_NAME
}

pub(super) fn rename_table(old: &Relation, new: &Relation) -> String {
    let object = format!("table {}", new.sql);
    let name = format!("@name {}", type_name(&old.name));
    tag(&object, &name, new.comment.as_deref()) + KEEPS_ITS_NAME
}

/// The statement itself, elsewhere.
pub(super) fn apart(statement: &Statement) -> String {
    const MANY: usize = 20;
    let text = statement.text();
    let shown = if text.lines().count() > MANY {
        let first = text.lines().next().unwrap_or_default();
        format!("-- {first} …")
    } else {
        format!("{text};")
    };
    format!("-- {FILE}, which locks nothing for longer than a statement:\n{shown}")
}
