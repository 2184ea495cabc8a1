//! Statements that are put together of several objects.

use super::remedy::{Phase, Statement};
use super::{Catalog, Kind, Object, ROLE, SCHEMA};

/// What is done to a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    Set,
    Drop,
}

/// `create table issues (id uuid not null, …)`: the columns take the place of the dots.
pub(super) fn create_table(table: &Object, wanted: &Catalog) -> String {
    let parent = format!("table {}", table.name);
    let mut columns: Vec<_> = wanted
        .objects
        .iter()
        .filter(|object| object.kind == Kind::Column && object.parent == parent)
        .collect();
    columns.sort_by_key(|column| column.position);
    let columns: Vec<_> = columns
        .into_iter()
        .map(|object| column(object, wanted))
        .collect();
    let columns = format!("({})", columns.join(", "));
    table.definition.replacen("(…)", &columns, 1)
}

/// A column as `create table` and `add column` have it.
pub(super) fn column(column: &Object, wanted: &Catalog) -> String {
    let mut text = format!("{} {}", column.name, column.definition);
    let parts = wanted
        .objects
        .iter()
        .filter(|object| (&object.parent, &object.name) == (&column.parent, &column.name));
    for part in parts {
        match part.kind {
            Kind::Default => {
                text.push(' ');
                text.push_str(&part.definition);
            }
            Kind::NotNull => text.push_str(" not null"),
            _ => {}
        }
    }
    text
}

/// Sets or drops a default, an identity, or the expression of a generated column.
pub(super) fn default(object: &Object, setting: Setting) -> String {
    let definition = &object.definition;
    let identity = definition.ends_with(" as identity");
    let action = match setting {
        Setting::Set if identity => format!("add {definition}"),
        Setting::Set => format!("set {definition}"),
        Setting::Drop if identity => "drop identity".to_owned(),
        Setting::Drop if definition.starts_with("generated ") => "drop expression".to_owned(),
        Setting::Drop => "drop default".to_owned(),
    };
    alter_value(object, &action)
}

/// Changes what a column, or a domain, says of its values.
pub(super) fn alter_value(object: &Object, action: &str) -> String {
    let Object { parent, name, .. } = object;
    if parent.starts_with("domain ") {
        format!("alter {parent} {action}")
    } else {
        format!("alter {parent} alter column {name} {action}")
    }
}

pub(super) fn grant(object: &Object) -> String {
    let Object {
        kind,
        parent,
        name,
        definition,
        ..
    } = object;
    match kind {
        Kind::DefaultGrant => format!(
            "alter default privileges in schema {SCHEMA} grant {definition} on {parent} to {name}"
        ),
        _ => format!("grant {definition} on {parent} to {name}"),
    }
}

/// What somebody may do with something, from the beginning: `revoke all` takes columns with it.
pub(super) fn rights(object: &Object, wanted: &Catalog) -> Vec<Statement> {
    let run = |sql| Statement::new(Phase::Rights, object, sql);
    let mut statements = vec![run(revoke(object.kind, &object.parent, grantee(object)))];
    let kept = wanted
        .objects
        .iter()
        .filter(|other| other.kind.is_right())
        .filter(|other| {
            (other.kind == Kind::DefaultGrant) == (object.kind == Kind::DefaultGrant)
                && (&other.parent, grantee(other)) == (&object.parent, grantee(object))
        });
    statements.extend(kept.map(|other| run(grant(other))));
    statements
}

/// Default privileges give the tenant what it may not have of something new.
pub(super) fn too_much(object: &Object, wanted: &Catalog) -> Option<Statement> {
    let (parent, grantee, _) = given(object, wanted)?;
    let has_some = wanted
        .objects
        .iter()
        .any(|other| is_given(other, object, wanted));
    let revoke = revoke(Kind::Grant, &parent, &grantee);
    // Before what is granted.
    (!has_some).then(|| Statement::new(Phase::DefaultRights, object, revoke))
}

/// Whether a right comes by itself when this is made.
pub(super) fn is_given(right: &Object, made: &Object, wanted: &Catalog) -> bool {
    right.kind == Kind::Grant
        && given(made, wanted).is_some_and(|(parent, grantee, privileges)| {
            right.parent == parent && right.name == grantee && right.definition == privileges
        })
}

/// Who may do what with something that has just been made.
fn given(made: &Object, wanted: &Catalog) -> Option<(String, String, String)> {
    let (word, new) = match made.kind {
        Kind::Function | Kind::Procedure | Kind::Aggregate => {
            let word = if made.kind == Kind::Procedure {
                "procedure"
            } else {
                "function"
            };
            let parent = format!("{word} {}", made.name);
            return Some((parent, "public".to_owned(), "execute".to_owned()));
        }
        Kind::Type | Kind::Domain => {
            let parent = format!("{} {}", made.kind, made.name);
            return Some((parent, "public".to_owned(), "usage".to_owned()));
        }
        Kind::Table | Kind::View | Kind::MaterializedView => ("table", "tables"),
        Kind::Sequence => ("sequence", "sequences"),
        _ => return None,
    };
    let default = wanted.objects.iter().find(|object| {
        object.kind == Kind::DefaultGrant && object.parent == new && object.name == ROLE
    })?;
    let parent = format!("{word} {}", made.name);
    Some((parent, ROLE.to_owned(), default.definition.clone()))
}

fn grantee(object: &Object) -> &str {
    let name = &object.name;
    name.strip_suffix(" with grant option").unwrap_or(name)
}

fn revoke(kind: Kind, parent: &str, grantee: &str) -> String {
    match kind {
        Kind::DefaultGrant => format!(
            "alter default privileges in schema {SCHEMA} revoke all on {parent} from {grantee}"
        ),
        _ => format!("revoke all on {parent} from {grantee}"),
    }
}
