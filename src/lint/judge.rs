//! What is wrong with a statement, from what it did.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::{Built, Change, changes};
use super::drafts::{self, Draft};
use super::safer;
use super::snapshot::{
    Column, Constraint, ConstraintKind, Index, Kind, Mode, Oid, Relation, Snapshot,
};
use crate::migrate::Statement;

/// A statement and all that could be seen of it.
pub(super) struct Step<'a> {
    pub(super) statement: &'a Statement,
    /// What had been there before the transaction: only that is in use.
    pub(super) existing: &'a BTreeSet<Oid>,
    pub(super) before: &'a Snapshot,
    pub(super) after: &'a Snapshot,
    pub(super) reports: &'a [Report],
    /// What statements before this one have locked so that requests wait, and on which line.
    pub(super) held: &'a BTreeMap<Oid, (Mode, u32)>,
    /// It is a transaction by itself, when tenants are migrated.
    pub(super) alone: bool,
}

/// What Postgres tells of while it does it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// All rows of this table are read, and checked.
    Verifies(String),
    /// All rows are looked up in the table that this foreign key leads to.
    LooksUp(String),
}

impl Step<'_> {
    /// Nothing is said twice, and of the partitions of a table one is enough.
    pub(super) fn judge(&self) -> Vec<Draft> {
        let changes = changes(self.existing, self.before, self.after);
        let mut found: Vec<Draft> = Vec::new();
        for change in &changes {
            let Some(draft) = self.about(change, &changes) else {
                continue;
            };
            let draft = draft.after(&new_columns(change, &changes));
            let partition = change.relation().partition;
            let told = |other: &Draft| {
                other.rule == draft.rule && (partition || other.message == draft.message)
            };
            if !found.iter().any(told) {
                found.push(draft);
            }
        }
        // Where something else is wrong, that is why.
        if found.is_empty() {
            found.extend(self.reads_all());
        }
        found.extend(self.works_under_lock());
        found.extend(self.deletes_all());
        found
    }

    fn about(&self, change: &Change<'_>, all: &[Change<'_>]) -> Option<Draft> {
        match *change {
            Change::Rewritten(relation) => Some(self.rewritten(relation, all)),
            Change::ColumnAdded(table, column) => {
                fails_with_rows(column).then(|| drafts::required_column(table, column))
            }
            // Not where a constraint has proven that there are no nulls.
            Change::NotNullSet(table, column) => self
                .verifies(table)
                .then(|| drafts::sets_not_null(table, column)),
            // `on only`: of the table alone there are no rows.
            Change::IndexBuilt(table, ..) if table.is_partitioned() && !of_partitions(all) => None,
            Change::IndexBuilt(table, index, Built::Anew) => {
                Some(drafts::builds_index(table, index))
            }
            Change::IndexBuilt(table, index, Built::Again) => {
                Some(drafts::builds_index_again(table, index))
            }
            Change::IndexBuilt(table, index, Built::For(constraint)) => {
                Some(drafts::adds_unique(table, index, constraint))
            }
            Change::ConstraintAdded(table, constraint) => self.added(table, constraint),
            Change::Dropped(relation) => (relation.kind == Kind::Table)
                .then(|| drafts::drops_table(relation, self.statement)),
            Change::ColumnDropped(table, column) => {
                Some(drafts::drops_column(table, column, self.statement))
            }
            Change::Renamed(old, new) => {
                (old.kind == Kind::Table).then(|| drafts::renames_table(old, new))
            }
            Change::ColumnRenamed(table, old, new) => Some(drafts::renames_column(table, old, new)),
            Change::TypeChanged(..) => None,
        }
    }

    fn rewritten(&self, relation: &Relation, all: &[Change<'_>]) -> Draft {
        if relation.kind == Kind::MaterializedView {
            let of_it = |index: &&Index| {
                let table = self.after.relations.get(&index.table);
                table.is_some_and(|table| table.name == relation.name)
            };
            let mut indexes = self.after.indexes.values().filter(of_it);
            return drafts::refreshes(relation, indexes.find(|index| index.tells_rows_apart()));
        }
        if self.statement.verb() == "TRUNCATE" {
            return drafts::empties(relation);
        }
        // A partition is written anew for a column that its parent has.
        let of = |table: &Relation| table.name == relation.name || relation.partition;
        let because = all.iter().find_map(|change| match *change {
            Change::TypeChanged(table, old, new) if of(table) => {
                Some(drafts::as_type_changes(table, (old, new), self.statement))
            }
            Change::ColumnAdded(table, column) if of(table) => {
                Some(drafts::as_column_is_filled(table, column))
            }
            _ => None,
        });
        drafts::rewrites(relation, because)
    }

    /// A constraint that is checked against what there is.
    fn added(&self, table: &Relation, constraint: &Constraint) -> Option<Draft> {
        match constraint.kind {
            ConstraintKind::Check if self.verifies(table) => {
                Some(drafts::checks(table, constraint))
            }
            ConstraintKind::ForeignKey if self.looks_up(constraint) => {
                let other = self.after.relations.get(&constraint.other);
                Some(drafts::looks_up(table, other, constraint))
            }
            _ => None,
        }
    }

    /// Whatever else has Postgres read a whole table, such as attaching a partition. A constraint is validated under a lock
    /// that holds nobody up, unless there is another one from before.
    fn reads_all(&self) -> Option<Draft> {
        let counts = |lock: &&(Oid, Mode)| {
            let is_new = !self.before.locks.contains(lock);
            lock.1.blocks() && self.existing.contains(&lock.0) && (is_new || !self.alone)
        };
        let locks = self.after.locks.iter().filter(counts);
        let tables = locks.filter_map(|(oid, mode)| {
            let table = self.after.relations.get(oid)?;
            self.verifies(table).then_some((table, *mode))
        });
        let (table, mode) = tables.max_by_key(|(_, mode)| *mode)?;
        Some(drafts::reads_all(table, mode))
    }

    /// Rows are changed while a lock from before has requests wait.
    fn works_under_lock(&self) -> Option<Draft> {
        const OF_SCHEMAS: [&str; 6] = ["CREATE", "ALTER", "DROP", "REFRESH", "LOCK", "TRUNCATE"];
        let statement = self.statement;
        let few = statement.verb() == "INSERT" && !statement.says("SELECT");
        if few || OF_SCHEMAS.contains(&statement.verb()) {
            return None;
        }
        let table = self.written()?;
        let (oid, (mode, line)) = self.held.iter().max_by_key(|(_, (mode, _))| *mode)?;
        let locked = self.before.relations.get(oid)?;
        let lock = (locked, *mode, *line);
        Some(drafts::works_under_lock(table, lock, statement))
    }

    fn deletes_all(&self) -> Option<Draft> {
        let all = self.statement.verb() == "DELETE" && !self.statement.says("WHERE");
        self.written().filter(|_| all).map(drafts::empties)
    }

    /// The existing table that the statement was the first to lock for writing its rows; of statements that always write,
    /// one that has been locked so before will do.
    fn written(&self) -> Option<&Relation> {
        let writes =
            |(oid, mode): &(Oid, Mode)| *mode == Mode::RowExclusive && self.existing.contains(oid);
        let is_new = |lock: &&(Oid, Mode)| writes(lock) && !self.before.locks.contains(lock);
        let always = ["UPDATE", "DELETE", "MERGE"].contains(&self.statement.verb());
        let locks = &self.after.locks;
        let again = || locks.iter().find(|lock| always && writes(lock));
        let (oid, _) = locks.iter().find(is_new).or_else(again)?;
        self.after.relations.get(oid)
    }

    /// A table without rows of its own has partitions, which are read in its place.
    fn verifies(&self, table: &Relation) -> bool {
        let mut reports = self.reports.iter();
        let is_it = |name: &str| name == table.name || table.is_partitioned();
        reports.any(|report| matches!(report, Report::Verifies(name) if is_it(name)))
    }

    fn looks_up(&self, constraint: &Constraint) -> bool {
        let mut reports = self.reports.iter();
        reports.any(|report| matches!(report, Report::LooksUp(name) if *name == constraint.name))
    }
}

fn fails_with_rows(column: &Column) -> bool {
    column.required && column.default.is_none() && !column.computed
}

/// Whether an index of a partition is built.
fn of_partitions(changes: &[Change<'_>]) -> bool {
    let mut changes = changes.iter();
    changes.any(|change| matches!(change, Change::IndexBuilt(table, ..) if table.partition))
}

/// The columns that the same statement adds, as an index or a constraint needs them to be there.
fn new_columns(change: &Change<'_>, all: &[Change<'_>]) -> Vec<String> {
    let (Change::IndexBuilt(table, ..) | Change::ConstraintAdded(table, _)) = change else {
        return Vec::new();
    };
    let added = all.iter().filter_map(|other| match other {
        Change::ColumnAdded(of, column) if of.name == table.name => {
            Some(safer::bare_column(of, column))
        }
        _ => None,
    });
    added.collect()
}
