//! Which schemas the migrations bring along, and what their objects are called once they share one schema.

mod noted;

use std::collections::{HashMap, HashSet};

use super::enums::Enums;
use super::lex::Kind;
use super::tokens::Tokens;

/// What earlier migrations of the same directory established; each script adds to it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// The schemas whose objects move into the tenant's schema.
    schemas: HashSet<String>,
    /// The schema that first made an object of this name, which the object keeps.
    owners: HashMap<(Group, String), String>,
    /// Objects that must give way: `schema.name` becomes `schema_name`.
    renamed: HashSet<(String, String)>,
    objects: HashSet<(String, String)>,
    /// Some relation has the name of a schema, as `bookings.bookings` has.
    namesakes: HashSet<String>,
    pub(super) enums: Enums,
}

/// Names collide within a group. Routines are told apart by their arguments too, but rarely across schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Group {
    /// Tables, views, sequences, types.
    Relation,
    Routine,
}

/// An object that a statement creates.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Created {
    pub(super) group: Group,
    pub(super) schema: Option<String>,
    pub(super) name: String,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            schemas: HashSet::from([PUBLIC.to_owned()]),
            owners: HashMap::new(),
            renamed: HashSet::new(),
            objects: HashSet::new(),
            namesakes: HashSet::new(),
            enums: Enums::default(),
        }
    }
}

pub(super) const PUBLIC: &str = "public";

impl Known {
    /// Looks through all files before the first one is read.
    pub(crate) fn foresee<'a>(&mut self, files: impl Iterator<Item = &'a str>) {
        self.enums = Enums::of(files);
    }

    pub(super) fn add_schema(&mut self, name: &str) {
        if !["pg_catalog", "information_schema", "pg_temp"].contains(&name) {
            self.schemas.insert(name.to_owned());
        }
    }

    pub(super) fn has_schema(&self, name: &str) -> bool {
        self.schemas.contains(name)
    }

    pub(super) fn add_object(&mut self, group: Group, schema: &str, name: &str) {
        let object = (schema.to_owned(), name.to_owned());
        let owner = self
            .owners
            .entry((group, name.to_owned()))
            .or_insert_with(|| schema.to_owned());
        if owner != schema {
            self.renamed.insert(object.clone());
        }
        if group == Group::Relation {
            self.namesakes.insert(name.to_owned());
        }
        self.objects.insert(object);
    }

    pub(super) fn has_object(&self, schema: &str, name: &str) -> bool {
        self.objects.contains(&(schema.to_owned(), name.to_owned()))
    }

    /// Whether the scripts make a relation of this name, in whatever schema they think of.
    pub(crate) fn creates(&self, name: &str) -> bool {
        self.owners
            .contains_key(&(Group::Relation, name.to_owned()))
    }

    pub(super) fn has_renamed(&self) -> bool {
        !self.renamed.is_empty()
    }

    /// The new name of an object that collides with one of another schema.
    pub(super) fn renamed(&self, schema: &str, name: &str) -> Option<String> {
        (self.has_renamed() && self.renamed.contains(&(schema.to_owned(), name.to_owned())))
            .then(|| [schema, "_", name].concat())
    }

    /// Whether `schema.x` could also be a column of a relation with the schema's name.
    pub(super) fn is_ambiguous(&self, schema: &str) -> bool {
        self.namesakes.contains(schema)
    }
}

/// What a CREATE statement creates, if it is something that has a schema of its own.
pub(super) fn created(tokens: Tokens<'_>) -> Option<Created> {
    let (group, at) = created_at(tokens)?;
    let first = tokens.name(at)?.into_owned();
    if tokens.kind(at + 1) == Some(Kind::Dot) {
        let name = tokens.name(at + 2)?.into_owned();
        return Some(Created {
            group,
            schema: Some(first),
            name,
        });
    }
    Some(Created {
        group,
        schema: None,
        name: first,
    })
}

/// The group of the created object and the position of its name.
pub(super) fn created_at(tokens: Tokens<'_>) -> Option<(Group, usize)> {
    if !tokens.is(0, "CREATE") {
        return None;
    }
    let mut at = 1;
    while tokens.is_any(
        at,
        &[
            "OR",
            "REPLACE",
            "GLOBAL",
            "LOCAL",
            "UNLOGGED",
            "MATERIALIZED",
            "RECURSIVE",
            "FOREIGN",
        ],
    ) {
        at += 1;
    }
    // Temporary tables live in a schema of their session.
    let group = if tokens.is_any(at, &["TABLE", "VIEW", "SEQUENCE", "TYPE", "DOMAIN"]) {
        Group::Relation
    } else if tokens.is_any(at, &["FUNCTION", "PROCEDURE", "AGGREGATE"]) {
        Group::Routine
    } else {
        return None;
    };
    let exists = if tokens.are(at + 1, &["IF", "NOT", "EXISTS"]) {
        3
    } else {
        0
    };
    Some((group, at + 1 + exists))
}

#[cfg(test)]
mod tests {
    use super::{Created, Group, Known, created};
    use crate::migrate::script::lex::tokens;
    use crate::migrate::script::tokens::Tokens;

    fn made(sql: &str) -> Option<(Option<String>, String)> {
        let all = tokens(sql).unwrap();
        created(Tokens {
            text: sql,
            all: &all,
        })
        .map(|Created { schema, name, .. }| (schema, name))
    }

    #[test]
    fn created_objects_are_found_whatever_stands_before_the_name() {
        let t =
            |schema: Option<&str>, name: &str| Some((schema.map(str::to_owned), name.to_owned()));
        assert_eq!(
            made("create table if not exists A.\"B c\" (x int)"),
            t(Some("a"), "B c")
        );
        assert_eq!(made("CREATE UNLOGGED TABLE t()"), t(None, "t"));
        assert_eq!(made("create materialized view v as select 1"), t(None, "v"));
        assert_eq!(
            made("create or replace function s.f() returns int"),
            t(Some("s"), "f")
        );
        assert_eq!(made("create temp table t()"), None);
        assert_eq!(made("create index i on t (x)"), None);
    }

    #[test]
    fn the_first_object_keeps_its_name() {
        let mut known = Known::default();
        known.add_object(Group::Relation, "hr", "d");
        known.add_object(Group::Relation, "pr", "d");
        known.add_object(Group::Routine, "pr", "e");
        known.add_object(Group::Relation, "hr", "e");
        assert_eq!(known.renamed("hr", "d"), None);
        assert_eq!(known.renamed("pr", "d").as_deref(), Some("pr_d"));
        assert_eq!(known.renamed("pr", "e"), None);
    }
}
