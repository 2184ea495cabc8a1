//! Rows that a nested write names by a unique key: those that have to exist, and those that are made
//! where they do not.

use std::sync::Arc;

use super::create::{Level, Parent};
use super::nested::Named;
use super::{
    Conflict, InputDef, InputMeaning, Lookup, ParamId, Planner, Result, RowsSource, Scope, Slot,
    State, WriteStep, message,
};
use crate::model::{ColumnId, RelationId};
use crate::schema::Nested;

/// A kind of unique key: the field that it is given by, and its columns with their paths.
pub(super) struct KeyKind {
    pub(super) field: Arc<str>,
    columns: Vec<(ColumnId, Vec<Arc<str>>)>,
}

impl<'a> Planner<'_, 'a> {
    /// The kinds of keys that any row has, whose key lies at the path.
    pub(super) fn key_kinds(
        &self,
        def: &'a InputDef,
        rows: &RowsSource,
        path: &[Arc<str>],
    ) -> Vec<KeyKind> {
        let mut kinds = Vec::new();
        for (name, field) in &def.fields {
            let mut path = path.to_vec();
            path.push(name.as_str().into());
            if !self.has_rows(&rows.having(&path)) {
                continue;
            }
            let columns = match (&field.meaning, self.input(field.ty.name())) {
                (InputMeaning::Column(column), _) => vec![(*column, path.clone())],
                (_, Some(def)) => {
                    let columns = def.fields.iter().filter_map(|(name, field)| {
                        let InputMeaning::Column(column) = field.meaning else {
                            return None;
                        };
                        let mut path = path.clone();
                        path.push(name.as_str().into());
                        Some((column, path))
                    });
                    columns.collect()
                }
                _ => continue,
            };
            kinds.push(KeyKind {
                field: name.as_str().into(),
                columns,
            });
        }
        kinds
    }

    fn key_params(
        &self,
        state: &mut State,
        relation: RelationId,
        rows: &RowsSource,
        key: &KeyKind,
    ) -> Vec<(ColumnId, ParamId)> {
        let columns = key.columns.iter();
        columns
            .map(|(column, path)| {
                let values = self.values(state, relation, *column, rows, path.clone());
                (*column, values)
            })
            .collect()
    }

    /// Rows that have to exist.
    pub(super) fn look_up(
        &mut self,
        state: &mut State,
        relation: RelationId,
        rows: &RowsSource,
        key: &KeyKind,
        needed: &[ColumnId],
        scope: Option<Scope>,
    ) -> Slot {
        let slot = self.slot(relation, needed);
        let type_name = self.env.api.blueprint.type_names[relation.0].clone();
        let name = type_name.as_deref().unwrap_or("row");
        let text = format!("{}: there is no such {name}", rows.path());
        let lookup = Lookup {
            relation,
            key: self.key_params(state, relation, rows, key),
            missing: Some(message(state, text)),
            scope,
            kept: self.kept(slot),
        };
        self.steps.push(WriteStep::Lookup(lookup));
        slot
    }

    /// Rows with a key, made where there are none. Whoever makes one at the same time is waited for.
    pub(super) fn find_or_create(
        &mut self,
        state: &mut State,
        relation: RelationId,
        (rows, def): (&RowsSource, &'a InputDef),
        needed: &[ColumnId],
        parent: Option<Parent<'_>>,
    ) -> Result<Vec<Named>> {
        let field = |wanted: Nested| {
            let is_it = |meaning: &InputMeaning| matches!(meaning, InputMeaning::Nested(nested) if *nested == wanted);
            let (name, field) = def.fields.iter().find(|(_, def)| is_it(&def.meaning))?;
            Some((
                Arc::<str>::from(name.as_str()),
                self.input(field.ty.name())?,
            ))
        };
        let (Some((connect, key_def)), Some((create, row_def))) =
            (field(Nested::Connect), field(Nested::Create))
        else {
            return Ok(Vec::new());
        };
        let mut all = Vec::new();
        for key in self.key_kinds(key_def, rows, &[Arc::clone(&connect)]) {
            let rows = rows.having(&[Arc::clone(&connect), Arc::clone(&key.field)]);
            let new = rows.field(&create);
            let nested = row_def.fields.iter().find(|(name, field)| {
                let links = matches!(
                    field.meaning,
                    InputMeaning::ToOne(_) | InputMeaning::ToMany(_)
                );
                links && self.is_given(&new, name)
            });
            if let Some((name, _)) = nested {
                let message = format!(
                    "{}.{name}: rows that may exist already take no others along",
                    new.path()
                );
                return Err(self.error(state, &message));
            }
            let unless = self.key_params(state, relation, &rows, &key);
            let columns: Vec<_> = key.columns.iter().map(|(column, _)| *column).collect();
            let level = Level {
                relation,
                rows: &new,
                def: row_def,
                parent,
                needed: &[],
            };
            self.create_rows(state, &level, None)?;
            let arbiter = self.is_immediate(relation, &columns);
            if let Some(WriteStep::Insert(insert)) = self.steps.last_mut() {
                insert.unless = unless;
                insert.complete = None;
                insert.conflict = arbiter.then(|| Conflict {
                    key: columns,
                    update: Vec::new(),
                });
            }
            let slot = self.look_up(state, relation, &rows, &key, needed, None);
            all.push(Named { slot, rows });
        }
        Ok(all)
    }

    /// Whether a row that has the key is met at once.
    fn is_immediate(&self, relation: RelationId, columns: &[ColumnId]) -> bool {
        let keys = &self.env.api.model.relation(relation).keys;
        keys.iter()
            .any(|key| key.immediate && key.columns == columns)
    }
}
