//! Keys, references and constraints of the catalog, as columns of the model.

use tokio_postgres::Row;

use super::comment::Comment;
use super::introspect::Catalog;
use super::types::{ColumnId, Constraint, ForeignKey, Key};
use crate::sql::Ident;

impl Catalog {
    pub(super) fn add_key(&mut self, row: &Row) {
        let oid: u32 = row.get("indrelid");
        let Some(&relation) = self.relations.get(&oid) else {
            return;
        };
        let Some(columns) = self.column_ids(oid, &row.get::<_, Vec<i16>>("columns")) else {
            return;
        };
        let primary = row.get("indisprimary");
        let keys = &mut self.model.relations[relation.0].keys;
        if keys.iter().all(|key| key.columns != columns) {
            let immediate = row.get("indimmediate");
            keys.push(Key {
                columns,
                primary,
                immediate,
            });
        }
    }

    pub(super) fn add_foreign_key(&mut self, row: &Row) {
        let (from, to): (u32, u32) = (row.get("conrelid"), row.get("confrelid"));
        let (Some(&from_id), Some(&to_id)) = (self.relations.get(&from), self.relations.get(&to))
        else {
            return;
        };
        let (Some(from_columns), Some(to_columns)) = (
            self.column_ids(from, &row.get::<_, Vec<i16>>("conkey")),
            self.column_ids(to, &row.get::<_, Vec<i16>>("confkey")),
        ) else {
            return;
        };
        // Two constraints over the same columns are one relation.
        let known = self.model.foreign_keys.iter().any(|key| {
            key.from == from_id
                && key.to == to_id
                && key.from_columns == from_columns
                && key.to_columns == to_columns
        });
        if !known {
            self.model.foreign_keys.push(ForeignKey {
                name: Ident::new(row.get("conname")),
                comment: Comment::parse(row.get("comment")),
                from: from_id,
                from_columns,
                to: to_id,
                to_columns,
                validated: row.get("convalidated"),
                indexed: row.get("indexed"),
            });
        }
    }

    pub(super) fn add_constraint(&mut self, row: &Row) {
        let oid: u32 = row.get("relation");
        let Some(&relation) = self.relations.get(&oid) else {
            return;
        };
        let columns = self.column_ids(oid, &row.get::<_, Vec<i16>>("columns"));
        self.model.constraints.push(Constraint {
            relation,
            name: row.get("name"),
            columns: columns.unwrap_or_default(),
        });
    }

    pub(super) fn column_ids(&self, relation: u32, attnums: &[i16]) -> Option<Vec<ColumnId>> {
        attnums
            .iter()
            .map(|&attnum| self.columns.get(&(relation, attnum)).copied())
            .collect()
    }
}
