//! What a statement did to the tables that had been there before the transaction, from what the catalog holds before and after it.

use std::collections::{BTreeMap, BTreeSet};

use super::snapshot::{Column, Constraint, Index, Kind, Oid, Relation, Snapshot};

#[derive(Debug)]
pub(super) enum Change<'a> {
    /// Its rows are in another place now, or gone.
    Rewritten(&'a Relation),
    Dropped(&'a Relation),
    Renamed(&'a Relation, &'a Relation),
    ColumnAdded(&'a Relation, &'a Column),
    ColumnDropped(&'a Relation, &'a Column),
    ColumnRenamed(&'a Relation, &'a Column, &'a Column),
    TypeChanged(&'a Relation, &'a Column, &'a Column),
    NotNullSet(&'a Relation, &'a Column),
    IndexBuilt(&'a Relation, &'a Index, Built<'a>),
    ConstraintAdded(&'a Relation, &'a Constraint),
}

/// Why an index was built.
#[derive(Debug, Clone, Copy)]
pub(super) enum Built<'a> {
    Anew,
    /// It had been there, and the rows stayed where they were.
    Again,
    /// A new constraint needs it.
    For(&'a Constraint),
}

impl Change<'_> {
    /// The table that it is about.
    pub(super) fn relation(&self) -> &Relation {
        match self {
            Self::Rewritten(relation)
            | Self::Dropped(relation)
            | Self::Renamed(relation, _)
            | Self::ColumnAdded(relation, _)
            | Self::ColumnDropped(relation, _)
            | Self::ColumnRenamed(relation, ..)
            | Self::TypeChanged(relation, ..)
            | Self::NotNullSet(relation, _)
            | Self::IndexBuilt(relation, ..)
            | Self::ConstraintAdded(relation, _) => relation,
        }
    }
}

/// Tables come before their partitions.
pub(super) fn changes<'a>(
    existing: &BTreeSet<Oid>,
    before: &'a Snapshot,
    after: &'a Snapshot,
) -> Vec<Change<'a>> {
    let mut changes = Vec::new();
    for (oid, old) in &before.relations {
        if !existing.contains(oid) {
            continue;
        }
        let Some(new) = after.relations.get(oid) else {
            changes.push(Change::Dropped(old));
            continue;
        };
        if old.name != new.name {
            changes.push(Change::Renamed(old, new));
        }
        if old.file != new.file && new.file != 0 {
            changes.push(Change::Rewritten(new));
        }
        if old.kind == Kind::Table {
            columns(old, new, &mut changes);
        }
    }
    for (oid, index) in &after.indexes {
        let table = |snapshot: &'a Snapshot| snapshot.relations.get(&index.table);
        let (Some(old), Some(new)) = (table(before), table(after)) else {
            continue;
        };
        let old_index = before.indexes.get(oid);
        let built = match old_index {
            None => true,
            Some(old_index) => old_index.file != index.file && old.file == new.file,
        };
        if built && existing.contains(&index.table) {
            let mut constraints = after.constraints.values();
            let constraint = constraints.find(|constraint| constraint.index == *oid);
            let why = match (old_index, constraint) {
                (Some(_), _) => Built::Again,
                (None, Some(constraint)) => Built::For(constraint),
                (None, None) => Built::Anew,
            };
            changes.push(Change::IndexBuilt(new, index, why));
        }
    }
    for (oid, constraint) in &after.constraints {
        let is_new = !before.constraints.contains_key(oid) && existing.contains(&constraint.table);
        if let Some(relation) = after.relations.get(&constraint.table).filter(|_| is_new) {
            changes.push(Change::ConstraintAdded(relation, constraint));
        }
    }
    changes.sort_by_key(|change| change.relation().partition);
    changes
}

fn columns<'a>(old: &'a Relation, new: &'a Relation, changes: &mut Vec<Change<'a>>) {
    let own = |columns: &'a BTreeMap<i16, Column>| columns.iter().filter(|(_, c)| !c.inherited);
    for (number, was) in own(&old.columns) {
        let Some(is) = new.columns.get(number) else {
            changes.push(Change::ColumnDropped(old, was));
            continue;
        };
        if was.sql != is.sql {
            changes.push(Change::ColumnRenamed(new, was, is));
        }
        if was.r#type != is.r#type {
            changes.push(Change::TypeChanged(new, was, is));
        }
        if !was.required && is.required {
            changes.push(Change::NotNullSet(new, is));
        }
    }
    for (number, column) in own(&new.columns) {
        if !old.columns.contains_key(number) {
            changes.push(Change::ColumnAdded(new, column));
        }
    }
}
