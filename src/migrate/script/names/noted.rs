//! What files have established, written down for the time when they are gone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Group, Known};
use crate::migrate::USERS_TABLES;

/// Sorted, so that the same is written the same.
#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    schemas: BTreeSet<String>,
    /// Objects with the schema that first made one of this name.
    relations: BTreeSet<(String, String)>,
    routines: BTreeSet<(String, String)>,
    objects: BTreeSet<(String, String)>,
    renamed: BTreeSet<(String, String)>,
}

impl Known {
    /// A line of text; none where statements that make the same in one schema tell it all.
    pub(crate) fn noted(&self) -> Option<String> {
        // A table of users may have come and gone, and has given the service's own another name.
        if self.schemas.len() == 1 && !USERS_TABLES.iter().any(|name| self.creates(name)) {
            return None;
        }
        let owners = |wanted: Group| {
            let owners = self.owners.iter();
            let owners = owners.filter(move |((group, _), _)| *group == wanted);
            owners.map(|((_, name), schema)| (schema.clone(), name.clone()))
        };
        let noted = Noted {
            schemas: self.schemas.iter().cloned().collect(),
            relations: owners(Group::Relation).collect(),
            routines: owners(Group::Routine).collect(),
            objects: self.objects.iter().cloned().collect(),
            renamed: self.renamed.iter().cloned().collect(),
        };
        serde_json::to_string(&noted).ok()
    }

    /// What such a line tells.
    pub(crate) fn recall(line: &str) -> Option<Self> {
        let noted: Noted = serde_json::from_str(line).ok()?;
        let mut known = Self::default();
        known.schemas.extend(noted.schemas);
        let owners = [
            (Group::Relation, noted.relations),
            (Group::Routine, noted.routines),
        ];
        for (group, owners) in owners {
            for (schema, name) in owners {
                known.add_object(group, &schema, &name);
            }
        }
        known.objects.extend(noted.objects);
        known.renamed.extend(noted.renamed);
        Some(known)
    }

    /// Takes over what another one knows, but for values of enums.
    pub(crate) fn take_names(&mut self, other: &Self) {
        let enums = std::mem::take(&mut self.enums);
        *self = Self {
            enums,
            ..other.clone()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_recalled() {
        let mut known = Known::default();
        known.add_object(Group::Relation, "public", "t");
        assert!(known.noted().is_none());
        known.add_schema("hr");
        known.add_schema("odd \"one\"\n");
        for schema in ["hr", "odd \"one\"\n", "public"] {
            known.add_object(Group::Relation, schema, "d");
            known.add_object(Group::Routine, schema, "f");
        }
        let line = known.noted().unwrap();
        assert!(!line.contains('\n'));
        let recalled = Known::recall(&line).unwrap();
        assert_eq!(recalled.schemas, known.schemas);
        assert_eq!(recalled.owners, known.owners);
        assert_eq!(recalled.renamed, known.renamed);
        assert_eq!(recalled.objects, known.objects);
        assert_eq!(recalled.namesakes, known.namesakes);
        assert_eq!(recalled.noted().unwrap(), line);
        assert!(Known::recall("{}").is_none());
    }

    #[test]
    fn a_table_of_users_that_came_and_went_is_noted() {
        let mut known = Known::default();
        known.add_object(Group::Relation, "public", "users");
        let line = known.noted().unwrap();
        assert!(Known::recall(&line).unwrap().creates("users"));
    }
}
