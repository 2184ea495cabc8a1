//! What a mutation uses: the rows and columns it writes, those it finds them by, and its answer.

use super::{Subject, Walk};
use crate::model::{ColumnId, RelationId};
use crate::plan::{Answer, AnswerField, Find, Insert, Scope, Write, WriteStep};

impl<'p> Walk<'_, 'p> {
    pub(super) fn write(&mut self, write: &'p Write) {
        for step in &write.steps {
            self.step(step);
        }
        if let Some(find) = &write.delete {
            self.takes(Subject::WrittenRows(write.relation));
            self.find(write.relation, find);
        }
        match &write.answer {
            Answer::Row(selection) => self.row(write.relation, selection),
            Answer::Rows { fields, groups, .. } => {
                for (key, field) in fields {
                    if let AnswerField::Nodes(index) = field {
                        let rows = &groups[*index];
                        self.within(key.name(), |walk| walk.row(write.relation, rows));
                    }
                }
            }
        }
    }

    fn step(&mut self, step: &WriteStep) {
        match step {
            WriteStep::Insert(insert) => self.insert(insert),
            WriteStep::Update(update) => {
                self.find(update.relation, &update.find);
                for (column, _) in &update.set {
                    self.written_column(update.relation, *column);
                }
            }
            WriteStep::Lookup(lookup) => {
                self.columns(lookup.relation, lookup.key.iter().map(|(column, _)| column));
                if let Some(Scope { link, parent, .. }) = &lookup.scope
                    && let Some(value) = parent.first()
                {
                    self.list_link(value.relation, link);
                }
            }
            WriteStep::Follow(follow) => {
                for (column, value) in &follow.on {
                    self.column(follow.relation, *column);
                    self.column(value.relation, value.column);
                }
            }
            WriteStep::Delete(delete) => self.takes(Subject::WrittenRows(delete.relation)),
            WriteStep::Call(step) => self.call(&step.call),
        }
    }

    fn insert(&mut self, insert: &Insert) {
        let relation = insert.relation;
        self.takes(Subject::WrittenRows(relation));
        for column in &insert.columns {
            self.written_column(relation, column.column);
        }
        // Whether there is such a row shows in what happens.
        self.columns(relation, insert.unless.iter().map(|(column, _)| column));
        if let Some(conflict) = &insert.conflict {
            self.columns(relation, &conflict.key);
            for column in &conflict.update {
                self.written_column(relation, *column);
            }
        }
    }

    fn find(&mut self, relation: RelationId, find: &Find) {
        match find {
            Find::Key(key) => self.columns(relation, key.iter().map(|(column, _)| column)),
            Find::Filter(predicate) => self.predicate(relation, predicate),
            // Found by a step before.
            Find::Kept(_) => {}
        }
    }

    fn columns<'c>(
        &mut self,
        relation: RelationId,
        columns: impl IntoIterator<Item = &'c ColumnId>,
    ) {
        self.takes(Subject::Rows(relation));
        for column in columns {
            self.column(relation, *column);
        }
    }

    fn written_column(&mut self, relation: RelationId, column: ColumnId) {
        self.takes(Subject::WrittenColumn(relation, column));
    }
}
