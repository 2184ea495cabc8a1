//! The statements that make a schema what the migrations make.

use super::change::change;
use super::compare::Pair;
use super::texts::{Setting, alter_value, column, create_table, default, grant, rights, too_much};
use super::{Catalog, Kind, Object};

/// When a statement is run: what is in the way goes first, and what others need is made before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    DropParts,
    DropForeignKeys,
    DropCode,
    DropKeys,
    DropStorage,
    MakeStorage,
    Columns,
    Code,
    Values,
    Keys,
    Indexes,
    ForeignKeys,
    Parts,
    DefaultRights,
    Rights,
    ByHand,
}

/// What a statement does to rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Remedy {
    Sql(String),
    /// Rows or values would be lost, so that a person decides.
    LosesData(String),
    /// There is no statement that does it.
    ByHand,
}

#[derive(Debug, Clone)]
pub(super) struct Statement {
    phase: Phase,
    position: i64,
    /// What differs; none where another statement has told it.
    pub(super) note: Option<String>,
    pub(super) remedy: Remedy,
}

impl Statement {
    /// Within a phase things are made in the order of their making, and dropped the other way round.
    pub(super) fn order(&self) -> (Phase, i64) {
        let down = self.phase <= Phase::DropStorage;
        let position = if down { -self.position } else { self.position };
        (self.phase, position)
    }

    pub(super) fn new(phase: Phase, object: &Object, sql: String) -> Self {
        Self {
            phase,
            position: object.position,
            note: None,
            remedy: Remedy::Sql(sql),
        }
    }

    fn loses_data(object: &Object, sql: String) -> Self {
        Self {
            remedy: Remedy::LosesData(sql),
            ..Self::new(Phase::DropStorage, object, String::new())
        }
    }

    pub(super) fn by_hand(object: &Object) -> Self {
        Self {
            remedy: Remedy::ByHand,
            ..Self::new(Phase::ByHand, object, String::new())
        }
    }
}

/// Whether no statement changes the one into the other.
pub(super) fn has_to_be_dropped(found: &Object, wanted: &Object) -> bool {
    match found.kind {
        Kind::Function | Kind::Procedure => head(found) != head(wanted),
        Kind::Constraint => !is_unchecked(found, wanted),
        kind => {
            kind.is_code()
                || matches!(
                    kind,
                    Kind::Index | Kind::Rule | Kind::Trigger | Kind::Policy
                )
        }
    }
}

/// A function's arguments and result, which replacing it does not change.
fn head(function: &Object) -> &str {
    let definition = &function.definition;
    definition
        .find("\n LANGUAGE ")
        .map_or(definition, |end| &definition[..end])
}

/// Whether all that is wrong with a constraint is that rows of before have not been looked at.
fn is_unchecked(found: &Object, wanted: &Object) -> bool {
    found.definition.strip_suffix(" NOT VALID") == Some(&wanted.definition)
}

/// Drops what is made again later.
pub(super) fn drop(object: &Object, note: String) -> Statement {
    Statement {
        note: Some(note),
        ..remove(object)
    }
}

/// What brings one difference to its end.
pub(super) fn mend(
    pair: &Pair<'_>,
    note: Option<String>,
    wanted: &Catalog,
    found: &Catalog,
) -> Vec<Statement> {
    let mut statements = match pair {
        Pair::Missing(object) => {
            let mut statements = make(object, wanted);
            statements.extend(too_much(object, wanted));
            statements
        }
        Pair::Extra(object) if object.kind.is_right() => rights(object, wanted),
        Pair::Extra(object) => vec![remove(object)],
        Pair::Changed {
            found: here,
            wanted: there,
        } => change(here, there, wanted, found),
    };
    if let Some(first) = statements.first_mut() {
        first.note = note;
    }
    statements
}

fn remove(object: &Object) -> Statement {
    let Object {
        kind, parent, name, ..
    } = object;
    let table = object.bare_parent();
    let run = |phase, sql| Statement::new(phase, object, sql);
    match kind {
        Kind::Trigger | Kind::Policy | Kind::Rule => {
            run(Phase::DropParts, format!("drop {kind} {name} on {table}"))
        }
        Kind::Constraint => {
            let phase = if object.definition.starts_with("FOREIGN KEY") {
                Phase::DropForeignKeys
            } else {
                Phase::DropKeys
            };
            run(phase, format!("alter {parent} drop constraint {name}"))
        }
        Kind::Index => run(Phase::DropKeys, format!("drop index {name}")),
        kind if kind.is_code() => run(Phase::DropCode, format!("drop {kind} {name}")),
        Kind::Table => {
            let foreign = object.definition.contains("create foreign table");
            let word = if foreign { "foreign table" } else { "table" };
            Statement::loses_data(object, format!("drop {word} {name}"))
        }
        Kind::Column => Statement::loses_data(object, format!("alter {parent} drop column {name}")),
        Kind::Sequence | Kind::Type | Kind::Domain => {
            Statement::loses_data(object, format!("drop {kind} {name}"))
        }
        Kind::Default => run(Phase::Values, default(object, Setting::Drop)),
        // Once nothing is an identity any more that has to be not null.
        Kind::NotNull => run(Phase::Keys, alter_value(object, "drop not null")),
        Kind::TriggerState => run(
            Phase::Parts,
            format!("alter {parent} enable trigger {name}"),
        ),
        Kind::RowSecurity => {
            let word = if name == "force" {
                "no force"
            } else {
                "disable"
            };
            run(
                Phase::Parts,
                format!("alter {parent} {word} row level security"),
            )
        }
        Kind::Comment => run(Phase::Rights, format!("comment on {parent} is null")),
        Kind::Owner => run(
            Phase::Rights,
            format!("alter {parent} owner to current_user"),
        ),
        Kind::OwnedBy => run(Phase::Rights, format!("alter {parent} owned by none")),
        _ => Statement::by_hand(object),
    }
}

pub(super) fn make(object: &Object, wanted: &Catalog) -> Vec<Statement> {
    let Object {
        kind,
        parent,
        name,
        definition,
        ..
    } = object;
    let table = object.bare_parent();
    let run = |phase, sql| vec![Statement::new(phase, object, sql)];
    match kind {
        Kind::Table => run(Phase::MakeStorage, create_table(object, wanted)),
        Kind::Type | Kind::Domain => run(Phase::MakeStorage, definition.clone()),
        Kind::Sequence => run(
            Phase::MakeStorage,
            format!("create sequence {name} {definition}"),
        ),
        Kind::Column => {
            let column = column(object, wanted);
            run(
                Phase::Columns,
                format!("alter {parent} add column {column}"),
            )
        }
        kind if kind.is_code() => run(Phase::Code, definition.clone()),
        // Values that are stored, or are not, are another column's.
        Kind::Default
            if definition.starts_with("generated ") && !definition.ends_with(" as identity") =>
        {
            vec![Statement::by_hand(object)]
        }
        Kind::Default => run(Phase::Values, default(object, Setting::Set)),
        Kind::NotNull => run(Phase::Values, alter_value(object, "set not null")),
        Kind::Constraint => {
            let sql = format!("alter {parent} add constraint {name} {definition}");
            let foreign = definition.starts_with("FOREIGN KEY");
            run(
                if foreign {
                    Phase::ForeignKeys
                } else {
                    Phase::Keys
                },
                sql,
            )
        }
        Kind::Index => run(Phase::Indexes, definition.clone()),
        Kind::Trigger | Kind::Rule => run(Phase::Parts, definition.clone()),
        Kind::Policy => run(
            Phase::Parts,
            format!("create policy {name} on {table} {definition}"),
        ),
        // After the triggers that it is about.
        Kind::TriggerState => run(
            Phase::Rights,
            format!("alter {parent} {definition} trigger {name}"),
        ),
        Kind::RowSecurity => run(
            Phase::Parts,
            format!("alter {parent} {name} row level security"),
        ),
        Kind::OwnedBy => run(
            Phase::Rights,
            format!("alter {parent} owned by {definition}"),
        ),
        Kind::Comment => run(
            Phase::Rights,
            format!("comment on {parent} is {definition}"),
        ),
        Kind::Grant | Kind::ColumnGrant | Kind::DefaultGrant => run(Phase::Rights, grant(object)),
        _ => vec![Statement::by_hand(object)],
    }
}
