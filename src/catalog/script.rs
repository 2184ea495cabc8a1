//! Statements as a script that a person reads, and runs.

use super::compare::Comparison;
use super::remedy::{Remedy, Statement};
use super::{ROLE, SCHEMA, SCHEMA_LITERAL, Workspace};

/// What would make a tenant's schema what the migrations make.
pub(crate) struct Script<'a> {
    pub(crate) comparison: &'a Comparison,
    pub(crate) workspace: &'a Workspace,
    /// What the script begins with: sentences, a line each.
    pub(crate) head: &'a [String],
    /// Whether rows may be lost.
    pub(crate) drop: bool,
}

impl Script<'_> {
    /// One transaction, with a comment on each difference.
    pub(crate) fn text(&self) -> String {
        let schema = self.workspace.schema.quoted();
        let mut text: String = self
            .head
            .iter()
            .map(|line| format!("-- {line}\n"))
            .collect();
        text.push_str("begin;\nset local search_path to ");
        text.push_str(&schema);
        text.push_str(", extensions;\nset local check_function_bodies to off;\nset local lock_timeout to '5s';\n");
        for statement in &self.comparison.statements {
            let own = self.named(&written(statement, self.drop));
            text.push_str(&own);
        }
        text.push_str("\ncommit;\n");
        text
    }

    fn named(&self, text: &str) -> String {
        let schema = &self.workspace.schema;
        let literal = format!("'{}'", schema.as_str().replace('\'', "''"));
        text.replace(ROLE, &self.workspace.role.quoted())
            .replace(SCHEMA, &schema.quoted())
            .replace(SCHEMA_LITERAL, &literal)
    }
}

/// The same for a migration, in which the tenant's role is called `tenant`. None where something cannot be said in SQL.
pub(crate) fn for_migrations(comparison: &Comparison) -> Option<String> {
    let sql = |statement: &Statement| match &statement.remedy {
        Remedy::Sql(sql) | Remedy::LosesData(sql) => Some(ended(sql).replace(ROLE, "tenant")),
        Remedy::ByHand => None,
    };
    comparison.statements.iter().map(sql).collect()
}

fn written(statement: &Statement, drop: bool) -> String {
    let mut text = String::new();
    if let Some(note) = &statement.note {
        text.push('\n');
        text.push_str(&commented(&format!("{note}.")));
    }
    match &statement.remedy {
        Remedy::Sql(sql) => text.push_str(&ended(sql)),
        Remedy::LosesData(sql) if drop => text.push_str(&ended(sql)),
        Remedy::LosesData(sql) => {
            text.push_str("-- What is in it would be lost; if that is right:\n");
            text.push_str(&commented(ended(sql).trim_end()));
        }
        Remedy::ByHand => text.push_str("-- There is no statement that mends it: do it by hand.\n"),
    }
    text
}

fn ended(sql: &str) -> String {
    format!("{};\n", sql.trim_end().trim_end_matches(';'))
}

fn commented(text: &str) -> String {
    text.lines().map(|line| format!("-- {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::for_migrations;
    use crate::catalog::{Catalog, Kind, Object, ROLE, compare};

    fn catalog(objects: &[(Kind, &str, &str, &str)]) -> Catalog {
        let object = |(kind, parent, name, definition): &(Kind, &str, &str, &str)| Object {
            kind: *kind,
            parent: (*parent).to_owned(),
            name: (*name).to_owned(),
            definition: (*definition).to_owned(),
            position: 0,
        };
        Catalog {
            objects: objects.iter().map(object).collect(),
            readers: BTreeSet::new(),
        }
    }

    const USERS: (Kind, &str, &str, &str) = (Kind::Table, "", "users", "create table users (…)");
    const MOOD: (Kind, &str, &str, &str) = (Kind::Column, "table users", "mood", "mood");
    const NEEDED: (Kind, &str, &str, &str) = (Kind::NotNull, "table users", "mood", "");

    #[test]
    fn columns_of_the_same_tables_are_added_and_nothing_else() {
        let bare = catalog(&[USERS]);
        let index = (
            Kind::Index,
            "table users",
            "i",
            "create index i on users (mood)",
        );
        let other = (Kind::Column, "table others", "mood", "mood");
        let wanted = catalog(&[USERS, MOOD, NEEDED, index, other]);
        let comparison = compare(&bare, &bare.with_columns_of(&wanted));
        let sql = for_migrations(&comparison).unwrap();
        assert_eq!(sql, "alter table users add column mood mood not null;\n");
    }

    #[test]
    fn the_role_is_called_as_in_migrations() {
        let grant = (Kind::Grant, "table users", ROLE, "select");
        let comparison = compare(&catalog(&[USERS]), &catalog(&[USERS, grant]));
        let sql = for_migrations(&comparison).unwrap();
        assert_eq!(sql, "grant select on table users to tenant;\n");
        let other = (Kind::Other, "", "operator +", "");
        let comparison = compare(&catalog(&[USERS]), &catalog(&[USERS, other]));
        assert!(for_migrations(&comparison).is_none());
    }
}
