//! What is there and otherwise, changed without being made anew.

use super::remedy::{Phase, Statement, make};
use super::texts::{Setting, alter_value, default, rights};
use super::{Catalog, Kind, Object};

/// The statements that make the one into the other, in the schemas that they are in.
pub(super) fn change(
    found: &Object,
    wanted: &Object,
    all: &Catalog,
    here: &Catalog,
) -> Vec<Statement> {
    let Object {
        kind,
        parent,
        name,
        definition,
        ..
    } = wanted;
    let run = |phase, sql| Statement::new(phase, wanted, sql);
    match kind {
        Kind::Function | Kind::Procedure => vec![run(Phase::Code, definition.clone())],
        Kind::Constraint => {
            let sql = format!("alter {parent} validate constraint {name}");
            vec![run(Phase::ForeignKeys, sql)]
        }
        Kind::Column => change_type(wanted, all, here),
        Kind::Default => change_default(found, wanted),
        Kind::Table => change_table(found, wanted),
        Kind::Sequence => vec![run(
            Phase::MakeStorage,
            format!("alter sequence {name} {definition}"),
        )],
        Kind::Type => add_values(found, wanted),
        Kind::Grant | Kind::ColumnGrant | Kind::DefaultGrant => rights(wanted, all),
        Kind::Comment | Kind::OwnedBy | Kind::TriggerState => make(wanted, all),
        _ => vec![Statement::by_hand(wanted)],
    }
}

/// Postgres says no to a value that does not fit, rather than cut it off.
fn change_type(wanted: &Object, all: &Catalog, here: &Catalog) -> Vec<Statement> {
    let Object {
        parent,
        name,
        definition,
        ..
    } = wanted;
    let run = |sql| Statement::new(Phase::Columns, wanted, sql);
    let of_column = |catalog: &Catalog| {
        let mut objects = catalog.objects.iter();
        let default = objects.find(|object| {
            object.kind == Kind::Default && (&object.parent, &object.name) == (parent, name)
        });
        default
            .filter(|default| default.definition.starts_with("default "))
            .cloned()
    };
    let mut statements = Vec::new();
    let old = of_column(here);
    if old.is_some() {
        statements.push(run(format!(
            "alter {parent} alter column {name} drop default"
        )));
    }
    // A cast that is asked for would shorten texts without a word.
    let is_text = ["text", "character", "bit"]
        .iter()
        .any(|word| definition.starts_with(word));
    let using = if is_text {
        String::new()
    } else {
        format!(
            " using {name}::{}",
            definition.split(" collate ").next().unwrap_or(definition)
        )
    };
    statements.push(run(format!(
        "alter {parent} alter column {name} type {definition}{using}"
    )));
    let new = of_column(all);
    // Where it is another one, that is a difference of its own.
    if let Some(new) = new.filter(|new| old.is_some_and(|old| old.definition == new.definition)) {
        let sql = default(&new, Setting::Set);
        statements.push(Statement::new(Phase::Values, wanted, sql));
    }
    statements
}

fn change_default(found: &Object, wanted: &Object) -> Vec<Statement> {
    let plain = |object: &Object| object.definition.starts_with("default ");
    let identity = |object: &Object| object.definition.ends_with(" as identity");
    let run = |sql| Statement::new(Phase::Values, wanted, sql);
    match (found, wanted) {
        _ if plain(found) && plain(wanted) => vec![run(default(wanted, Setting::Set))],
        _ if identity(found) && identity(wanted) => {
            let always = wanted
                .definition
                .strip_suffix(" as identity")
                .unwrap_or_default();
            vec![run(alter_value(wanted, &format!("set {always}")))]
        }
        _ if plain(found) && identity(wanted) || identity(found) && plain(wanted) => vec![
            run(default(found, Setting::Drop)),
            run(default(wanted, Setting::Set)),
        ],
        _ => vec![Statement::by_hand(wanted)],
    }
}

fn change_table(found: &Object, wanted: &Object) -> Vec<Statement> {
    let logged = |object: &Object| object.definition.replacen("create unlogged ", "create ", 1);
    if logged(found) != logged(wanted) {
        return vec![Statement::by_hand(wanted)];
    }
    let word = if wanted.definition == logged(wanted) {
        "logged"
    } else {
        "unlogged"
    };
    let sql = format!("alter table {} set {word}", wanted.name);
    vec![Statement::new(Phase::MakeStorage, wanted, sql)]
}

/// Values can be added to an enum anywhere, and never taken away.
fn add_values(found: &Object, wanted: &Object) -> Vec<Statement> {
    let (Some(old), Some(new)) = (labels(found), labels(wanted)) else {
        return vec![Statement::by_hand(wanted)];
    };
    let mut rest = old.iter().peekable();
    let mut statements = Vec::new();
    let mut before: Option<&String> = None;
    for label in &new {
        if rest.peek() == Some(&label) {
            rest.next();
        } else {
            let place = match (before, old.first()) {
                (Some(before), _) => format!(" after {before}"),
                (None, Some(first)) => format!(" before {first}"),
                (None, None) => String::new(),
            };
            let sql = format!("alter type {} add value {label}{place}", wanted.name);
            statements.push(Statement::new(Phase::MakeStorage, wanted, sql));
        }
        before = Some(label);
    }
    if rest.peek().is_some() {
        return vec![Statement::by_hand(wanted)];
    }
    statements
}

/// The quoted labels of an enum.
fn labels(object: &Object) -> Option<Vec<String>> {
    let (_, list) = object.definition.split_once(" as enum (")?;
    let mut labels = Vec::new();
    let mut label = String::new();
    let mut inside = false;
    for c in list.strip_suffix(')')?.chars() {
        if c == '\'' {
            inside = !inside;
        }
        if c == ',' && !inside {
            labels.push(label.trim().to_owned());
            label.clear();
        } else {
            label.push(c);
        }
    }
    if !label.trim().is_empty() {
        labels.push(label.trim().to_owned());
    }
    Some(labels)
}
