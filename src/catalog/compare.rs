//! Two schemas, compared: what one lacks, what it has besides, and what is otherwise in it.

use std::collections::{BTreeMap, BTreeSet};

use super::remedy::{self, Statement};
use super::{Catalog, Kind, Object, texts};

/// What tells an object from all others of its schema.
pub(super) type Key<'a> = (Kind, &'a str, &'a str);

/// How a schema differs in one place from what the migrations make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) kind: Kind,
    /// What it is about: `column note of table issues`.
    pub(crate) subject: String,
    pub(crate) change: Change,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// The migrations make it, and it is not there.
    Missing {
        wanted: String,
    },
    /// The migrations do not make it.
    Extra {
        found: String,
    },
    Changed {
        found: String,
        wanted: String,
    },
}

/// What differs, and the statements that would mend it, in an order in which they can be run.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) differences: Vec<Difference>,
    pub(super) statements: Vec<Statement>,
}

pub(super) enum Pair<'a> {
    Missing(&'a Object),
    Extra(&'a Object),
    Changed {
        found: &'a Object,
        wanted: &'a Object,
    },
}

/// Compares a schema with the one that it should be like.
pub(crate) fn compare(found: &Catalog, wanted: &Catalog) -> Comparison {
    let all: Vec<_> = found.objects.iter().collect();
    let pairs = pairs(&all, &wanted.objects);
    let told: Vec<_> = pairs
        .iter()
        .filter(|pair| !goes_without_saying(pair, &pairs))
        .collect();
    let dropped = dropped(found, &pairs);
    let made_again: Vec<_> = dropped
        .iter()
        .filter(|object| {
            wanted
                .objects
                .iter()
                .any(|other| other.key() == object.key())
        })
        .collect();
    let mut statements: Vec<_> = made_again
        .iter()
        .map(|object| remedy::drop(object, note_of_dropped(object, &pairs)))
        .collect();
    // What is dropped takes with it what hangs on it, and that is missing then.
    let stays = |object: &&&Object| {
        let is_gone = made_again.iter().any(|gone| gone.key() == object.key());
        !is_gone && !dropped.iter().any(|gone| object.hangs_on(gone))
    };
    let rest: Vec<_> = all.iter().filter(stays).copied().collect();
    let rest = self::pairs(&rest, &wanted.objects);
    for pair in rest
        .iter()
        .filter(|pair| !comes_with(pair, &rest, &pairs, wanted))
    {
        let is_it = |other: &Object| other.key() == pair.object().key();
        let is_told = told.iter().any(|pair| is_it(pair.object()));
        let is_dropped = made_again.iter().any(|object| is_it(object));
        let note = (is_told && !is_dropped).then(|| difference(pair).sentence());
        statements.extend(remedy::mend(pair, note, wanted, found));
    }
    statements.sort_by_key(Statement::order);
    Comparison {
        differences: told.into_iter().map(difference).collect(),
        statements,
    }
}

fn pairs<'a>(found: &[&'a Object], wanted: &'a [Object]) -> Vec<Pair<'a>> {
    let here: BTreeMap<_, _> = found.iter().map(|object| (object.key(), *object)).collect();
    let there: BTreeMap<_, _> = wanted.iter().map(|object| (object.key(), object)).collect();
    let keys: BTreeSet<_> = here.keys().chain(there.keys()).copied().collect();
    let pair = |key| match (here.get(&key), there.get(&key)) {
        (None, Some(wanted)) => Some(Pair::Missing(wanted)),
        (Some(found), None) => Some(Pair::Extra(found)),
        (Some(found), Some(wanted)) if found.definition != wanted.definition => {
            Some(Pair::Changed { found, wanted })
        }
        _ => None,
    };
    keys.into_iter().filter_map(pair).collect()
}

/// Whether the table, column, view or trigger that it is a part of is missing, or there besides.
fn goes_without_saying(pair: &Pair<'_>, pairs: &[Pair<'_>]) -> bool {
    pairs.iter().any(|whole| match (pair, whole) {
        (Pair::Missing(part), Pair::Missing(whole)) => {
            part.is_within(whole) || part.hangs_on(whole)
        }
        (Pair::Extra(part), Pair::Extra(whole)) => goes_with(part, whole, pairs),
        _ => false,
    })
}

/// Whether it is dropped with another one that is there besides, as a sequence is with its column.
fn goes_with(part: &Object, whole: &Object, pairs: &[Pair<'_>]) -> bool {
    let owned = format!("sequence {}", part.name);
    let is_owned = |pair: &Pair<'_>| match pair {
        Pair::Extra(other) => {
            other.kind == Kind::OwnedBy && other.parent == owned && other.hangs_on(whole)
        }
        _ => false,
    };
    part.is_within(whole)
        || part.hangs_on(whole)
        || part.kind == Kind::Sequence && pairs.iter().any(is_owned)
}

/// Whether what is done about another difference does this one, too.
fn comes_with(pair: &Pair<'_>, rest: &[Pair<'_>], pairs: &[Pair<'_>], wanted: &Catalog) -> bool {
    rest.iter().any(|whole| match (pair, whole) {
        (Pair::Missing(part), Pair::Missing(whole)) => {
            part.is_within(whole) || texts::is_given(part, whole, wanted)
        }
        (Pair::Extra(part), Pair::Extra(whole)) => goes_with(part, whole, pairs),
        _ => false,
    })
}

/// What has to be dropped before anything is made, be it to be made anew: what is not the migrations', code and parts
/// that are otherwise, and what reads tables whose columns change or code that is dropped.
fn dropped<'a>(found: &'a Catalog, pairs: &[Pair<'a>]) -> Vec<&'a Object> {
    let mut dropped: Vec<&Object> = Vec::new();
    // Relations whose readers cannot stay.
    let mut disturbed: Vec<String> = Vec::new();
    let mut disturbed_parts = Vec::new();
    for pair in pairs {
        match pair {
            Pair::Extra(object) => dropped.push(object),
            Pair::Changed { found: object, .. } if object.kind == Kind::Column => {
                disturbed.push(object.bare_parent().to_owned());
                disturbed_parts.extend(conditions(found, object));
            }
            Pair::Changed {
                found: object,
                wanted,
            } if remedy::has_to_be_dropped(object, wanted) => dropped.push(object),
            _ => {}
        }
    }
    for part in disturbed_parts {
        if !dropped.iter().any(|object| object.key() == part.key()) {
            dropped.push(part);
        }
    }
    let code = dropped.iter().filter(|object| object.kind.is_code());
    disturbed.extend(code.map(|object| object.name.clone()));
    while let Some(relation) = disturbed.pop() {
        let readers = found.readers.iter().filter(|(read, _)| *read == relation);
        for (_, (kind, name)) in readers {
            let reader = found
                .objects
                .iter()
                .find(|object| object.kind == *kind && object.name == *name);
            let Some(reader) = reader else { continue };
            if !dropped.iter().any(|object| object.key() == reader.key()) {
                disturbed.push(name.clone());
                dropped.push(reader);
            }
        }
    }
    dropped
}

/// Policies and triggers of a table that name a column: Postgres would not change its type under them.
fn conditions<'a>(found: &'a Catalog, column: &'a Object) -> impl Iterator<Item = &'a Object> {
    found.objects.iter().filter(|object| {
        matches!(object.kind, Kind::Policy | Kind::Trigger)
            && object.parent == column.parent
            && object.definition.contains(&column.name)
    })
}

fn note_of_dropped(object: &Object, pairs: &[Pair<'_>]) -> String {
    let own = pairs
        .iter()
        .find(|pair| pair.object().key() == object.key());
    own.map_or_else(
        || {
            let subject = capitalized(&object.subject());
            format!("{subject} stands in the way of what follows; it is made again below")
        },
        |pair| difference(pair).sentence(),
    )
}

fn difference(pair: &Pair<'_>) -> Difference {
    let text = |object: &Object| object.definition.replace(super::ROLE, "tenant");
    Difference {
        kind: pair.object().kind,
        subject: pair.object().subject(),
        change: match pair {
            Pair::Missing(object) => Change::Missing {
                wanted: text(object),
            },
            Pair::Extra(object) => Change::Extra {
                found: text(object),
            },
            Pair::Changed { found, wanted } => Change::Changed {
                found: text(found),
                wanted: text(wanted),
            },
        },
    }
}

impl Pair<'_> {
    pub(super) fn object(&self) -> &Object {
        match self {
            Self::Missing(object) | Self::Extra(object) | Self::Changed { wanted: object, .. } => {
                object
            }
        }
    }
}

impl Difference {
    /// What differs, for people.
    pub(crate) fn sentence(&self) -> String {
        let subject = capitalized(&self.subject);
        match &self.change {
            Change::Missing { .. } => format!("{subject} is missing"),
            Change::Extra { .. } => format!("{subject} is not in the migrations"),
            Change::Changed { found, wanted } => match (short(found), short(wanted)) {
                (Some(found), Some(wanted)) => {
                    format!("{subject} is otherwise: {found}, and by the migrations {wanted}")
                }
                _ => format!("{subject} is otherwise"),
            },
        }
    }
}

/// A definition that fits into a sentence.
fn short(text: &str) -> Option<&str> {
    (!text.is_empty() && text.len() <= 100 && !text.contains('\n')).then_some(text)
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

impl Object {
    pub(super) fn key(&self) -> Key<'_> {
        (self.kind, &self.parent, &self.name)
    }

    /// The parent without the word before its name.
    pub(super) fn bare_parent(&self) -> &str {
        let words = ["table ", "domain ", "sequence "];
        let bare = words.iter().find_map(|word| self.parent.strip_prefix(word));
        bare.unwrap_or(&self.parent)
    }

    /// How people call it.
    fn subject(&self) -> String {
        let Self {
            kind, parent, name, ..
        } = self;
        match kind {
            Kind::Comment => format!("the comment on {parent}"),
            Kind::Grant | Kind::ColumnGrant => {
                format!("what {} may do with {parent}", grantee(name))
            }
            Kind::DefaultGrant => format!("what {} may do with new {parent}", grantee(name)),
            Kind::RowSecurity if name == "force" => {
                format!("forced row-level security on {parent}")
            }
            Kind::RowSecurity => format!("row-level security on {parent}"),
            Kind::Owner => format!("the owner of {parent}"),
            Kind::OwnedBy => format!("whose {parent} is"),
            Kind::TriggerState if name == "all" => format!("the checking of keys on {parent}"),
            Kind::TriggerState => format!("the state of trigger {name} on {parent}"),
            Kind::Other => name.clone(),
            _ if parent.is_empty() => format!("{kind} {name}"),
            _ if name.is_empty() => format!("{kind} of {parent}"),
            _ => format!("{kind} {name} of {parent}"),
        }
    }

    /// Whether making or dropping the other one makes or drops this one, too.
    fn is_within(&self, whole: &Self) -> bool {
        let inlined = matches!(
            self.kind,
            Kind::Column | Kind::Default | Kind::NotNull | Kind::Identity
        );
        match whole.kind {
            Kind::Table => inlined && self.parent == format!("table {}", whole.name),
            Kind::Domain => inlined && self.parent == format!("domain {}", whole.name),
            Kind::Column => {
                inlined
                    && self.kind != Kind::Column
                    && (&self.parent, &self.name) == (&whole.parent, &whole.name)
            }
            _ => false,
        }
    }

    /// Whether it goes when the other one is dropped.
    fn hangs_on(&self, other: &Self) -> bool {
        let name = &other.name;
        let comment = self.kind == Kind::Comment;
        match other.kind {
            Kind::Table | Kind::View | Kind::MaterializedView => {
                let part = self.parent == format!("table {name}");
                let on = self.parent == format!("{} {name}", other.kind)
                    || self.parent == format!("foreign table {name}")
                    || self.parent.starts_with(&format!("column {name}."))
                    || self.parent.ends_with(&format!(" on {name}"));
                let owned =
                    self.kind == Kind::OwnedBy && self.definition.starts_with(&format!("{name}."));
                part || comment && on || owned
            }
            Kind::Column => {
                let column = format!("{}.{name}", other.bare_parent());
                self.is_within(other)
                    || comment && self.parent == format!("column {column}")
                    || self.kind == Kind::OwnedBy && self.definition == column
            }
            Kind::Trigger => {
                let state = self.kind == Kind::TriggerState
                    && (&self.parent, &self.name) == (&other.parent, name);
                state || comment && self.parent == on(other)
            }
            Kind::Policy => comment && self.parent == on(other),
            Kind::Constraint => {
                comment && self.parent == format!("constraint {name} on {}", other.on_table())
            }
            Kind::Index => comment && self.parent == format!("index {name}"),
            Kind::Function | Kind::Procedure | Kind::Aggregate => [other.kind.word(), "function"]
                .map(|word| format!("{word} {name}"))
                .contains(&self.parent),
            Kind::Type | Kind::Domain | Kind::Sequence => {
                self.parent == format!("{} {name}", other.kind)
            }
            _ => false,
        }
    }

    /// As comments on constraints name what they are on.
    fn on_table(&self) -> &str {
        self.parent.strip_prefix("table ").unwrap_or(&self.parent)
    }
}

fn on(object: &Object) -> String {
    format!("{} {} on {}", object.kind, object.name, object.on_table())
}

/// The tenant's role, and others.
fn grantee(name: &str) -> String {
    match name.strip_prefix(super::ROLE) {
        Some(rest) => format!("the tenant{rest}"),
        None => name.to_owned(),
    }
}
